"""The explorer in a real browser: Voila serves a notebook, Chromium moves the sliders and presses the buttons. At the end, what needs no browser.

The picture of it in the book is made by `python tests/test_explorer.py nbs/images/explorer.png`.
"""
import os, socket, subprocess, sys, time
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from seqgen_nb.commands import seqgen_sample
from seqgen_nb.errors import SeqgenError
from seqgen_nb.explore import LatentExplorer
from seqgen_nb.runs import shipped

root = Path(__file__).resolve().parent.parent
IMAGES = 'end_a', 'now', 'end_b', 'strip', 'sheet'  # in the order of the page
PATIENCE = 180  # seconds to wait for what a busy machine does late
BYTES = 'async image => Array.from(new Uint8Array(await (await fetch(image.src)).arrayBuffer()))'
TINY = """
from seqgen_nb.data import typeset_digits
from seqgen_nb.dcgan import DCGenerator, SNDiscriminator
from seqgen_nb.gan import MLPDiscriminator, MLPGenerator, fit_gan
from seqgen_nb.runs import Run
images, short = typeset_digits(256, seed=0)[0], dict(epochs=2, sample_every=1, device='cpu')
fit_gan(MLPGenerator(8, widths=(16,)), MLPDiscriminator(widths=(16,)), images, Run('mlp', progress=False), **short)
fit_gan(DCGenerator(8, width=4), SNDiscriminator(width=4), images, Run('dc', progress=False), **short)
"""


def environment(): return {**os.environ, 'PYTHONPATH': str(root), 'PATH': f'{Path(sys.executable).parent}:{os.environ["PATH"]}'}


@contextmanager
def served(folder, code):
    "The address of a page on which `code` was run."
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)], metadata=dict(kernelspec=dict(name='python3', display_name='Python 3', language='python'))), folder/'page.ipynb')
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    with open(folder/'voila.log', 'w') as log:
        voila = subprocess.Popen([sys.executable, '-m', 'voila', 'page.ipynb', '--no-browser', f'--port={port}', '--Voila.ip=127.0.0.1', '--show_tracebacks=True'],
                                 cwd=folder, env=environment(), stdout=log, stderr=log)
    try:
        deadline = time.time() + PATIENCE
        while voila.poll() is None and time.time() < deadline:
            with socket.socket() as s:
                if not s.connect_ex(('127.0.0.1', port)): break
            time.sleep(.1)
        else: pytest.fail('Voila did not start: ' + (folder/'voila.log').read_text()[-2000:])
        yield f'http://127.0.0.1:{port}/'
    finally:
        voila.terminate()
        try: voila.wait(10)
        except subprocess.TimeoutExpired: voila.kill()


class Explorer:
    "What a hand and an eye do with the explorer on a page."
    def __init__(self, page, url):
        self.page = page
        page.set_default_timeout(PATIENCE*1000)
        page.goto(url)
        page.locator('.widget-image').nth(len(IMAGES) - 1).wait_for()
        for name in IMAGES: self.until(lambda: self.see(name))

    def until(self, true):
        "What `true()` returns, as soon as it holds."
        deadline = time.time() + PATIENCE
        while not (found := true()):
            assert time.time() < deadline, self.page.inner_text('body')
            self.page.wait_for_timeout(20)
        return found

    def see(self, name):
        "The bytes of a picture, as the browser has them."
        try: return bytes(self.page.locator('.widget-image').nth(IMAGES.index(name)).evaluate(BYTES))
        except Exception: return b''  # it was being replaced

    def changed(self, name, old): return self.until(lambda: (new := self.see(name)) and new != old and new)

    def comes_back(self, name, old): return self.until(lambda: self.see(name) == old)

    def press(self, button): self.page.get_by_role('button', name=button).click()

    def type(self, label, text):
        self.page.get_by_label(label, exact=True).fill(text)
        self.page.keyboard.press('Enter')

    def choose(self, label, option): self.page.get_by_label(label, exact=True).select_option(option)

    def slide(self, label, *keys):
        slider = self.page.locator('.widget-slider:visible', has=self.page.get_by_text(label, exact=True))
        slider.locator('.noUi-handle').focus()
        for key in keys: self.page.keyboard.press(key)

    def says(self, text): self.page.get_by_role('alert').filter(has_text=text).wait_for()

    def no_error(self):
        text = self.page.inner_text('body')
        assert 'Traceback' not in text and 'Error' not in text and 'javascript error' not in text, text
        assert not self.page.locator('[data-mime-type="application/vnd.jupyter.stderr"], [data-mime-type="application/vnd.jupyter.error"]').count()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('explorer')
    subprocess.run([sys.executable, '-c', TINY], cwd=folder, env=environment(), check=True)
    return folder


@pytest.fixture(scope='module')
def explorer(browser, folder):
    code = "from seqgen_nb.explore import LatentExplorer\nfrom seqgen_nb.runs import Run\nLatentExplorer({'MLP': Run('mlp'), 'DC': Run('dc')})"
    with served(folder, code) as url: yield Explorer(browser.new_page(viewport=dict(width=1200, height=800)), url)


def test_slider_moves_the_picture_and_nothing_else(explorer):
    first = {name: explorer.see(name) for name in IMAGES}
    assert first['now'] == first['end_a'] != first['end_b']
    explorer.slide('A to B', 'ArrowRight', 'PageUp')
    between = explorer.changed('now', first['now'])
    explorer.slide('A to B', 'End')
    explorer.comes_back('now', first['end_b'])
    assert between not in first.values()
    explorer.slide('A to B', 'Home')
    explorer.comes_back('now', first['end_a'])
    assert {name: explorer.see(name) for name in IMAGES} == first
    explorer.no_error()


def test_a_seed_brings_its_picture_back(explorer):
    first = {name: explorer.see(name) for name in IMAGES}
    for button, label, seed, seen in (('new A', 'seed A', '0', 'end_a'), ('new B', 'seed B', '8', 'end_b'), ('25 new ones', 'seed', '0', 'sheet')):
        explorer.press(button)
        explorer.changed(seen, first[seen])
        explorer.type(label, seed)
        explorer.comes_back(seen, first[seen])
    assert {name: explorer.see(name) for name in IMAGES} == first
    explorer.no_error()


def test_the_arc_is_not_the_line(explorer):
    first = explorer.see('strip')
    explorer.press('linear')
    explorer.changed('strip', first)
    explorer.press('spherical')
    explorer.comes_back('strip', first)


def test_other_epochs_and_other_gans_draw_otherwise(explorer):
    first = explorer.see('sheet')
    explorer.slide('epoch', 'Home')
    untrained = explorer.changed('sheet', first)
    explorer.choose('GAN', 'DC')
    other = explorer.changed('sheet', untrained)
    assert len({first, untrained, other}) == 3
    explorer.choose('GAN', 'MLP')
    explorer.comes_back('sheet', untrained)
    explorer.slide('epoch', 'End')
    explorer.comes_back('sheet', first)
    explorer.no_error()


def test_directions_push_and_let_go(explorer):
    first = explorer.see('now')
    seen = {first}
    for name in '1', '5':
        explorer.slide(name, 'PageUp')
        pushed = explorer.changed('now', first)
        explorer.press('all to 0')
        explorer.comes_back('now', first)
        seen.add(pushed)
    assert len(seen) == 3
    explorer.no_error()


def test_nonsense_is_refused_with_a_sentence(explorer):
    first = explorer.see('strip')
    for nonsense in 'abc', '-1', '1.5', '1000000', '':
        explorer.type('seed A', nonsense)
        explorer.says(f"'{nonsense}' is no seed")
        explorer.until(lambda: explorer.page.get_by_label('seed A', exact=True).input_value() == '0')
    assert explorer.see('strip') == first
    explorer.type('seed A', '7')
    explorer.changed('strip', first)
    explorer.until(lambda: not explorer.page.get_by_role('alert').count())
    explorer.type('seed A', '0')
    explorer.comes_back('strip', first)
    explorer.no_error()


def test_saved_and_downloaded(explorer, folder):
    explorer.choose('save', 'strip')
    for name, why in ('strip.jpg', 'does not end in .png'), ('page.ipynb/strip.png', 'cannot be written'):
        explorer.type('as', name)
        explorer.press('save as PNG')
        explorer.says(why)
    explorer.type('as', 'strip.png')
    explorer.press('save as PNG')
    explorer.says('wrote')
    assert (folder/'strip.png').read_bytes() == explorer.see('strip')
    assert Image.open(folder/'strip.png').size == (302, 32)
    with explorer.page.expect_download() as download: explorer.page.get_by_text('download a copy').click()
    assert Path(download.value.path()).read_bytes() == explorer.see('strip')
    explorer.no_error()


@pytest.mark.parametrize('width', [400, 1200])
def test_fits_the_page(explorer, width):
    "Nothing sticks out at the right, and no two controls lie over each other."
    explorer.page.set_viewport_size(dict(width=width, height=800))
    boxes = [e.bounding_box() for e in explorer.page.locator('.widget-image:visible, .widget-button:visible, .widget-text:visible, .widget-dropdown:visible, .widget-slider:visible').all()]
    assert len(boxes) > 15
    for box in boxes: assert 0 <= box['x'] and box['x'] + box['width'] <= width
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a['x'] >= b['x'] + b['width'] - 1 or b['x'] >= a['x'] + a['width'] - 1 or a['y'] >= b['y'] + b['height'] - 1 or b['y'] >= a['y'] + a['height'] - 1, (a, b)


def test_pictures_say_what_they_show(explorer):
    "To those who can't see them: a browser reads the title of an image that has no alternative text."
    said = [image.get_attribute('alt') or image.get_attribute('title') for image in explorer.page.locator('.widget-image').all()]
    assert len(said) == len(set(said)) == len(IMAGES) and all(said), said


@pytest.mark.parametrize('arguments, why', [
    (dict(generator={}), 'no generator to explore'),
    (dict(generator=shipped('lstm')), 'LastDigit is no generator'),
    (dict(seeds=(-1, 0)), "'-1' is no seed"),
    (dict(steps=1), 'ask for 2 or more'),
])
def test_what_cannot_be_explored_is_refused(arguments, why):
    with pytest.raises(SeqgenError, match=why): LatentExplorer(**arguments)


def test_the_sheet_is_that_of_the_command(tmp_path):
    explorer = LatentExplorer()
    seqgen_sample(out=tmp_path/'command.png')
    assert explorer.sheet.image.value == (tmp_path/'command.png').read_bytes()
    explorer.close()


def photograph(path):
    "A picture of the explorer with the GANs that ship with the package, for the book."
    import shutil, tempfile
    from playwright.sync_api import sync_playwright
    with sync_playwright() as p, tempfile.TemporaryDirectory() as folder:
        page = p.chromium.launch(executable_path=shutil.which('chromium') or shutil.which('google-chrome'), args=['--no-sandbox']).new_page(viewport=dict(width=1200, height=800), device_scale_factor=1.5)
        with served(Path(folder), 'from seqgen_nb.explore import LatentExplorer\nLatentExplorer()') as url:
            explorer = Explorer(page, url)
            explorer.type('seed B', '5')  # another digit than A
            for label, steps in (('A to B', 8), ('2', 3)): explorer.slide(label, *['PageUp']*steps)
            page.wait_for_timeout(1000)
            page.mouse.click(1190, 790)
            page.locator('.widget-box').first.screenshot(path=path)


if __name__ == '__main__': photograph(sys.argv[1])
