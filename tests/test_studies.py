"Every run that ships has a command that rebuilds it, with the settings that it was recorded with."
import json
from pathlib import Path

import pytest
import torch

from seqgen_nb.data import ImageSet
from seqgen_nb.reproduce import rebuild
from seqgen_nb.runs import Run
from seqgen_nb.studies import STUDIES

assets = Path(__file__).resolve().parent.parent/'seqgen_nb/assets'
shipped = sorted(p.parent.name for p in assets.glob('*/config.json'))

# what depends on the images themselves or on the processor, and what was not recorded at first
LOCAL, LATER = {'checksum', 'precision'}, {'lr_d', 'ema', 'precision'}


class Asked(Exception): pass


class Planned(Run):
    "A run that stops where training would begin, and tells its settings."
    def begin(self, epochs=None, device=None, **settings):
        raise Asked(json.loads(json.dumps(dict(settings, epochs=epochs), default=str)))


def images(split):
    "As many as MNIST has, all black."
    n = dict(train=60_000, test=10_000)[split]
    return ImageSet(f'MNIST {split}', torch.zeros(n, 1, 28, 28, dtype=torch.uint8), torch.zeros(n, dtype=torch.int64))


def planned(name):
    with pytest.raises(Asked) as stopped: rebuild(name, Planned(), images, 'cpu')
    return stopped.value.args[0]


@pytest.mark.parametrize('name', shipped)
def test_shipped_run_is_the_one_that_its_command_makes(name):
    recorded, asked = json.loads((assets/name/'config.json').read_text())['settings'], planned(name)
    assert set(recorded) <= set(asked) and set(asked) - set(recorded) <= LATER
    of_images = 'MNIST' in asked['dataset']  # the checksum of palindromes is the same everywhere
    differ = {k: (v, asked[k]) for k, v in recorded.items() if v != asked[k] and not (of_images and k in LOCAL)}
    assert not differ


def test_runs_of_mnist_saw_the_same_images():
    settings = [json.loads((assets/name/'config.json').read_text())['settings'] for name in shipped]
    sums = {s['checksum'] for s in settings if s['dataset'] == 'MNIST train' and 'checksum' in s}
    assert sums == {'6510e85a72c3e9475c492d559d3770d2'}


@pytest.mark.parametrize('name', STUDIES)
def test_study_can_begin(name):
    "Also one that does not ship yet."
    assert planned(name)['epochs'] >= 1 and STUDIES[name].question.endswith('?')
