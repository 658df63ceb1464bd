"KaTeX for the equations of the site, a pinned version from the npm registry: katex.py FOLDER."
import sys
from pathlib import Path

import npm


def wanted(name):
    "Whether a page needs this file: the script, the style, and its fonts in the format of today."
    return (name in ('dist/katex.min.js', 'dist/katex.min.css', 'LICENSE')
            or name.startswith('dist/fonts/') and name.endswith('.woff2'))


if __name__ == '__main__':
    if len(sys.argv) != 2: sys.exit('katex.py FOLDER: name the folder to write')
    for name, data in npm.files('katex').items():
        if not wanted(name): continue
        target = Path(sys.argv[1]).expanduser()/name.removeprefix('dist/')
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
