"What several test files share: a real browser, and the notebooks as Quarto is given them."
import os, shutil, subprocess, sys
from pathlib import Path

import pytest

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root/'tools'))
import chromium


def copied(folder):
    "The project without what git ignores, in a folder of its own."
    return Path(shutil.copytree(root, folder, ignore=shutil.ignore_patterns('.venv', '.git', 'out*', '_proc', '_docs', '_live', '__pycache__', 'build', '*.egg-info')))


@pytest.fixture(scope='session')
def processed(tmp_path_factory):
    "The folder that Quarto is given."
    copy = copied(tmp_path_factory.mktemp('processed')/'book')
    result = subprocess.run([sys.executable, copy/'tools/pages.py'], cwd=copy, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    return copy/'_proc'


@pytest.fixture(scope='session')
def browser():
    "Chromium, without a window. Where it is missing the test is skipped, but in continuous integration it fails."
    path = chromium.found()
    if path is None:
        if os.environ.get('CI'): pytest.fail('no Chromium found: continuous integration must install it')
        pytest.skip('no Chromium found: install it (Debian: apt-get install chromium) to run the browser tests')
    from playwright.sync_api import sync_playwright
    with sync_playwright() as p:
        started = p.chromium.launch(executable_path=path, args=chromium.flags)
        yield started
        started.close()
