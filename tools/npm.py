"A pinned package from the npm registry."
import base64, hashlib, io, subprocess, sys, tarfile, tempfile
from pathlib import Path


def known(data, package, integrity):
    "The package opened, if it is the one we know."
    found = 'sha512-' + base64.b64encode(hashlib.sha512(data).digest()).decode()
    if found != integrity: sys.exit(f'what npm fetched as {package} has another checksum than the one pinned here: clean its cache (npm cache clean --force) and try again')
    return tarfile.open(fileobj=io.BytesIO(data))


def fetched(package, integrity):
    "Ask npm for `name@version`; its files are in the folder `package` of what is returned."
    with tempfile.TemporaryDirectory() as box:
        try: subprocess.run(['npm', 'pack', package, '--prefer-offline', '--loglevel=error'], cwd=box, check=True, stdout=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError) as e: sys.exit(f'npm cannot fetch {package} ({e}): install Node.js (https://nodejs.org), check the network, and try again')
        file, = Path(box).glob('*.tgz')
        return known(file.read_bytes(), package, integrity)
