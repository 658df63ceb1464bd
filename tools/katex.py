"KaTeX for the equations of the site, a pinned version from the npm registry: katex.py FOLDER."
import sys
from pathlib import Path

import npm

PACKAGE = 'katex@0.16.22'
INTEGRITY = 'sha512-XCHRdUw4lf3SKBaJe4EvgqIuWwkPSo9XoeO8GjQW94Bp7TWv9hNhzZjZ+OH9yf1UmLygb7DIT5GSFQiyt16zYg=='


def wanted(name):
    "Whether a page needs this file of the package: the script, the style, and its fonts in the one format that browsers use."
    return name in ('dist/katex.min.js', 'dist/katex.min.css', 'LICENSE') or name.startswith('dist/fonts/') and name.endswith('.woff2')


def unpack(tar, folder):
    "Write the files of the package that pages need."
    for member in tar.getmembers():
        name = member.name.removeprefix('package/')
        if not wanted(name): continue
        target = Path(folder)/name.removeprefix('dist/')
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(tar.extractfile(member).read())


if __name__ == '__main__':
    if len(sys.argv) != 2: sys.exit('katex.py FOLDER: name the folder to write')
    unpack(npm.fetched(PACKAGE, INTEGRITY), sys.argv[1])
