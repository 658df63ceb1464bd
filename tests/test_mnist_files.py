"MNIST as people have it, damaged, hostile, or fetched from mirrors of every kind. Five tiny images stand for each of its parts, and no test needs the network."
import gzip, hashlib, io, json, os, re, shutil, struct, subprocess, sys, threading, tracemalloc, warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from seqgen_nb import metrics, mnist_files, reproduce
from seqgen_nb.data import load_images, mnist, mnist_root, read_idx
from seqgen_nb.errors import SeqgenError, command
from seqgen_nb.files import write_atomic
from seqgen_nb.mnist_files import MNIST_MD5, MNIST_SIZES
from seqgen_nb.runs import Run

root = Path(__file__).resolve().parent.parent
NAMES = list(MNIST_MD5)
LAST = 't10k-images-idx3-ubyte'
linux = pytest.mark.skipif(sys.platform != 'linux', reason='the file is one of Linux')


def idx(*shape, start=0): return struct.pack(f'>HBB{len(shape)}I', 0, 8, len(shape), *shape) + bytes((start + i) % 256 for i in range(torch.Size(shape).numel()))


FILES = {name: idx(5, 28, 28, start=i) if 'images' in name else idx(5, start=i) for i, name in enumerate(NAMES)}


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    "The tiny files are MNIST; the user named no folder, and has an empty cache."
    for name, data in FILES.items(): known_as(monkeypatch, name, data)
    monkeypatch.delenv('SEQGEN_DATA', raising=False)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path/'cache'))
    for name in 'http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY': monkeypatch.delenv(name, raising=False)
    return tmp_path/'cache/seqgen_nb/MNIST/raw'


def known_as(monkeypatch, name, data):
    monkeypatch.setitem(MNIST_SIZES, name, len(data))
    monkeypatch.setitem(MNIST_MD5, name, hashlib.md5(data).hexdigest())


def fill(folder, form=lambda name: name, pack=lambda data: data):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in FILES.items(): (folder/form(name)).write_bytes(pack(data))


def right(root=None):
    images, labels = mnist('test', root)
    assert images.shape == (5, 1, 28, 28) and images.dtype == torch.uint8 and images.flatten()[:2].tolist() == [2, 3]
    return labels.dtype == torch.int64 and labels.tolist() == [3, 4, 5, 6, 7]


class Server(ThreadingHTTPServer):
    def handle_error(self, *args): pass  # of a client that hung up


@pytest.fixture
def serve(monkeypatch):
    "Starts mirrors: functions that answer a request for a file with `send(...)`, or as they like. They are MNIST's only ones."
    servers, done = [], threading.Event()
    def start(*answers):
        mirrors = []
        for answer in answers:
            class Handler(BaseHTTPRequestHandler):
                def log_message(self, *args): pass
                def do_GET(self, answer=answer): answer(self, self.path.strip('/'))
            servers.append(Server(('127.0.0.1', 0), Handler))
            threading.Thread(target=servers[-1].serve_forever, args=(.05,), daemon=True).start()
            mirrors.append(f'http://127.0.0.1:{servers[-1].server_port}/')
        monkeypatch.setattr('torchvision.datasets.MNIST.mirrors', mirrors)
        return mirrors
    start.done = done
    yield start
    done.set()
    for server in servers:
        server.shutdown()
        server.server_close()


def send(handler, data, status=200, length=None):
    handler.send_response(status)
    if length != 'none': handler.send_header('Content-Length', str(len(data) if length is None else length))
    handler.end_headers()
    handler.wfile.write(data)


def good(handler, name): send(handler, gzip.compress(FILES[name.removesuffix('.gz')]))
def missing(handler, name): send(handler, b'', 404)


dotted = lambda name: name.replace('-idx', '.idx')
packed = lambda name: f'{name}.gz'
same = lambda x: x


@pytest.mark.parametrize('place', ['.', 'raw', 'MNIST/raw'])
@pytest.mark.parametrize('form, pack', [(same, same), (packed, gzip.compress), (dotted, same), (lambda n: packed(dotted(n)), gzip.compress), (same, gzip.compress), (packed, same)],
                         ids=['plain', 'gz', 'dotted', 'dotted gz', 'packed without .gz', '.gz unpacked by the browser'])
def test_read_in_every_form(tmp_path, place, form, pack, monkeypatch):
    fill(tmp_path/'data'/place, form, pack)
    assert right(tmp_path/'data') and right(str(tmp_path/'data'))
    monkeypatch.setenv('SEQGEN_DATA', str(tmp_path/'data'))
    assert right()


@pytest.mark.parametrize('named', ['data/MNIST', 'data/MNIST/raw'])
def test_a_folder_inside_may_be_named(tmp_path, named):
    fill(tmp_path/'data/MNIST/raw')
    assert right(tmp_path/named)


def test_a_right_form_beside_a_damaged_one_is_read(tmp_path):
    fill(tmp_path, same, lambda data: data[:-1])
    fill(tmp_path, packed, gzip.compress)
    assert right(tmp_path)


def test_says_what_was_looked_for_and_what_was_found(tmp_path):
    (tmp_path/'raw').mkdir()
    for name in 'mnist.npz', 'raw/train-images.tar': (tmp_path/name).touch()
    for load in lambda: mnist('test', tmp_path), lambda: load_images('auto', 'test', tmp_path):
        with pytest.raises(SeqgenError) as said: load()
        for word in 'holds no MNIST', LAST, dotted(LAST), packed(LAST), 'mnist.npz', 'raw/train-images.tar', '--data-dir', '--dataset typeset': assert word in str(said.value)
    for i in range(20): (tmp_path/f'{i}.txt').touch()
    with pytest.raises(SeqgenError, match='and 15 more'): mnist('test', tmp_path)
    with pytest.raises(SeqgenError, match='it is a file'): mnist('test', tmp_path/'mnist.npz')
    with pytest.raises(SeqgenError, match='it is not there'): mnist('test', tmp_path/'nowhere')


DAMAGE = dict(truncated=lambda data: data[:-1], empty=lambda data: b'', page=lambda data: b'<!DOCTYPE html><title>Sign in</title>',
              longer=lambda data: data + b'\0', changed=lambda data: data[:-1] + b'\xff', torn=lambda data: gzip.compress(data)[:-30])


@pytest.mark.parametrize('harm', DAMAGE.values(), ids=DAMAGE)
def test_damaged_in_a_folder_of_the_user(tmp_path, harm, serve):
    "Refused with its name, never deleted nor advised to be, never fetched, and fonts do not take its place."
    asked = []
    serve(lambda handler, name: asked.append(name))
    fill(tmp_path)
    path = tmp_path/LAST
    path.write_bytes(harm(FILES[LAST]))
    for load in lambda: mnist('test', tmp_path), lambda: load_images('auto', 'test', tmp_path):
        with pytest.raises(SeqgenError) as said: load()
        assert f'{path} is truncated or altered' in str(said.value) and MNIST_MD5[LAST] in str(said.value)
        for word in 'delete', 'remove': assert word not in str(said.value)
    assert ('web page' in str(said.value)) == (harm is DAMAGE['page'])
    assert path.read_bytes() == harm(FILES[LAST]) and not asked


@pytest.mark.parametrize('harm', DAMAGE.values(), ids=DAMAGE)
def test_damaged_in_the_cache_is_fetched_again(cache, harm, serve, capsys):
    asked = []
    url, = serve(lambda handler, name: asked.append(name) or good(handler, name))
    fill(cache)
    (cache/LAST).write_bytes(harm(FILES[LAST]))
    found = load_images('auto', 'test')
    assert found.name == 'MNIST test' and found.why == 'auto: MNIST was found' and right()
    assert asked == [packed(LAST)] and (cache/LAST).read_bytes() == FILES[LAST]
    assert capsys.readouterr().err == f'fetching MNIST from {url} to {cache}\n'


def test_damaged_in_the_cache_and_no_mirror(cache, serve):
    "`mnist` is an error, `auto` says what it took instead and why."
    serve(missing, missing)
    fill(cache)
    (cache/LAST).write_bytes(b'<html>')
    with pytest.raises(SeqgenError, match='could not be downloaded.*HTTP status 404.*HTTP status 404'): load_images('mnist')
    with pytest.warns(UserWarning, match='take the place of MNIST'): found = load_images('auto', n=7)
    assert found.name.startswith('typeset') and 'HTTP status 404' in found.why and found.why.startswith('auto: MNIST could not be downloaded')


def test_two_first_starts_at_once(cache, serve):
    "Both ask for the first file before either gets it; both read all of MNIST."
    both = threading.Barrier(2)
    def answer(handler, name):
        if name == packed(NAMES[0]): both.wait(120)
        good(handler, name)
    serve(answer)
    found = []
    starts = [threading.Thread(target=lambda: found.append(right())) for _ in range(2)]
    for start in starts: start.start()
    for start in starts: start.join()
    assert found == [True, True] and sorted(p.name for p in cache.iterdir()) == sorted(NAMES)


def test_written_at_once_by_many(tmp_path):
    "A reader finds the whole of one or the whole of another."
    texts = [bytes([i])*100_000 for i in range(8)]
    writers = [threading.Thread(target=lambda t=t: [write_atomic(tmp_path/'x', t) for _ in range(5)]) for t in texts]
    for w in writers: w.start()
    while any(w.is_alive() for w in writers): assert not (tmp_path/'x').exists() or (tmp_path/'x').read_bytes() in texts
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ['x']


def silent(serve): return lambda handler, name: serve.done.wait()


def stalled(serve):
    "Half of a file, and then nothing."
    def answer(handler, name):
        send(handler, gzip.compress(FILES[name.removesuffix('.gz')])[:20], length=500)
        handler.wfile.flush()
        serve.done.wait()
    return answer


def trickling(serve):
    def answer(handler, name):
        send(handler, b'', length=10**6)
        while not serve.done.wait(.05): handler.wfile.write(b'\x1f')
    return answer


def endless(serve):
    def answer(handler, name):
        send(handler, b'', length='none')
        while not serve.done.is_set(): handler.wfile.write(bytes(2**16))
    return answer


def of(answer): return lambda serve: answer


SLOW = dict.fromkeys((silent, stalled, trickling), 'no answer within')
BAD = SLOW | {
    endless: 'sent more than', of(missing): 'HTTP status 404',
    of(lambda handler, name: send(handler, b'<html>Sign in</html>')): 'sent a web page',
    of(lambda handler, name: send(handler, gzip.compress(bytes(10**7)))): 'sent more than',
    of(lambda handler, name: send(handler, gzip.compress(FILES[NAMES[0]])[:-30], length=10**6)): 'sent|IncompleteRead',
    of(lambda handler, name: send(handler, b'', length='many')): 'sent',
    of(lambda handler, name: handler.wfile.write(b'\0\xff\x1b'*99)): 'no HTTP',
    of(lambda handler, name: None): 'closed connection',
    of(lambda handler, name: (handler.send_response(302), handler.send_header('Location', 'file:///etc/hostname'), handler.end_headers())): 'HTTP status 302'}


@pytest.mark.parametrize('bad, why', BAD.items(), ids=['silent', 'stalled', 'trickling', 'endless', 'missing', 'web page', 'bomb', 'cut short', 'nonsense length', 'no HTTP', 'closed', 'leads to a file'])
def test_a_bad_mirror_is_given_up(cache, serve, monkeypatch, capsys, bad, why):
    "The sentence says what was wrong, and nothing is kept of what a bad mirror sent. If there is another mirror, it is tried next."
    monkeypatch.setattr(mnist_files, 'PATIENCE', .5 if bad in SLOW else 100.)
    urls = serve(bad(serve), good)
    monkeypatch.setattr('torchvision.datasets.MNIST.mirrors', urls[:1])
    with pytest.raises(SeqgenError, match='could not be downloaded') as said: mnist('test')
    assert re.search(why, str(said.value)) and urls[0] in str(said.value) and len(str(said.value)) < 1000 and '\x1b' not in str(said.value)
    assert not cache.exists() or not list(cache.iterdir())
    if bad in (stalled, trickling): return
    monkeypatch.setattr(mnist_files, 'PATIENCE', 5. if bad in SLOW else 100.)  # the good one may take its time
    monkeypatch.setattr('torchvision.datasets.MNIST.mirrors', urls)
    assert right()
    assert capsys.readouterr().err.splitlines()[-2:] == [f'fetching MNIST from {url} to {cache}' for url in urls]


def test_a_bar_on_a_terminal_only(serve, monkeypatch):
    monkeypatch.delenv('TQDM_DISABLE', raising=False)
    class Terminal(io.StringIO):
        def isatty(self): return True
    serve(good)
    for screen, bars in (Terminal(), True), (io.StringIO(), False):
        monkeypatch.setattr(sys, 'stderr', screen)
        mnist_files.keep_files(mnist_root())
        assert (f'{LAST}: 100%' in screen.getvalue()) == bars and 'fetching MNIST' in screen.getvalue()
        shutil.rmtree(mnist_root())


def test_a_cache_that_cannot_be_written(cache, serve, tmp_path):
    serve(good)
    (tmp_path/'cache').write_text('a file')
    with pytest.raises(SeqgenError, match='cannot be (written|read)'): mnist('test')
    with pytest.warns(UserWarning, match='cannot be (written|read)'): assert 'cannot be' in load_images('auto', n=5).why


@linux
def test_files_that_are_none(tmp_path):
    "Devices, pipes and folders are passed over, a file that cannot be read is named, and one of a terabyte is read no further than MNIST goes."
    path = tmp_path/LAST
    for make in (lambda: path.symlink_to('/dev/zero'), lambda: os.mkfifo(path), lambda: path.symlink_to(path)):
        make()
        with pytest.raises(SeqgenError, match='holds no MNIST'): mnist('test', tmp_path)
        path.unlink()
    path.symlink_to('/proc/self/mem')
    with pytest.raises(SeqgenError, match='cannot be read'): mnist('test', tmp_path)
    path.unlink()
    path.touch()
    os.truncate(path, 2**40)
    with pytest.raises(SeqgenError, match='more than'): mnist('test', tmp_path)


HOSTILE = dict(bomb=gzip.compress(bytes(10**7)), members=gzip.compress(b'')*100_000, name=b'\x1f\x8b\x08\x08' + bytes(6) + b'x'*10**6, nothing=b'\x1f\x8b', nested=gzip.compress(gzip.compress(bytes(10**7))))


@pytest.mark.parametrize('data', HOSTILE.values(), ids=HOSTILE)
def test_hostile_packed_files(tmp_path, data):
    "Refused, with no more memory than MNIST takes."
    (tmp_path/packed(LAST)).write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(SeqgenError, match='truncated or altered'): mnist('test', tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally: tracemalloc.stop()


HEADERS = dict(none=b'', short=b'\0\0\x08', cut=b'\0\0\x08\3\0\0', huge=struct.pack('>HBB3I', 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1) + bytes(99), many=b'\0\0\x08\xff' + bytes(4*255) + b'x',
               most=b'\0\0\x08\xff' + b'\xff'*4*255, longer=idx(2, 3) + b'x', shorter=idx(2, 3)[:-1], floats=b'\0\0\x0d\1\0\0\0\1' + bytes(4), scalar=b'\0\0\x08\0x', page=b'<html></html>', no_values=idx(0, 28, 28))


@pytest.mark.parametrize('data', HEADERS.values(), ids=HEADERS)
def test_headers_that_lie(data, tmp_path, monkeypatch):
    "An array is made only if its header fits its size, even where the checksum is right."
    with pytest.raises(SeqgenError, match='no whole idx file'): read_idx(data)
    fill(tmp_path)
    (tmp_path/LAST).write_bytes(data)
    known_as(monkeypatch, LAST, data)
    with pytest.raises(SeqgenError, match='no whole idx file'): mnist('test', tmp_path)


def test_arrays_of_every_shape():
    for shape in (1,), (2, 3), (2, 8, 9), (2, 1, 2, 1): assert read_idx(idx(*shape)).flatten().tolist() == list(range(torch.Size(shape).numel())) and read_idx(idx(*shape)).shape == shape


def test_home_in_every_path(tmp_path, monkeypatch, capsys):
    "In Python, in the environment, and on the command line of every command."
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.setenv('USERPROFILE', str(tmp_path))
    fill(tmp_path/'digits')
    assert right('~/digits') and right(Path('~/digits'))
    monkeypatch.setenv('SEQGEN_DATA', '~/digits')
    assert right()
    monkeypatch.delenv('SEQGEN_DATA')
    monkeypatch.setenv('XDG_CACHE_HOME', '~/cache')
    assert '~' not in str(mnist_root())

    monkeypatch.setattr(warnings, 'formatwarning', warnings.formatwarning)  # which commands replace
    @command
    def told(
        what:str, # a file
        out:str='.', # another
        run:str=None # a third
    ): print(what, out, run)
    for name in 'out', 'run':
        for words in ([f'--{name}', '~/x'], [f'--{name}=~/x']):
            monkeypatch.setattr(sys, 'argv', ['told', '~', *words])
            told()
            assert capsys.readouterr().out.split().count(str(tmp_path/'x')) == 1
    (tmp_path/'site').mkdir()
    (tmp_path/'site/index.html').write_text('<p id="x"><a href="#x">here</a>', encoding='utf-8')
    links = subprocess.run([sys.executable, root/"tools/links.py", "~/site"], capture_output=True, text=True, cwd=tmp_path, env={**os.environ, 'PATH': ''})
    assert links.returncode == 0


def test_one_command_has_one_dataset(cache, serve):
    "`auto` decides once: if MNIST is lost in between, fonts do not become its test images. The why goes into the record and the last line."
    serve(missing)
    fill(cache)
    images = reproduce._images('auto', None, 3)
    assert images('train').name == 'MNIST train, first 3' and images('train').why == 'auto: MNIST was found'
    (cache/LAST).unlink()
    with pytest.raises(SeqgenError, match='could not be downloaded'): images('test')
    images = reproduce._images('auto', None, 3)
    with pytest.warns(UserWarning) as warned: assert images('train').why == images('test').why != 'as asked for'
    assert len(warned) == 1 and images('test').name.startswith('typeset')
    assert reproduce._images('typeset', None, 3, 'auto: a reason')('test').why == 'auto: a reason'


def test_processes_are_told_what_was_found(cache, serve, monkeypatch, tmp_path):
    serve(missing)
    given = []
    monkeypatch.setattr(reproduce, 'launch', lambda work, job, *others: given.append(job))
    with pytest.warns(UserWarning): reproduce.seqgen_reproduce(profile='tiny', jobs=2, out=tmp_path/'out', device='cpu')
    (options, why), = given
    assert options['dataset'] == 'typeset' and why.startswith('auto: MNIST could not be downloaded')


def test_record_and_last_line(tmp_path):
    runs = [Run(tmp_path/name) for name in 'ab']
    for run, dataset in zip(runs, ('MNIST train', 'typeset digits train')):
        run.notes['dataset_why'] = 'auto: a reason'
        run.begin(1, dataset=dataset)
    assert json.loads((tmp_path/'a/config.json').read_text(encoding='utf-8'))['dataset_why'] == 'auto: a reason'
    assert reproduce._trained_on(runs[:1]*2) == 'Trained on MNIST train (auto: a reason).'
    assert reproduce._dataset(runs[:1]*2) == 'MNIST train'
    with pytest.raises(SeqgenError, match='trained on MNIST train, others on typeset digits train'): reproduce._dataset(runs)


def test_weights_from_a_silent_server(serve, monkeypatch, tmp_path):
    "The Inception network is not waited for for ever, either."
    import torch_fidelity.feature_extractor_inceptionv3 as inception
    url, = serve(silent(serve))
    monkeypatch.setattr(inception, 'URL_INCEPTION_V3', f'{url}weights.pth')
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr(metrics._patience.__wrapped__, '__defaults__', (.5,))
    images = torch.zeros(4, 1, 28, 28, dtype=torch.uint8)
    with pytest.raises(SeqgenError, match='cannot be had'): metrics.inception_distance(images, images)


@pytest.mark.skipif(not shutil.which('npm'), reason='npm is not installed')
def test_runtime_from_a_silent_registry(serve, monkeypatch, tmp_path, capsys):
    live = pytest.importorskip('seqgen_nb.live')
    url, = serve(silent(serve))
    monkeypatch.setenv('npm_config_registry', url)
    monkeypatch.setenv('npm_config_cache', str(tmp_path/'npm'))
    monkeypatch.setattr(live, 'LIMITS', ('--fetch-timeout=500', '--fetch-retries=0'))
    with pytest.raises(SeqgenError, match='npm cannot fetch'): live.fetch_runtime(tmp_path/'out')
    assert f"fetching {live.RUNTIME} from npm's registry to {tmp_path/'out'}" in capsys.readouterr().err
