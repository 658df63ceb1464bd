"Several runs side by side: two real processes, one of them killed in the middle of its work, and two machines that share a folder."
import os, re, shutil, signal, socket, subprocess, sys, time

import pytest

from test_commands import TINY, bin, command, contents, refused

EPOCHS = 6
NAMES = [f'{kind}{seed}' for seed in ('', '_seed1') for kind in ('lstm', 'gan', 'dcgan')]
one_thread = dict(OMP_NUM_THREADS='1')  # as the workers have, so that the bytes are the same


def until(condition, seconds=600):
    "Wait for what a condition gives, as long as a busy machine needs."
    deadline = time.time() + seconds
    while time.time() < deadline:
        found = condition()
        if found: return found
        time.sleep(.005)
    raise TimeoutError


@pytest.fixture(scope='module')
def undisturbed(tmp_path_factory):
    "Two seeds of each network, one run after the other in one process."
    folder = tmp_path_factory.mktemp('launcher')/'out'
    result = command(*TINY, '--seeds', 2, '--epochs', EPOCHS, '--out', folder, **one_thread)
    assert result.returncode == 0, result.stderr
    return folder


def test_each_seed_has_its_folder_and_its_line(undisturbed):
    assert sorted(p.name for p in undisturbed.iterdir()) == sorted([*NAMES, 'figures', 'report.html'])
    page = (undisturbed/'report.html').read_text()
    for words in 'seeds 0 to 1', 'precision, recall, seed 1', 'over 2 seeds': assert words in page
    assert contents(undisturbed/'gan') != contents(undisturbed/'gan_seed1')


def rows(run): return len((run/'history.csv').read_text().splitlines()) - 1 if (run/'history.csv').exists() else 0


def test_killed_worker_goes_on_and_ends_at_the_same_bits(undisturbed, tmp_path):
    "A GAN's process gets a signal that it can't catch; the launcher starts both again."
    options = [bin/TINY[0], *TINY[1:], '--seeds', '2', '--jobs', '2', '--epochs', str(EPOCHS), '--out', tmp_path/'out']
    process = subprocess.Popen(options, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **one_thread})
    runs = [tmp_path/'out'/name for name in NAMES if 'gan' in name]
    begun = lambda: process.poll() is not None or next((r for r in runs if 1 <= rows(r) < EPOCHS), None)
    try:
        victim = until(begun)
        assert process.poll() is None, process.communicate()
        claim, = (tmp_path/'out/.claims').glob(f'*/{victim.name}')
        os.kill(int(claim.read_text().split()[1]), signal.SIGKILL)
        done, finished = rows(victim), (victim/'weights.safetensors').exists()
        said, errors = process.communicate(timeout=600)
    finally: process.terminate()
    assert process.returncode == 0, errors
    assert 1 <= done < EPOCHS and not finished, f'the signal came too late: {done} epochs were done'
    assert 'exitcode: -9' in errors
    for name in NAMES: assert contents(tmp_path/'out'/name) == contents(undisturbed/name), name
    assert not (tmp_path/'out/.claims').exists() and (tmp_path/'out/report.html').exists()

    lines = re.findall(r'^(\w+)  epoch (\d+)/\d+  .* s$', said, re.M)
    assert len(lines) == len([l for l in said.splitlines() if '  epoch ' in l]), 'lines of two processes run into each other'
    assert {name for name, _ in lines} == set(NAMES)
    assert len(lines) == len(set(lines)), 'an epoch that had its checkpoint was trained again'


RESTARTED = """
import os, time
from torch import distributed as dist
from seqgen_nb.launch import _join, launch

def work(argument):
    attempt, rank = int(os.environ['TORCHELASTIC_RESTART_COUNT']), os.environ['RANK']
    if attempt and rank == '0': time.sleep(2)   # so the other looks for its address before it is there
    _join()
    dist.barrier()
    if not attempt and rank == '1': os.kill(os.getpid(), 9)
    if not attempt: time.sleep(60)
    return f'met in attempt {attempt}'

if __name__ == '__main__': print(launch(work, None, 2))
"""


def test_restarted_processes_read_no_old_addresses(tmp_path):
    "The launcher's store outlives an attempt; the addresses of dead processes in it must not be taken for those of the living."
    (tmp_path/'restarted.py').write_text(RESTARTED)
    result = subprocess.run([sys.executable, 'restarted.py'], cwd=tmp_path, capture_output=True, text=True, timeout=300, env={**os.environ, **one_thread})
    assert 'met in attempt 1' in result.stdout, result.stderr


def free_port():
    with socket.socket() as s:
        s.bind(('localhost', 0))
        return s.getsockname()[1]


def test_two_launchers_share_a_folder(undisturbed, tmp_path):
    "As on two machines: a launcher on each, which meet, and whose workers train each run once. What there is is kept."
    meet = f'--rdzv-backend=c10d --rdzv-endpoint=localhost:{free_port()} --rdzv-id=shared --local-addr=localhost'
    start = [sys.executable, '-m', 'torch.distributed.run', '--nnodes=2', '--nproc-per-node=1', *meet.split(), '-m', 'seqgen_nb.reproduce']
    options = *TINY[1:], '--seeds', '2', '--epochs', str(EPOCHS), '--out', str(tmp_path/'out')
    machines = [subprocess.Popen([*start, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **one_thread}) for _ in 'ab']
    try: said, errors = zip(*(m.communicate(timeout=600) for m in machines))
    finally:
        for m in machines: m.terminate()
    assert [m.returncode for m in machines] == [0, 0], errors
    for name in NAMES: assert contents(tmp_path/'out'/name) == contents(undisturbed/name), name
    assert sorted('report.html' in s for s in said) == [False, True]
    trained = [set(re.findall(r'^(\w+)  epoch', s, re.M)) for s in said]
    assert trained[0] | trained[1] == set(NAMES) and not trained[0] & trained[1] and all(trained)


def test_what_fails_does_not_stop_the_others(undisturbed, tmp_path):
    "One run belongs to another configuration; the others are finished, and the message names it."
    shutil.copytree(undisturbed/'dcgan', tmp_path/'dcgan')
    other = *TINY, '--epochs', EPOCHS, '--seed', 7, '--jobs', 2, '--out', tmp_path
    refused(command(*other, **one_thread), 'holds a run already', '--resume', '--force')
    refused(command(*other, '--resume', **one_thread), 'dcgan', 'belongs to another configuration')
    for kind in 'lstm', 'gan': assert (tmp_path/kind/'weights.safetensors').exists()
