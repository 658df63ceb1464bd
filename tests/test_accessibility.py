"What axe-core finds, and what is asked of other servers, in the pages that are built without Quarto; `make docs` asks the same of every page of the site."
import pytest

import browse


@pytest.fixture(scope='module')
def script(): return browse.axe()


@pytest.fixture(scope='module')
def built(address, paper_folder):
    "The address of the live page and of the paper, by name."
    with browse.served(paper_folder) as home: yield dict(live=address + 'live/', paper=home + 'paper.html')


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('width', browse.WIDTHS)
@pytest.mark.parametrize('name', ['live', 'paper'])
def test_no_barriers(browser, built, script, name, width, scheme):
    settled = 'window.live?.drawn && !live.busy()' if name == 'live' else browse.SETTLED
    assert browse.faults(browser, built[name], script, width, scheme, settled) == []


def test_barriers_are_found(browser, script, tmp_path):
    "A page with a fault of each kind."
    (tmp_path/'page.html').write_text('''<!doctype html><html lang="en"><title>A page</title><main><h1>A page</h1>
        <p style="color: #ccc; background: #fff">pale</p><img src="gone.png" alt="a picture"><img src="https://example.org/x.png" alt="far">
        <span class="math">x</span><p style="width: 5000px">wide</p><input>
        <div class="code-copy-outer-scaffold" style="position: relative"><pre style="margin: 0"><code>a = 1</code></pre>
            <button class="code-copy-button" style="position: absolute; top: 0; left: 0">Copy</button></div>
        <script>nowhere()</script>''')
    with browse.served(tmp_path) as home: found = browse.faults(browser, home + 'page.html', script, settled='true')
    for start in ('asks another server: https://example.org', '404: ', 'a script fails: ', 'scrolls sideways', '1 equations are not set', '1 copy buttons cover',
                  'no image: ', 'color-contrast', 'label ('):
        assert any(fault.startswith(start) for fault in found), (start, found)
