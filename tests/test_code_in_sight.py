"The site shows the code that it teaches: each definition of a chapter whole, once, and in the order of its notebook."
import ast, json
from pathlib import Path

import pytest

root = Path(__file__).resolve().parent.parent
chapters = sorted((root/'nbs').glob('0[1-9]_*.ipynb'))
definition = ast.FunctionDef, ast.ClassDef


def definitions(source): return [node for node in ast.parse(source).body if isinstance(node, definition)]


def shown(path):
    "The code of a page as Quarto prints it: a cell that hides itself does not count."
    for cell in json.loads(path.read_text(encoding='utf-8'))['cells']:
        source = ''.join(cell['source'])
        hidden = any(line.replace(' ', '') in ('#|echo:false', '#|include:false') for line in source.splitlines())
        if cell['cell_type'] == 'code' and not hidden: yield source


def missing(wanted, page):
    "What of `wanted` is not on a page exactly once, in order."
    bodies = [ast.dump(node) for source in page for node in definitions(source)]
    times = {node.name: bodies.count(ast.dump(node)) for node in wanted}
    wrong = [f'{name} is there {n} times' for name, n in times.items() if n != 1]
    order = [bodies.index(ast.dump(node)) for node in wanted if ast.dump(node) in bodies]
    return wrong + ['not in the order of the module']*(order != sorted(order))


@pytest.mark.parametrize('path', chapters, ids=lambda p: p.stem)
def test_every_definition_is_read_once(processed, path):
    wanted = definitions((root/'seqgen_nb'/f'{path.stem[3:]}.py').read_text(encoding='utf-8'))
    assert wanted and missing(wanted, shown(processed/path.name)) == []


def unseen_names(path, page):
    "Names that code in sight reads, and that only code out of sight binds: who copies the page gets a NameError."
    seen, bound, unseen = list(shown(page)), set(), set()
    for cell in json.loads(path.read_text(encoding='utf-8'))['cells']:
        source = '\n'.join('' if line.lstrip().startswith('#|') else line.replace('%pip', 'pass #') for line in ''.join(cell['source']).splitlines())
        if cell['cell_type'] != 'code': continue
        names = {n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        names |= {(a.asname or a.name).partition('.')[0] for n in ast.walk(ast.parse(source)) if isinstance(n, (ast.Import, ast.ImportFrom)) for a in n.names}
        names |= {n.name for n in ast.parse(source).body if isinstance(n, definition)} | {n.arg for n in ast.walk(ast.parse(source)) if isinstance(n, ast.arg)}
        in_sight = any(ast.dump(ast.parse(source)) == ast.dump(ast.parse(other)) for other in seen)
        (bound if in_sight else unseen).update(names)
    used = {n.id for source in seen for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return used & (unseen - bound)


@pytest.mark.parametrize('path', chapters, ids=lambda p: p.stem)
def test_what_is_copied_from_a_page_runs(processed, path): assert unseen_names(path, processed/path.name) == set()


def test_names_from_out_of_sight_are_found(tmp_path):
    code = lambda *sources: json.dumps(dict(cells=[dict(cell_type='code', source=source) for source in sources]))
    for name, sources in dict(all=('#| hide\nimport re', 'x = re.escape(y)', 'import math\ny = math.pi'), page=('x = re.escape(y)', 'import math\ny = math.pi')).items():
        (tmp_path/name).write_text(code(*sources))
    assert unseen_names(tmp_path/'all', tmp_path/'page') == {'re'}


def test_what_is_hidden_or_doubled_is_found():
    wanted = definitions('def f(): return 1\ndef g(): return 2')
    assert missing(wanted, ['def f(): return 1', '# a note\ndef g(): return 2']) == []
    assert missing(wanted, ['def f(): return 1', 'def g(): return 3']) == ['g is there 0 times']
    assert missing(wanted, ['def f(): return 1\ndef g(): return 2', 'def f(): return 1']) == ['f is there 2 times']
    assert missing(wanted, ['def g(): return 2', 'def f(): return 1']) == ['not in the order of the module']


def test_imports_run_from_the_appendix_to_the_chapters():
    "A chapter imports chapters before it, and of the appendix only how errors are told and inputs checked, how devices are chosen, how runs are kept and drawn, how MNIST's files are found, and parts of widgets that know nothing of the chapters."
    number = {path.stem[3:]: int(path.stem[:2]) for path in (root/'nbs').glob('[0-9][0-9]_*.ipynb')}
    for chapter in chapters:
        tree = ast.parse((root/'seqgen_nb'/f'{chapter.stem[3:]}.py').read_text(encoding='utf-8'))
        relative = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
        names = [[node.module] if node.module else [alias.name for alias in node.names] for node in relative]
        used = set(sum(names, [])) - {'errors', 'inputs', 'devices', 'weights', 'runs', 'plots', 'mnist_files', 'widgets'}
        assert all(number[name] < number[chapter.stem[3:]] for name in used), f'{chapter.stem} imports {used}'
