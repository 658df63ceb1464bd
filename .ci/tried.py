"Run notebooks and tests with this Python and its packages, and record the outcome in seqgen_nb/assets/tried.json. Arguments: notebooks and test files; by default all."
import json, platform, subprocess, sys, tempfile
from importlib import metadata
from pathlib import Path
from xml.etree import ElementTree

root = Path(__file__).resolve().parent.parent
record = root/'seqgen_nb/assets/tried.json'
packages = 'torch', 'torchvision', 'matplotlib', 'numpy', 'pillow', 'ipywidgets', 'fastcore', 'safetensors', 'torch-fidelity', 'tqdm'


def outcome(passed, failed): return dict(passed=len(passed), failed=len(failed), which_failed=sorted(failed))


def notebooks(paths):
    nbdev_test, passed, failed = Path(sys.executable).parent/'nbdev_test', [], []
    for path in paths:
        ok = subprocess.run([nbdev_test, '--path', path], cwd=root, stdout=sys.stderr).returncode == 0
        (passed if ok else failed).append(path.stem)
    return outcome(passed, failed)


def tests(paths):
    with tempfile.NamedTemporaryFile(suffix='.xml') as file:
        subprocess.run([sys.executable, '-m', 'pytest', '-q', f'--junitxml={file.name}', *paths], cwd=root, stdout=sys.stderr)
        cases = list(ElementTree.parse(file.name).iter('testcase'))
    name = lambda case: f'{case.get("classname")}::{case.get("name")}'
    failed = [name(c) for c in cases if c.find('failure') is not None or c.find('error') is not None]
    skipped = [name(c) for c in cases if c.find('skipped') is not None]
    return dict(outcome(set(map(name, cases)) - {*failed, *skipped}, failed), skipped=len(skipped), files=sorted(p.name for p in paths))


if __name__ == '__main__':
    given = [Path(a).resolve() for a in sys.argv[1:]] or sorted((root/'nbs').glob('*.ipynb')) + sorted((root/'tests').glob('test_*.py'))
    new = dict(python=platform.python_version(), system=f'{platform.system()} {platform.machine()}', packages={name: metadata.version(name).split('+')[0] for name in packages},
               notebooks=notebooks([p for p in given if p.suffix == '.ipynb']), tests=tests([p for p in given if p.suffix == '.py']))
    key = lambda r: ([int(n) for n in r['python'].split('.')], r['packages'])
    kept = [r for r in json.loads(record.read_text(encoding='utf-8')) if key(r) != key(new)] if record.exists() else []
    record.write_text(json.dumps(sorted([*kept, new], key=lambda r: key(r)[0]), indent=1) + '\n', encoding='utf-8')
    print(json.dumps(new, indent=1))
