"The project as a whole: notebooks and package agree, imports stay light, the site's pages exist."
import hashlib, json, os, re, shutil, subprocess, sys, tarfile, zipfile
from pathlib import Path

import pytest
import yaml

from conftest import copied

root = Path(__file__).resolve().parent.parent
bin = Path(sys.executable).parent
notebooks = sorted((root/'nbs').glob('*.ipynb'))


def sums(*folders): return {str(p): hashlib.md5(p.read_bytes()).hexdigest() for f in folders for p in sorted((root/f).rglob('*')) if p.suffix in ('.ipynb', '.py')}


def test_export_and_clean_leave_nothing_to_do(tmp_path):
    copy = copied(tmp_path/'book')
    for step in 'nbdev_export', 'nbdev_clean': subprocess.run([bin/step], cwd=copy, check=True, capture_output=True)
    before, after = ({str(Path(name).relative_to(top)): s for name, s in sums(top/'nbs', top/'seqgen_nb').items()} for top in (root, copy))
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    assert not changed, f'run make export and commit: {changed}'


def test_shipped_runs_are_finished():
    for path in (root/'seqgen_nb/assets').glob('*/config.json'):
        config = json.loads(path.read_text(encoding='utf-8'))
        assert config['finished'], path
        for name, record in config.get('networks', {}).items():
            assert hashlib.sha256((path.parent/f'{name}.safetensors').read_bytes()).hexdigest() == record['sha256'], path


def test_readme_matches_index():
    result = subprocess.run([sys.executable, root/'tools/readme.py', '--check'], capture_output=True, encoding='utf-8')
    assert result.returncode == 0, result.stderr


def test_readme_leads_to_files():
    leads = re.findall(r'\]\(([^):]+)\)', (root/'README.md').read_text(encoding='utf-8'))
    assert len(leads) > 20 and not [path for path in leads if not (root/path).exists()]


@pytest.mark.parametrize('path', notebooks, ids=lambda p: p.stem)
def test_notebook_was_run(path):
    "Outputs are those of a run without error; there is a title and a description; nothing of the machine it was run on is left."
    text = path.read_text(encoding='utf-8')
    cells = json.loads(text)['cells']
    assert re.match(r'# .+\n\n> .+', ''.join(cells[0]['source']))
    outputs = [o for c in cells for o in c.get('outputs', [])]
    assert (outputs or not [c for c in cells if c['cell_type'] == 'code']) and not [o for o in outputs if o['output_type'] == 'error']
    assert len(text) < 600_000
    for home in {str(root), str(Path.home())} - {'/'}: assert home + '/' not in text


def python(code, **env): return subprocess.run([sys.executable, '-c', code], capture_output=True, encoding='utf-8', cwd='/', env={**os.environ, **env})


def test_import_is_light():
    "`import seqgen_nb` adds nothing to what Python has loaded but itself."
    result = python("import sys, importlib.metadata; before = set(sys.modules); import seqgen_nb; print(*sorted(set(sys.modules) - before))")
    assert result.stdout.split() == ['seqgen_nb'], result.stdout + result.stderr


@pytest.mark.parametrize('module', ['errors', 'files', 'devices', 'weights', 'runs', 'inputs', 'waiting', 'plots', 'data', 'fast_lstm', 'lstm', 'palindromes', 'long_memory', 'studies', 'launch', 'bench', 'gan', 'dcgan', 'latent', 'commands', 'reproduce', 'live'])
def test_import_without_notebook_packages(module):
    block = "import sys\nfor name in 'ipywidgets', 'nbdev', 'IPython', 'platformdirs', 'pandas', 'nbformat', 'onnx': sys.modules[name] = None\n"
    result = python(f'{block}import seqgen_nb.{module}')
    assert result.returncode == 0, result.stderr


def test_sidebar_names_every_page_once():
    def hrefs(items): return [h for i in items for h in ([i['href']] if 'href' in i else hrefs(i['contents']))]
    sidebar = yaml.safe_load((root/'nbs/sidebar.yml').read_text(encoding='utf-8'))['website']['sidebar']['contents']
    assert sorted(hrefs(sidebar)) == sorted([p.name for p in notebooks] + ['live/index.html'])  # the latter is built by seqgen_live
    stub = yaml.safe_load((root/'nbs/_quarto.yml').read_text(encoding='utf-8'))
    site = yaml.safe_load((root/'_quarto.yml').read_text(encoding='utf-8'))
    assert stub['metadata-files'][0] == '../_quarto.yml' and 'metadata-files' not in site
    for name in (site['website']['favicon'], site['format']['html']['css']): assert (root/'nbs'/name).exists()


def test_figures_survive_preprocessing(processed):
    "What Quarto is given still holds every figure that the notebooks hold, and every figure says what it shows."
    count = lambda p: sum('image/png' in o.get('data', {}) for c in json.loads(p.read_text(encoding='utf-8'))['cells'] for o in c.get('outputs', []))
    for path in notebooks:
        assert count(processed/path.name) == count(path), path.name
        for cell in json.loads(path.read_text(encoding='utf-8'))['cells']:
            source = ''.join(cell['source'])
            drawn = any('image/png' in o.get('data', {}) for o in cell.get('outputs', []))
            if drawn: assert all(word in source for word in ('label: fig-', 'fig-cap', 'fig-alt')), f'{path.name}: {source[:80]}'


def commit(folder):
    "Make a folder a git repository of one empty commit."
    git = lambda *args: subprocess.run(['git', '-c', 'user.name=a', '-c', 'user.email=a@b', *args], cwd=folder, check=True, capture_output=True).stdout.decode().strip()
    git('init', '-q')
    git('commit', '-q', '--allow-empty', '-m', folder.name)
    return git('rev-parse', '--short=12', 'HEAD')


def test_a_half_made_environment_is_finished(tmp_path):
    "The first try has no ensurepip and leaves an environment without pip; the next one finishes it."
    for name in 'Makefile', 'settings.ini', 'setup.py': shutil.copy(root/name, tmp_path)
    fake = tmp_path/'python'
    fake.write_text(f'#!/bin/sh\n[ "$1" = -m ] || exec {sys.executable} "$@"\n{sys.executable} -m venv --without-pip .venv\nexit 1\n', encoding='utf-8')
    fake.chmod(0o755)
    env = {k: v for k, v in os.environ.items() if not k.startswith('MAKE')}   # variables of the make that runs this test
    make = lambda python: subprocess.run(['make', 'venv', f'PYTHON={python}'], cwd=tmp_path, env=env, capture_output=True, encoding='utf-8')
    first, python = make(fake), tmp_path/'.venv/bin/python'
    assert first.returncode == 2 and 'python3-venv' in first.stderr + first.stdout and python.exists()
    second = make(sys.executable)
    assert second.returncode == 0, second.stderr
    assert subprocess.run([python, '-m', 'pip', '--version'], capture_output=True).returncode == 0
    python.unlink()
    python.symlink_to('/nowhere/python')  # the Python that it was made with is gone
    (tmp_path/'.venv/.installed-1').touch()
    assert make(sys.executable).returncode == 0 and not (tmp_path/'.venv/.installed-1').exists()
    assert subprocess.run([python, '-m', 'pip', '--version'], capture_output=True).returncode == 0


def test_wheel_holds_the_runs(tmp_path):
    "A picture from the wheel alone, installed in a repository of the user's. It carries the revision that it was built from; the source distribution carries the same, and the same runs."
    copy = copied(tmp_path/'book')
    built, theirs = commit(copy), commit(tmp_path)
    subprocess.run([sys.executable, '-m', 'pip', 'wheel', '-q', '--no-deps', '--no-build-isolation', '-w', tmp_path, copy], check=True, capture_output=True)
    wheel = next(tmp_path.glob('*.whl'))
    subprocess.run([sys.executable, '-m', 'pip', 'install', '-q', '--no-deps', '--target', tmp_path/'site', wheel], check=True, capture_output=True)
    code = "import seqgen_nb; from seqgen_nb.commands import seqgen_sample; assert 'site' in seqgen_nb.__file__, seqgen_nb.__file__; seqgen_sample(out='{}'); from seqgen_nb.devices import environment; print(environment()['revision'])"
    result = python(code.format(tmp_path/'s.png'), PYTHONPATH=str(tmp_path/'site'))
    assert result.returncode == 0, result.stderr
    assert (tmp_path/'s.png').stat().st_size > 1000
    assert result.stdout.split()[-1] == built != theirs
    subprocess.run([sys.executable, '-c', f"import setuptools.build_meta as build; build.build_sdist({str(tmp_path)!r})"], cwd=copy, check=True, capture_output=True)
    assets = {str(p.relative_to(root)) for p in (root/'seqgen_nb/assets').rglob('*') if p.is_file()}
    with zipfile.ZipFile(wheel) as z, tarfile.open(next(tmp_path.glob('*.tar.gz'))) as t:
        for names in z.namelist(), [name.partition('/')[2] for name in t.getnames()]: assert not assets - set(names)
        carried = next(name for name in t.getnames() if name.endswith('seqgen_nb/revision.txt'))
        assert t.extractfile(carried).read() == z.read('seqgen_nb/revision.txt') == built.encode()
