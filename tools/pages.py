"What Quarto is given: the notebooks as nbdev prepares them, with a place before each definition that links can lead to."
import ast, base64, importlib.util, io, json, re
from html import escape
from pathlib import Path

import yaml
from nbdev.config import get_config
from nbdev.quarto import refresh_quarto_yml
from nbdev.serve import proc_nbs
from PIL import Image

from addresses import ways


def directives(source):
    "The lines `#| name` and `#| name: value` of a cell."
    lines = [line.rstrip() for line in re.findall(r'^#\|[ \t]?(.*)$', source, re.M)]
    options = [line for line in lines if re.match(r'[\w-]+:(\s|$)|\s', line)]
    flags = {line: True for line in lines if re.fullmatch(r'[\w-]+', line)}
    return {**flags, **(yaml.safe_load('\n'.join(options)) or {})}


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


def still(film):
    "The last picture of a GIF, as a PNG file in base64."
    image, file = Image.open(io.BytesIO(base64.b64decode(film))), io.BytesIO()
    image.seek(image.n_frames - 1)
    image.save(file, 'PNG', optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def with_films(cell):
    "A cell with its GIFs as HTML, for Quarto shows none: a still picture, until the reader starts the film or stops it."
    if cell['cell_type'] != 'code': return cell
    alt = directives(''.join(cell['source'])).get('fig-alt')
    for output in cell.get('outputs', []):
        data = output.get('data', {})
        if 'image/gif' not in data: continue
        shown = output.get('metadata', {}).get('image/gif', {})
        size = ''.join(f' {side}="{shown[side]}"' for side in ('width', 'height') if side in shown)
        film = ''.join(''.join(data.pop('image/gif')).split())
        picture = f'<img src="data:image/png;base64,{still(film)}" alt="{escape(alt or shown["alt"])}"{size}>'
        data['text/html'] = (f'<details class="film"><summary>{picture}<span>Play or stop the film</span></summary>'
                             f'<img src="data:image/gif;base64,{film}" alt=""{size}></details>')
    return cell


def with_raw_html(cell):
    "A cell with its HTML as a raw block of Markdown; at an output of the type text/html Quarto would load two scripts from another server."
    for output in cell.get('outputs', []):
        data = output.get('data', {})
        if 'text/html' in data: data['text/markdown'] = '```{=html}\n' + ''.join(data.pop('text/html')) + '\n```\n'
    return cell


def with_verdict(cell):
    "A cell that checks an exercise, marked for styles.css."
    source = ''.join(cell['source'])
    return {**cell, 'source': '#| classes: verdict\n' + source} if re.match(r'check_\w+\(', source) else cell


def with_whole_links(cell):
    "A cell of text in which nbdev has linked no name inside another link."
    if cell['cell_type'] != 'markdown': return cell
    inner = re.compile(r'\[([^][]*)\[(`[^`]+`)\]\([^()]*\)([^][]*)\](?=\()')
    return {**cell, 'source': inner.sub(r'[\1\2\3]', ''.join(cell['source'])).splitlines(True)}


def with_citations(cells):
    "Lead citations in the cells of a page with a list of references: `[4]` to the fourth of them."
    shown = [c for c in cells if c['cell_type'] == 'markdown']
    last = next((c for c in shown if ''.join(c['source']).startswith('## References')), None)
    if last is None: return
    listed, count = re.subn(r'^(\d+)\. ', r'\1. <span id="ref-\1"></span>', ''.join(last['source']), flags=re.M)

    def linked(m):
        if not all(1 <= int(number) <= count for number in m[1].split(', ')): return m[0]   # an interval
        return '\\[' + re.sub(r'(\d+)', r'[\1](#ref-\1)', m[1]) + '\\]'

    for cell in shown: cell['source'] = re.sub(r'(?<!\w)\[(\d+(?:, \d+)*)\](?!\()', linked, ''.join(cell['source']))
    last['source'] = listed


def with_ways(cells, name):
    "A chapter with a line below its title that says where it can be run."
    how = {'Download': ' download data-noresolveinput'}   # Quarto looks for no page there
    links = [f'<a href="{address}"{how.get(text, "")}>{text}</a>' for text, address in ways(name).items()]
    return [cells[0], dict(cell_type='markdown', metadata={}, source=f'<p class="ways">{" ".join(links)}</p>'), *cells[1:]]


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
        nb['cells'] = [with_whole_links(with_verdict(with_raw_html(with_films(without_widgets(cell))))) for cell in nb['cells']]
        with_citations(nb['cells'])
        page = re.search(r'^output-file: (\S+)', ''.join(nb['cells'][0]['source']), re.M)
        if page and page[1] in known: nb['cells'] = with_places(nb['cells'], known[page[1]])
        if re.match(r'0[1-9]_', path.name): nb['cells'] = with_ways(nb['cells'], path.name)
        for cell in nb['cells']: cell['source'] = ''.join(cell['source']).splitlines(True)   # Quarto loses the lines of a text
        path.write_text(json.dumps(nb, indent=1, ensure_ascii=False), encoding='utf-8')
    return folder


if __name__ == '__main__': print(f'prepared {prepare()}')
