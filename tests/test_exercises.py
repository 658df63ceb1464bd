"Each exercise has a stub that fails its check and a solution that passes it; each check names usual mistakes."
import ast, json, re
from pathlib import Path

import pytest

from seqgen_nb import checks

root = Path(__file__).resolve().parent.parent
chapters = sorted((root/'nbs').glob('0[1-9]_*.ipynb'))


def sources(path): return [(c['cell_type'], ''.join(c['source'])) for c in json.loads(path.read_text(encoding='utf-8'))['cells']]


def section(cells, heading):
    "The cells below a heading of the second level, up to the next one."
    starts = [i for i, (kind, text) in enumerate(cells) if kind == 'markdown' and text.startswith('## ')]
    begin = next((i for i in starts if cells[i][1].startswith(heading)), None)
    if begin is None: return []
    return cells[begin:next((i for i in starts if i > begin), None)]


def exercises(path): return section(sources(path), '## Exercises')
def solutions(number): return section(sources(root/'nbs/solutions.ipynb'), f'## Chapter {number}:')


def check_calls(cells):
    "The cells that are one call of a check, in order."
    calls = []
    for kind, text in cells:
        body = ast.parse(text).body if kind == 'code' else []
        last = body[-1].value if body and isinstance(body[-1], ast.Expr) else None
        if isinstance(last, ast.Call) and getattr(last.func, 'id', '').startswith('check_'):
            assert len(body) == 1, f'a check stands in a cell of its own: {text}'
            calls.append(text)
    return calls


def answers(cells):
    "What each check says when the cells are run from the first on, with nothing but what they import."
    calls, names, said = check_calls(cells), {}, {}
    for kind, text in cells:
        if kind != 'code': continue
        if text in calls: said[text] = eval(text, names)
        else: exec(compile(text, '<cell>', 'exec'), names)
    return said


@pytest.mark.parametrize('path', chapters, ids=lambda p: p.stem)
def test_stubs_fail_and_solutions_pass(path):
    stubs, solved = answers(exercises(path)), answers(solutions(int(path.stem[:2])))
    assert 3 <= len(stubs) <= 5 and list(stubs) == list(solved)
    for call in stubs:
        assert isinstance(stubs[call], checks.Feedback) and not stubs[call] and stubs[call].words, call
        assert solved[call] and solved[call].words, f'{call}: {solved[call]}'


@pytest.mark.parametrize('path', chapters, ids=lambda p: p.stem)
def test_headings_lead_to_solutions_and_back(path):
    heading, place = r'(?m)^### (\d\.\d .+?)( \{#(exr-[\w-]+)\})?$', r'\]\((\w+\.ipynb)#([\w-]+)\)'
    asked = [re.findall(heading, text) for kind, text in exercises(path) if kind == 'markdown']
    given = [(re.findall(heading, text), re.findall(place, text)) for kind, text in solutions(int(path.stem[:2])) if kind == 'markdown']
    asked, given = [found[0] for found in asked if found], [(found[0], to) for found, to in given if found]
    assert [title for title, _, _ in asked] == [found[0] for found, _ in given]
    assert all((path.name, anchor) in to for (_, _, anchor), (_, to) in zip(asked, given))
    assert [title[:3] for title, _, _ in asked] == [f'{int(path.stem[:2])}.{i+1}' for i in range(len(asked))]


def test_every_check_has_its_exercise():
    asked = ' '.join(text for path in chapters for _, text in exercises(path))
    made = [name for name in dir(checks) if name.startswith('check_')]
    assert made and [name for name in made if f'{name}(' not in asked] == []


def test_solutions_are_folded():
    for number in range(1, 10):
        cells = solutions(number)
        calls = check_calls(cells)
        code = [text for kind, text in cells if kind == 'code' and text not in calls][1:]  # the first imports
        assert all(text.startswith('#| code-fold: true\n') for text in code)
