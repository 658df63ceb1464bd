"What certificates refuse beyond the chapter's examples, and whether their bounds are neither too narrow by rounding nor blind to a digit."
import math

import pytest
import torch

from seqgen_nb.long_memory import (
    Allowance, U, box_step, certify, exactly, first_box, init_open_gates, step, weights_of)
from seqgen_nb.palindromes import LastDigit
from seqgen_nb.runs import shipped

every = torch.arange(10)


@pytest.fixture(scope='module')
def certified(): return shipped('long_memory').network('seed_0')


def test_weights_that_are_not_finite_are_refused():
    broken = init_open_gates(0)
    with torch.no_grad(): broken.head.weight[3, 4] = math.nan
    assert 'not finite' in certify(broken).reason


def test_coarse_weights_are_refused():
    mixed = init_open_gates(0)
    mixed.recurrent.bfloat16()
    for model in mixed, init_open_gates(0).bfloat16():
        assert not certify(model).holds and 'bfloat16' in certify(model).reason


def test_another_forward_is_refused():
    class Opposite(LastDigit):
        def forward(self, digits): return -super().forward(digits)
    assert 'a forward of its own' in certify(Opposite(n_hidden=4)).reason


def test_rounding_leaves_bounds_without_allowances(certified):
    (w, allow), zero = exactly(certified), torch.zeros(10, 16)
    h, _ = step(weights_of(certified), every, zero, zero)
    outside = lambda box: ((h < box.h[0]) | (h > box.h[1])).any()
    assert outside(first_box(w, every[:, None], Allowance(function_error=0.)))
    assert not outside(first_box(w, every[:, None], allow))


def test_box_without_a_digit_is_too_small(certified):
    w, allow = exactly(certified)
    first = first_box(w, every[:, None], allow)
    few, all_ten = (box_step(w, first, digits[None], allow) for digits in (every[:9], every))
    assert (all_ten.h[0] < few.h[0] - 1e-3).any()


@pytest.mark.parametrize('function', [torch.sigmoid, torch.tanh])
def test_functions_keep_to_half_of_their_allowance(function):
    x = torch.linspace(-20, 20, 10_000_001)
    assert (function(x).double() - function(x.double())).abs().max() < 8*U
