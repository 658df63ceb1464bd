"Whether every link in a rendered folder leads somewhere: links.py FOLDER lists the dead ones, and then ends with 1."
import configparser, sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

settings = configparser.ConfigParser(delimiters=['='])
settings.read(Path(__file__).resolve().parent.parent/'settings.ini', encoding='utf-8')
site = '{doc_host}{doc_baseurl}/'.format(**settings['DEFAULT'])   # nbdev writes links to the site's own pages in full


class Page(HTMLParser):
    "The links of a page, and what in it can be linked to."
    def __init__(self, text):
        super().__init__()
        self.links, self.ids = [], set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids |= {attrs[k] for k in ('id', 'name') if attrs.get(k) and (k == 'id' or tag == 'a')}
        self.links += [attrs[k] for k in ('href', 'src', 'poster') if attrs.get(k) and 'canonical' not in (attrs.get('rel') or '')]

    handle_startendtag = handle_starttag


def dead(folder):
    "Each dead link, with the page it is on and what is missing."
    folder = Path(folder).resolve()
    pages = {path: Page(path.read_text(encoding='utf-8')) for path in sorted(folder.rglob('*.html'))}
    for path, page in pages.items():
        for link in dict.fromkeys(page.links):
            url = urlsplit('/' + link.removeprefix(site) if link.startswith(site) else link)
            if url.scheme or url.netloc: continue
            name = unquote(url.path).removeprefix(settings['DEFAULT']['doc_baseurl'])
            target = folder/name.lstrip('/') if name.startswith('/') else path.parent/name if name else path
            target = (target/'index.html' if target.is_dir() else target).resolve()
            where = path.relative_to(folder)
            if folder not in target.parents: yield f'{where}: {link} leads out of the folder'
            elif not target.exists(): yield f'{where}: {link} leads to no file'
            elif url.fragment and target in pages and unquote(url.fragment) not in {*pages[target].ids, 'top'}: yield f'{where}: {link} leads to no such place in {target.relative_to(folder)}'


if __name__ == '__main__':
    folder = Path(sys.argv[-1]).expanduser()
    if len(sys.argv) != 2 or not list(folder.rglob('*.html')): sys.exit('links.py FOLDER: name a folder with rendered pages in it')
    found = list(dead(folder))
    print(*found, sep='\n', end='\n' if found else '')
    sys.exit(bool(found))
