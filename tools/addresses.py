"""Where the site is, where it keeps each notebook and each heading, and where a notebook can be run;
all from settings.ini."""
import configparser, re
from pathlib import Path
from urllib.parse import quote

settings = configparser.ConfigParser(delimiters=['='])
settings.read(Path(__file__).resolve().parent.parent/'settings.ini', encoding='utf-8')
settings = settings['DEFAULT']
site = f"{settings['doc_host']}{settings['doc_baseurl']}/"


def address(name):
    "Where the site keeps a notebook: nbdev leaves out the number of the chapter."
    return re.sub(r'^\d+[a-zA-Z0-9]*_', '', Path(name).stem).lower() + '.html'


def ways(name):
    "Where a notebook can be run or had, each with its address."
    repository = '{user}/{repo}'.format(**settings)
    path = f"{settings['nbs_path']}/{name}"
    return {
        'Open in Colab': f"https://colab.research.google.com/github/{repository}/blob/{settings['branch']}/{path}",
        'Open in Binder': f"https://mybinder.org/v2/gh/{repository}/{settings['branch']}?labpath={quote(path, safe='')}",
        'Download': f'notebooks/{name}'}   # `make docs` puts the notebooks there


def slug(heading):
    "The anchor that Quarto gives a heading."
    explicit = re.search(r'\{#([\w:.-]+)[^}]*\}\s*$', heading)
    text = re.sub(r'\[([^\]]*)\]\([^)]*\)|[`*$]|\{[^}]*\}\s*$', r'\1', heading).strip().lower()
    text = re.sub(r'\s+', '-', re.sub(r'[^\w\s.-]', '', text))
    return explicit[1] if explicit else re.sub(r'^[\W\d_]+', '', text) or 'section'
