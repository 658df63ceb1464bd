"What several test files share: a real browser, the notebooks as Quarto is given them, and the live page on a server."
import functools, os, shutil, subprocess, sys, threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
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


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *args): pass


@pytest.fixture(scope='session')
def live_site(tmp_path_factory):
    "A folder with the live page in `live`, as the site has it."
    from seqgen_nb.errors import SeqgenError
    from seqgen_nb.live import seqgen_live
    folder = tmp_path_factory.mktemp('site')
    try: seqgen_live(out=folder/'live')
    except SeqgenError as e:
        if 'npm' not in str(e): raise
        if os.environ.get('CI'): pytest.fail(str(e))
        pytest.skip(str(e))
    return folder


@pytest.fixture(scope='session')
def address(live_site):
    "Where a server on this machine shows that folder."
    server = ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Handler, directory=live_site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}/'
    server.shutdown()


@pytest.fixture(scope='session')
def paper_folder(tmp_path_factory):
    "A folder with the report as one file."
    folder = tmp_path_factory.mktemp('paper')
    result = subprocess.run([sys.executable, root/'tools/paper.py', '--out', folder], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return folder
