"What several test files share: a real browser."
import os, shutil

import pytest


@pytest.fixture(scope='session')
def browser():
    "Chromium, without a window. Where it is missing the test is skipped, but in continuous integration it fails."
    names = 'chromium', 'chromium-browser', 'google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        if os.environ.get('CI'): pytest.fail('no Chromium found: continuous integration must install it')
        pytest.skip('no Chromium found: install it (Debian: apt-get install chromium) to run the browser tests')
    from playwright.sync_api import sync_playwright
    flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=path, args=flags)
        yield chromium
        chromium.close()
