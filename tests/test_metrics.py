"Scores of images: what they refuse, and that the records of both judges are theirs."
import pytest
import torch

from seqgen_nb import metrics
from seqgen_nb.errors import SeqgenError
from seqgen_nb.runs import seeds_of, shipped

images = torch.randint(256, (60, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def refused(call, words):
    with pytest.raises(SeqgenError, match=words): call()


@pytest.mark.parametrize('wrong, words', [
    (images[:, 0], r'images have shape \(60, 28, 28\): give \(n, 1, height, width\)'),
    (images.expand(-1, 3, -1, -1), 'give'),
    (images[:0], 'give'),
    (images.long() - 1, 'images reach from -1 to 254: give uint8 from 0 to 255'),
    (images > 9, 'images are torch.bool: give uint8'),
    (images.float(), r'images reach from 0 to 255: give floats in \[-1, 1\]'),
    (images.float()*float('nan'), 'images reach from nan'),
])
def test_wrong_images_are_refused(wrong, words): refused(lambda: metrics.extract_features(wrong), words)


def test_too_few_images_are_refused():
    real = metrics.extract_features(images[:30])
    refused(lambda: metrics.score(images), '60 images are too few for scores of 10,000: .* n=60')
    refused(lambda: metrics.score(images[:5]), '5 images are too few for scores of 10,000: give more$')
    refused(lambda: metrics.score(images, real, n=50), '30 real images are too few')


def test_unknown_judge_is_refused():
    words = "unknown judge 'jury': choose one of classifier, lenet"
    refused(lambda: metrics.extract_features(images, 'jury'), words)
    refused(lambda: metrics.score(images, n=50, judge='jury'), words)


def test_inception_without_a_connection(tmp_path, monkeypatch):
    "A port where nobody answers stands for a machine without a network."
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    for name in 'https_proxy', 'HTTPS_PROXY': monkeypatch.setenv(name, 'http://127.0.0.1:9')
    refused(lambda: metrics.inception_distance(images[:20], images[20:40]), 'cannot be had')


@pytest.mark.parametrize('judge', metrics.JUDGES)
def test_judges_score_by_their_own_features(judge):
    "A judge that finds nothing to tell apart in the reference itself, and everything in noise."
    same = metrics._by_library(*2*(metrics.reference(judge).first(500).features,))
    assert abs(same['frechet']) < .01 and same['precision'] == same['recall'] == 1
    noise = metrics.score(images, n=50, judge=judge)
    assert noise['precision'] == 0 and noise['nearest_neighbour'] == 1 and noise['frechet'] > 10


def test_recorded_scores_are_of_both_judges():
    "Yardsticks, and the last weights of every seed of the shipped GANs."
    runs = seeds_of('gan') + seeds_of('dcgan')
    rows = shipped('classifier').scores + [row for run in runs for row in run.scores if row['weights'] == 'final']
    assert len(rows) == 5 + len(runs)
    for row in rows:
        assert set(row['lenet']) <= set(row) and row['lenet']['images'] == row['images']
        assert row['lenet']['frechet'] != row['frechet']
