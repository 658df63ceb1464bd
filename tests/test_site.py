"The site, as far as it can be looked at without Quarto: front matter, order, figures that are referred to, and links."
import base64, io, json, re, shutil, subprocess, sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup
from PIL import Image

import addresses, colab, links, paper
from pages import directives

root = Path(__file__).resolve().parent.parent
notebooks = sorted((root/'nbs').glob('*.ipynb'))
built_later = 'live/ort.wasm.bundle.min.mjs', 'paper.pdf', *(f'notebooks/{p.name}' for p in colab.chapters)     # what `make docs` adds to the rendered folder


def cells(path, kind): return [c for c in json.loads(path.read_text(encoding='utf-8'))['cells'] if c['cell_type'] == kind]


def labels(path): return [name for name in (directives(''.join(c['source'])).get('label') for c in cells(path, 'code')) if name]


@pytest.mark.parametrize('name', [p.name for p in notebooks])
def test_front_matter(processed, name):
    "What nbdev gives to Quarto has a title, a description, and the address that links are written to."
    first, = cells(processed/name, 'raw')[:1]
    matter = yaml.safe_load(''.join(first['source']).strip().strip('-'))
    assert len(matter['title']) > 3 and len(matter['description']) > 20, matter
    assert matter['output-file'] == paper.address(name)


def test_order_of_sidebar():
    "How to read the book, then nine chapters, then the glossary; each by its number."
    contents = yaml.safe_load((root/'nbs/sidebar.yml').read_text())['website']['sidebar']['contents']
    names = [item.get('section') or item['text'] for item in contents]
    assert [n for n in names if n != 'Explorer'] == ['Home', 'Report', 'Chapters', 'Appendix'] and names[-1] == 'Appendix'
    pages = [item['href'] for item in contents[2]['contents'] if item['href'].endswith('.ipynb')]
    assert pages == sorted(pages) and [int(p[:2]) for p in pages if p[2] == '_'] == list(range(11))
    numbers = [item['text'].split()[0] for item in contents[2]['contents'] if item['href'] in pages]
    assert numbers == ['How', *'123456789', 'Glossary', 'Solutions']
    assert all(item['href'].startswith('9') for item in contents[-1]['contents'])


def test_every_chapter_is_announced():
    "The table in the page on reading shows each chapter with the title and subtitle that it has now."
    shown = ''.join(''.join(o['data']['text/markdown']) for c in cells(root/'nbs/00_reading.ipynb', 'code') for o in c['outputs'] if 'text/markdown' in o.get('data', {}))
    for path in sorted((root/'nbs').glob('0[1-9]_*.ipynb')):
        title, subtitle = re.match(r'# (.+)\n\n> (.+)', ''.join(cells(path, 'markdown')[0]['source'])).groups()
        assert f'[{title}]({path.name}) | {subtitle} |' in shown and shown.count(f'%2F{path.name})') == 1, f'run nbs/00_reading.ipynb again: {path.name}'


@pytest.mark.parametrize('path', notebooks, ids=lambda p: p.stem)
def test_a_colon_is_followed_by_what_it_announces(path):
    kinds = [(c['cell_type'], ''.join(c['source']).rstrip()) for c in json.loads(path.read_text(encoding='utf-8'))['cells']]
    assert [text[-60:] for (kind, text), (following, _) in zip(kinds, kinds[1:]) if kind == following == 'markdown' and text.endswith(':')] == []


def entries():
    "The glossary's terms with their explanations."
    text = '\n'.join(''.join(c['source']) for c in cells(root/'nbs/10_glossary.ipynb', 'markdown'))
    return re.findall(r'^- \*\*(.+?)\*\*: (.+)', text, re.M)


def test_glossary_is_in_order():
    terms = [term.lower() for term, _ in entries()]
    assert len(terms) > 40 and terms == sorted(set(terms))


@pytest.mark.parametrize('term, explanation', entries(), ids=[term for term, _ in entries()])
def test_term_stands_where_the_glossary_says(term, explanation):
    "The chapter that an entry names uses the term. That the links lead somewhere is tested below."
    said = lambda text: re.sub(r'[\s*-]+', ' ', text.lower())
    pages = re.findall(r'\]\((\w+\.ipynb)', explanation)
    assert pages, 'no link back'
    word = said(term).removesuffix('s').removesuffix(' of a generator')
    words = word.split(' and ')
    for page in pages:
        text = said(' '.join(''.join(c['source']) for c in cells(root/'nbs'/page, 'markdown')))
        assert all(w in text for w in words), f'{page} does not say {word!r}'


@pytest.mark.parametrize('path', notebooks, ids=lambda p: p.stem)
def test_figures_are_named_once_and_found(path):
    known = labels(path)
    assert [n for n, times in Counter(known).items() if times > 1] == []
    text = '\n'.join(''.join(c['source']) for c in cells(path, 'markdown'))
    for name in re.findall(r'(?<![\w`])@((?:fig|tbl)-[\w-]*\w)', text): assert name in known, f'{path.name} refers to {name}'


def rendered(processed, paper_folder, folder):
    "The text of each page with its links and anchors, where Quarto would put it, beside the live page and the paper; code is left out."
    shutil.copytree(processed/'images', folder/'images')
    shutil.copytree(root/'seqgen_nb/assets/live', folder/'live')
    shutil.copy(paper_folder/'paper.html', folder)
    for name in built_later:
        (folder/name).parent.mkdir(exist_ok=True)
        (folder/name).write_text('')
    for path in processed.glob('*.ipynb'):
        parts = [f'<div id="{name}"></div>' for name in labels(path)]
        for cell in cells(path, 'markdown') + cells(path, 'code'):
            shown = [cell['source']] if cell['cell_type'] == 'markdown' else [o['data']['text/markdown'] for o in cell['outputs'] if 'text/markdown' in o.get('data', {})]
            parts += [raw[1] if (raw := re.fullmatch(r'```\{=html\}\n(.*)\n```\n', ''.join(text), re.S)) else paper.rendered(''.join(text)) for text in shown]
        (folder/paper.address(path.name)).write_text('\n'.join(parts), encoding='utf-8')
    return folder


def test_links(processed, paper_folder, tmp_path):
    "To other notebooks, to headings in them, to documented names (nbdev writes those links), and to files; from the live page and the paper, too."
    folder = rendered(processed, paper_folder, tmp_path/'site')
    assert list(links.dead(folder)) == []
    counted = sum(''.join(c['source']).count(f']({links.site}') for p in processed.glob('*.ipynb') for c in cells(p, 'markdown'))
    assert counted > 10, 'nbdev has linked no names'
    page = folder/'live/index.html'
    page.write_text(page.read_text().replace('../live.html', '../97_live.html'))
    assert list(links.dead(folder)) == ['live/index.html: ../97_live.html leads to no file'], 'the site drops the number of a notebook'


def test_no_link_stands_in_another(processed):
    "nbdev links each name in code; inside the text of a link that would break both."
    text = {path.name: '\n'.join(''.join(c['source']) for c in cells(path, 'markdown')) for path in processed.glob('*.ipynb')}
    assert {name: found for name, t in text.items() if (found := re.findall(r'\[[^][]*\[[^][]*\]\([^()]*\)[^][]*\]\(', t))} == {}
    assert '[plain `LSTM`](02_lstm.ipynb)' in text['93_bench.ipynb']


def test_citations_lead_to_references(processed):
    "Each number in brackets in the report's text is a link, and what is cited exists. That the links lead somewhere is tested above."
    text = '\n'.join(''.join(c['source']) for c in cells(processed/'report.ipynb', 'markdown'))
    cited, places = set(re.findall(r'\]\(#ref-(\d+)\)', text)), re.findall(r'^(\d+)\. <span id="ref-\1"></span>', text, re.M)
    assert len(places) > 10 and cited and cited <= set(places)
    assert not re.search(r'(?<![\w\\])\[\d+(, \d+)*\](?!\()', text)
    assert all(isinstance(c['source'], list) and all(line.endswith('\n') for line in c['source'][:-1]) for kind in ('markdown', 'code') for c in cells(processed/'report.ipynb', kind)), 'Quarto joins lines'


@pytest.mark.parametrize('decorator, summary', [('@drawing\n', 'Code of the drawing'), ('@figure\n', 'Code of the figure')])
def test_code_of_pictures_is_folded(decorator, summary):
    "A picture stands beside the text; how it is drawn is a click away, unless it is part of the package. The appendix teaches the drawing itself."
    drawn = [(p.name, ''.join(c['source'])) for p in notebooks if p.name[:1] == '0' for c in cells(p, 'code') if decorator in ''.join(c['source'])]
    long = [(name, directives(source)) for name, source in drawn if len(re.findall(r'^(?!#\|).', source, re.M)) > 8 and '#| exports' not in source]
    assert len(long) > 5 and all(d.get('code-fold') is True and d.get('code-summary') == summary for _, d in long), long


def test_films_wait_for_the_reader(processed):
    "Each GIF is a still picture with its alternative text, which the reader opens to start the film and closes to stop it."
    films = 0
    for path in processed.glob('*.ipynb'):
        for cell in cells(path, 'code'):
            kinds = [o.get('data', {}) for o in cell['outputs']]
            assert not any('image/gif' in data for data in kinds), path.name
            for shown in (data['text/markdown'] for data in kinds if 'data:image/gif' in data.get('text/markdown', '')):
                details = BeautifulSoup(shown, 'html.parser').details
                still, film = details.summary.img, details.find_all('img')[-1]
                pictures = [Image.open(io.BytesIO(base64.b64decode(img['src'].partition(',')[2], validate=True))) for img in (still, film)]
                assert [p.format for p in pictures] == ['PNG', 'GIF'] and pictures[0].size == pictures[1].size and pictures[1].n_frames > 5
                assert still['alt'] == directives(''.join(cell['source'])).get('fig-alt', still['alt']) and len(still['alt']) > 30 and film['alt'] == ''
                assert 'open' not in details.attrs and 'stop' in details.summary.get_text()
                films += 1
    assert films == sum('image/gif' in o.get('data', {}) for p in notebooks for c in cells(p, 'code') for o in c['outputs']) > 0


@pytest.mark.parametrize('path', [p for p in notebooks if re.match(r'0[1-9]|report|93|96', p.name)], ids=lambda p: p.stem)
def test_tables_have_captions(path):
    for cell in cells(path, 'code'):
        if not any(re.search(r'^\| ?:?-', ''.join(o.get('data', {}).get('text/markdown', '')), re.M) for o in cell['outputs']): continue
        options = directives(''.join(cell['source']))
        assert options.get('label', '').startswith('tbl-') and options.get('tbl-cap'), ''.join(cell['source'])


def test_chapters_say_where_they_can_be_run(processed):
    "Below the title, and nowhere else; the addresses are made of settings.ini alone. The cell that installs the package in Colab is not shown."
    for path in sorted(processed.glob('*.ipynb')):
        text = ''.join(''.join(c['source']) for c in cells(path, 'markdown'))
        chapter = path.name in [p.name for p in colab.chapters]
        assert text.count('<p class="ways">') == chapter, path.name
        for address in addresses.ways(path.name).values(): assert (f'href="{address}"' in text) == chapter or path.name.startswith('00'), (path.name, address)
        assert not any('google.colab' in ''.join(c['source']) for c in cells(path, 'code')), path.name


@pytest.mark.parametrize('path', colab.chapters, ids=lambda p: p.stem)
def test_first_cell_installs_in_colab(path):
    first, = [c for c in cells(path, 'code')][:1]
    assert (''.join(first['source']), first['outputs']) == (colab.SOURCE, []), 'run make export'


def test_repository_is_named_as_in_the_settings():
    "Wherever the project's address stands, it is that of settings.ini."
    name, url = addresses.settings['repo'], addresses.settings['git_url']
    files = [*notebooks, root/'_quarto.yml', root/'README.md', root/'CONTRIBUTING.md', *(root/'tools').glob('*.py')]
    found = {path.name: re.findall(rf'https://github\.com/[\w-]+/{name}', path.read_text(encoding='utf-8')) for path in files}
    assert sum(map(len, found.values())) > 5 and {u for urls in found.values() for u in urls} == {url}


def test_what_a_check_says_is_marked(processed):
    "The words of a check wrap on a narrow screen; text tables do not. Quarto reads the mark, styles.css uses it."
    says = re.compile(r"(Right|Not yet): ")
    for path in (*processed.glob('0*.ipynb'), processed/'solutions.ipynb'):
        for cell in cells(path, 'code'):
            words = any(says.match(''.join(o.get('data', {}).get('text/plain', ''))) for o in cell['outputs'])
            assert words == (directives(''.join(cell['source'])).get('classes') == 'verdict'), (path.name, cell['source'])
    assert '.verdict .cell-output pre' in (processed/'styles.css').read_text()


PAGE = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="styles.css"><style>pre { overflow: auto }</style><main>
<div class="sourceCode"><pre class="sourceCode python"><code class="sourceCode python"><span>{line}</span>
<span>short</span></code></pre></div>
<div class="cell-output"><pre><code>{line}</code></pre></div>
<div class="cell verdict"><div class="cell-output"><pre><code>{line}</code></pre></div></div></main>"""


def test_code_and_outputs_wrap(browser, processed, tmp_path):
    "At 1400 pixels all do, at 400 code and what a check says. A text table keeps its lines there, and scrolls in its own box."
    shutil.copy(processed/'styles.css', tmp_path)
    (tmp_path/'page.html').write_text(PAGE.replace('{line}', 'a_name = some_function(of_this, and_that)  # ' + 'and so on ' * 30))
    cut = 'all => all.map(o => o.scrollWidth > o.clientWidth)'
    for width, expected in (1400, [False, False, False]), (400, [False, True, False]):
        page = browser.new_page(viewport=dict(width=width, height=900))
        page.goto((tmp_path/'page.html').as_uri())
        assert page.eval_on_selector_all('pre', cut) == expected, width
        assert page.evaluate('document.documentElement.scrollWidth <= innerWidth')
        if width == 400:
            first, second = page.evaluate("""() => { const range = document.createRange();
                range.selectNodeContents(document.querySelector('code.sourceCode > span'));
                return [...new Set([...range.getClientRects()].map(r => Math.round(r.left)))]; }""")[:2]
            assert second > first + 20, 'what follows hangs'
        page.close()


def test_pages_ask_no_other_server(processed):
    "No output needs a kernel's scripts, the themes bring no font, and equations are set by our own copy of KaTeX."
    for path in processed.glob('*.ipynb'):
        outputs = [o for c in cells(path, 'code') for o in c['outputs']]
        assert not any('widget-view' in kind or kind in ('text/html', 'application/javascript') for o in outputs for kind in o.get('data', {})), path.name
    html = yaml.safe_load((root/'_quarto.yml').read_text())['format']['html']
    assert all('theme.scss' in html['theme'][side] for side in ('light', 'dark'))
    assert '$web-font-path: false;' in (processed/'theme.scss').read_text()
    address = html['html-math-method']['url']
    assert not address.startswith('http') and f'tools/katex.py _docs/{address.rstrip("/")}' in (root/'Makefile').read_text()


def test_dead_links_are_listed(tmp_path):
    (tmp_path/'sub').mkdir()
    (tmp_path/'a.html').write_text(f'''<link href="style.css?v=1"><h2 id="here">A</h2><a href="#here">1</a><a href="sub/">2</a><a href="sub/b.html#there">3</a><a href="{links.site}a.html#here">4</a>
        <a href="https://example.org/x">5</a><a href="mailto:a@example.org">6</a><img src="data:,"><a href="/seqgen_nb/a.html">7</a><a href="#top">8</a>''')
    (tmp_path/'style.css').write_text('')
    (tmp_path/'sub/index.html').write_text('<p id="x">')
    (tmp_path/'sub/b.html').write_text('<a name="there"></a><a href="../a.html#here">1</a>')
    command = [sys.executable, root/'tools/links.py', tmp_path]
    good = subprocess.run(command, capture_output=True, text=True)
    assert (good.returncode, good.stdout) == (0, ''), good.stdout + good.stderr
    (tmp_path/'sub/bad.html').write_text(f'<a href="gone.html">1</a><img src="../gone.png"/><a href="../a.html#gone">2</a><a href="#gone">3</a><a href="../../out.html">4</a><a href="{links.site}gone.html#x">5</a>')
    bad = subprocess.run(command, capture_output=True, text=True)
    assert bad.returncode == 1 and [line.split()[1] for line in bad.stdout.splitlines()] == ['gone.html', '../gone.png', '../a.html#gone', '#gone', '../../out.html', f'{links.site}gone.html#x']
    assert subprocess.run([sys.executable, root/'tools/links.py', tmp_path/'nowhere'], capture_output=True).returncode == 1
