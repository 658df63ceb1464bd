"Where the site is, and where it keeps each notebook and each heading."
import configparser, re
from pathlib import Path

settings = configparser.ConfigParser(delimiters=['='])
settings.read(Path(__file__).resolve().parent.parent/'settings.ini', encoding='utf-8')
settings = settings['DEFAULT']
site = f"{settings['doc_host']}{settings['doc_baseurl']}/"


def address(name):
    "Where the site keeps a notebook: nbdev leaves out the number of the chapter."
    return re.sub(r'^\d+[a-zA-Z0-9]*_', '', Path(name).stem).lower() + '.html'


def slug(heading):
    "The anchor that Quarto gives a heading."
    explicit = re.search(r'\{#([\w:.-]+)[^}]*\}\s*$', heading)
    text = re.sub(r'\[([^\]]*)\]\([^)]*\)|[`*$]|\{[^}]*\}\s*$', r'\1', heading).strip().lower()
    text = re.sub(r'\s+', '-', re.sub(r'[^\w\s.-]', '', text))
    return explicit[1] if explicit else re.sub(r'^[\W\d_]+', '', text) or 'section'
