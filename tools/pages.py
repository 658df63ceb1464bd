"What Quarto is given: the notebooks as nbdev prepares them, with a place before each definition that links can lead to."
import ast, importlib.util, json, re
from html import escape
from pathlib import Path

from nbdev.config import get_config
from nbdev.quarto import refresh_quarto_yml
from nbdev.serve import proc_nbs


def places(index):
    "For each page the anchors of nbdev's links, by the name that they lead to."
    found = {}
    for symbols in index['syms'].values():
        for address, _ in symbols.values():
            page, _, anchor = address.partition('#')
            found.setdefault(page, set()).add(anchor)
    return found


def defined(cell):
    "The names that a cell of code defines, in lower case; a method that is patched in has its class before it."
    if cell['cell_type'] != 'code' or not re.search(r'^(?:async )?(?:def|class) ', ''.join(cell['source']), re.M): return
    for node in ast.parse(''.join(cell['source'])).body:
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)): continue
        patched = any(ast.unparse(d) == 'patch' for d in node.decorator_list)
        yield (f'{ast.unparse(node.args.args[0].annotation)}.{node.name}' if patched else node.name).lower()


def with_places(cells, anchors):
    "The cells of a page, with an empty division of the right name before the first definition of each name."
    left, cells_and_places = set(anchors), []
    names = [list(defined(cell)) for cell in cells]
    exact = {name for found in names for name in found}
    for cell, found in zip(cells, names):
        here = {a for name in found for a in left if a == name or a.startswith(name + '.') and a not in exact}
        left -= here
        divisions = ''.join(f'<div id="{a}"></div>' for a in sorted(here))
        if here: cells_and_places.append(dict(cell_type='markdown', metadata={}, source=divisions))
        cells_and_places.append(cell)
    return cells_and_places


def without_widgets(cell):
    "A cell without outputs that only a kernel can show; Quarto would load three scripts from other servers for them."
    shown = [o for o in cell.get('outputs', []) if 'application/vnd.jupyter.widget-view+json' not in o.get('data', {})]
    return {**cell, 'outputs': shown} if cell['cell_type'] == 'code' else cell


def with_films(cell):
    "A cell with its GIFs as HTML; Quarto shows no output of the type image/gif."
    if cell['cell_type'] != 'code': return cell
    alt = re.search(r'^#\| fig-alt: "(.*)"$', ''.join(cell['source']), re.M)
    for output in cell.get('outputs', []):
        data = output.get('data', {})
        if 'image/gif' not in data: continue
        shown = output.get('metadata', {}).get('image/gif', {})
        size = ''.join(f' {side}="{shown[side]}"' for side in ('width', 'height') if side in shown)
        film = ''.join(''.join(data.pop('image/gif')).split())
        data['text/html'] = f'<img src="data:image/gif;base64,{film}" alt="{escape(alt[1] if alt else shown["alt"])}"{size}>'
    return cell


def with_verdict(cell):
    "A cell that checks an exercise, marked for styles.css."
    source = ''.join(cell['source'])
    return {**cell, 'source': '#| classes: verdict\n' + source} if re.match(r'check_\w+\(', source) else cell


def with_citations(cells):
    "The cells of a page with a list of references; `[4]` in its text becomes a link to the fourth."
    shown = [c for c in cells if c['cell_type'] == 'markdown']
    last = next((c for c in shown if ''.join(c['source']).startswith('## References')), None)
    if last is None: return
    last['source'] = re.sub(r'^(\d+)\. ', r'\1. <span id="ref-\1"></span>', ''.join(last['source']), flags=re.M).splitlines(True)
    for cell in shown:
        if cell is last: continue
        linked = lambda m: '\\[' + re.sub(r'(\d+)', r'[\1](#ref-\1)', m[1]) + '\\]'
        cell['source'] = re.sub(r'(?<!\w)\[(\d+(?:, \d+)*)\](?!\()', linked, ''.join(cell['source'])).splitlines(True)


def prepare():
    "Write the folder that Quarto renders; it is made anew each time."
    config = get_config()
    spec = importlib.util.spec_from_file_location('index', config.lib_path/'_modidx.py')
    index = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(index)
    refresh_quarto_yml()
    known, folder = places(index.d), proc_nbs(force=True)
    for path in folder.rglob('*.ipynb'):
        nb = json.loads(path.read_text(encoding='utf-8'))
        nb['cells'] = [with_verdict(with_films(without_widgets(cell))) for cell in nb['cells']]
        with_citations(nb['cells'])
        page = re.search(r'^output-file: (\S+)', ''.join(nb['cells'][0]['source']), re.M)
        if page and page[1] in known: nb['cells'] = with_places(nb['cells'], known[page[1]])
        path.write_text(json.dumps(nb, indent=1, ensure_ascii=False), encoding='utf-8')
    return folder


if __name__ == '__main__': print(f'prepared {prepare()}')
