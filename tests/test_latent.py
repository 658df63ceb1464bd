"What the functions of chapter 8 refuse, each with its cause and the way out."
import pytest
import torch

from seqgen_nb.errors import SeqgenError
from seqgen_nb.gan import latents
from seqgen_nb.latent import interpolate, slerp
from seqgen_nb.runs import pretrained

z1, z2 = latents(2, seed=0)


def test_a_zero_vector_has_no_direction():
    with pytest.raises(SeqgenError, match='no direction'): slerp(z1, torch.zeros(100), .5)


@pytest.mark.parametrize('change, why', [
    (dict(steps=1), 'ask for 2 or more'),
    (dict(how='cubic'), 'choose linear or spherical'),
    (dict(z1=z1[:50], z2=z2[:50]), r'takes \(batch, 100\)'),
])
def test_interpolate_refuses(change, why):
    with pytest.raises(SeqgenError, match=why): interpolate(pretrained('dcgan'), **dict(dict(z1=z1, z2=z2), **change))
