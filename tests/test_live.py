"The live page in a real browser, served as any static server would: what it draws, how fast, and what it says when it cannot."
import base64, io, json, re, shutil, subprocess, threading, time
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
import websocket
import yaml
from PIL import Image
from playwright.sync_api import expect

from seqgen_nb.data import palindromes
from seqgen_nb.gan import latents, sample
from seqgen_nb.latent import directions
from seqgen_nb.long_memory import attack, certify
from seqgen_nb.plots import tile, to_uint8
from seqgen_nb.runs import pretrained, shipped

GANS = 'dcgan', 'gan'
PATIENCE = 120_000   # ms: how long a page may take
expect.set_options(timeout=PATIENCE)
DRAWN = 'window.live?.drawn && !live.busy() && live.answered'


@pytest.fixture
def visit(browser, address):
    "A function that opens the page; at the end it has had no errors, and has asked no one but our server."
    contexts, heard, asked = [], [], []
    def opened(tail='', script=None, drawn=True, faults=False, missing=(), page='live/', **options):
        context = browser.new_context(**options)
        contexts.append(context)
        if script: context.add_init_script(script)
        for name in missing: context.route(f'**/{name}', lambda route: route.fulfill(status=404))
        tab = context.new_page()
        tab.set_default_timeout(PATIENCE)
        if not (faults or missing):
            tab.on('console', lambda m: heard.append(m.text) if m.type in ('error', 'warning') else None)
            tab.on('pageerror', lambda e: heard.append(str(e)))
        tab.on('request', lambda r: asked.append(r.url))
        tab.goto(address + page + tail)
        if drawn: tab.wait_for_function(DRAWN)
        return tab
    yield opened
    for context in contexts: context.close()
    assert not heard, heard
    assert not [u for u in asked if not u.startswith((address, 'data:', 'blob:'))]


def picture(page, name):
    "The canvas of that name in grey levels, once nothing is left to be drawn."
    page.wait_for_function('!live.busy()')
    data = page.locator(f'#{name}').evaluate('canvas => canvas.toDataURL()')
    return grey(Image.open(io.BytesIO(base64.b64decode(data.split(',')[1]))))


def grey(image):
    "The grey levels of a picture on white."
    image = image.convert('RGBA')
    image = Image.alpha_composite(Image.new('RGBA', image.size, 'white'), image).convert('L')
    return torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).view(image.height, image.width).int()


def same(a, b): return a.shape == b.shape and bool((a == b).all())


def slide(page, selector, value): page.locator(selector).evaluate("(o, value) => { o.value = value; o.dispatchEvent(new Event('input', {bubbles: true})) }", value)


def test_first_picture(visit):
    "How long it took is printed (pytest -s) and not judged: the machine may be busy."
    page = visit()
    assert picture(page, 'now').max() > 200
    print(f"first picture after {page.evaluate('performance.getEntriesByName(`first-picture`)[0].startTime')/1000:.2f} s")


@pytest.mark.parametrize('gan', GANS)
def test_pictures_while_dragging(visit, gan):
    "A hand drags the slider to and fro, for a second. How many pictures were drawn is printed (pytest -s) and not judged."
    page = visit(f'#gan={gan}')
    page.locator('#t').scroll_into_view_if_needed()
    box = page.locator('#t').bounding_box()
    x = lambda t: box['x'] + 20 + t*(box['width'] - 40)
    page.mouse.move(x(.35), box['y'] + box['height']/2)
    page.mouse.down()
    drawn, start = page.evaluate('[live.drawn, performance.now()]')
    now, step = start, 0
    while now < start + 1000 or page.evaluate('live.drawn') < drawn + 2:
        step += 1
        page.mouse.move(x(abs(step % 160 - 80)/80), box['y'] + box['height']/2)
        if step % 10 == 0: now = page.evaluate('performance.now()')
        assert now < start + PATIENCE, 'the slider moves, and nothing is drawn'
    end, now = page.evaluate('[live.drawn, performance.now()]')
    page.mouse.up()
    print(f'{gan}: {1000*(end - drawn)/(now - start):.0f} pictures a second')


@pytest.mark.parametrize('name', GANS)
def test_pictures_are_those_of_pytorch(visit, name):
    page, generator = visit(), pretrained(name)
    z = latents(3, generator.n_latent, 11)
    found = page.evaluate('async ([name, z]) => [...await live.generate(name, z)]', [name, z.flatten().tolist()])
    assert (torch.tensor(found).view(3, 1, 28, 28) - sample(generator, z)).abs().max() < 1e-4


def test_seeds_are_those_of_torch(visit):
    page = visit('#sheet=7')
    for n, size, seed in (1, 100, 0), (1, 100, 999_999), (25, 100, 3), (2, 64, 5):
        found = page.evaluate('([n, size, seed]) => [...live.latents(n, size, seed)]', [n, size, seed])
        assert (torch.tensor(found).view(n, size) - latents(n, size, seed)).abs().max() < 1e-5
    generator = pretrained('dcgan')
    wanted = tile(sample(generator, latents(25, generator.n_latent, 7)))[2:-2, 2:-2].int()
    assert (picture(page, 'sheet') - wanted).abs().max() <= 1


def test_same_seed_same_picture(visit):
    page = visit()
    first = {name: picture(page, name) for name in ('now', 'end-a', 'end-b', 'strip', 'sheet')}
    page.click('#new-b')
    changed = {name for name in first if not same(picture(page, name), first[name])}
    assert changed == {'now', 'end-b', 'strip'}
    page.fill('#seed-b', '8')
    for name in first: assert same(picture(page, name), first[name]), name
    page.click('#new-sheet')
    assert not same(picture(page, 'sheet'), first['sheet'])
    page.fill('#seed-sheet', '0')
    assert same(picture(page, 'sheet'), first['sheet'])


def test_walk(visit):
    "The slider goes from A to B; both ways share the ends and differ in the middle; an arrow key moves it too."
    page = visit()
    for t, end in (0, 'end-a'), (1, 'end-b'):
        slide(page, '#t', t)
        assert (picture(page, 'now') - picture(page, end)).abs().max() <= 1
    slide(page, '#t', .5)
    arc, strip = picture(page, 'now'), picture(page, 'strip')
    page.get_by_label('linear').check()
    line, straight = picture(page, 'now'), picture(page, 'strip')
    assert not same(arc, line)
    assert (strip - straight)[:, :28].abs().max() <= 1 and not same(strip, straight)
    page.locator('#t').focus()
    page.keyboard.press('PageUp')
    assert not same(picture(page, 'now'), line)


def test_directions(visit):
    "They push the picture as those of the explorer do, and leave the strip alone."
    page = visit()
    before, strip = picture(page, 'now'), picture(page, 'strip')
    pushed = []
    for slider in page.locator('#directions input').all():
        slider.evaluate("o => { o.value = 3; o.dispatchEvent(new Event('input', {bubbles: true})) }")
        pushed.append(picture(page, 'now'))
    assert len(pushed) == 5 and not any(same(a, b) for a, b in zip([before, *pushed], pushed))
    assert same(picture(page, 'strip'), strip)
    page.locator('#directions input').evaluate_all('all => all.forEach((o, i) => o.value = i === 1 ? -2 : 0)')
    slide(page, '#t', 0)
    generator = pretrained('dcgan')
    z = latents(1, generator.n_latent, 0) - 2*directions(generator, 5)[1]
    assert (picture(page, 'now') - to_uint8(sample(generator, z))[0, 0].int()).abs().max() <= 1
    slide(page, '#t', .35)
    page.click('#straight')
    assert same(picture(page, 'now'), before)


def test_other_gan(visit):
    page = visit()
    before = {name: picture(page, name) for name in ('now', 'end-a', 'end-b', 'strip', 'sheet')}
    page.get_by_label('MLP GAN').check()
    for name in before: assert not same(picture(page, name), before[name]), name


def test_save(visit, tmp_path):
    page = visit()
    for name, size in dict(now=(28, 28), strip=(298, 28), sheet=(148, 148)).items():
        with page.expect_download() as download: page.click(f'[data-save={name}]')
        assert download.value.suggested_filename == f'dcgan-{name}.png'
        download.value.save_as(tmp_path/'saved.png')
        with Image.open(tmp_path/'saved.png') as image:
            assert (image.format, image.width, image.height) == ('PNG', 8*size[0], 8*size[1])
            assert same(grey(image)[4::8, 4::8], picture(page, name))


def test_address_brings_everything_back(visit):
    "Also another address brings another picture, and nonsense in it brings what the page opens with."
    page = visit()
    default = picture(page, 'now')
    page.get_by_label('linear').check()
    page.fill('#seed-a', '12')
    page.locator('#seed-a').blur()
    there, tail = picture(page, 'now'), page.evaluate('location.hash')
    assert not same(there, default)
    page = visit(tail)
    assert same(picture(page, 'now'), there)
    page.evaluate("location.hash = '#gan=abacus&how=&a=-3&b=x&t=nonsense&bend=a'")
    expect(page.locator('#seed-a')).to_have_value('0')
    assert same(picture(page, 'now'), default)


def test_bad_seed_is_refused(visit):
    page = visit()
    before = picture(page, 'strip')
    for bad in '-5', '1.5', '', '1000000':
        page.fill('#seed-a', bad)
        page.locator('#seed-a').blur()
        assert 'whole number from 0 to 999,999' in page.inner_text('#walk-message'), bad
        assert same(picture(page, 'strip'), before)
    page.fill('#seed-a', '0')
    assert page.inner_text('#walk-message') == ''


def choose(page, title): page.get_by_label(title, exact=True).check()


def answer(page, digits, network='latch'):
    page.fill('#digits', digits)
    page.wait_for_function('said => live.answered === said', arg=f'{network} {digits}')
    return page.inner_text('#verdict')


MEMORIES = dict(latch=('certified', lambda: shipped('long_memory').network('seed_0')), lstm=('course report', lambda: pretrained('lstm')))


@pytest.mark.parametrize('name', MEMORIES)
def test_memories_are_those_of_pytorch(visit, name):
    "The same answers, logits and probabilities after each digit; both complete palindromes of 20 digits."
    page, (title, model) = visit(), MEMORIES[name]
    model = model()
    choose(page, title)
    for x in palindromes(5, 20, seed=21):
        given = ''.join(map(str, x[:-1].tolist()))
        assert re.match(rf'After 19 digits it answers {x[0]}, .* Right: that completes the palindrome\.', answer(page, given, name))
    network = f"JSON.parse('{json.dumps(dict(name=name, base=10, n_hidden=model.recurrent.cell.n_hidden))}')"
    logits = page.evaluate(f'digits => live.logitsAfter({network}, digits)', x[:-1].tolist())
    assert (torch.tensor(logits) - model(x[None, :-1])).abs().max() < 1e-4
    found = page.evaluate(f'digits => live.listen({network}, digits)', x[:-1].tolist())['answers']
    wanted = torch.cat([model(x[None, :n]).softmax(1) for n in range(1, 20)]).detach()
    assert (torch.tensor(found) - wanted).abs().max() < 1e-4
    assert page.locator('#answers rect.cell').count() == 190 and page.locator('#apart rect.cell').count() == 19
    assert 'the first digit was 1. No digit makes a palindrome of these' in answer(page, '123', name)


def test_what_is_known_of_a_memory_stands_beside_it(visit):
    page, found = visit(), certify(shipped('long_memory').network('seed_0'))
    answer(page, '123')
    said = page.inner_text('#promise')
    assert 'Proved for every string of digits' in said and f'at least {found.margin:.2f} logits' in said
    choose(page, 'course report')
    answer(page, '123', 'lstm')
    said = page.inner_text('#promise')
    assert 'Nothing is proved' in said and 'Given 3, it completes' in said


def test_a_hundred_thousand_digits(visit):
    "The certified network is right on them, pasted or typed; the page goes on answering while the larger network reads."
    page = visit()
    for x in palindromes(2, 100_001, seed=22):
        given = ''.join(map(str, x[:-1].tolist()))
        assert re.match(rf'After 100,000 digits it answers {x[0]}, .* Right: that completes', answer(page, given))
        assert page.is_hidden('#memory') and page.is_visible('#promise')
    choose(page, 'course report')
    page.wait_for_function('live.reading')
    dark = ground(page) < 60
    page.click('#theme')
    assert (ground(page) < 60) != dark and page.evaluate('live.reading')
    assert 'of 100,000 digits read' in page.inner_text('#verdict')
    choose(page, 'certified')
    page.wait_for_function("live.answered.startsWith('latch')")
    assert f'it answers {x[0]},' in page.inner_text('#verdict')


def test_beyond_its_training_one_fails_and_one_does_not(visit):
    "Digits that the attack of chapter 4 finds: the course report's network names a wrong one."
    page, digits = visit(), attack(pretrained('lstm'), 60, 30).string
    given = ''.join(map(str, digits))
    assert f'it answers {digits[0]},' in answer(page, given)
    choose(page, 'course report')
    page.wait_for_function("live.answered.startsWith('lstm')")
    assert 'Wrong: ' in page.inner_text('#verdict')


def test_random_palindromes_of_each_length(visit):
    page = visit()
    for length in page.locator('#length option').all():
        page.select_option('#length', length.get_attribute('value'))
        page.click('#new-digits')
        given = page.input_value('#digits')
        page.wait_for_function('said => live.answered === said', arg=f'latch {given}')
        assert len(given) == int(length.get_attribute('value')) - 1
        assert 'Right: that completes the palindrome' in page.inner_text('#verdict')


def test_bad_digits_are_refused(visit):
    page = visit()
    for bad, words in (('12a4', 'digits from 0 to 9 only'), ('', 'Type some digits'), ('<b>1', 'digits from 0 to 9 only'), ('1٣', 'digits from 0 to 9 only')):
        page.fill('#digits', bad)
        expect(page.locator('#verdict')).to_contain_text(words)
        assert page.is_hidden('#memory') and page.is_hidden('#promise') and page.get_attribute('#digits', 'aria-invalid') == 'true'
    answer(page, '12321')
    assert page.is_visible('#memory') and page.get_attribute('#digits', 'aria-invalid') == 'false'


def complaint(page, part):
    "The one sentence that a part says when it cannot run."
    said = page.locator(f'{part} #message')
    expect(said).to_have_class('error')
    assert re.fullmatch(r'This cannot run: [^.]+((?<=\w)\.\w[^.]*)*\.', said.inner_text()), said.inner_text()
    assert page.locator(f'{part} #part').is_hidden()
    return said.inner_text()


def test_says_so_without_webassembly(visit):
    "The walk needs it; the memory does not, and answers all the same."
    page = visit(script='delete window.WebAssembly', drawn=False)
    assert 'this browser has no WebAssembly' in complaint(page, '.live-walk-full')
    page.wait_for_function('live.answered')
    assert 'it answers 3' in page.inner_text('#verdict')


def test_says_so_with_too_little_memory(visit):
    "The memory of the runtime cannot be had, as on a small phone."
    page = visit(script="WebAssembly.Memory = class { constructor() { throw new RangeError('WebAssembly.Memory(): could not allocate memory') } }", drawn=False, faults=True)
    assert 'too little memory' in complaint(page, '.live-walk-full')


@pytest.mark.parametrize('name, part', [
    ('live.json', '.live-walk-full'), ('parts.css', '.live-memory'), ('dcgan.onnx', '.live-walk-full'), ('latch.bin', '.live-memory'),
    ('ort.wasm.bundle.min.mjs', '.live-walk-full'), ('ort-wasm-simd-threaded.wasm', '.live-walk-full')])
def test_says_so_where_a_file_is_missing(visit, name, part):
    page = visit(missing=[name], drawn=False)
    said = complaint(page, part)
    assert ('its runtime' if name.endswith('.wasm') else name) + ' could not be loaded' in said and 'reload the page' in said


def instead_of_gan(promise): return f"const kept = fetch; fetch = (...args) => /(^|\\/)gan.onnx$/.test(args[0]) ? {promise} : kept(...args)"


def test_says_so_where_a_network_is_missing(visit):
    page = visit(faults=True, script=instead_of_gan("Promise.reject(new Error('no such file'))"))
    before = picture(page, 'now')
    page.get_by_label('MLP GAN').check()
    page.wait_for_selector('#message.error')
    assert 'gan.onnx could not be loaded' in page.inner_text('#message')
    slide(page, '#t', .35)
    page.get_by_label('DCGAN', exact=True).check()
    assert same(picture(page, 'now'), before) and page.inner_text('#message') == ''


def test_a_slow_network_holds_up_no_other(visit):
    "While the MLP GAN is on its way one can go on with the DCGAN; once it has come it draws."
    page = visit(script=instead_of_gan('new Promise(done => window.release = done).then(() => kept(...args))'))
    now = "document.querySelector('.live-part').shadowRoot.getElementById('now').toDataURL()"
    before = page.evaluate(now)
    page.get_by_label('MLP GAN').check()
    assert 'Loading the MLP GAN' in page.inner_text('#message')
    page.get_by_label('DCGAN', exact=True).check()
    slide(page, '#t', 1)
    page.wait_for_function(f'before => {now} !== before', arg=before)
    there = page.evaluate(now)
    page.get_by_label('MLP GAN').check()
    page.evaluate('release()')
    assert picture(page, 'now').max() > 200 and page.evaluate(now) != there and page.inner_text('#message') == ''


def ground(page): return sum(map(int, re.findall(r'\d+', page.evaluate('getComputedStyle(document.body).backgroundColor'))[:3]))/3


@pytest.mark.parametrize('scheme, dark', [('light', False), ('dark', True)])
def test_narrow_light_and_dark(visit, scheme, dark):
    "On a narrow screen nothing sticks out, and the ground follows the system, then the site's own switch."
    page = visit(viewport=dict(width=400, height=800), color_scheme=scheme)
    answer(page, '1'*40)
    assert page.evaluate('document.documentElement.scrollWidth') <= 400
    assert (ground(page) < 60) == dark
    page.click('#theme')
    assert (ground(page) < 60) != dark
    assert page.evaluate("localStorage.getItem('quarto-color-scheme')") == ('default' if dark else 'alternate')
    page.reload()
    assert (ground(page) < 60) != dark


def test_every_control_has_a_name(visit):
    page = visit()
    nameless = "all => all.filter(o => !o.labels?.length && !o.ariaLabel && !(o.tagName === 'BUTTON' && o.textContent.trim())).map(o => o.outerHTML)"
    controls = page.locator('input, button, select, canvas')
    assert controls.count() > 25 and controls.evaluate_all(nameless) == []


def test_links_on_to_the_chapters(visit, live_site):
    "Where the page is part of the site; a page of its own has no chapters beside it."
    page = visit()
    links = [a.get_attribute('href') for a in page.locator('.book a, a.book').all() if a.is_visible()]
    assert links == [f'../{name}.html' for name in ('latent', 'explore', 'gan', 'dcgan', 'palindromes', 'long_memory', 'live')]
    shutil.copytree(live_site/'live', live_site/'alone', dirs_exist_ok=True)
    page = visit(page='alone/')
    assert not any(a.is_visible() for a in page.locator('.book a, a.book').all())


def test_by_keyboard(visit):
    "Every control is reached with Tab alone; arrows, Page and End move what they should."
    page, reached = visit(), []
    focused = "() => { let o = document.activeElement; while (o?.shadowRoot) o = o.shadowRoot.activeElement; return o?.id || o?.name || o?.dataset.save || '' }"
    page.locator('#theme').focus()
    while not reached or reached[-1] != 'length':
        page.keyboard.press('Tab')
        reached.append(page.evaluate(focused))
        assert len(reached) < 60, reached
    wanted = ['gan', 'how', 'seed-a', 'new-a', 'seed-b', 'new-b', 't', 'straight', 'now', 'strip', 'seed-sheet', 'new-sheet', 'sheet', 'memory', 'digits', 'new-digits', 'length']
    assert [name for name in reached if name in wanted] == wanted
    page.locator('#t').focus()
    for key, wanted in dict(Home='0', ArrowRight='0.002', End='1').items():
        page.keyboard.press(key)
        assert page.input_value('#t') == wanted
    assert same(picture(page, 'now'), picture(page, 'end-b'))
    page.get_by_label('DCGAN', exact=True).focus()
    before = picture(page, 'sheet')
    page.keyboard.press('ArrowRight')
    assert page.get_by_label('MLP GAN').is_checked() and not same(picture(page, 'sheet'), before)
    page.locator('#new-digits').focus()
    page.keyboard.press('Enter')
    page.wait_for_function("live.answered && !live.answered.includes('3141592653')")


def test_by_touch(visit):
    "A finger drags the slider, and the picture follows; it taps a choice; and it can scroll the page from the slider, too."
    page = visit(viewport=dict(width=400, height=800), has_touch=True, is_mobile=True)
    touch = page.context.new_cdp_session(page)
    def drag(*points):
        for i, (x, y) in enumerate(points): touch.send('Input.dispatchTouchEvent', dict(type='touchMove' if i else 'touchStart', touchPoints=[dict(x=x, y=y)]))
        touch.send('Input.dispatchTouchEvent', dict(type='touchEnd', touchPoints=[]))
    page.locator('#strip').scroll_into_view_if_needed()
    box, before = page.locator('#t').bounding_box(), picture(page, 'now')
    y = box['y'] + box['height']/2
    drag(*((box['x'] + box['width']*t, y) for t in (.35, .5, .7, .9, 1)))
    assert float(page.input_value('#t')) > .9
    assert not same(picture(page, 'now'), before)
    page.get_by_label('linear').tap()
    assert page.get_by_label('linear').is_checked()
    top = page.evaluate('scrollY')
    drag(*((box['x'] + box['width']/2, y - 40*i) for i in range(6)))
    page.wait_for_function('top => scrollY > top', arg=top)


def test_ten_million_digits_are_refused(visit):
    "As pasted and as set by a script; the page is at once ready for the next question. A million is its limit."
    page = visit()
    for count in 10_000_000, 1_000_001:
        page.locator('#digits').evaluate("(o, count) => { o.value = '1'.repeat(count); o.dispatchEvent(new Event('input')) }", count)
        expect(page.locator('#verdict')).to_have_text('This page reads at most 1,000,000 digits.')
        assert page.is_hidden('#memory') and not page.evaluate('live.reading')
    page.locator('#digits').evaluate("o => { o.value = '' }")
    page.locator('#digits').focus()
    page.keyboard.insert_text('7'*2_000_000)
    expect(page.locator('#verdict')).to_have_text('This page reads at most 1,000,000 digits.')
    assert page.locator('#digits').evaluate('o => o.value.length') == 1_000_001
    assert 'it answers 1' in answer(page, '123')


HOSTILE = '<img src=x onerror="window.hit=1">', '"><script>window.hit=1</script>', "javascript:window.hit=1", '%00', '9'*100_000


def test_what_the_address_says_is_inert(visit):
    "Markup, scripts and nonsense in every field of it leave the page as it opens."
    page = visit()
    default, scripts = {name: picture(page, name) for name in ('now', 'strip', 'sheet')}, page.locator('script').count()
    for bad in HOSTILE:
        tail = page.evaluate("bad => new URLSearchParams(['gan', 'how', 'memory', 'a', 'b', 'sheet', 't', 'bend', 'constructor', '__proto__'].map(name => [name, bad])).toString()", bad)
        page.evaluate("tail => new Promise(done => { addEventListener('hashchange', () => setTimeout(done), {once: true}); location.hash = tail })", tail)
        page.wait_for_function(DRAWN)
        for name in default: assert same(picture(page, name), default[name]), (bad[:40], name)
    page = visit(f'?gan={"x"*2000}&<script>window.hit=1</script>#{tail}')
    assert same(picture(page, 'now'), default['now'])
    assert (page.locator('script').count(), page.locator('img').count()) == (scripts, 0) and not page.evaluate('window.hit')


def test_pasted_markup_is_text(visit):
    page = visit()
    for bad in HOSTILE[:3]:
        page.fill('#digits', bad)
        expect(page.locator('#verdict')).to_contain_text('digits from 0 to 9 only')
        assert page.locator('#verdict *').count() == 0 and not page.evaluate('window.hit')


# ---- the parts in the pages of the site ----

root = Path(__file__).resolve().parent.parent


@pytest.fixture(scope='module')
def chapter(live_site):
    "A page as Quarto makes it: a walk and a memory below the first screen, each with its still picture, and the site's own script and style."
    script = yaml.safe_load((root/'_quarto.yml').read_text())['format']['html']['include-after-body']['text']
    still = base64.b64encode(b'<svg xmlns="http://www.w3.org/2000/svg" width="600" height="80"><rect width="600" height="80"/></svg>').decode()
    cell = lambda name: f'<div style="height: 2000px"></div><div class="cell {name}"><div class="cell-output-display"><figure><img src="data:image/svg+xml;base64,{still}" alt="a still"><figcaption>What it shows.</figcaption></figure></div></div>'
    style = (root/'nbs/styles.css').read_text() + 'label { color: rgb(255, 0, 0); display: block; } canvas { width: 1px; }'
    page = lambda cells: f'<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>A page</title><link rel="icon" href="data:,"><style>{style}</style><body class="quarto-light">{cells}{script}'
    for folder in live_site, live_site/'without':
        folder.mkdir(exist_ok=True)
        (folder/'chapter.html').write_text(page(cell('live-walk') + cell('live-memory-lstm')))
    (live_site/'home.html').write_text(page(cell('live-walk-brief').replace('2000px', '260px')))
    return 'chapter.html'


def test_parts_come_when_scrolled_to(visit, chapter):
    "Then they take the places of their pictures, with their own network and style; until then nothing of them is loaded."
    page = visit(page=chapter, drawn=False)
    page.wait_for_function('window.live')
    walk, memory = page.locator('.live-walk'), page.locator('.live-memory-lstm')
    loaded = 'performance.getEntriesByType("resource").map(o => o.name.split("/").pop())'
    assert set(page.evaluate(loaded)) <= {'live.js', ''} and walk.locator('img').count() == 1
    walk.scroll_into_view_if_needed()
    page.wait_for_function('live.drawn && !live.busy()')
    expect(walk.locator('img')).to_be_hidden()
    assert picture(page, 'now').max() > 200 and walk.locator('figcaption', has_text='What it shows').is_visible()
    assert not {'lstm.bin', 'latch.bin'} & set(page.evaluate(loaded)) and memory.locator('img').is_visible()
    memory.scroll_into_view_if_needed()
    page.wait_for_function("live.answered.startsWith('lstm')")
    expect(memory.locator('img')).to_be_hidden()
    assert page.get_by_label('course report').is_checked()
    assert page.locator('#now').bounding_box()['width'] > 200
    assert page.get_by_text('Digits, without the last').evaluate('o => getComputedStyle(o).color') != 'rgb(255, 0, 0)'
    assert not page.locator('#sheet').is_visible() and page.evaluate('location.hash') == ''


def test_home_page_has_less_of_the_walk(visit, chapter):
    "What needs no explanation, so that it stands above the fold of a phone: the digit turns into another under the visitor's finger."
    page = visit(page='home.html', drawn=False, viewport=dict(width=400, height=800), has_touch=True, is_mobile=True)
    page.locator('.framed').wait_for()
    before, box = picture(page, 'now'), page.locator('.framed').bounding_box()
    assert box['y'] + box['height'] < 700 and page.get_by_text('Move the slider').is_visible()
    assert not any(page.locator(f'#{name}').is_visible() for name in ('seed-a', 'directions', 'sheet', 'straight'))
    box = page.locator('#t').bounding_box()
    page.touchscreen.tap(box['x'] + .9*box['width'], box['y'] + box['height']/2)
    page.wait_for_function("document.querySelector('.live-part').shadowRoot.getElementById('t').value > .8")
    there = picture(page, 'now')
    assert not same(there, before)
    page.get_by_text('New B').tap()
    page.wait_for_function("document.querySelector('.live-part').shadowRoot.getElementById('seed-b').value !== '8'")
    assert not same(picture(page, 'now'), there)


def test_parts_follow_the_theme_of_the_site(visit, chapter):
    page = visit(page=chapter, drawn=False, viewport=dict(width=400, height=800))
    page.locator('.live-walk').scroll_into_view_if_needed()
    part = page.locator('.live-walk .live-part.framed')
    part.wait_for()
    light = part.evaluate('o => getComputedStyle(o).backgroundColor')
    page.evaluate("document.body.className = 'quarto-dark'")
    assert light == 'rgb(255, 255, 255)' and part.evaluate('o => getComputedStyle(o).backgroundColor') == 'rgb(30, 33, 37)'
    assert page.evaluate('document.documentElement.scrollWidth') <= 400


@pytest.mark.parametrize('lack', ['scripts', 'webassembly', 'the live folder', 'a network'])
def test_the_still_picture_stays(visit, chapter, lack):
    "Without what the walk needs, its place shows the picture; where a script can, it says why in one sentence."
    options = dict(scripts=dict(java_script_enabled=False), webassembly=dict(script='delete window.WebAssembly'), **{'a network': dict(missing=['dcgan.onnx'])}).get(lack, dict(faults=True))
    page = visit(page='without/chapter.html' if lack == 'the live folder' else chapter, drawn=False, **options)
    page.locator('.live-walk').scroll_into_view_if_needed()
    if lack in ('webassembly', 'a network'): complaint(page, '.live-walk')
    else: page.wait_for_load_state('networkidle')
    assert page.locator('.live-walk img').is_visible() and page.locator('.live-walk #part:visible').count() == 0


def test_chapters_have_their_parts():
    "Each a figure of its own with a description, which is what Jupyter and GitHub show."
    from pages import directives
    wanted = dict(index='live-walk-brief', **{'03_palindromes': 'live-memory-lstm', '04_long_memory': 'live-memory-latch', '08_latent': 'live-walk', '09_explore': 'live-walk'})
    for name, part in wanted.items():
        cells = json.loads((root/f'nbs/{name}.ipynb').read_text(encoding='utf-8'))['cells']
        found = [c for c in cells if c['cell_type'] == 'code' and str(directives(''.join(c['source'])).get('classes', '')).startswith('live-')]
        assert [directives(''.join(c['source']))['classes'] for c in found] == [part], name
        cell, = found
        assert directives(''.join(cell['source']))['fig-alt'] and any(kind.startswith('image/') for o in cell['outputs'] for kind in o.get('data', {})), name


# ---- Firefox: Playwright drives only builds of its own, so it is spoken to in WebDriver BiDi, which it understands by itself ----

class Firefox:
    "A page in Firefox, and what the test needs of the protocol."
    def __init__(self, socket):
        self.socket, self.asked = socket, 0
        self('session.new', capabilities={})
        self.page = self('browsingContext.getTree')['contexts'][0]['context']

    def __call__(self, method, **params):
        self.asked += 1
        self.socket.send(json.dumps(dict(id=self.asked, method=method, params=params)))
        while (said := json.loads(self.socket.recv())).get('id') != self.asked: pass
        assert said['type'] == 'success', said
        return said['result']

    def value(self, expression):
        found = self('script.evaluate', expression=f'(async () => JSON.stringify(await ({expression})))()', target=dict(context=self.page), awaitPromise=True)
        assert found['type'] == 'success', found['exceptionDetails']['text']
        return json.loads(found['result'].get('value', 'null'))

    def wait(self, expression):
        for _ in range(3000):
            if self.value(f'Boolean({expression})'): return
            time.sleep(.1)
        pytest.fail(f'never true: {expression}')


@contextmanager
def firefox(folder):
    "Firefox without a window, with a fresh profile."
    path = shutil.which('firefox-esr') or shutil.which('firefox')
    if path is None: pytest.skip('no Firefox found: install it (Debian: apt-get install firefox-esr) to test the live page in it, too')
    process = subprocess.Popen([path, '--headless', '--no-remote', '--profile', folder, '--remote-debugging-port=0'], stderr=subprocess.PIPE, text=True)
    watch = threading.Timer(300, process.kill)
    watch.start()
    try:
        found = next(filter(None, (re.search(r'WebDriver BiDi listening on (ws://\S+)', line) for line in process.stderr)), None)
        assert found, f'{path} has not opened its protocol'
        yield Firefox(websocket.create_connection(f'{found[1]}/session', timeout=300, suppress_origin=True))
    finally:
        watch.cancel()
        process.terminate()
        process.communicate()


def test_in_firefox(address, tmp_path):
    "It opens with the same pictures and answers; the slider, an arrow key and the digits do what they do in Chromium."
    with firefox(tmp_path) as fox:
        fox('browsingContext.navigate', context=fox.page, url=address + 'live/', wait='complete')
        fox.wait(DRAWN)
        z = latents(2, 100, 11)
        for name in GANS:
            found = fox.value(f'live.generate("{name}", {z.flatten().tolist()}).then(images => [...images])')
            assert (torch.tensor(found).view(2, 1, 28, 28) - sample(pretrained(name), z)).abs().max() < 1e-4
        part = "[...document.querySelectorAll('.live-part')].map(o => o.shadowRoot.getElementById('%s')).find(Boolean)"
        before = fox.value(part % 'now' + '.toDataURL()')
        fox.value(f"({part % 't'}).focus()")
        fox('input.performActions', context=fox.page, actions=[dict(type='key', id='keys', actions=[dict(type=kind, value='\ue010') for kind in ('keyDown', 'keyUp')])])
        fox.wait(f"{part % 't'}.value === '1' && !live.busy()")
        assert fox.value(part % 'now' + '.toDataURL()') not in (before, 'data:,')
        assert 'it answers 3' in fox.value(part % 'verdict' + '.textContent')
        assert fox.value("document.documentElement.scrollWidth <= innerWidth && getComputedStyle(document.querySelector('section')).backgroundColor") == 'rgb(255, 255, 255)'
