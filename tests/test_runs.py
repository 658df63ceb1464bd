"Runs on other people's machines, and runs from other people: full disks, networks of one's own, odd terminals, and files made to do harm."
import hashlib, json, os, pickle, re, resource, shutil, subprocess, sys, tempfile, warnings, zipfile
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn, optim

from seqgen_nb import devices
from seqgen_nb.commands import animate_training, load_generator
from seqgen_nb.data import split_palindromes, typeset_digits
from seqgen_nb.errors import SeqgenError
from seqgen_nb.files import check_writable, write_atomic
from seqgen_nb.gan import MLPDiscriminator, MLPGenerator, fit_gan
from seqgen_nb.launch import claim
from seqgen_nb.lstm import RNN
from seqgen_nb.palindromes import LastDigit, fit_palindromes
from seqgen_nb.plots import learning_curves, read_png
from seqgen_nb.reproduce import seqgen_reproduce
from seqgen_nb.runs import Run, shipped
from seqgen_nb.weights import load_weights, plain

root = Path(__file__).resolve().parent.parent
DATA = split_palindromes(64, 16, 4, 0)


def fit(model, folder): return fit_palindromes(model, *DATA, Run(folder, progress=False), 1, device='cpu')


def small(): return LastDigit(n_hidden=4)


def train(folder, epochs, **kw):
    "A training of any length that can be made longer."
    run, model, rng = Run(folder, progress=False, **kw), small(), torch.Generator().manual_seed(0)
    opt = optim.Adam(model.parameters(), lr=1e-3)
    schedule = optim.lr_scheduler.ConstantLR(opt)
    run.rehearse(model)
    run.begin(epochs, seed=0, dataset='digits')
    for epoch in run.epochs(epochs, model=model, opt=opt, schedule=schedule, rng=rng):
        loss = nn.functional.cross_entropy(model(DATA[0][:, :-1]), DATA[0][:, -1])
        opt.zero_grad(), loss.backward(), opt.step(), schedule.step()
        run.log(epoch, loss=loss.detach())
    run.finish(model)
    return run


def refused(do, *words):
    "A `SeqgenError` of one line."
    with pytest.raises(SeqgenError) as e: do()
    said = str(e.value)
    assert '\n' not in said and len(said) < 700, said
    for word in words: assert word in said, said


def everything(folder): return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob('*')) if p.is_file()}


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp('whole')/'run'
    train(folder, 2)
    return folder


@pytest.fixture
def copy(whole, tmp_path): return Path(shutil.copytree(whole, tmp_path/'run'))


# networks of one's own

class Own(LastDigit):
    def __init__(self, n=4):
        super().__init__(n_hidden=n)
        self.arguments = dict(n=n)


class Tied(Own):
    def __init__(self, n=10):
        super().__init__(n)
        self.again = nn.Linear(n, 10)
        self.again.weight = self.head.weight


class OwnRNN(RNN): pass


class Unsaid(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 10)
    def forward(self, x): return self.head(x.float())


class Odd(Own):
    def __init__(self, n=4):
        super().__init__(n)
        self.arguments = dict(n=torch.tensor(n))


class Inherits(LastDigit):
    def __init__(self): super().__init__(n_hidden=4)


class Listed(Own):
    "Has something in its state that is no tensor."
    def get_extra_state(self): return 'a word'
    def set_extra_state(self, state): pass


@pytest.mark.parametrize('make, classes', [
    (Own, [Own]), (Tied, [Tied]), (lambda: LastDigit(OwnRNN, 4), [OwnRNN]), (lambda: torch.compile(Own(), backend='eager'), [Own])
], ids=['class', 'tied', 'part', 'compiled'])
def test_own_networks_are_kept_and_loaded(make, classes, tmp_path):
    model = make()
    with torch.compiler.set_stance('force_eager'): fit(model, tmp_path/'run')
    found = Run(tmp_path/'run').network(classes=classes)
    same = [torch.equal(a, b) for a, b in zip(found.state_dict().values(), model.state_dict().values(), strict=True)]
    assert all(same) and type(found) is type(plain(model))
    if classes: refused(Run(tmp_path/'run').network, 'classes')


@pytest.mark.parametrize('make, words', [
    (Unsaid, ['Unsaid does not say what it was made with', 'self.arguments']), (Odd, ['arguments of Odd', 'JSON']),
    (Inherits, ['Inherits cannot be made again', '__init__']), (Listed, ['weights of Listed'])])
def test_what_cannot_be_kept_is_refused_before_the_first_epoch(make, words, tmp_path):
    model = make()
    start = torch.random.get_rng_state()
    weights = {k: v.clone() for k, v in model.state_dict().items() if isinstance(v, torch.Tensor)}
    refused(lambda: fit(model, tmp_path/'run'), *words)
    assert not (tmp_path/'run').exists()
    assert all(torch.equal(v, weights[k]) for k, v in model.state_dict().items() if k in weights)
    assert torch.equal(torch.random.get_rng_state(), start)


def test_a_network_that_says_nothing_trains_in_memory():
    assert fit_palindromes(Unsaid(), *DATA, Run(progress=False), 1, device='cpu').history['epoch'] == [1]


def test_a_gan_of_own_and_compiled_networks_goes_on(tmp_path):
    "Compiled or plain, the checkpoint is the same; its moving average is kept too."
    images = typeset_digits(64, 0)[0]
    nets = lambda: (MLPGenerator(4, (8,)), MLPDiscriminator((8,)))
    known = dict(batch=32, ema=.9, device='cpu', precision='float32')
    compiled = [torch.compile(net, backend='eager') for net in nets()]
    with torch.compiler.set_stance('force_eager'): fit_gan(*compiled, images, Run(tmp_path/'gan', progress=False), epochs=1, **known)
    run = fit_gan(*nets(), images, Run(tmp_path/'gan', resume=True, progress=False), epochs=2, **known)
    assert run.history['epoch'] == [1, 2] and Run(tmp_path/'gan').network('average').n_latent == 4


def test_a_generator_must_say_what_it_takes(tmp_path):
    generator = MLPGenerator(4, (8,))
    del generator.n_latent
    refused(lambda: fit_gan(generator, MLPDiscriminator((8,)), typeset_digits(64, 0)[0], Run(tmp_path/'gan'), batch=32, device='cpu'), 'self.n_latent')
    assert not (tmp_path/'gan').exists()


def test_what_is_logged_can_be_read_again(tmp_path):
    "Numbers of any kind become Python's; names are quoted; what would not fit is refused at once."
    run = Run(tmp_path/'run', progress=False).begin(2, seed=0)
    for epoch in run.epochs(2):
        run.log(epoch, done=True, tensor=torch.tensor(.1), array=np.float32(.5), count=np.int64(3), exact=Decimal('.25'), **{'a,"b"': 1})
    again = Run(tmp_path/'run', resume=True, progress=False).begin(3, seed=0)
    assert again.history == run.history and again.history['done'] == [1, 1] and again.history['a,"b"'] == [1, 1]
    assert list(again.epochs(3)) == [3] and type(again.history['exact'][0]) is float
    refused(lambda: again.log(4, other=1), 'log the same in every epoch')
    refused(lambda: again.save_network(small(), 'a/b'), 'is no name of a network')
    refused(lambda: fit_gan(MLPGenerator(4, (8,)), MLPDiscriminator((8,)), typeset_digits(64, 0)[0], Run(tmp_path/'file', progress='lines'), batch=128), 'do not fill a batch')
    assert not (tmp_path/'file').exists()


# full disks and folders that can't be written

@contextmanager
def no_file_above(size):
    "As on a full disk: what is written beyond `size` bytes fails."
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try: yield
    finally: resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def nobody():
    "Root, who may read and write everywhere, is somebody else for a while; what is imported late, perhaps from root's home, is imported before."
    user = os.geteuid()
    devices.environment(), shipped('lstm').network()
    if user == 0: os.seteuid(65534)
    try: yield
    finally: os.seteuid(user)


@contextmanager
def read_only():
    "A folder that may not be written."
    folder = Path(tempfile.mkdtemp())
    (folder/'there.txt').write_bytes(b'kept')
    folder.chmod(0o555)
    try:
        with nobody(): yield folder
    finally:
        folder.chmod(0o755)
        assert everything(folder) == {'there.txt': b'kept'}
        shutil.rmtree(folder)


def test_a_full_disk_is_noticed_before_the_first_epoch(tmp_path):
    with no_file_above(1000): refused(lambda: fit(small(), tmp_path/'run'), 'weights.safetensors cannot be written', 'make room')
    assert not (tmp_path/'run').exists()
    weights = len(everything_of(small()))
    with no_file_above(weights + 500): refused(lambda: fit(small(), tmp_path/'run'), 'cannot be written', 'make room')
    assert not (tmp_path/'run/history.csv').exists()


def everything_of(model):
    from safetensors.torch import save
    return save(model.state_dict())


def test_a_disk_that_fills_up_leaves_what_was_there(copy):
    before = everything(copy)
    with no_file_above(3000): refused(lambda: train(copy, 3, resume=True), 'cannot be written', 'make room')
    assert everything(copy) == before
    with no_file_above(100): refused(lambda: write_atomic(copy/'checkpoint.pt', b'x'*1000), 'checkpoint.pt cannot be written')
    with no_file_above(100): refused(lambda: train(copy, 3, force=True), 'cannot be written')
    assert everything(copy) == before
    train(copy, 3, resume=True)
    assert Run(copy).history['epoch'] == [1, 2, 3]


@pytest.mark.parametrize('write', [
    lambda f: fit(small(), f), lambda f: fit(small(), f/'new'), lambda f: Run(f/'new').begin(), lambda f: Run(f, force=True).begin(),
    lambda f: write_atomic(f/'there.txt', b''), lambda f: check_writable(f/'a.txt'), lambda f: claim(f/'claims/a'), lambda f: shipped('lstm').copy(f/'lstm'),
    lambda f: seqgen_reproduce(profile='tiny', dataset='typeset', out=str(f))
], ids=['fit', 'fit below', 'begin', 'force', 'write', 'check', 'claim', 'copy', 'reproduce'])
def test_a_folder_that_may_not_be_written(write):
    with read_only() as folder: refused(lambda: write(folder), 'cannot be written', 'name another file or folder')


def test_a_folder_that_may_not_be_read(whole):
    folder = Path(shutil.copytree(whole, Path(tempfile.mkdtemp())/'run'))
    folder.parent.chmod(0o755)
    folder.chmod(0o755)
    for path in folder/'weights.safetensors', folder/'history.csv', folder/'config.json', folder, folder.parent:
        path.chmod(0)
        try:
            with nobody(): refused(lambda: (Run(folder).network(), Run(folder/'new').begin()), 'cannot be ', 'name another')
        finally: path.chmod(0o755)
    shutil.rmtree(folder.parent)


def test_a_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path/'file').write_bytes(b'kept')
    for folder in tmp_path/'file', tmp_path/'file/run': refused(lambda: fit(small(), folder), 'name another')
    (tmp_path/'report.html').mkdir()
    refused(lambda: seqgen_reproduce(profile='tiny', dataset='typeset', out=str(tmp_path)), 'report.html cannot be written', 'it is a folder')
    assert (tmp_path/'file').read_bytes() == b'kept' and not (tmp_path/'lstm').exists()


# where it went on

def test_a_run_that_goes_on_elsewhere_says_both(copy):
    first, threads = Run(copy).device, torch.get_num_threads()
    try:
        torch.set_num_threads(threads + 1)
        assert train(copy, 2, resume=True).device == first, 'nothing was trained here'
        here = devices.device_name()
        train(copy, 3, resume=True)
        train(copy, 4, resume=True)
    finally: torch.set_num_threads(threads)
    run = Run(copy)
    assert run.device == f'{first}, then {here}' and f', {first}, then {here}' in run.origin
    assert len(run.config['continued']) == 1


def test_revision_is_that_of_the_own_checkout(tmp_path, monkeypatch):
    def git(*args): return subprocess.run(['git', '-c', 'user.name=a', '-c', 'user.email=a@b', *args], cwd=tmp_path, check=True, capture_output=True).stdout.decode().strip()
    git('init', '-q')
    git('commit', '-q', '--allow-empty', '-m', 'theirs')
    inside = tmp_path/'site-packages'
    (inside/'nbs').mkdir(parents=True)
    assert devices._checked_out(inside) is None and devices._checked_out(tmp_path) is None
    (tmp_path/'nbs').mkdir()
    assert devices._checked_out(tmp_path) == git('rev-parse', '--short=12', 'HEAD')
    monkeypatch.setenv('GIT_DIR', str(tmp_path/'.git'))  # as in a hook of the user's repository
    assert devices._checked_out(inside) is None
    here = devices._checked_out(root)
    monkeypatch.undo()
    assert here == devices._checked_out(root) == devices.environment()['revision']


# terminals, log files and letters

ANY_LETTER = """
import sys, warnings
warnings.filterwarnings('error', category=EncodingWarning, module='seqgen_nb')
from pathlib import Path
import seqgen_nb.evidence, seqgen_nb.reproduce
from seqgen_nb.commands import seqgen_sample
from seqgen_nb.data import split_palindromes
from seqgen_nb.devices import environment
from seqgen_nb.errors import any_letter
from seqgen_nb.palindromes import LastDigit, fit_palindromes
from seqgen_nb.runs import Run
folder = Path(sys.argv[1])
run = fit_palindromes(LastDigit(n_hidden=4), *split_palindromes(64, 16, 4, 0), Run(folder), 1, device='cpu')
assert Run(folder).origin and len(run.origin.encode())
seqgen_nb.evidence.rules()
environment()
sys.argv = ['seqgen_sample', '--n', '1', '--out', str(folder/'s.png')]
seqgen_sample()
"""


@pytest.mark.parametrize('env', [dict(PYTHONIOENCODING='cp932'), dict(PYTHONIOENCODING='ascii', LC_ALL='C', PYTHONUTF8='0', PYTHONCOERCECLOCALE='0')], ids=['cp932', 'ascii'])
def test_output_that_takes_no_accent(env, tmp_path):
    "The run is kept and the picture written; the letter is replaced. No file is opened without its encoding."
    folder = tmp_path/'é'
    clean = {k: v for k, v in os.environ.items() if not k.startswith(('LC_', 'LANG', 'PYTHONUTF8', 'PYTHONIO'))}
    result = subprocess.run([sys.executable, '-X', 'warn_default_encoding', '-c', ANY_LETTER, folder], capture_output=True, env=clean | env)
    assert result.returncode == 0, result.stderr
    assert Run(folder).config['finished'] and (folder/'s.png').exists()
    assert b'  epoch 1/1  ' in result.stdout and (b's.png' in result.stdout) and b'%|' not in result.stderr


def test_files_are_utf8_by_name():
    "Neither the package nor its tools open a text in the encoding of the machine."
    unnamed = re.compile(r'read_text\(\)|write_text\((?!.*encoding=)|text=True|universal_newlines|(?<![\w.])open\((?!.*(encoding=|b\'))')
    for path in [*(root/'seqgen_nb').glob('*.py'), *(root/'tools').glob('*.py'), root/'setup.py']:
        found = [line for line in path.read_text(encoding='utf-8').splitlines() if unnamed.search(line)]
        assert not found, f'{path.name}: {found}'


class Terminal:
    "Takes everything, and says that it is a terminal."
    encoding, errors = 'utf-8', 'strict'
    def __init__(self, is_one): self.is_one, self.said = is_one, ''
    def isatty(self): return self.is_one
    def write(self, text): self.said += text
    def flush(self): pass


@pytest.mark.parametrize('terminal, disable, bars', [(True, None, True), (True, '0', True), (True, '1', False), (False, None, False), (False, '1', False)])
def test_bars_only_on_terminals(terminal, disable, bars, monkeypatch):
    out, err = Terminal(terminal), Terminal(terminal)
    monkeypatch.setattr(sys, 'stdout', out)
    monkeypatch.setattr(sys, 'stderr', err)
    monkeypatch.delenv('TQDM_DISABLE', raising=False)
    if disable is not None: monkeypatch.setenv('TQDM_DISABLE', disable)
    fit_palindromes(small(), *DATA, Run(), 2, device='cpu')
    monkeypatch.undo()
    assert ('%|' in err.said) == bars and ('\r' in err.said) == bars
    assert len(out.said.splitlines()) == (0 if bars else 2), out.said


WITHOUT_OUTPUT = """
import os, sys
from seqgen_nb.errors import command

@command
def talk():
    for _ in range(9): print('a line')

reader, closed = os.pipe()
os.close(reader)
for at_once in False, True:
    for output in os.open('/dev/full', os.O_WRONLY), closed:
        if not (child := os.fork()):
            os.dup2(output, 1)
            sys.stdout.reconfigure(write_through=at_once)
            talk()
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def test_full_output_is_told_in_a_sentence_and_a_closed_one_not_at_all(tmp_path):
    (tmp_path/'talk.py').write_text(WITHOUT_OUTPUT, encoding='utf-8')
    result = subprocess.run([sys.executable, tmp_path/'talk.py'], capture_output=True, encoding='utf-8')
    assert result.stdout.split() == ['2', '141']*2, result.stderr
    assert result.stderr == 'talk: its output cannot be written (No space left on device): make room, or send it elsewhere\n'*2


# files made to do harm

def config_with(folder, **changes):
    path = folder/'config.json'
    path.write_bytes(json.dumps(json.loads(path.read_bytes()) | changes).encode())


def weights_record(folder, **changes): return dict(weights=json.loads((folder/'config.json').read_bytes())['networks']['weights'] | changes)


NAMES = '../weights', '/etc/passwd', 'a/../../b', 'stages/../../x', 'stages/x', '..', '', 'a\\b', 'C:weights', 'a\0b', 'stages/epoch_' + '9'*5000


@pytest.mark.parametrize('name', NAMES, ids=range(len(NAMES)))
def test_a_name_that_leads_out_of_the_folder(name, copy):
    config_with(copy, networks={name: weights_record(copy)['weights']})
    refused(lambda: Run(copy), 'damaged run', 'no name of a network')
    refused(lambda: shipped('lstm').network(name), 'holds no finished run')


def test_nothing_is_written_outside_the_folder(copy, tmp_path):
    outside = tmp_path/'outside'
    outside.mkdir()
    (copy/'stages').symlink_to(outside)
    for name in '../outside/a.png', str(outside/'a.png'), 'stages/epoch_001.safetensors': refused(lambda: Run(copy).write(name, b'x'), 'leads out of')
    assert not list(outside.iterdir())
    secret = tmp_path/'secret'
    secret.write_bytes(b'secret')
    (copy/'note.txt').symlink_to(secret)
    assert not (Run(copy).copy(tmp_path/'thin').folder/'note.txt').exists()


CONFIGS = dict(
    networks_list=dict(networks=[1]), networks_text=dict(networks='weights'), record=dict(networks=dict(weights=7)), no_sum=dict(networks=dict(weights={'class': 'a', 'arguments': {}})),
    arguments=dict(networks=dict(weights={'class': 'a', 'sha256': 'b', 'arguments': [1]})), klass=dict(networks=dict(weights={'class': ['os'], 'sha256': 'b', 'arguments': {}})),
    settings=dict(settings=7), environment=dict(environment='cpu'), device=dict(environment=dict(device=1)),
    no_device=dict(environment={}), revision=dict(environment=dict(device='cpu', revision=[])), continued=dict(continued='x'), continued_in=dict(continued=[3]), time=dict(wall_time_s='x'), sums=dict(checksums=3))


@pytest.mark.parametrize('changes', CONFIGS.values(), ids=CONFIGS)
def test_a_config_of_odd_parts(changes, copy):
    config_with(copy, **changes)
    refused(lambda: Run(copy), 'damaged run', 'choose another folder')


TEXTS = dict(deep=b'['*100_000, list=b'[]', number=b'3', nothing=b'', bytes=b'\xff\xfe\0', long=b'{"a": ' + b'9'*10_000 + b'}', large=b' '*2**20 + b'{}', half=b'{"settings": {')


@pytest.mark.parametrize('text', TEXTS.values(), ids=TEXTS)
def test_a_config_that_is_none(text, copy):
    (copy/'config.json').write_bytes(text)
    refused(lambda: Run(copy), 'run')
    refused(lambda: load_generator(run=copy), 'run')


HISTORIES = dict(word=b'epoch,loss\n1,x\n', short=b'epoch,loss\n1\n', wide=b'epoch\n' + b'1,'*9 + b'\n', field=b'epoch\n' + b'1'*200_000, nul=b'epoch\n\0\n', bytes=b'\xff', digits='epoch\n²\n'.encode(), rows=b',\n'*9)


@pytest.mark.parametrize('text', HISTORIES.values(), ids=HISTORIES)
def test_a_history_that_is_none(text, copy):
    (copy/'history.csv').write_bytes(text)
    refused(lambda: Run(copy), 'damaged run')


def test_large_numbers_of_a_history_are_floats(copy):
    (copy/'history.csv').write_bytes(b'epoch,loss\n1,' + b'9'*4000 + b'\n')
    assert Run(copy).history == dict(epoch=[1], loss=[float('inf')])


@pytest.mark.parametrize('scores', [b'{}x', b'[1]', b'3', b'['*100_000, b'\xff', b' '*2**21])
def test_scores_that_are_none(scores, copy):
    (copy/'scores.json').write_bytes(scores)
    refused(lambda: Run(copy).scores, 'scores.json')


def kinds_of_no_file(path):
    path.unlink()
    yield path.mkdir
    yield lambda: (path.rmdir(), os.mkfifo(path))
    yield lambda: (path.unlink(), path.symlink_to('/dev/zero'))
    yield lambda: (path.unlink(), path.touch(), os.truncate(path, 2**42))


@pytest.mark.parametrize('name', ['config.json', 'history.csv', 'scores.json', 'weights.safetensors', 'checkpoint.pt', 'samples/epoch_001.png'])
def test_no_pipe_no_device_no_endless_file_is_read(name, copy):
    (copy/name).parent.mkdir(exist_ok=True)
    (copy/name).touch()
    reads = {'scores.json': lambda: Run(copy).scores, 'weights.safetensors': lambda: (Run(copy).network(), load_weights(small(), copy/name)),
             'checkpoint.pt': lambda: train(copy, 3, resume=True), 'samples/epoch_001.png': lambda: animate_training(Run(copy))}
    for make in kinds_of_no_file(copy/name):
        make()
        refused(reads.get(name, lambda: Run(copy)), name)


HUGE = [dict(recurrent='seqgen_nb.lstm.LSTM', n_hidden=n, base=10) for n in (10**6, 5*10**7, 10**30, -1, '9', [], None, 1e3)]
HUGE += [dict(recurrent=r, n_hidden=4, base=10) for r in ('seqgen_nb.lstm.Nothing', 'os.system', 'seqgen_nb.gan.MLPGenerator', 7, 'seqgen_nb.files.write_atomic')]
HUGE += [dict(x=1), dict(recurrent='seqgen_nb.lstm.LSTM', n_hidden=4, base='1'*5000)]


@pytest.mark.parametrize('arguments', HUGE, ids=range(len(HUGE)))
def test_arguments_that_ask_for_too_much(arguments, copy):
    config_with(copy, networks=weights_record(copy, arguments=arguments))
    refused(Run(copy).network)


def test_many_layers_are_refused_before_they_are_made(copy):
    config_with(copy, networks=weights_record(copy, **{'class': 'seqgen_nb.gan.MLPGenerator', 'arguments': dict(n_latent=4, widths=[1]*200_000)}))
    refused(Run(copy).network, 'too long')


@pytest.mark.parametrize('name', ['os.system', 'builtins.eval', 'torch.nn.Linear', 'seqgen_nb.files.write_atomic', 'seqgen_nb.nowhere.Net', 'seqgen_nb..gan.MLPGenerator', 'seqgen_nb.gan.nn.Linear', 'seqgen_nb.gan.torch', '', '.', 'x'*10_000, 'seqgen_nb.gan.\ud800'])
def test_no_other_class_is_made(name, copy):
    config_with(copy, networks=weights_record(copy, **{'class': name}))
    refused(Run(copy).network, 'no network of seqgen_nb')


def header(described, data=b''):
    text = described if isinstance(described, bytes) else json.dumps(described).encode()
    return len(text).to_bytes(8, 'little') + text + data


WEIGHTS = dict(
    nothing=b'', length=b'\xff'*8 + b'{}', long=(10**8).to_bytes(8, 'little') + b'{', text=header(b'{"a":'), list=header([1]), deep=header(b'['*50_000),
    claims=header({'weight': dict(dtype='F32', shape=[2**40, 2**20], data_offsets=[0, 2**62])}), overlap=header({n: dict(dtype='F32', shape=[1], data_offsets=[0, 4]) for n in 'ab'}, b'\0'*4),
    negative=header({'weight': dict(dtype='F32', shape=[-1], data_offsets=[0, 4])}, b'\0'*4), kind=header({'weight': dict(dtype='X', shape=[1], data_offsets=[0, 4])}, b'\0'*4),
    empty=header({'weight': dict(dtype='F32', shape=[0, 2**60], data_offsets=[0, 0])}), pickle=pickle.dumps(dict(a=1)))


@pytest.mark.parametrize('data', WEIGHTS.values(), ids=WEIGHTS)
def test_weights_that_claim_what_they_do_not_hold(data, copy):
    (copy/'weights.safetensors').write_bytes(data)
    refused(Run(copy).network, 'weights.safetensors')
    refused(lambda: load_weights(small(), copy/'weights.safetensors'), 'weights.safetensors')
    config_with(copy, networks=weights_record(copy, sha256=hashlib.sha256(data).hexdigest()))
    refused(Run(copy).network, 'weights.safetensors')


class Harm:
    "Does something when it is unpickled."
    def __init__(self, path): self.path = path
    def __reduce__(self): return os.mkdir, (str(self.path),)


def checkpoint(copy, **changes):
    kept = torch.load(copy/'checkpoint.pt', weights_only=True) | changes
    torch.save(kept, copy/'checkpoint.pt')
    return kept


def test_a_pickle_in_a_checkpoint_is_not_run(copy, tmp_path):
    for save in (lambda: torch.save(dict(a=Harm(tmp_path/'harm')), copy/'checkpoint.pt'), lambda: checkpoint(copy, wall_time_s=Harm(tmp_path/'harm')),
                 lambda: (copy/'checkpoint.pt').write_bytes(pickle.dumps(Harm(tmp_path/'harm'))),
                 lambda: torch.save(dict(a=Harm(tmp_path/'harm')), copy/'checkpoint.pt', _use_new_zipfile_serialization=False)):
        shutil.copy(copy/'checkpoint.pt', tmp_path/'good')
        save()
        refused(lambda: train(copy, 3, resume=True), 'no checkpoint of ours')
        shutil.copy(tmp_path/'good', copy/'checkpoint.pt')
    assert not (tmp_path/'harm').exists()


def compressed(copy):
    with zipfile.ZipFile(copy/'checkpoint.pt') as z: parts = {name: z.read(name) for name in z.namelist()}
    with zipfile.ZipFile(copy/'checkpoint.pt', 'w', zipfile.ZIP_DEFLATED) as z:
        for name, data in parts.items(): z.writestr(name, data)
        z.writestr(f'{next(iter(parts)).split("/")[0]}/data/99', b'\0'*2**24)


def state_with(copy, **changes): return torch.load(copy/'checkpoint.pt', weights_only=True)['state'] | changes


HOSTILE = dict(
    compressed=compressed, none=lambda c: torch.save([1], c/'checkpoint.pt'), no_state=lambda c: checkpoint(c, state={}), state_text=lambda c: checkpoint(c, state='x'),
    wide=lambda c: checkpoint(c, state=state_with(c, model={'head.weight': torch.zeros(1).expand(2**40)})), history=lambda c: checkpoint(c, history=7),
    history_text=lambda c: checkpoint(c, history=dict(epoch=['a', 'b'])), history_uneven=lambda c: checkpoint(c, history=dict(epoch=[1, 2], loss=[1])), history_long=lambda c: checkpoint(c, history=dict(epoch=[1, 2, 3])), history_deep=lambda c: checkpoint(c, history=dict(epoch=[[], []])),
    epoch=lambda c: checkpoint(c, epoch='2'), epochs=lambda c: checkpoint(c, epoch=10**9), time=lambda c: checkpoint(c, wall_time_s='x'), settings=lambda c: checkpoint(c, settings='x'),
    schedule=lambda c: checkpoint(c, state=state_with(c, schedule=dict(step=1, optimizer=2))), rng=lambda c: checkpoint(c, state=state_with(c, rng=torch.zeros(3))),
    rng_text=lambda c: checkpoint(c, state=state_with(c, rng='x')), opt=lambda c: checkpoint(c, state=state_with(c, opt=dict(state=[], param_groups=3))))


@pytest.mark.parametrize('harm', HOSTILE.values(), ids=HOSTILE)
def test_a_checkpoint_made_to_do_harm(harm, copy):
    harm(copy)
    refused(lambda: train(copy, 3, resume=True), 'checkpoint', '--force')


def png(width, height, name):
    Image.new('1', (width, height)).save(name, 'PNG')


def test_pictures_that_are_none(copy, tmp_path):
    (copy/'samples').mkdir()
    path = copy/'samples/epoch_001.png'
    for write in (lambda: path.write_bytes(b''), lambda: path.write_bytes(b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n'), lambda: Image.new('L', (9, 9)).save(path, 'BMP'), lambda: png(8000, 8000, path)):
        write()
        refused(lambda: animate_training(Run(copy)), 'epoch_001.png', 'no PNG file of a sheet')
    png(9, 9, path)
    assert read_png(path).shape == (9, 9)
    png(8, 9, copy/'samples/epoch_002.png')
    (copy/'samples/epoch_x.png').touch()
    refused(lambda: animate_training(Run(copy)), 'several sizes')


def test_texts_of_a_config_are_only_shown(copy):
    config_with(copy, settings=dict(dataset=['a'], seeds=3))
    assert "['a']" in Run(copy).origin
    config_with(copy, settings=dict(dataset=r'$\frac{', seed='<script>'))
    assert learning_curves(shipped('lstm').history, Run(copy).origin) is not None
