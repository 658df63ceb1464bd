"What the chapter on data refuses, and the ends of its range."
import pytest
import torch

from seqgen_nb.data import load_images, mnist, one_hot, palindromes, split_palindromes, typeset_digits
from seqgen_nb.errors import SeqgenError


def as_set(x): return set(map(tuple, x.tolist()))


def test_shortest_palindromes():
    x = palindromes(5, length=2, seed=0)
    assert x.shape == (5, 2) and torch.equal(x[:, 0], x[:, 1])
    assert palindromes(0, length=3, seed=0).shape == (0, 3)


@pytest.mark.parametrize('n_held_out', [0, 1, 30, 99])
def test_split_of_few_palindromes(n_held_out):
    "Of the hundred palindromes of length 4 all but one may be held out; all others turn up in training."
    train, held_out = split_palindromes(2000, n_held_out, length=4, seed=0)
    assert len(as_set(held_out)) == n_held_out == len(held_out)
    assert as_set(train).isdisjoint(as_set(held_out)) and len(as_set(train)) == 100 - n_held_out


def test_split_is_of_its_seed():
    first, again, other = (split_palindromes(50, 20, length=9, seed=s) for s in (3, 3, 4))
    for a, b, c in zip(first, again, other): assert torch.equal(a, b) and not torch.equal(a, c)


@pytest.mark.parametrize('call, message', [
    (lambda: palindromes(5, length=1, seed=0), 'ask for a length of 2 or more'),
    (lambda: split_palindromes(100, 100, length=4, seed=0), 'leave none to train on, for there are 100'),
    (lambda: one_hot(torch.tensor([3, 12])), 'digit 12 is outside base 10'),
    (lambda: one_hot(torch.tensor([3, -1])), 'digit -1 is outside base 10'),
    (lambda: mnist('dev'), 'choose train or test'),
    (lambda: load_images('typeset', n=0), 'ask for 1 or more'),
    (lambda: load_images('typeset', split='dev'), 'choose train or test'),
    (lambda: load_images('cifar'), 'choose auto, mnist or typeset')])
def test_refusals(call, message):
    with pytest.raises(SeqgenError, match=message): call()


def test_folder_without_mnist_and_damaged_file(tmp_path):
    "The two are told apart, and `auto` does not fall back to fonts where the user named a folder."
    for load in (lambda: mnist('train', root=tmp_path), lambda: load_images('auto', root=tmp_path)):
        with pytest.raises(SeqgenError, match='holds no MNIST'): load()
    (tmp_path/'MNIST/raw').mkdir(parents=True)
    (tmp_path/'MNIST/raw/train-images-idx3-ubyte').write_bytes(b'cut short')
    for load in (lambda: mnist('train', root=tmp_path), lambda: load_images('auto', root=tmp_path)):
        with pytest.raises(SeqgenError, match='truncated or altered'): load()


def test_fonts_take_the_place_of_mnist(monkeypatch, tmp_path):
    "Without a named folder and without a network, `auto` warns; `mnist` is an error."
    monkeypatch.delenv('SEQGEN_DATA', raising=False)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.setattr('torchvision.datasets.MNIST.mirrors', ['http://127.0.0.1:9/'])
    with pytest.warns(UserWarning, match='take the place of MNIST'): found = load_images('auto', n=7)
    assert found.name == 'typeset digits train, 7 of them' and len(found.labels) == 7
    assert found.why.startswith('auto: MNIST could not be downloaded') and load_images('typeset', n=7).why == 'as asked for'
    with pytest.raises(SeqgenError, match='could not be downloaded'): load_images('mnist')


def test_no_images_and_every_digit():
    assert typeset_digits(0, seed=0)[0].shape == (0, 1, 28, 28)
    assert typeset_digits(500, seed=0)[1].unique().tolist() == list(range(10))
