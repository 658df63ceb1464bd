"What the notebooks show as a reader sees it: nothing left of its making, no markup in code, and a report that is numbered."
import json, re
from pathlib import Path

import pytest

from pages import directives

root = Path(__file__).resolve().parent.parent
notebooks = sorted((root/'nbs').glob('*.ipynb'))
leftovers = {
    'a temporary path': r'/tmp/|/var/folders/|\\Temp\\|\btmp[a-z0-9_]{8}\b',
    'a progress bar': r'\r(?!\n)|\d+%\|| ?(it/s|s/it)\b|FloatProgress|IntProgress|HBox\(children|tqdm',
    'a download': r'(?i)\bdownloading\b|\bdownloaded \d|https?://\S+\.gz\b|%\s*\[=*'}


def cells(path, kind=None): return [c for c in json.loads(path.read_text(encoding='utf-8'))['cells'] if kind in (None, c['cell_type'])]


def texts(cell):
    "What a cell of code shows in words; pictures that stand in HTML are left out."
    for output in cell.get('outputs', []):
        data = output.get('data', {})
        found = [output.get('text', ''), *(data[kind] for kind in data if kind.startswith('text/'))]
        yield from (re.sub(r'base64,[\w+/=\s]+', '', ''.join(text)) for text in found)


def left_over(text): return [what for what, pattern in leftovers.items() if re.search(pattern, text)]


@pytest.mark.parametrize('path', notebooks, ids=lambda p: p.stem)
def test_nothing_of_the_making_is_left(path):
    wrong = {what: text[:200] for cell in cells(path, 'code') for text in texts(cell) for what in left_over(text)}
    assert not wrong


@pytest.mark.parametrize('text, what', [
    ('saved to /tmp/x/run', 'a temporary path'), ("PosixPath('/var/folders/ab/T/run')", 'a temporary path'), ('tmpab12_x9q', 'a temporary path'), ('  40%|####      | 2/5', 'a progress bar'),
    ('1.3it/s', 'a progress bar'), ('epoch 1\repoch 2', 'a progress bar'), ("HBox(children=(FloatProgress(value=0.0)", 'a progress bar'),
    ('Downloading train-images', 'a download'), ('from https://example.org/train-images.gz', 'a download'), ('accuracy 100%, 3 items, downloads are cached\r\n', None)])
def test_what_counts_as_left_over(text, what): assert left_over(text) == ([what] if what else [])


def test_no_markup_inside_code(processed):
    "nbdev leads the names in a text to where they are documented. Code, in cells and within texts, and what it prints stay as they are."
    spans = re.compile(r'^(```+|~~~+).*?^\1|(?<!`)`[^`\n]+`(?!`)', re.M | re.S)
    plain = lambda cell: [''.join(text) for o in cell['outputs'] for text in (o.get('text', ''), o.get('data', {}).get('text/plain', ''))]
    for path in notebooks:
        lines = {line for cell in cells(path, 'code') for line in ''.join(cell['source']).splitlines()}
        printed = {text for cell in cells(path, 'code') for text in plain(cell)}
        for cell in cells(processed/path.name, 'code'):
            assert not [line for line in ''.join(cell['source']).splitlines() if line not in lines and not line.startswith('#|')], path.name
            assert not [text for text in plain(cell) if text not in printed], path.name
        for cell in cells(processed/path.name, 'markdown'):
            assert not [m[0] for m in spans.finditer(''.join(cell['source'])) if re.search(r'\]\(\S+\)|<a ', m[0])], path.name


report = root/'nbs/report.ipynb'
words = '\n'.join(''.join(c['source']) if c['cell_type'] == 'markdown' else '\n'.join(texts(c)) for c in cells(report))
table_head = re.compile(r'^\|(?: ?:?-+:? ?\|)+$', re.M)


def test_report_names_what_it_shows():
    "Each figure and each table has a caption and is referred to in the text, and so is each equation that has a number."
    shown = 0
    for cell in cells(report, 'code'):
        about = directives(''.join(cell['source']))
        figure = any(kind.startswith('image/') for o in cell['outputs'] for kind in o.get('data', {}))
        if not figure and not any(table_head.search(text) for text in texts(cell)):
            assert not about.get('label'), f'{about["label"]} shows nothing: run the report again'
            continue
        shown += 1
        kind, options = ('fig', ('fig-cap', 'fig-alt')) if figure else ('tbl', ('tbl-cap',))
        assert about['label'].startswith(kind + '-') and all(len(about[option]) > 15 and not re.search(r'\[\d', about[option]) for option in options), about
        assert re.search(rf'@{about["label"]}(?![\w-])', words), f'{about["label"]} is not referred to'
    assert shown > 10
    labels = re.findall(r'\$\$ \{#(eq-[\w-]+)\}', words)
    assert len(labels) == 3 and all(f'@{label}' in words for label in labels)


def test_report_sets_numbers_flush_right():
    "Columns of numbers, with or without their range, in bold or not."
    number = r'(\*\*)?([-+\d.,]+ ?%?( \([^)]*\d[^)]*\))?|–)(\*\*)?'
    for table in re.findall(r'(?:^\|.*\|\n?)+', words, re.M):
        head, rule, *rows = ([c.strip() for c in line.strip(' |').split(' | ')] for line in table.strip().splitlines())
        for name, side, column in zip(head, rule, zip(*rows)):
            assert side.endswith(':') == all(re.fullmatch(number, text) for text in column), (name, column)


@pytest.mark.parametrize('path', notebooks, ids=lambda p: p.stem)
def test_equations_are_numbered_by_quarto(path):
    assert not [m for c in cells(path, 'markdown') for m in re.findall(r'\\(?:qquad|quad)\s*\(\d+\)|\\tag\{', ''.join(c['source']))]


def test_report_can_be_taken_along(): assert all(f']({name})' in words for name in ('paper.html', 'paper.pdf'))
