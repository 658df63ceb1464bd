"The report as one file: everything of the notebook is in it, it needs nothing else, and it prints."
import ast, base64, re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import chromium, npm, paper
from pages import directives

root = Path(__file__).resolve().parent.parent
report = nbformat.read(root/'nbs/report.ipynb', 4)


@pytest.fixture(scope='module')
def page(paper_folder): return BeautifulSoup((paper_folder/'paper.html').read_text(encoding='utf-8'), 'html.parser')


def test_is_one_file(paper_folder, page):
    "Only links that a reader clicks lead elsewhere, those to notebooks to the site, and those within the page to something in it."
    assert not page.find(['script', 'iframe', 'object', 'source'])
    assert all(tag['src'].startswith('data:') for tag in page.select('[src]')) and all(tag['href'].startswith('data:') for tag in page.select('link[href]'))
    text = (paper_folder/'paper.html').read_text(encoding='utf-8')
    assert '@import' not in text and all(target.startswith('data:') for target in re.findall(r'url\(\s*["\']?([^)]*)', text))
    hrefs = [a['href'] for a in page.select('a[href]')]
    assert all(h.startswith(('https://', '#')) and '.ipynb' not in h for h in hrefs)
    assert paper.site + 'palindromes.html' in hrefs
    ids = [tag['id'] for tag in page.select('[id]')]
    assert len(ids) == len(set(ids)) and {h[1:] for h in hrefs if h[0] == '#'} <= set(ids)


def test_head_and_words(page):
    title, subtitle = re.match(r'# (.+)\n\n> (.+)', report.cells[0].source).groups()
    assert page.title.text == page.h1.text == title and page.select_one('.subtitle').text == page.find('meta', {'name': 'description'})['content'] == subtitle
    headings = [h for c in report.cells if c.cell_type == 'markdown' for h in re.findall('^## (.+)$', c.source, re.M)]
    assert [h['id'] for h in page.select('h2')] == [paper.slug(h) for h in headings]
    references = re.findall(r'^\d+\. ', '\n'.join(c.source for c in report.cells).split('## References')[1], re.M)
    assert len(page.select('[id^=ref-]')) == len(references) > 0 and page.select('p a[href="#ref-1"]')


def test_holds_every_figure(page):
    figures = [c for c in report.cells if c.cell_type == 'code' and any('image/png' in o.get('data', {}) for o in c.outputs)]
    assert len(page.select('figure img')) == sum('image/png' in o.get('data', {}) for c in figures for o in c.outputs) > 5
    for number, cell in enumerate(figures, 1):
        options = directives(cell.source)
        shown = page.find('figure', id=options['label'])
        png = next(o.data['image/png'] for o in cell.outputs if 'image/png' in o.get('data', {}))
        assert base64.b64decode(shown.img['src'].split(',')[1]) == base64.b64decode(png)
        assert shown.img['alt'] == options['fig-alt'] and len(shown.img['alt']) > 10
        assert shown.figcaption.text.startswith(f'Figure\xa0{number}. {options["fig-cap"][:12]}')


def test_equations_are_set_and_numbered(page):
    text = re.sub(r'`[^`\n]*`', '', '\n'.join(c.source for c in report.cells if c.cell_type == 'markdown'))
    blocks = re.findall(r'\$\$.+?\$\$', text, re.S)
    inline = re.findall(r'\$[^$\n]+\$', re.sub(r'\$\$.+?\$\$', '', text, flags=re.S))
    assert len(page.select('math[display=block]')) == len(blocks) > 2 and len(page.select('math')) >= len(blocks + inline)
    labels = re.findall(r'\$\$ \{#(eq-[\w-]+)\}', text)
    assert [(e['id'], e.div.text) for e in page.select('[id^="eq-"]')] == [(name, f'({i})') for i, name in enumerate(labels, 1)] != []
    assert all(page.select_one(f'p a[href="#{name}"]').text == f'Equation\xa0{i}' for i, name in enumerate(labels, 1))
    for tag in page(['style', 'code']): tag.extract()
    assert not re.search(r'\$|\\[a-z]', page.get_text())


def test_tables_and_no_code(page):
    texts = [c.source for c in report.cells if c.cell_type == 'markdown'] + [str(o.get('data', {}).get('text/markdown', '')) for c in report.cells for o in c.get('outputs', [])]
    rows = [line for text in texts for line in text.splitlines() if line.startswith('| ')]
    assert len(page.select('tr')) == sum(not line.startswith('| ---') for line in rows) > 20
    assert all(table.parent['class'] == ['table'] and table.parent['tabindex'] == '0' for table in page.select('table'))
    shown = ' '.join(page.get_text().split())
    for cell in report.cells:
        if cell.cell_type == 'code':
            texts = [n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, (ast.JoinedStr, ast.Constant)) and n.end_lineno > n.lineno]
            prose = {i for n in texts for i in range(n.lineno + 1, n.end_lineno)}
            for i, line in enumerate(cell.source.splitlines(), 1): assert i in prose or len(line) < 15 or ' '.join(line.split()) not in shown, line


@pytest.mark.parametrize('width, scheme', [(400, 'light'), (400, 'dark'), (1100, 'light')])
def test_opens_without_a_network(browser, paper_folder, width, scheme):
    context = browser.new_context(offline=True, viewport=dict(width=width, height=800), color_scheme=scheme)
    tab, said, asked = context.new_page(), [], []
    tab.on('console', lambda message: said.append(message.text))
    tab.on('pageerror', lambda error: said.append(str(error)))
    tab.on('request', lambda request: asked.append(request.url))
    tab.goto((paper_folder/'paper.html').as_uri())
    tab.evaluate('document.fonts.ready')
    assert said == [] and [url for url in asked if not url.startswith(('file:', 'data:'))] == []
    assert tab.evaluate('document.documentElement.scrollWidth') <= width
    assert tab.evaluate('[...document.images].every(i => i.complete && i.naturalWidth > 0 && i.getBoundingClientRect().right <= innerWidth)')
    assert tab.evaluate('[...document.fonts].filter(f => f.status == "loaded").map(f => f.family).some(f => f.includes("STIX Two Math"))')
    assert tab.evaluate('[...document.fonts].every(f => f.status != "error")')
    assert tab.evaluate('[...document.querySelectorAll(".table, span:has(> math[display=block])")].every(e => e.scrollWidth <= e.clientWidth + 1 || getComputedStyle(e).overflowX == "auto")')
    contrast = tab.evaluate('''() => {
        const light = c => c.match(/[\\d.]+/g).slice(0, 3).map(v => v/255).map(v => v <= .04045 ? v/12.92 : ((v + .055)/1.055)**2.4).reduce((sum, v, i) => sum + v*[.2126, .7152, .0722][i], 0)
        const page = light(getComputedStyle(document.documentElement).backgroundColor)
        return ['p', '.subtitle', 'figcaption', 'p a', 'td', '[id^="eq-"] > div'].map(s => light(getComputedStyle(document.querySelector(s)).color)).map(v => (Math.max(v, page) + .05)/(Math.min(v, page) + .05)) }''')
    assert min(contrast) >= 4.5, contrast
    context.close()


def test_pdf(browser, paper_folder):
    data = (paper_folder/'paper.pdf').read_bytes()
    assert data.startswith(b'%PDF') and len(re.findall(rb'/Type\s*/Page\b', data)) > 1
    width, height = map(float, re.search(rb'/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]', data).groups())
    assert abs(width - 595.3) < 1 and abs(height - 841.9) < 1, 'A4'
    tab = browser.new_page(viewport=dict(width=590, height=800))      # 156 mm between the margins
    tab.emulate_media(media='print')
    tab.goto((paper_folder/'paper.html').as_uri())
    assert tab.evaluate('document.documentElement.scrollWidth') <= 590, 'something is wider than the sheet'
    tab.close()


def test_without_chromium(paper_folder, tmp_path, monkeypatch):
    "There is no PDF then, and it is said why."
    monkeypatch.setattr(chromium, 'names', ('no-such-browser',))
    assert 'no Chromium was found' in chromium.printed(paper_folder/'paper.html', tmp_path/'paper.pdf') and not list(tmp_path.iterdir())


def test_packages_are_those_we_know(tmp_path, monkeypatch):
    "Another content than the pinned one is refused, and so is a folder without npm; the reader of the error knows what to do."
    with pytest.raises(SystemExit, match='another checksum.*clean its cache'): npm.unpacked('katex', b'something else')
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(SystemExit, match='install Node.js'): npm.files('katex')


png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='


def made_up(folder, *cells):
    "A small notebook of Markdown (a text) and code (source and what it shows)."
    shown = lambda data: [new_output('display_data', data=data)] if data else []
    cells = [new_markdown_cell(c) if isinstance(c, str) else new_code_cell(c[0], outputs=shown(c[1])) for c in ('# A title\n\n> What it says & means', *cells)]
    nbformat.write(new_notebook(cells=cells), folder/'05_small.ipynb')
    return folder/'05_small.ipynb'


def test_any_notebook(tmp_path):
    figure = '#| echo: false\n#| label: fig-{0}\n#| fig-cap: "Of {0}, in $x^2$."\n#| fig-alt: "A \\"{0}\\" <shape>"\ndraw()'
    path = made_up(tmp_path, 'See @fig-two, @tbl-one and [chapter](08_latent.ipynb#what-it-is), [live](live/index.html), @eq-half.\n\n## 1. A part\n\nAs [1] says of [0, 1], `a[1]`.\n\n![A dot](dot.png)',
        (figure.format('one'), {'image/png': png}), (figure.format('two'), {'image/svg+xml': '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'}),
        ('#| label: tbl-one\n#| tbl-cap: "Numbers."\nshow()', {'text/markdown': '| a | b |\n| --- | ---: |\n| 1 | 2 |'}),
        ('#| hide\nx', {'text/plain': 'hidden output'}), ('#| include: false\nx', {'text/plain': 'hidden output'}), ('x', {'text/plain': '<shown>'}),
        '$$ x $$\n\n$$\n\\begin{aligned} a &= \\frac12 \\\\ b &= c \\end{aligned}\n$$ {#eq-half}\n\nand so on.', '## References\n\n1. A. Author. A work.')
    (tmp_path/'dot.png').write_bytes(base64.b64decode(png))
    text = paper.paper(path)
    page = BeautifulSoup(text, 'html.parser')
    assert [f.figcaption.b.text for f in page.select('figure')] == ['Figure\xa01.', 'Figure\xa02.', 'Table\xa01.'] and page.select_one('#fig-two img')['src'].startswith('data:image/svg+xml;base64,')
    assert page.select_one('#fig-one img')['alt'] == 'A "one" <shape>' and page.select_one('#fig-one figcaption math') and page.select_one('#tbl-one figcaption + .table td[style*=right]').text == '2'
    assert {a.text.replace('\xa0', ' '): a['href'] for a in page.select('p:not(.byline) a')} == {'Figure 2': '#fig-two', 'Table 1': '#tbl-one', 'chapter': paper.site + 'latent.html#what-it-is', 'live': paper.site + 'live/index.html', 'Equation 1': '#eq-half', '1': '#ref-1'}
    assert page.h2['id'] == 'a-part' and '[0, 1]' in page.get_text() and page.code.text == 'a[1]' and not page.code.a
    assert 'hidden output' not in text and page.pre.text == '<shown>' and page.select_one('p > img')['src'].startswith('data:image/png')
    assert page.select_one('#eq-half mtable mfrac') and page.select_one('#eq-half > div').text == '(1)' and 'and so on' in page.get_text()


@pytest.mark.parametrize('cell, says', [('As @fig-none shows.', 'no fig-none'), ('$\\nonsense{x}$', 'cannot be set')])
def test_refusals(tmp_path, cell, says):
    with pytest.raises(SystemExit, match=says): paper.paper(made_up(tmp_path, cell))
