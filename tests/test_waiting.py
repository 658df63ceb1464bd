"Commands let torch's threads sleep while they wait, and nothing else does."
import os, subprocess, sys

import pytest

IMPORT = """
import os, sys
class NoTorch:
    def find_spec(self, name, *args):
        if name == 'torch': raise ImportError('here torch would read its settings')
sys.meta_path.insert(0, NoTorch())
sys.argv = ['{program}']
try: import seqgen_nb.{module}
except ImportError as e: assert 'here torch' in str(e), e
print(os.environ.get('OMP_WAIT_POLICY'))
"""


def policy(program, module, **env):
    "What torch would find."
    inherited = {k: v for k, v in os.environ.items() if k not in ('OMP_WAIT_POLICY', 'GOMP_SPINCOUNT', 'KMP_BLOCKTIME')}
    return subprocess.run([sys.executable, '-c', IMPORT.format(program=program, module=module)], env={**inherited, **env}, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize('program, module', [
    ('seqgen_reproduce', 'reproduce'), ('/bin/seqgen_sample', 'commands'), ('seqgen_live', 'live'), ('/lib/seqgen_nb/reproduce.py', 'reproduce')])
def test_commands_wait_passively(program, module): assert policy(program, module) == 'passive'


def test_own_programs_are_left_alone(): assert policy('train.py', 'reproduce') == policy('train.py', 'gan') == policy('seqgen_bench', 'bench') == 'None'


def test_own_settings_win():
    assert policy('seqgen_reproduce', 'reproduce', OMP_WAIT_POLICY='active') == 'active'
    for name in 'GOMP_SPINCOUNT', 'KMP_BLOCKTIME': assert policy('seqgen_reproduce', 'reproduce', **{name: '100'}) == 'None'
