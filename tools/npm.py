"Packages of the npm registry, each pinned by its version and its checksum."
import base64, hashlib, io, subprocess, sys, tarfile, tempfile
from pathlib import Path

pinned = {
    'axe-core': ('4.10.3', 'Xm7bpRXnDSX2YE2YFfBk2FnF0ep6tmG7xPh8iHee8MIcrgq762Nkce856dYtJYLkuIoYZvGfTs/P'
                 'bZhideTcEg=='),
    'katex': ('0.16.22', 'XCHRdUw4lf3SKBaJe4EvgqIuWwkPSo9XoeO8GjQW94Bp7TWv9hNhzZjZ+OH9yf1UmLygb7DI'
              'T5GSFQiyt16zYg=='),
    '@fontsource/stix-two-text': ('5.3.0', '/eVTBPvodwIlsUTImyGjNVG4wqi2SDi6nV0WmE0+ScfbCegC8zMkm6'
                                  'BER8dy8f900xgP1RkNx0HxjbixT/ISOg=='),
    '@fontsource/stix-two-math': ('5.3.0', 'negoeozw6VSXjZMozwKRSm/dhCQT62csZcuea9I8KYqPaZq/8KbbBB'
                                  'rA02ZHF7AyuR5mVML/p+q0bwFuSIf2GQ==')}


def unpacked(package, data):
    "The files of a package by name, if what was fetched is what we know."
    if base64.b64encode(hashlib.sha512(data).digest()).decode() != pinned[package][1]:
        sys.exit(f'what npm fetched as {package} has another checksum than the one pinned here: '
                 'clean its cache (npm cache clean --force) and try again')
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name.removeprefix('package/'): tar.extractfile(member).read()
                for member in tar.getmembers() if member.isfile()}


def files(package):
    "Fetch a package; its files by name."
    wanted = f'{package}@{pinned[package][0]}'
    command = ['npm', 'pack', wanted, '--prefer-offline', '--loglevel=error',
               '--fetch-timeout=20000', '--fetch-retries=1']
    print(f"fetching {wanted} from npm's registry", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as box:
        try: subprocess.run(command, cwd=box, check=True, stdout=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError) as e:
            sys.exit(f'npm cannot fetch {package} ({e}): install Node.js (https://nodejs.org), '
                     'check the network, and try again')
        return unpacked(package, next(Path(box).glob('*.tgz')).read_bytes())
