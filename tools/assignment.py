"The course's assignment: exercises of the book as nbgrader wants them, for the teacher with solutions, for the student without."
import argparse, ast, os, re, sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from addresses import address, site

root = Path(__file__).resolve().parent.parent
chapters = '02_lstm', '05_gan', '08_latent'
name, notebook = 'seqgen', 'exercises'
# The stub stands above the solution, so that nothing is put in the solution's place. A check may wait for a busy machine.
config = """c = get_config()
c.CourseDirectory.course_id = 'seqgen_nb'
c.ClearSolutions.code_stub = {'python': ''}
c.Execute.timeout = 120
"""
opening = """# Assignment

{exercises} exercises of [seqgen_nb]({site}), {points} points. The package `seqgen_nb` must be installed.

Complete the cells below the tasks: put your answer in the place of `None`, and your code in the place of `raise NotImplementedError`. Then run the check. If it stops, the words after `AssertionError` say what is wrong; if it does not, you have the points. Leave all other cells as they are, and hand in this file under its own name."""
quiet = "import warnings\nwarnings.simplefilter('ignore')   # nbgrader takes a warning for a mistake"


def section(path, heading):
    "The cells below a heading of the second level, up to the next one."
    cells = nbformat.read(path, 4).cells
    starts = [i for i, c in enumerate(cells) if c.cell_type == 'markdown' and c.source.startswith('## ')]
    begin = next((i for i in starts if cells[i].source.startswith(heading)), None)
    if begin is None: return []
    return cells[begin + 1:next((i for i in starts if i > begin), None)]


def by_headings(cell):
    "A cell, or the cells that it is divided into where an exercise begins below other text."
    if cell.cell_type != 'markdown': return [cell]
    return [new_markdown_cell(text.strip()) for text in re.split(r'(?m)^(?=### \d+\.\d+ )', cell.source) if text.strip()]


def parts(cells):
    "What stands before the first exercise, and the cells of each exercise by its number, such as 2.1."
    groups = {None: []}
    for cell in (part for cell in cells for part in by_headings(cell)):
        number = re.match(r'### (\d+\.\d+) ', cell.source) if cell.cell_type == 'markdown' else None
        if number: groups[number[1]] = []
        groups[list(groups)[-1]].append(cell)
    return groups.pop(None), groups


def plain(source): return re.sub(r'^#\|.*\n?', '', source, flags=re.M).strip('\n')
def called(source):
    "The check that a cell consists of a call of, or None."
    call = re.fullmatch(r'(check_\w+)\(.*\)', source.strip(), re.S)
    return call and call[1]

def code(cells): return [plain(c.source) for c in cells if c.cell_type == 'code' and not called(c.source)]
def to_complete(source): return re.search(r'raise NotImplementedError|= (None|\.\.\.)\s*(#|$)', source, re.M)


def imports(sources):
    "The names that import lines bind, each with the line that imports it alone."
    lines = {}
    for node in ast.parse('\n'.join(sources)).body:
        for alias in getattr(node, 'names', []):
            start = f'from {node.module} ' if isinstance(node, ast.ImportFrom) else ''
            lines[alias.asname or alias.name] = f'{start}import {ast.unparse(alias)}'
    return lines


def solved(stub, solution, missing):
    "A stub with its solution below it, between nbgrader's markers, and with what the solution imports beyond the stub's chapter."
    used = {n.id for n in ast.walk(ast.parse(solution)) if isinstance(n, ast.Name)}
    needed = [line for name, line in missing.items() if name.split('.')[0] in used]
    return '\n'.join([stub, '### BEGIN SOLUTION', *needed, solution, '### END SOLUTION'])


def on_the_site(text, page):
    "A text with links to the site in the place of those to notebooks and figures."
    text = re.sub(r'\]\((\w+)\.ipynb', lambda m: f']({site}{address(m[1])}', text)
    text = re.sub(r'\]\(#', f']({site}{page}#', text)
    return re.sub(r'@(fig-[\w-]+)', rf'[the figure]({site}{page}#\1)', text)


def graded(cell, grade_id, points=None, solution=False):
    "A cell with nbgrader's metadata: one to answer in, one that gives points, or one to read."
    worth = {} if points is None else dict(points=points)
    cell.metadata['nbgrader'] = dict(schema_version=3, grade_id=grade_id, grade=points is not None, locked=not solution, solution=solution, task=False, **worth)
    cell['id'] = grade_id
    return cell


def exercise(number, asked, given, missing, page):
    "The cells of one exercise, and its points: 1 for an answer that is predicted, 2 for one that is written."
    stubs = [c for c in asked if c.cell_type == 'code' and to_complete(c.source)]
    checks = [c for c in asked if c.cell_type == 'code' and called(c.source)]
    if len(stubs) != 1 or len(checks) != 1 or not code(given): sys.exit(f'exercise {number} needs one stub, one check and a solution: it has {len(stubs)}, {len(checks)} and {len(code(given))}')
    points, cells = 2 if 'NotImplementedError' in stubs[0].source else 1, []
    for i, cell in enumerate(asked):
        place = f'{number.replace(".", "-")}-{i + 1}'
        if cell is stubs[0]:
            source = solved(plain(cell.source), '\n\n'.join(code(given)), missing)
            cells.append(graded(new_code_cell(source), f'answer-{place}', solution=True))
        elif cell is checks[0]:
            check = called(cell.source)
            source = f'from seqgen_nb.checks import {check}\nfeedback = {cell.source.strip()}\nassert feedback, feedback.words\nprint(feedback)'
            cells.append(graded(new_code_cell(source), check.replace('_', '-'), points))
        elif cell.cell_type == 'code': cells.append(graded(new_code_cell(plain(cell.source)), f'given-{place}'))
        else:
            text = re.sub(r'^(### .+?)( \{.*\})?$', rf'\1 ({points} point{"s"*(points > 1)})', cell.source, flags=re.M)
            cells.append(graded(new_markdown_cell(on_the_site(text, page)), f'text-{place}'))
    return cells, points


def chapter(path, solutions):
    "The cells of a chapter's exercises, and the points of each."
    number, page = int(path.name[:2]), address(path)
    title = next(t for t in re.findall(r'(?m)^## (.+)$', '\n'.join(c.source for c in nbformat.read(solutions, 4).cells)) if t.startswith(f'Chapter {number}:'))
    (before, asked), (above, given) = parts(section(path, '## Exercises')), parts(section(solutions, f'## {title}'))
    if list(asked) != list(given): sys.exit(f'{path.name} has the exercises {", ".join(asked) or "none"}, {solutions.name} solves {", ".join(given) or "none"}')
    known, needed = imports(code(before)), imports(code(above))
    missing = {name: line for name, line in needed.items() if name not in known}
    cells, points = [graded(new_markdown_cell(f'## {title}\n\nTo read: [the chapter]({site}{page}).'), f'chapter-{number}')], {}
    cells += [graded(new_code_cell(source), f'imports-{number}-{i + 1}') for i, source in enumerate(code(before))]
    for n in asked:
        more, points[n] = exercise(n, asked[n], given[n], missing, page)
        cells += more
    return cells if asked else [], points


def assignment(folder):
    "The teacher's notebook, and the points of each exercise."
    cells, points = [], {}
    for stem in chapters:
        more, worth = chapter(folder/f'{stem}.ipynb', folder/'solutions.ipynb')
        cells, points = cells + more, {**points, **worth}
    start = new_markdown_cell(opening.format(exercises=len(points), points=sum(points.values()), site=site))
    kernel = dict(display_name='Python 3', language='python', name='python3')
    return new_notebook(cells=[graded(start, 'opening'), graded(new_code_cell(quiet), 'quiet'), *cells], metadata=dict(kernelspec=kernel)), points


def released(course):
    "Let nbgrader make the student's version of what stands in `source`."
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import PyFileConfigLoader
    os.environ['PATH'] = f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}'   # nbgrader calls alembic, which is beside it
    settings = PyFileConfigLoader('nbgrader_config.py', str(course)).load_config()
    settings.CourseDirectory.root = str(course.resolve())
    result = NbGraderAPI(config=settings).generate_assignment(name)
    if not result['success']: sys.exit(f'nbgrader made no version for students: {result["log"].strip()}')


def made(nbs, course):
    "Write both versions into the folder of a course; where they are. What was handed in there is kept."
    nb, points = assignment(nbs)
    source, release = (course/side/name/f'{notebook}.ipynb' for side in ('source', 'release'))
    source.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, source)
    (course/'nbgrader_config.py').write_text(config, encoding='utf-8')
    released(course)
    return f'{len(points)} exercises, {sum(points.values())} points: {release} for students, {source} with the solutions'


def home_expanded(path): return Path(path).expanduser()


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=home_expanded, default=Path('out/assignment'), help='the folder of the course')
    out = parser.parse_args().out
    try: print(made(root/'nbs', out))
    except OSError as e: sys.exit(f'{e.filename or out} cannot be written ({e.strerror}): name another folder with --out')
