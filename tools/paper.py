"The report as one file to send on, a page that needs nothing else; and a PDF of it by Chromium."
import argparse, base64, html, re, sys
from functools import cache
from pathlib import Path
from urllib.parse import urljoin

import nbformat
from math_core import LatexError, LatexToMathML
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

import npm
from addresses import address, settings, site, slug
from chromium import printed
from pages import directives, with_citations

here = Path(__file__).resolve().parent
words = {'fig': 'Figure', 'tbl': 'Table', 'eq': 'Equation'}
latex = LatexToMathML(fancy_error=False)


class Renderer(IPythonRenderer):
    "Markdown with equations as MathML, and with the addresses of the site."
    def inline_math(self, body, block=False):
        try: return latex.convert_with_local_state(body, displaystyle=block)
        except LatexError as e: sys.exit(f'this equation cannot be set ({e}): {body.strip()}')
    def block_math(self, body): return f'<span tabindex="0">{self.inline_math(body, True)}</span>'
    def block_html(self, html): return html   # nbconvert would close what is left open
    def heading(self, text, level, **attrs):
        anchor = slug(html.unescape(re.sub('<[^>]+>', '', text)))
        return f'<h{level} id="{anchor}">' + re.sub(r'\s*\{[^}]*\}$', '', text) + f'</h{level}>\n'
    def link(self, text, url, title=None):
        page = re.sub(r'^[\w/.]+\.ipynb', lambda m: address(m[0]), url)
        return super().link(text, url if url.startswith('#') else urljoin(site, page), title)


def rendered(text, folder=''):
    return MarkdownWithMath(Renderer(escape=False, embed_images=True, path=folder)).render(text)


def numbered(cells):
    "The name of each figure, table and equation by its label: `Figure 1`, as Quarto counts."
    labels = [label for cell in cells for label in [cell.metadata.get('label', ''),
                                                    *re.findall(r'\$\$ \{#(.+?)\}', cell.source)]]
    of = {kind: [label for label in labels if label.startswith(kind + '-')] for kind in words}
    return {label: f'{words[kind]}\xa0{i}' for kind in of for i, label in enumerate(of[kind], 1)}


def linked(text, names):
    "Markdown with references such as @fig-1 led to what they name, and equations numbered."
    def link(m):
        if m[1] not in names: sys.exit(f'there is no {m[1]}, which the text refers to')
        return f'[{names[m[1]]}](#{m[1]})'
    def equation(m):
        return f'<div id="{m[2]}">\n\n{m[1]}\n\n<div>({names[m[2]].split()[1]})</div></div>\n'
    text = re.sub(r'(?<![\w`])@((?:fig|tbl|eq)-[\w-]*\w)', link, text)
    return re.sub(r'(\$\$(?:(?!\$\$).)*\$\$) \{#(eq-.+?)\}', equation, text, flags=re.S)


@cache
def fonts():
    "STIX Two as rules of style that hold it: Latin letters in four faces, and mathematics."
    rules, letters = [], ['400', '400-italic', '700', '700-italic']
    for kind, faces in {'text': letters, 'math': ['latin-400']}.items():
        files = npm.files(f'@fontsource/stix-two-{kind}')
        style = ''.join(files[f'{face}.css'].decode() for face in faces)
        for name, rule in re.findall(r'/\* (\S+-latin-\S+) \*/\s(.*?\n\})', style, re.S):
            data = base64.b64encode(files[f'files/{name}.woff2']).decode()
            rules.append(re.sub('src: .*;', f'src: url(data:font/woff2;base64,{data});', rule))
    return '\n'.join(rules)


def paper(path):
    "The page, as text."
    nb = nbformat.read(path, 4)
    for cell in nb.cells: cell.metadata = directives(cell.source) if 'outputs' in cell else {}
    with_citations(nb.cells)
    title, subtitle, rest = re.match(r'# (.+)\n+> (.+)\n*((?s:.*))', nb.cells[0].source).groups()
    nb.cells[0].source, names = rest, numbered(nb.cells)
    about = dict(title=title, subtitle=subtitle, names=names, url=urljoin(site, address(path)),
                 fonts=fonts(), **{key: settings[key] for key in ('author', 'version')})
    filters = dict(markdown2html=lambda text: rendered(linked(text, names), path.parent))
    exporter = HTMLExporter(template_file=str(here/'paper.html.j2'), filters=filters)
    return exporter.from_notebook_node(nb, about)[0]


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('notebook', nargs='?', type=Path, default=here.parent/'nbs/report.ipynb')
    parser.add_argument('--out', type=Path, default=Path('out'), help='the folder to write to')
    args = parser.parse_args()
    page, text = args.out.expanduser()/'paper.html', paper(args.notebook.expanduser())
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        part = page.with_suffix('.part')  # until all of it is written, the old page stays
        part.write_text(text, encoding='utf-8')
        part.replace(page)
    except OSError as e: sys.exit(f'{page} cannot be written ({e.strerror}): name another --out')
    print(printed(page, page.with_suffix('.pdf')))
