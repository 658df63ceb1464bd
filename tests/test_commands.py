"The commands as a user runs them: in a process of their own, interrupted, killed, and given nonsense."
import json, os, resource, signal, subprocess, sys, time
from pathlib import Path

import pytest
from PIL import Image

from seqgen_nb.commands import animate_training
from seqgen_nb.errors import SeqgenError
from seqgen_nb.runs import shipped

bin = Path(sys.executable).parent
TINY = 'seqgen_reproduce', '--profile', 'tiny', '--dataset', 'typeset', '--device', 'cpu'


def command(name, *options, **env): return subprocess.run([bin/name, *map(str, options)], capture_output=True, encoding='utf-8', env={**os.environ, **env}, timeout=600)


def refused(result, *words):
    "One line on standard error that holds `words`, exit code 2, no traceback."
    lines = [l for l in result.stderr.splitlines() if l.strip() and '%|' not in l]
    assert result.returncode == 2, result.stderr
    assert len(lines) == 1, result.stderr
    for word in words: assert word in lines[0]


def contents(run):
    "What must be the same to the last bit in two runs of the same settings."
    names = 'history.csv', 'weights.safetensors', 'discriminator.safetensors'
    files = [run/n for n in names if (run/n).exists()] + sorted((run/'samples').glob('*.png'))
    return {str(f.relative_to(run)): f.read_bytes() for f in files}


@pytest.fixture(scope='module')
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp('reproduce')/'out'
    result = command(*TINY, '--epochs', 6, '--out', folder)
    assert result.returncode == 0, result.stderr
    assert 'report.html' in result.stdout and 'typeset digits' in result.stdout
    return folder


def test_writes_everything(out):
    assert sorted(p.name for p in (out/'figures').iterdir()) == [f'figure_{i}.png' for i in range(1, 7)]
    page = (out/'report.html').read_text(encoding='utf-8')
    assert page.count('data:image/png;base64,') == 6 and 'src="http' not in page
    for name in 'lstm', 'gan', 'dcgan': assert {'config.json', 'history.csv', 'weights.safetensors', 'checkpoint.pt'} <= {p.name for p in (out/name).iterdir()}
    assert sorted(p.stem for p in (out/'gan/samples').iterdir()) == [f'epoch_{i:03}' for i in range(7)]


def test_refuses_to_overwrite(out):
    refused(command(*TINY, '--epochs', 6, '--out', out), 'already', '--resume', '--force')
    refused(command(*TINY, '--epochs', 6, '--seed', 1, '--resume', '--out', out), 'belongs to another configuration', 'seed is 0 there, 1 here')


def test_sample_and_interpolate(out, tmp_path):
    for options in ([], ['--gan', 'gan'], ['--run', out/'dcgan']):
        assert command('seqgen_sample', *options, '--out', tmp_path/'s.png').returncode == 0
        assert Image.open(tmp_path/'s.png').size == (152, 152)
    assert command('seqgen_interpolate', '--how', 'linear', '--steps', 7, '--out', tmp_path/'w.png').returncode == 0
    assert Image.open(tmp_path/'w.png').size == (212, 32)
    assert command('seqgen_interpolate', '--out', tmp_path/'w.gif').returncode == 0
    assert Image.open(tmp_path/'w.gif').n_frames == 40


@pytest.mark.parametrize('options, words', [
    (['--profile', 'huge'], ['unknown profile', 'choose']),
    (['--device', 'abacus', '--dataset', 'typeset', '--profile', 'tiny'], ["unknown device 'abacus'", 'choose']),
    (['--dataset', 'cifar'], ["unknown dataset 'cifar'", 'choose']),
    (['--data-dir', '/nonexistent'], ['holds no MNIST', 'typeset']),
    (['--width', '-1'], ['give 1 or more']),
    (['--epochs', '0'], ['give 1 or more']),
    (['--resume', '--force', '--profile', 'tiny', '--dataset', 'typeset'], ['give one of them']),
])
def test_nonsense_is_refused(options, words, tmp_path): refused(command('seqgen_reproduce', *options, '--out', tmp_path/'out'), *words)


def test_sample_and_score(tmp_path):
    "The scores need no copy of MNIST."
    result = command('seqgen_sample', '--score', '--out', tmp_path/'s.png', SEQGEN_DATA=str(tmp_path))
    assert result.returncode == 0, result.stderr
    said = dict(line.rsplit(maxsplit=1) for line in result.stdout.splitlines()[1:])
    assert said['images'] == '10,000' and said['digits found'] == '10' and 0 < float(said['frechet']) < 5


@pytest.mark.parametrize('name, options, words', [
    ('seqgen_sample', ['--run', 'nowhere'], ['nowhere holds no run', 'name a folder']),
    ('seqgen_sample', ['--run', shipped('lstm').folder], ['draws no images', 'name the run of a GAN']),
    ('seqgen_sample', ['--gan', 'biggan'], ["unknown GAN 'biggan'", 'choose gan or dcgan']),
    ('seqgen_sample', ['--n', '0'], ['ask for 1 to 10,000']),
    ('seqgen_interpolate', ['--out', 'walk.jpg'], ['does not end in .png or .gif']),
    ('seqgen_interpolate', ['--steps', '1'], ['ask for 2 or more']),
    ('seqgen_interpolate', ['--how', 'cubic'], ["unknown interpolation 'cubic'"]),
    ('seqgen_interpolate', ['--out', '/dev/null/walk.png'], ['cannot be written', 'name another file']),
])
def test_samples_and_walks_are_refused(name, options, words): refused(command(name, *options), *words)


def test_a_run_without_samples_makes_no_film():
    with pytest.raises(SeqgenError, match='holds no samples'): animate_training(shipped('lstm'))


def test_a_full_disk_is_told_before_the_training(tmp_path):
    "As a user meets it: one line, nothing trained, and what was there stays."
    def small_files(): resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
    (tmp_path/'report.html').write_bytes(b'kept')
    result = subprocess.run([bin/TINY[0], *TINY[1:], '--out', tmp_path], capture_output=True, encoding='utf-8', preexec_fn=small_files)
    refused(result, 'weights.safetensors cannot be written (File too large)', 'make room')
    assert (tmp_path/'report.html').read_bytes() == b'kept' and not (tmp_path/'lstm').exists()


def test_unknown_benchmark_is_refused(): refused(command('seqgen_bench', 'abacus'), "no benchmark called 'abacus'", 'choose')


def test_altered_data_is_refused(tmp_path):
    raw = tmp_path/'MNIST/raw'
    raw.mkdir(parents=True)
    (raw/'train-images-idx3-ubyte').write_bytes(b'x'*1000)
    refused(command('seqgen_reproduce', '--out', tmp_path/'out', SEQGEN_DATA=str(tmp_path)), 'truncated or altered', 'MD5')


def test_auto_says_what_it_takes(tmp_path):
    env = {k: v for k, v in os.environ.items() if k != 'SEQGEN_DATA'}
    env |= dict(XDG_CACHE_HOME=str(tmp_path/'cache'), http_proxy='http://127.0.0.1:9', https_proxy='http://127.0.0.1:9')
    result = subprocess.run([bin/'seqgen_reproduce', '--profile', 'tiny', '--device', 'cpu', '--epochs', '1', '--out', tmp_path/'out'], capture_output=True, encoding='utf-8', env=env, timeout=300)
    assert result.returncode == 0, result.stderr
    warned = [l for l in result.stderr.splitlines() if 'digits from fonts take the place of MNIST' in l]
    assert len(warned) == 1
    assert 'typeset digits' in (tmp_path/'out/gan/config.json').read_text(encoding='utf-8') and 'typeset digits' in (tmp_path/'out/report.html').read_text(encoding='utf-8')
    why = json.loads((tmp_path/'out/dcgan/config.json').read_text(encoding='utf-8'))['dataset_why']
    assert why.startswith('auto: MNIST could not be downloaded') and why in result.stdout.splitlines()[-1] and 'typeset digits train' in result.stdout.splitlines()[-1]


def test_damaged_checkpoint_is_refused(out, tmp_path):
    import shutil
    copy = shutil.copytree(out, tmp_path/'out')
    (copy/'gan/checkpoint.pt').write_bytes((copy/'gan/checkpoint.pt').read_bytes()[:1000])
    refused(command(*TINY, '--epochs', 6, '--resume', '--out', copy), 'truncated or no checkpoint of ours', '--force')
    (copy/'gan/weights.safetensors').write_bytes(b'')
    refused(command('seqgen_sample', '--run', copy/'gan', '--out', tmp_path/'s.png'), 'missing, truncated or altered')


@pytest.mark.parametrize('sign, code', [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_interrupted_and_resumed_ends_at_the_same_bits(out, tmp_path, sign, code):
    "Interrupt the GAN somewhere in its training, resume, and compare with the run that nobody disturbed."
    heard = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # a job in the background inherits that it is ignored
    process = subprocess.Popen([bin/TINY[0], *TINY[1:], '--epochs', '6', '--out', tmp_path], preexec_fn=heard,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding='utf-8')
    history, deadline = tmp_path/'gan/history.csv', time.time() + 600
    while not history.exists() and time.time() < deadline and process.poll() is None: time.sleep(.005)
    process.send_signal(sign)
    _, said = process.communicate(timeout=600)
    assert process.returncode == code, said
    done = len(history.read_text(encoding='utf-8').splitlines()) - 1
    assert 1 <= done < 6, f'the signal came too late: {done} epochs were done'
    assert not (tmp_path/'gan/weights.safetensors').exists()
    result = command(*TINY, '--epochs', 6, '--resume', '--out', tmp_path)
    assert result.returncode == 0, result.stderr
    for name in 'lstm', 'gan', 'dcgan': assert contents(tmp_path/name) == contents(out/name)
