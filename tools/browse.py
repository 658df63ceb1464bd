"""Each page of a rendered folder in Chromium, cut off from other servers:
browse.py FOLDER [PAGE ...] lists what is wrong, and then ends with 1."""
import functools, sys, threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import TimeoutError, sync_playwright

import chromium, npm
from addresses import settings

LEVELS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
WIDTHS = 1400, 400


def axe():
    "The script that looks for what a page keeps from some of its readers."
    return npm.files('axe-core')['axe.min.js'].decode()


class Handler(SimpleHTTPRequestHandler):
    "The page for addresses that lead nowhere names its files from the top of the published site."
    def log_message(self, *args): pass
    def translate_path(self, path):
        return super().translate_path(path.removeprefix(settings['doc_baseurl']))


@contextmanager
def served(folder):
    "The address of a folder, on this machine."
    handler = functools.partial(Handler, directory=folder)
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f'http://127.0.0.1:{server.server_port}/'
        server.shutdown()


def barriers(page, script):
    "What axe-core finds on a page that is open: rule, help, and the places."
    page.evaluate(script)
    run = 'levels => axe.run({runOnly: levels, resultTypes: ["violations"]})'
    found = page.evaluate(run, LEVELS)
    for rule in found['violations']:
        places = '; '.join(str(node['target'][-1]) for node in rule['nodes'][:3])
        yield f'{rule["id"]} ({rule["help"]}), {len(rule["nodes"])} times: {places}'


COVERED = """() => {
    const within = (a, b) => a.right > b.left && a.left < b.right && a.bottom > b.top && a.top < b.bottom
    const words = document.createRange(), covered = button => {
        words.selectNodeContents(button.closest('.sourceCode, .code-copy-outer-scaffold').querySelector('code'))
        const place = button.getBoundingClientRect()
        return [...words.getClientRects()].some(o => o.width > 0 && within(o, place))
    }
    return [...document.querySelectorAll('.code-copy-button')].filter(covered).length
}"""
SETTLED = "!document.querySelector('.math:not(:has(.katex))')"   # KaTeX has done its work
LOOK = """() => ({
    wide: document.documentElement.scrollWidth - innerWidth,
    raw: document.querySelectorAll('.math:not(:has(.katex))').length,
    blank: [...document.images].filter(o => o.complete && !o.naturalWidth)
        .map(o => o.src.slice(0, 80))})"""


def faults(browser, url, script, width=WIDTHS[0], scheme='light', settled=SETTLED):
    "What is wrong with one page: what it asks of other servers, what fails, what axe-core finds."
    said, home = [], '/'.join(url.split('/')[:3]) + '/'
    context = browser.new_context(viewport=dict(width=width, height=900), color_scheme=scheme,
                                  reduced_motion='reduce')
    def route(r):
        if r.request.url.startswith((home, 'data:', 'blob:')): return r.continue_()
        said.append(f'asks another server: {r.request.url}')
        r.abort()
    context.route('**/*', route)
    try:
        page = context.new_page()
        page.on('pageerror', lambda e: said.append(f'a script fails: {e}'))
        page.on('response', lambda r: r.ok or said.append(f'{r.status}: {r.url}'))
        page.goto(url, wait_until='networkidle')
        try: page.wait_for_function(settled)
        except TimeoutError: said.append('does not come to rest')
        seen = page.evaluate(LOOK)
        if seen['wide'] > 0: said.append(f'scrolls sideways by {seen["wide"]} pixels')
        if seen['raw']: said.append(f'{seen["raw"]} equations are not set')
        if covered := page.evaluate(COVERED): said.append(f'{covered} copy buttons cover code')
        said += [f'no image: {name}' for name in seen['blank']]
        said += barriers(page, script)
    finally: context.close()
    return list(dict.fromkeys(said))


def main(folder, names):
    "Every page at both widths in both themes; the number of faults."
    if chromium.found() is None:
        sys.exit('no Chromium found: install it (Debian: apt-get install chromium)')
    pages = [Path(folder)/name for name in names] or sorted(Path(folder).rglob('*.html'))
    script, count = axe(), 0
    with served(folder) as home, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium.found(), args=chromium.flags)
        for path in pages:
            name = path.relative_to(folder).as_posix()
            for width in WIDTHS:
                for scheme in 'light', 'dark':
                    for fault in faults(browser, home + name, script, width, scheme):
                        print(f'{name} at {width}, {scheme}: {fault}', flush=True)
                        count += 1
        browser.close()
    print(f'{len(pages)} pages, {count} faults')
    return count


if __name__ == '__main__':
    if len(sys.argv) < 2 or not list(Path(sys.argv[1]).rglob('*.html')):
        sys.exit('browse.py FOLDER: name a folder with rendered pages in it')
    sys.exit(main(sys.argv[1], sys.argv[2:]) > 0)
