"Where Chromium is and how it is started, for the tests in a browser and for the report's PDF."
import shutil

names = ('chromium', 'chromium-browser', 'google-chrome',
         '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome')
flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
         '--disable-background-networking', '--disable-component-update', '--disable-sync']


def found(): return next(filter(None, map(shutil.which, names)), None)


def printed(page, pdf):
    "Print a page to a PDF; say so, or why there is none."
    executable = found()
    if executable is None:
        return ('no PDF: no Chromium was found (Debian: apt-get install chromium); '
                'any browser prints the page to one')
    from playwright.sync_api import sync_playwright
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=executable, args=flags)
        tab = browser.new_context(offline=True).new_page()
        tab.goto(page.resolve().as_uri())
        tab.evaluate('document.fonts.ready')
        tab.pdf(path=pdf, prefer_css_page_size=True, print_background=True, tagged=True,
                outline=True)
        browser.close()
    return f'{pdf}: {pdf.stat().st_size/1e6:.1f} MB'
