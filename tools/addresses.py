"Where the site is, and where it keeps each notebook."
import configparser, re
from pathlib import Path

settings = configparser.ConfigParser(delimiters=['='])
settings.read(Path(__file__).resolve().parent.parent/'settings.ini', encoding='utf-8')
settings = settings['DEFAULT']
site = f"{settings['doc_host']}{settings['doc_baseurl']}/"


def address(name):
    "Where the site keeps a notebook: nbdev leaves out the number of the chapter."
    return re.sub(r'^\d+[a-zA-Z0-9]*_', '', Path(name).stem).lower() + '.html'
