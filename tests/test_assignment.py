"The course's assignment, followed with nbgrader itself: made for students, handed in, graded, and answered in words."
import os, re, subprocess, sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import assignment
from test_exercises import check_calls, exercises

root = Path(__file__).resolve().parent.parent
bin = Path(sys.executable).parent
file = f'{assignment.name}/{assignment.notebook}.ipynb'


def run(home, *command, **options):
    "Run a command as a user whose home is empty; what it prints."
    env = {k: v for k, v in os.environ.items() if not k.startswith(('JUPYTER', 'XDG_', 'IPYTHON'))}
    result = subprocess.run(command, capture_output=True, text=True, env={**env, 'HOME': str(home), **options.pop('env', {})}, **options)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


@pytest.fixture(scope='module')
def course(tmp_path_factory):
    "The course's folder as `make assignment` leaves it, what it says, and whether anything was written into the user's home."
    home, folder = tmp_path_factory.mktemp('home'), tmp_path_factory.mktemp('course')
    said = run(home, sys.executable, root/'tools/assignment.py', '--out', folder, env=dict(PATH='/usr/bin:/bin'))
    return folder, said, list(home.rglob('*'))


@pytest.fixture(scope='module')
def versions(course): return [nbformat.read(course[0]/side/file, 4) for side in ('source', 'release')]


def cells(nb, **wanted): return {c.metadata.nbgrader.grade_id: c for c in nb.cells if all(c.metadata.nbgrader[k] == v for k, v in wanted.items())}
def points(nb): return {i: c.metadata.nbgrader.points for i, c in cells(nb, grade=True).items()}


def test_says_where_and_how_many(course, versions):
    folder, said, written = course
    assert said.count('\n') == 1 and all(f'{folder/side/file}' in said for side in ('source', 'release'))
    worth = points(versions[0])
    assert f'{len(worth)} exercises, {sum(worth.values())} points' in said and written == []


def test_student_sees_the_stubs(versions):
    "The stubs and the checks are those of the chapters, in their order, and nothing of the solutions is left."
    asked = [exercises(root/f'nbs/{stem}.ipynb') for stem in assignment.chapters]
    stubs = [text for part in asked for kind, text in part if kind == 'code' and ('raise NotImplementedError' in text or re.search(r'= None\b', text))]
    answers = cells(versions[1], solution=True)
    assert [c.source.rstrip('\n') for c in answers.values()] == stubs and all(not c.metadata.nbgrader.locked for c in answers.values())
    tested = cells(versions[1], grade=True).values()
    assert [call for call in sum(map(check_calls, asked), [])] == [c.source.split('feedback = ')[1].split('\nassert')[0] for c in tested]
    text = '\n'.join(c.source for c in versions[1].cells)
    assert 'SOLUTION' not in text and 'solutions' not in text and '.ipynb' not in text and '#exr' not in text and '{' not in ''.join(re.findall('(?m)^#+ .*', text))
    for i, cell in cells(versions[0], solution=True).items():
        solution = cell.source.split('### BEGIN SOLUTION\n')[1].split('\n### END SOLUTION')[0]
        assert solution and solution not in text and cell.source.startswith(answers[i].source.rstrip('\n'))


def test_only_answers_can_be_changed(versions):
    for nb in versions:
        assert all(c.metadata.nbgrader.locked != c.metadata.nbgrader.solution for c in nb.cells)
        assert set(points(nb).values()) <= {1, 2} and len(cells(nb)) == len(nb.cells)
    assert points(versions[0]) == points(versions[1])


def hand_in(folder, student, solved, more=''):
    "A student's notebook, with the teacher's solutions and perhaps more in some of the cells to answer in."
    nb, solutions = nbformat.read(folder/'release'/file, 4), cells(nbformat.read(folder/'source'/file, 4), solution=True)
    for i, cell in cells(nb, solution=True).items():
        if i in solved: cell.source = re.sub('### (BEGIN|END) SOLUTION\n?', '', solutions[i].source) + more
    path = folder/'submitted'/student/file
    path.parent.mkdir(parents=True)
    nbformat.write(nb, path)


warns = "\n\ndef warn(info): __import__('warnings').warn('from now on each cell begins with a warning')\nget_ipython().events.register('pre_run_cell', warn)"


@pytest.fixture(scope='module')
def graded(course, versions, tmp_path_factory):
    "The folder when it is graded, and the scores of three students: one solves nothing, one the last exercise, with warnings, one all."
    from nbgrader.api import Gradebook
    folder, answers = course[0], list(cells(versions[0], solution=True))
    hand_in(folder, 'none', [])
    hand_in(folder, 'last', answers[-1:], warns)
    hand_in(folder, 'all', answers)
    run(tmp_path_factory.mktemp('teacher'), bin/'nbgrader', 'autograde', assignment.name, cwd=folder, env=dict(PATH=f'{bin}:/usr/bin:/bin'))
    def scores():
        with Gradebook(f'sqlite:///{folder}/gradebook.db', 'seqgen_nb') as book:
            return {s.student.id: {g.name: g.auto_score for g in s.notebooks[0].grades} for s in book.assignment_submissions(assignment.name)}
    return folder, scores


def test_scores(graded, versions):
    "Nothing for nothing, the points of an exercise for its solution, all points for all solutions."
    worth, scores = points(versions[0]), graded[1]()
    last = list(worth)[-1]
    assert scores == dict(none=dict.fromkeys(worth, 0), last={**dict.fromkeys(worth, 0), last: worth[last]}, all=worth)


def test_feedback_has_the_words(graded):
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config
    result = NbGraderAPI(config=Config(CourseDirectory=dict(root=str(graded[0]), course_id='seqgen_nb'))).generate_feedback(assignment.name, 'none')
    assert result['success'], result['log']
    page = (graded[0]/'feedback/none'/file).with_suffix('.html').read_text(encoding='utf-8')
    assert 'a part is not written yet' in page and 'there is no answer yet' in page


def test_making_it_again_keeps_what_was_handed_in(graded):
    folder, scores = graded
    before = scores()
    assignment.made(root/'nbs', folder)
    assert scores() == before and (folder/'submitted/all'/file).exists()


stub, call = new_code_cell('def f(x): raise NotImplementedError'), new_code_cell('check_f(f)')
task, solution = new_markdown_cell('### 2.1 A task {#exr-f}\n\nSee [there](03_palindromes.ipynb#a), [here](#b) and @fig-c.'), new_code_cell('#| code-fold: true\ndef f(x): return pi*x')


def test_one_exercise():
    made_of, worth = assignment.exercise('2.1', [task, stub, call], [task, solution, call], {'pi': 'from math import pi', 'e': 'from math import e'}, 'lstm.html')
    text, answer, check = (c.source for c in made_of)
    assert worth == 2 and text.startswith('### 2.1 A task (2 points)\n')
    assert all(f'({assignment.site}{page})' in text for page in ('palindromes.html#a', 'lstm.html#b', 'lstm.html#fig-c'))
    assert answer == 'def f(x): raise NotImplementedError\n### BEGIN SOLUTION\nfrom math import pi\ndef f(x): return pi*x\n### END SOLUTION'
    assert check == 'from seqgen_nb.checks import check_f\nfeedback = check_f(f)\nassert feedback, feedback.words\nprint(feedback)'   # a value would be taken for partial credit
    _, worth = assignment.exercise('2.1', [task, new_code_cell("f = None   # 'a' or 'b'"), call], [task, new_code_cell("f = 'a'")], {}, 'lstm.html')
    assert worth == 1


def test_a_heading_may_stand_below_other_text():
    remark = new_markdown_cell('A remark.\n\n### 2.2 Another {#exr-g}\n\n[To the exercise](a.ipynb#exr-g)')
    before, groups = assignment.parts([task, solution, call, remark, solution])
    assert before == [] and list(groups) == ['2.1', '2.2']
    assert groups['2.1'][-1].source == 'A remark.' and [c.source[:6] for c in groups['2.2']] == ['### 2.', solution.source[:6]]


@pytest.mark.parametrize('asked, given', [([task, stub], [solution]), ([task, call], [solution]), ([task, stub, call], [task, call]), ([task, stub, stub, call], [solution])])
def test_what_is_missing_is_said(asked, given):
    with pytest.raises(SystemExit, match='exercise 2.1 needs one stub, one check and a solution'): assignment.exercise('2.1', asked, given, {}, 'lstm.html')


def test_exercises_without_solutions_are_said(tmp_path):
    heading = new_markdown_cell('## Exercises')
    nbformat.write(new_notebook(cells=[heading, task, stub, call]), tmp_path/'02_lstm.ipynb')
    nbformat.write(new_notebook(cells=[new_markdown_cell('## Chapter 2: LSTM')]), tmp_path/'solutions.ipynb')
    with pytest.raises(SystemExit, match='02_lstm.ipynb has the exercises 2.1, solutions.ipynb solves none'): assignment.chapter(tmp_path/'02_lstm.ipynb', tmp_path/'solutions.ipynb')
