"Each public function of the chapters is given arguments of a neighbouring kind: it does the same as for the proper kind, or it answers with one sentence."
import importlib, inspect, math, warnings

import numpy as np
import pytest
import torch
from torch import nn

from seqgen_nb import data, dcgan, explore, gan, latent, long_memory, lstm, metrics, palindromes, plots
from seqgen_nb.data import ImageSet
from seqgen_nb.errors import SeqgenError
from seqgen_nb.inputs import checked
from seqgen_nb.runs import Run

CHAPTERS = data, lstm, palindromes, long_memory, gan, dcgan, metrics, latent, explore

UNTRIED = {  # and why
    'take a network, a run or an optimiser, and no data': 'to_torch from_torch fuse weights_of exactly averaged optimizer_step descend spectral_norms keep_reference show_stages slider_seconds LatentExplorer Choice Nudge Walk Sheet init_default init_xavier init_forget_1 init_chrono mnist_root Attack Certificate Features Measure',
    'steps inside a loop or a proof, called with what the functions around them have checked': 'unroll open_gates update lstm_loop step_back step widen affine_bounds times_gate box_step worst_logits worst_margin first_box latch_box latched_units worst_case_loss open_outwards find_latch certify_box Box Allowance Weights check_latent check_images RNNCell.forward LSTMCell.forward',
    "networks of one's own may do as torch does": 'DigitClassifier.forward LeNet.forward'}

NOT_COMPARED = 'checksum', 'fit_palindromes', 'fit_gan', 'fit_classifier', 'fresh_discriminator'  # bytes of another kind; networks that go on from where they are


def rng(): return torch.Generator().manual_seed(0)
def quiet(): return Run(progress=False)
def untrained_gan(): return dict(generator=gan.MLPGenerator(8, (16,)), discriminator=gan.MLPDiscriminator((16,)))


digits, half, target = (torch.randint(10, shape, generator=rng()) for shape in ((12, 6), (12, 3), (12,)))
uint8 = torch.randint(256, (60, 1, 28, 28), dtype=torch.uint8, generator=rng())
floats, labels = plots.from_uint8(uint8), torch.arange(60) % 10
z, x, h = gan.latents(6, 8), torch.randn(4, 5, 10, generator=rng()), torch.zeros(4, 8)
memory, judge = palindromes.LastDigit(n_hidden=8).eval(), metrics.DigitClassifier(4).eval()
nets = untrained_gan()
small, convolutional = nets['generator'].eval(), dcgan.DCGenerator(8, 4).eval()
step = dict(opt_g=torch.optim.SGD(small.parameters(), lr=0.), opt_d=torch.optim.SGD(nets['discriminator'].parameters(), lr=0.))
sizes = dict(n_in=4, n_hidden=3)

CALLS = [  # function, or network to be called, and its arguments; functions in their place are called for each try
    (data.palindromes, dict(n=5, length=6, seed=0, base=10)),
    (data.mirror, dict(half=half, length=6)),
    (data.split_palindromes, dict(n_train=5, n_held_out=3, length=6, seed=0, base=10)),
    (data.one_hot, dict(digits=digits, base=10)),
    (data.typeset_digits, dict(n=3, seed=0, group=2)),
    (data.checksum, dict(images=uint8)),
    (data.ImageSet, dict(name='digits', images=uint8, labels=labels)),
    (data.load_images, dict(dataset='typeset', split='train', n=3)),
    (data.read_idx, dict(data=b'\0\0\x08\x01\0\0\0\x02ab')),
    (data.mnist, dict(split='train')),
    (lstm.xavier_linear, dict(n_in=4, n_out=3)),
    (lstm.RNNCell, sizes), (lstm.LSTMCell, sizes), (lstm.RNN, sizes), (lstm.LSTM, dict(sizes, forget_bias=1.)),
    (lstm.RNN(10, 8), dict(x=x, state=(h,))),
    (lstm.LSTM(10, 8), dict(x=x, state=(h, h))),
    (lstm.initial_state, dict(cell=lstm.LSTMCell(10, 8), x=x, state=(h, h))),
    (palindromes.LastDigit, dict(n_hidden=4, base=3)),
    (memory, dict(digits=digits)),
    (palindromes.split_target, dict(x=digits)),
    (palindromes.evaluate, dict(model=memory, x=digits, batch=5)),
    (palindromes.fit_palindromes, dict(model=palindromes.LastDigit(n_hidden=4), train=digits, held_out=digits, run=quiet, epochs=1, batch=4, lr=1e-3, seed=0, device='cpu')),
    (palindromes.answers, dict(model=memory, digits=digits[0])), (palindromes.show_answers, dict(model=memory, digits=digits[0])),
    (palindromes.hidden_gradients, dict(model=memory, x=digits)),
    (long_memory.stream, dict(model=memory, half=half, length=6)),
    (long_memory.margin, dict(logits=torch.randn(12, 10, generator=rng()), target=target)),
    (long_memory.long_accuracy, dict(model=memory, length=6, n=12, seed=0, batch=5)),
    (long_memory.init_open_gates, dict(seed=0, n_hidden=4, base=3, forget_bias=5., input_bias=-2.)),
    (long_memory.forward_with_noise, dict(w=long_memory.weights_of(memory), digits=digits, noise=.1, rng=rng)),
    (long_memory.fit_with_noise, dict(seed=0, noise=.2, longest=12, n_hidden=4, stages=(2, 2), lr=1e-3, batch=4)),
    (long_memory.fit_latch, dict(seed=0, n_hidden=4, base=3, position=0, updates=3, lr=1e-3, noise=.1, batch=4, among=2)),
    (long_memory.beginnings, dict(base=4, position=1)),
    (long_memory.certify, dict(model=memory, position=0, steps=3)),
    (long_memory.reach, dict(model=memory, steps=2, position=0)),
    (long_memory.attack, dict(model=memory, steps=3, width=5)),
    (gan.MLPGenerator, dict(n_latent=4, widths=(8,))), (gan.MLPDiscriminator, dict(widths=(8,))),
    (small, dict(z=z)), (convolutional, dict(z=z)),
    (nets['discriminator'], dict(x=floats[:5])), (dcgan.SNDiscriminator(4).eval(), dict(x=floats[:5])),
    (dcgan.DCGenerator, dict(n_latent=4, width=2)), (dcgan.SNDiscriminator, dict(width=2)),
    (gan.discriminator_loss, dict(real=z[0], fake=z[1])), (gan.generator_loss, dict(fake=z[0])),
    (gan.gan_step, dict(nets, **step, real=floats[:6], z=z, precision='float32')),
    (gan.latents, dict(n=3, n_latent=4, seed=0)),
    (gan.sample, dict(generator=small, z=z, batch=4)),
    (gan.ring, dict(n=4, rng=rng)),
    (gan.mode_shares, dict(points=gan.CENTRES)), (gan.modes_found, dict(points=gan.CENTRES)),
    (gan.plane_networks, dict(seed=0)),
    (gan.fit_ring, dict(seed=0, steps=2, lr=1e-3, lr_d=1e-3, every=1)),
    (gan.Recipe, dict(epochs=1, batch=16, lr=1e-3, lr_d=1e-3, seed=0, ema=.9, sample_every=1)),
    (gan.fit_gan, dict(untrained_gan(), images=uint8, run=quiet, device='cpu', epochs=1, batch=16, lr=1e-3, seed=0, sample_every=1)),
    (gan.one_epoch, dict(step=lambda real: torch.zeros(6), images=uint8, batch=16, rng=rng)),
    (gan.fresh_discriminator, dict(untrained_gan(), images=uint8, held_out=uint8, epochs=1, batch=16, lr=1e-3, seed=0)),
    (metrics.DigitClassifier, dict(width=2)), (metrics.LeNet, {}),
    (metrics.accuracy, dict(model=judge, images=ImageSet('digits', uint8, labels))),
    (metrics.fit_classifier, dict(model=metrics.DigitClassifier(2), train=ImageSet('digits', uint8, labels), held_out=ImageSet('digits', uint8, labels), run=quiet, epochs=1, batch=20, lr=1e-3, seed=0, device='cpu')),
    (metrics.extract_features, dict(images=floats[:5], judge='classifier')),
    (metrics.extract_features, dict(images=uint8[:5], judge='lenet')),
    (metrics.reference, dict(judge='lenet')),
    (metrics.neighbours, dict(fake=z, real=torch.randn(7, 8, generator=rng()), k=2)),
    (metrics.score, dict(images=uint8, n=50, judge='classifier')),
    (metrics.score_by_judges, dict(images=floats[:30], against=uint8[:30], n=30)),
    (metrics.inception_distance, dict(images=uint8[:1], real=uint8[:1])),  # more would take the weights of Inception
    (metrics.add_noise, dict(images=uint8, sigma=.1, seed=0)),
    (metrics.blur, dict(images=uint8, sigma=1.)),
    (metrics.repeat, dict(images=uint8, n=70)),
    *((metrics.corrupted, dict(real=ImageSet('digits', uint8, labels), how=how, level=level, n=20)) for how, level in dict(noise=.1, blur=1., repetition=5, digits=3, without=4).items()),
    (metrics.values, dict(records=[dict(frechet=1.)], measure='frechet', judge='classifier')),
    (metrics.separates, dict(measure='frechet', a=[1.], b=[2.])),
    (metrics.score_table, dict(rows=dict(a=dict(frechet=1.)), measures=('frechet',))),
    (latent.lerp, dict(z1=z[0], z2=z[1], t=.5)), (latent.slerp, dict(z1=z[0], z2=z[1], t=.5)),
    (latent.path, dict(z1=z[0], z2=z[1], steps=4, how='spherical')),
    (latent.interpolate, dict(generator=small, z1=z[0], z2=z[1], steps=4, how='linear')),
    (latent.show_walks, dict(generators=dict(GAN=small), seed=0, steps=3)),
    *((f, dict(generator=small, how='spherical', pairs=3, step=1e-3, seed=0)) for f in (latent.path_speeds, latent.path_length)),
    (latent.jacobian, dict(generator=small, z=z[0], step=.05)),
    (latent.mean_response, dict(generator=small, seed=0, points=2)),
    (latent.directions, dict(generator=small, n=3, seed=0, points=2)),
    (explore.picture, dict(images=floats[:6], columns=3)),
    (plots.to_uint8, dict(images=floats)), (plots.from_uint8, dict(images=uint8)),
    (plots.tile, dict(images=uint8[:6], columns=3)), (plots.png, dict(sheet=uint8[0, 0]))]


def name_of(f): return f.__qualname__ if hasattr(f, '__qualname__') else type(f).__qualname__ + '.forward'


def neighbours(value):
    "Values of a neighbouring kind, and whether they mean the same."
    if isinstance(value, torch.Tensor):
        value = value.detach()
        yield from ((value.numpy(), True), (value.tolist(), True), (value[:0], False), ('images', False), (value.to(torch.complex64), False))
        if value.is_floating_point(): yield from ((value.double(), True), (value.double().numpy(), True), (value.half(), False), (value.long(), False))
        else:
            yield from ((value.to(kind), True) for kind in (torch.int64, torch.int32, torch.int16, torch.uint8) if value.max() < 256)
            yield from ((value.int().numpy(), True), (value.float(), False), (value.int() - 1, False), (value.bool(), False))
        if value.dtype == torch.uint8: yield value/255, False
    elif isinstance(value, int): yield from ((np.int64(value), True), (np.int16(value), True), (torch.tensor(value), True), *((v, False) for v in (0, -1, value + .5, float(value), str(value), 2**70)))
    elif isinstance(value, float): yield from ((np.float64(value), True), (torch.tensor(value, dtype=torch.float64), True), *((v, False) for v in (np.float32(value), 0., math.nan, str(value))))
    elif isinstance(value, str): yield 'nonsense', False
    elif isinstance(value, ImageSet): yield from ((ImageSet('of NumPy', value.images.numpy(), value.labels.int().numpy()), True), (ImageSet('other integers', value.images.long(), value.labels.byte()), True))
    elif type(value) is tuple and isinstance(value[0], torch.Tensor): yield from ((tuple(t.numpy() for t in value), True), ([t.double() for t in value], True), (value[:0], False))


def call(f, arguments):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        given = {k: v() if v is rng or v is quiet else v for k, v in arguments.items()}
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return f(**given)


def same(a, b):
    if isinstance(a, torch.Tensor): return a.shape == b.shape and torch.allclose(a.detach().double(), b.detach().double(), atol=1e-5)
    if isinstance(a, (tuple, list)): return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict): return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, float): return math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-6)
    return a == b if isinstance(a, (int, str, bytes)) else True


@pytest.mark.parametrize('f, arguments', CALLS, ids=lambda v: name_of(v) if callable(v) else '')
def test_neighbouring_kinds(f, arguments):
    try: expected, refused = call(f, arguments), False
    except SeqgenError: refused = True  # no MNIST here, or too few images for Inception
    for argument, proper in arguments.items():
        for value, alike in neighbours(proper):
            told = f'{name_of(f)}({argument}={type(value).__name__} {getattr(value, "dtype", value)})'
            try: found = call(f, {**arguments, argument: value})
            except SeqgenError as e:
                assert '\n' not in str(e) and len(str(e)) < 400, told
                continue
            except Exception as e: pytest.fail(f'{told}: {type(e).__name__}: {e}')
            if alike and not refused and name_of(f) not in NOT_COMPARED: assert same(expected, found), told


def test_every_public_function_is_tried():
    "Or is on the list of those that are not, with the reason."
    public = {name for module in CHAPTERS for name in module.__all__ if callable(getattr(module, name))}
    tried, untried = {name_of(f) for f, _ in CALLS}, set(' '.join(UNTRIED.values()).split())
    patched = {name for name in public if getattr(getattr(explore, name, None), '__module__', '') != 'seqgen_nb.explore' and name in explore.__all__}
    assert public - patched == (tried | untried) & public
    assert not tried & untried


@pytest.mark.parametrize('n', range(1, 13))
def test_scores_of_few_images(n):
    "From the smallest number on, the scores are numbers, or it is said how many images they need."
    try: found = metrics.score(uint8[:n], n=n)
    except SeqgenError as e: assert n < 6 and f'n is {n}: give a whole number, 6 or more' in str(e)
    else: assert n >= 6 and all(math.isfinite(v) for v in found.values())


def test_images_from_0_to_1_are_told():
    unit = uint8/255
    for ask in (metrics.extract_features, lambda images: metrics.score(images, n=50)):
        with pytest.warns(UserWarning, match=r'reach from 0 to 1, .* give 2\*x - 1'): ask(unit)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        metrics.extract_features(floats)
    with pytest.warns(UserWarning, match='reach from 0 to 255'): plots.tile(uint8.float())


def test_default_and_missing_arguments():
    "`checked` leaves both to Python."
    @checked
    def f(a:int, b:int=None, *, c:float=1.): return a, b, c
    assert f(np.int8(1)) == (1, None, 1.) and f(1, b=None, c=2) == (1, None, 2)
    for wrong in (lambda: f(), lambda: f(1, 2, 3), lambda: f(1, d=3)):
        with pytest.raises(TypeError, match='argument'): wrong()
    with pytest.raises(SeqgenError, match='a is None: give a whole number'): f(None)
