"The report says what the shipped runs say: rebuilt, and compared with what the repository shows."
import base64, copy, io, json, re, subprocess, sys, warnings
from pathlib import Path

import matplotlib
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

from seqgen_nb.evidence import RULES_REVISION
from seqgen_nb.runs import seeds_of

root = Path(__file__).resolve().parent.parent
bin = Path(sys.executable).parent


def test_check_command(tmp_path):
    result = subprocess.run([bin/'seqgen_reproduce', '--check'], capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 0 and 'figure_6' in result.stdout, result.stderr
    assert not list(tmp_path.iterdir())


def shown(nb):
    "Tables and sentences, and figures, in order."
    data = [o.data for c in nb.cells for o in c.get('outputs', []) if 'data' in o]
    return [d['text/markdown'] for d in data if 'text/markdown' in d], [base64.b64decode(d['image/png']) for d in data if 'image/png' in d]


def pixels(png): return np.asarray(Image.open(io.BytesIO(png)).convert('L'), dtype=float)


def test_notebooks_show_what_the_runs_say():
    "The report and the home page, executed again, show what they have saved: words to the letter, and figures, whose pixels are compared under the matplotlib that drew them alone."
    drawn_by = json.loads((root/'seqgen_nb/assets/report/figures.json').read_text(encoding='utf-8'))['matplotlib']
    same = matplotlib.__version__ == drawn_by
    if not same: warnings.warn(f'pixels are not compared: this is matplotlib {matplotlib.__version__}, and {drawn_by} drew the figures')
    for name in 'report', 'index':
        saved = nbformat.read(root/f'nbs/{name}.ipynb', 4)
        fresh = NotebookClient(copy.deepcopy(saved), timeout=600, kernel_name='python3', resources=dict(metadata=dict(path=str(root/'nbs')))).execute()
        (words, figures), (words_now, figures_now) = shown(saved), shown(fresh)
        assert words == words_now and len(figures) == len(figures_now) > 0, name
        for a, b in zip(figures, figures_now) if same else ():
            a, b = pixels(a), pixels(b)
            assert a.shape == b.shape and abs(a - b).mean() < 2, name


def git(*args): return subprocess.run(['git', *args], cwd=root, capture_output=True, text=True)


def test_rules_stood_before_the_runs():
    "The file of rules is as it was at the revision that the report names, and that revision precedes the runs that it judges."
    if git('cat-file', '-e', f'{RULES_REVISION}^{{commit}}').returncode:
        pytest.skip('this checkout has no history: clone the whole repository to compare the revisions')
    then = git('show', f'{RULES_REVISION}:seqgen_nb/assets/rules.json').stdout
    assert then == (root/'seqgen_nb/assets/rules.json').read_text(encoding='utf-8')
    report = (root/'nbs/report.ipynb').read_text(encoding='utf-8')
    for name, runs in {'MLP GAN': seeds_of('gan'), 'DCGAN': seeds_of('dcgan')}.items():
        after = [git('merge-base', '--is-ancestor', RULES_REVISION, run.config['environment']['revision']).returncode == 0 for run in runs]
        assert all(after) or re.search(f'The shipped runs of the [^.]*{name}[^.]* are older than the rules', report), name
