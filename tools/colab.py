"""The first cell of a chapter, which installs the package where the chapter is opened in Colab:
colab.py writes it into each."""
from pathlib import Path

import nbformat

from addresses import settings

root = Path(__file__).resolve().parent.parent
chapters = sorted((root/settings['nbs_path']).glob('0[1-9]_*.ipynb'))
SOURCE = f"""#| hide
import sys
if 'google.colab' in sys.modules:
    %pip install -q git+{settings['git_url']}"""


def with_first_cell(nb):
    "The notebook with this cell below its title."
    if nb.cells[1].get('id') == 'colab': nb.cells.pop(1)
    nb.cells.insert(1, nbformat.v4.new_code_cell(SOURCE, id='colab'))
    return nb


if __name__ == '__main__':
    for path in chapters: nbformat.write(with_first_cell(nbformat.read(path, 4)), path)
