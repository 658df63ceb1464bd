"Write README.md and its pictures from nbs/index.ipynb; with --check, only say whether they match."
import re, sys
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter

from addresses import settings, site

root = Path(__file__).resolve().parent.parent
pictures = 'README_files'
url = '{git_url}/blob/{branch}/'.format(**settings)
live = site + 'live/index.html'


def prepared(nb):
    "The notebook as a reader of README should see it: directives obeyed, then taken out."
    cells = []
    for cell in nb.cells:
        if cell.cell_type == 'code':
            directives = dict(re.findall(r'^#\|\s*([\w-]+)(?::\s*(.*))?$', cell.source, re.M))
            if 'hide' in directives: continue
            cell.source = re.sub(r'^#\|.*\n?', '', cell.source, flags=re.M)
            if directives.get('echo') == 'false': cell.metadata['hide_input'] = True
            for output in cell.outputs:
                if 'image/png' in output.get('data', {}): output.data = {'image/png': output.data['image/png']}
                if 'text/markdown' in output.get('data', {}): output.data = {'text/markdown': output.data['text/markdown']}
            cell.metadata['caption'] = directives.get('fig-alt', '').strip('"')
            cell.metadata['live'] = directives.get('classes', '').startswith('live-')
        cells.append(cell)
    nb.cells = cells
    nb.metadata['language_info'] = {'name': 'python'}
    return nb


def built():
    "README's text, and its pictures by path."
    nb, parts, files = prepared(nbformat.read(root/'nbs/index.ipynb', 4)), [], {}
    exporter = MarkdownExporter()
    for cell in nb.cells:
        one = nbformat.v4.new_notebook(cells=[cell], metadata=nb.metadata)
        text, resources = exporter.from_notebook_node(one)
        if cell.metadata.get('hide_input'): text = text.split('```', 2)[-1] if text.lstrip().startswith('```') else text
        for name, data in resources.get('outputs', {}).items():
            path = f'{pictures}/figure_{len(files) + 1}.png'
            files[path] = data
            picture = f'![{cell.metadata["caption"]}]({path})'
            if cell.metadata['live']: picture = f'[{picture}]({live})'
            text = re.sub(rf'!\[[^\]]*\]\({re.escape(name)}\)', picture, text)
        parts.append(text.strip('\n'))
    text = '\n\n'.join(parts) + '\n'
    text = re.sub(r'\]\((\w+\.ipynb)(?:#[\w-]+)?\)', r'](nbs/\1)', text)   # GitHub has no anchors in notebooks
    text = text.replace(f']({url}', '](').replace('](live/index.html)', f']({live})')
    return '<!-- Written by `make readme` from nbs/index.ipynb: edit that. -->\n\n' + text, files


if __name__ == '__main__':
    text, files = built()
    wanted = {'README.md': text.encode(), **files}
    there = {str(p.relative_to(root)) for p in (root/pictures).glob('*')}
    if '--check' in sys.argv:
        wrong = [n for n, data in wanted.items() if not (root/n).exists() or (root/n).read_bytes() != data] + sorted(there - set(files))
        sys.exit(f'these do not match nbs/index.ipynb: {", ".join(wrong)}: run make readme' if wrong else 0)
    (root/pictures).mkdir(exist_ok=True)
    for name in there - set(files): (root/name).unlink()
    for name, data in wanted.items(): (root/name).write_bytes(data)
