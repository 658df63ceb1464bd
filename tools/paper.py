"The report as one file to send on: a page that needs nothing but itself, and a PDF of it where Chromium is found."
import argparse, base64, html, io, mimetypes, re, sys
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import matplotlib, nbformat, yaml
from bs4 import BeautifulSoup
from fontTools import subset
from fontTools.otlLib.builder import buildMathTable
from fontTools.ttLib import TTFont
from math_core import LatexError, LatexToMathML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

import chromium
from addresses import address, settings, site

here = Path(__file__).resolve().parent
root = here.parent
latex = LatexToMathML(fancy_error=False)
# what tells a browser how to set scripts and fractions, in thousandths of the letter's size: STIX of matplotlib lacks it
measures = dict(ScriptPercentScaleDown=70, ScriptScriptPercentScaleDown=55, AxisHeight=250, AccentBaseHeight=450, SpaceAfterScript=40, SubscriptShiftDown=210, SubscriptTopMax=368,
                SubscriptBaselineDropMin=0, SuperscriptShiftUp=360, SuperscriptShiftUpCramped=250, SuperscriptBottomMin=120, SuperscriptBaselineDropMax=250, SubSuperscriptGapMin=150,
                SuperscriptBottomMaxWithSubscript=380, FractionNumeratorShiftUp=480, FractionNumeratorDisplayStyleShiftUp=640, FractionDenominatorShiftDown=480,
                FractionDenominatorDisplayStyleShiftDown=680, FractionNumeratorGapMin=68, FractionNumDisplayStyleGapMin=150, FractionRuleThickness=66, FractionDenominatorGapMin=68,
                FractionDenomDisplayStyleGapMin=150, OverbarVerticalGap=120, OverbarRuleThickness=66, OverbarExtraAscender=66, RadicalVerticalGap=82, RadicalRuleThickness=66)
filling = dict(italicsCorrections={'f': 0}, vertGlyphVariants={'parenleft': [('parenleft', 900)]})   # browsers refuse a table of measures that has nothing else
words = {'fig': 'Figure', 'tbl': 'Table'}


def slug(heading):
    "The anchor that Quarto gives a heading."
    explicit = re.search(r'\{#([\w:.-]+)[^}]*\}\s*$', heading)
    text = re.sub(r'\[([^\]]*)\]\([^)]*\)|[`*$]|\{[^}]*\}\s*$', r'\1', heading).strip().lower()
    text = re.sub(r'\s+', '-', re.sub(r'[^\w\s.-]', '', text))
    return explicit[1] if explicit else re.sub(r'^[\W\d_]+', '', text) or 'section'


def directives(source):
    "The lines `#| name` and `#| name: value` of a cell."
    lines = [l.rstrip() for l in re.findall(r'^#\|[ \t]?(.*)$', source, re.M)]
    options = yaml.safe_load('\n'.join(l for l in lines if re.match(r'[\w-]+:(\s|$)|\s', l))) or {}
    return {**{l: True for l in lines if re.fullmatch(r'[\w-]+', l)}, **options}


def mathml(source, block):
    try: return latex.convert_with_local_state(source, displaystyle=block)
    except LatexError as e: sys.exit(f'this equation cannot be set ({e}): {source.strip()}')


class Renderer(IPythonRenderer):
    "Markdown as a paper wants it: equations set, with their numbers at the margin, and headings with Quarto's anchors."
    def inline_math(self, body): return mathml(body, False)
    def latex_environment(self, name, body): return self.block_math(f'\\begin{{{name}}}{body}\\end{{{name}}}')
    def heading(self, text, level, **attrs):
        bare = re.sub(r'\s*\{[^}]*\}\s*$', '', text)
        return f'<h{level} id="{slug(html.unescape(re.sub("<[^>]+>", "", text)))}">{bare}</h{level}>\n'

    def block_math(self, body):
        tag = re.search(r'(?:\\qquad|\\quad|~|\s)\s*\((\w+)\)\s*$|\\tag\{(\w+)\}\s*$', body)
        if not tag: return f'<span class="equation"><span>{mathml(body, True)}</span></span>'
        number = tag[1] or tag[2]
        return f'<span class="equation" id="eq-{number}"><span>{mathml(body[:tag.start()], True)}</span><span class="number">({number})</span></span>'


def rendered(text): return MarkdownWithMath(renderer=Renderer(escape=False)).render(text)


def picture(data, kind, alt, size=None):
    "An image in the page itself. A PNG says how large it is, unless the notebook does."
    if kind == 'image/svg+xml': data = base64.b64encode(data.encode()).decode()
    data = data.replace('\n', '')
    width, height = size or ([int.from_bytes(base64.b64decode(data[:64])[i:i + 4], 'big') for i in (16, 20)] if kind == 'image/png' else (None, None))
    shape = f' width="{width}" height="{height}"' if width and height else ''
    return f'<img src="data:{kind};base64,{data}" alt="{html.escape(alt)}"{shape}>'


def outputs(cell, alts):
    "What a cell shows, each output in its richest form that a page without a kernel can hold."
    for output in cell.outputs:
        if output.output_type == 'error': sys.exit(f'a cell of the notebook ends in an error, {output.ename}: run it again')
        data = output.get('data', {})
        kind = next((k for k in ('image/svg+xml', 'image/png', 'image/jpeg', 'text/html', 'text/markdown', 'text/latex', 'text/plain') if k in data), None)
        if output.output_type == 'stream': yield 'html', f'<pre>{html.escape(output.text)}</pre>' if output.name == 'stdout' else ''
        elif kind is None: continue
        elif kind.startswith('image'):
            size = output.metadata.get(kind, {})
            yield 'image', picture(data[kind], kind, alts.pop(0) if alts else '', (size['width'], size['height']) if {'width', 'height'} <= set(size) else None)
        elif kind in ('text/markdown', 'text/latex'): yield 'markdown', data[kind]
        elif kind == 'text/html': yield 'html', data[kind]
        else: yield 'html', f'<pre>{html.escape(data[kind])}</pre>'


def parts(nb, numbers):
    "The notebook as a list of Markdown and HTML, without code; figures and tables have their captions and numbers."
    for cell in nb.cells:
        if cell.cell_type == 'markdown': yield 'markdown', cell.source
        if cell.cell_type != 'code': continue
        options = directives(cell.source)
        if 'hide' in options or options.get('include') is False or options.get('output') is False: continue
        label, alts = options.get('label', ''), options.get('fig-alt') or []
        found = list(outputs(cell, [alts] if isinstance(alts, str) else list(alts)))
        caption = options.get('tbl-cap' if label.startswith('tbl-') else 'fig-cap')
        if label not in numbers:
            yield from (('html', f'<figure>{content}</figure>') if kind == 'image' else (kind, content) for kind, content in found)
            continue
        if label.startswith('fig-') and not any(kind == 'image' for kind, _ in found): sys.exit(f'the cell {label} holds no figure: run the notebook and save it with its outputs')
        inner = ''.join(rendered(linked(content, numbers)) if kind == 'markdown' else content for kind, content in found)
        text = re.sub(r'^<p>|</p>\s*$', '', rendered(linked(str(caption or ''), numbers)).strip())
        legend = f'<figcaption><b>{numbers[label]}.</b> {text}</figcaption>'
        yield 'html', f'<figure id="{label}">{legend + inner if label.startswith("tbl-") else inner + legend}</figure>'


def linked(text, numbers):
    "Cross-references, such as @fig-1, as links to what they name."
    def link(m):
        if m[1] not in numbers: sys.exit(f'there is no figure or table {m[1]}, which the text refers to')
        return f'[{numbers[m[1]]}](#{m[1]})'
    return re.sub(r'(?<![\w`])\[?@((?:fig|tbl)-[\w-]*\w)\]?', link, text)


def finished(page, folder, name):
    "Links to notebooks lead to the site, images are taken in, tables scroll in a box of their own, citations lead to the references."
    for a in page.select('a[href]'):
        url = urlsplit(a['href'])
        if url.scheme or not url.path: continue
        path = address(url.path) if url.path.endswith('.ipynb') else url.path
        fragment = f'#{url.fragment}' if url.fragment else ''
        a['href'] = fragment if path == address(name) and fragment else urljoin(site, path) + fragment
    for img in page.select('img[src]'):
        if img['src'].startswith('data:'): continue
        path = folder/unquote(img['src'])
        if urlsplit(img['src']).scheme or not path.exists(): sys.exit(f'the image {img["src"]} is not in the folder of the notebook')
        img['src'] = f'data:{mimetypes.guess_type(path)[0]};base64,{base64.b64encode(path.read_bytes()).decode()}'
    for i, table in enumerate(page.select('table'), 1):
        label = table.find_parent('figure') and table.find_parent('figure').find('b')
        table.wrap(page.new_tag('div', attrs={'class': 'table', 'role': 'region', 'tabindex': '0', 'aria-label': label.get_text().rstrip('.') if label else f'Table {i} of the page'}))
        rows = table.select('tr')
        if len(rows) > 15: table.parent['class'] = 'table long'
        if len(rows[0].find_all(['th', 'td'])) > 6: table['class'] = 'wide'
    for p in page.select('p'):
        if p.strong and p.get_text().startswith('Abstract'): p['class'] = 'abstract'
        if p.get_text().rstrip().endswith(':'): p['class'] = 'before'
    heading = page.find('h2', string=re.compile('^References'))
    items = heading.find_next('ol').find_all('li', recursive=False) if heading and heading.find_next('ol') else []
    for i, li in enumerate(items, 1): li['id'] = f'ref-{i}'
    for text in page.find_all(string=re.compile(r'\[\d+(, ?\d+)*\]')):
        if text.find_parent(['math', 'code', 'pre', 'a', 'script', 'style']): continue
        def cited(m): return m[0] if any(not 0 < int(n) <= len(items) for n in re.findall(r'\d+', m[0])) else re.sub(r'\d+', lambda n: f'<a href="#ref-{n[0]}">{n[0]}</a>', m[0])
        text.replace_with(BeautifulSoup(re.sub(r'\[\d+(, ?\d+)*\]', cited, html.escape(text, quote=False)), 'html.parser'))
    return page


def fonts(page):
    "STIX, which comes with matplotlib, in the four faces and reduced to the letters of the page: it looks the same on every machine."
    letters = {*map(ord, page.get_text()), *range(32, 127), *range(0x1d434, 0x1d468), *range(0x1d6e2, 0x1d71c), 0x210e}
    for file, style in {'': '', 'Bol': 'font-weight: bold;', 'Italic': 'font-style: italic;', 'BolIta': 'font-weight: bold; font-style: italic;'}.items():
        font = TTFont(Path(matplotlib.get_data_path())/f'fonts/ttf/STIXGeneral{file}.ttf', recalcTimestamp=False)
        reduced = subset.Subsetter(subset.Options(notdef_outline=True, layout_features=['*'], drop_tables=['FFTM']))
        reduced.populate(unicodes=letters)
        reduced.subset(font)
        if not file: buildMathTable(font, constants=measures, **filling)
        font.flavor = 'woff'
        font.save(bytes_ := io.BytesIO())
        yield f'@font-face {{ font-family: Paper; {style} src: url(data:font/woff;base64,{base64.b64encode(bytes_.getvalue()).decode()}); }}'


def paper(path):
    "The page, as text."
    nb = nbformat.read(path, 4)
    title, subtitle, rest = re.match(r'# (.+)\n+> (.+)\n*((?s:.*))', nb.cells[0].source).groups()
    nb.cells[0].source = rest
    numbers, count = {}, dict.fromkeys(words, 0)
    for label in (directives(c.source).get('label', '') for c in nb.cells if c.cell_type == 'code'):
        kind = label.split('-')[0]
        if kind not in words or '-' not in label: continue
        count[kind] += 1
        numbers[label] = f'{words[kind]} {count[kind]}'
    blocks, run_in = [], ''
    for kind, content in parts(nb, numbers):
        if kind == 'markdown' and re.fullmatch(r'\*\*[^*\n]+\*\*\s*', content): run_in += content.strip() + ' '   # "**Abstract.**" alone in its cell
        elif kind == 'markdown': blocks.append(rendered(linked(run_in + content, numbers))); run_in = ''
        else: blocks.append(content)
    body = finished(BeautifulSoup('\n'.join(blocks), 'html.parser'), path.parent, path.name)
    style = '\n'.join([*fonts(body), (here/'paper.css').read_text()])
    url = urljoin(site, address(path.name))
    byline = f'<p class="byline">{html.escape(settings["author"])} · version {settings["version"]} · <a href="{url}">{url.split("//")[1]}</a></p>'
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="{html.escape(subtitle)}">
<meta name="author" content="{html.escape(settings["author"])}">
<meta name="generator" content="make paper">
<link rel="icon" href="data:,">
<title>{html.escape(title)}</title>
<style>
{style}
</style>
</head>
<body>
<main>
<header>
<h1>{html.escape(title)}</h1>
<p class="subtitle">{html.escape(subtitle)}</p>
{byline}
</header>
{body}
</main>
</body>
</html>
"""


def printed(page, pdf):
    "The page as a PDF, by Chromium; where there is none, why there is none."
    executable = chromium.found()
    if executable is None: return 'no PDF: no Chromium was found (Debian: apt-get install chromium); any browser prints the page to one'
    from playwright.sync_api import sync_playwright
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=executable, args=chromium.flags)
        tab = browser.new_context(offline=True).new_page()
        tab.goto(page.resolve().as_uri())
        tab.evaluate('document.fonts.ready')
        tab.pdf(path=pdf, prefer_css_page_size=True, print_background=True, tagged=True, outline=True)
        browser.close()
    return f'{pdf}: {pdf.stat().st_size/1e6:.1f} MB'


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('notebook', nargs='?', type=Path, default=root/'nbs/report.ipynb', help='the notebook, run and saved with its outputs')
    parser.add_argument('--out', type=Path, default=Path('out'), help='the folder that paper.html and paper.pdf are written to')
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    page = args.out/'paper.html'
    page.write_text(paper(args.notebook), encoding='utf-8')
    print(f'{page}: {page.stat().st_size/1e6:.1f} MB')
    print(printed(page, args.out/'paper.pdf'))
