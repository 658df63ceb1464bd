"Run notebooks and test files with this Python and its packages, and record in seqgen_nb/assets/tried.json what passed. Arguments: their paths; by default all. What was recorded for the same versions before is kept and replaced one by one."
import json, platform, subprocess, sys, tempfile
from importlib import metadata
from pathlib import Path
from xml.etree import ElementTree

root = Path(__file__).resolve().parent.parent
record = root/'seqgen_nb/assets/tried.json'
packages = 'torch', 'torchvision', 'matplotlib', 'numpy', 'pillow', 'ipywidgets', 'fastcore', 'safetensors', 'torch-fidelity', 'tqdm'


def run(*command): return subprocess.run(command, cwd=root, stdout=sys.stderr).returncode


def notebook(path): return run(Path(sys.executable).parent/'nbdev_test', '--path', path) == 0


def tests(path):
    "How many of a file passed, failed and were skipped."
    with tempfile.NamedTemporaryFile(suffix='.xml') as file:
        run(sys.executable, '-m', 'pytest', '-q', f'--junitxml={file.name}', path)
        cases = list(ElementTree.parse(file.name).iter('testcase'))
    has = lambda case, *kinds: any(case.find(kind) is not None for kind in kinds)
    failed, skipped = sum(has(c, 'failure', 'error') for c in cases), sum(has(c, 'skipped') for c in cases)
    return dict(passed=len(cases) - failed - skipped, failed=failed, skipped=skipped)


def keep(entry):
    rows = json.loads(record.read_text(encoding='utf-8')) if record.exists() else []
    same = lambda row: all(row[key] == entry[key] for key in ('python', 'system', 'packages'))
    before = next(filter(same, rows), dict(notebooks={}, tests={}))
    merged = dict(entry, **{kind: {**before[kind], **entry[kind]} for kind in ('notebooks', 'tests')})
    rows = sorted([merged, *(row for row in rows if not same(row))], key=lambda row: [int(n) for n in row['python'].split('.')])
    record.write_text(json.dumps(rows, indent=1) + '\n', encoding='utf-8')


if __name__ == '__main__':
    given = [Path(a).resolve() for a in sys.argv[1:]] or sorted((root/'nbs').glob('*.ipynb')) + sorted((root/'tests').glob('test_*.py'))
    entry = dict(python=platform.python_version(), system=f'{platform.system()} {platform.machine()}', packages={name: metadata.version(name).split('+')[0] for name in packages}, notebooks={}, tests={})
    for path in given:
        if path.suffix == '.ipynb': entry['notebooks'][path.stem] = notebook(path)
        else: entry['tests'][path.stem] = tests(path)
        keep(entry)
