"KaTeX for the equations of the site, a pinned version from the npm registry: katex.py FOLDER."
import base64, hashlib, subprocess, sys, tarfile, tempfile
from pathlib import Path

PACKAGE = 'katex@0.16.22'
INTEGRITY = 'sha512-XCHRdUw4lf3SKBaJe4EvgqIuWwkPSo9XoeO8GjQW94Bp7TWv9hNhzZjZ+OH9yf1UmLygb7DIT5GSFQiyt16zYg=='


def wanted(name):
    "Whether a page needs this file of the package: the script, the style, and its fonts in the one format that browsers use."
    return name in ('dist/katex.min.js', 'dist/katex.min.css', 'LICENSE') or name.startswith('dist/fonts/') and name.endswith('.woff2')


def unpack(package, folder):
    "Write the needed files of a package, if it is the one we know."
    found = 'sha512-' + base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    if found != INTEGRITY: sys.exit(f'what npm fetched as {PACKAGE} has another checksum than the one pinned here: clean its cache (npm cache clean --force) and try again')
    with tarfile.open(package) as tar:
        for member in tar.getmembers():
            name = member.name.removeprefix('package/')
            if not wanted(name): continue
            target = Path(folder)/name.removeprefix('dist/')
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(tar.extractfile(member).read())


def fetch(folder):
    "Ask npm for the package and unpack it."
    with tempfile.TemporaryDirectory() as box:
        try: subprocess.run(['npm', 'pack', PACKAGE, '--prefer-offline', '--loglevel=error'], cwd=box, check=True, stdout=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError) as e: sys.exit(f'npm cannot fetch {PACKAGE} ({e}): install Node.js (https://nodejs.org), check the network, and try again')
        package, = Path(box).glob('*.tgz')
        unpack(package, folder)


if __name__ == '__main__':
    if len(sys.argv) != 2: sys.exit('katex.py FOLDER: name the folder to write')
    fetch(sys.argv[1])
