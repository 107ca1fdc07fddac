"""Right answers written in other ways are accepted; wrong ones that no table knows are still wrong."""

import functools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import sslkit.checks
from sslkit.checks import exercises, find

# A loaded machine must not make a right answer late; tests of the deadline set their own.
judge = functools.partial(sslkit.checks.judge, seconds=60)


def unit(z):
    return z / z.norm(dim=1, keepdim=True)


def unit_numpy(z):
    return z.numpy() / np.linalg.norm(z.numpy(), axis=1, keepdims=True)


def knn_by_counting(train_h, train_y, test_h, k):
    predictions = []
    for row in unit(test_h) @ unit(train_h).T:
        classes = train_y[row.argsort(descending=True)[:k]].tolist()
        predictions.append(max(classes, key=lambda c: (classes.count(c), -classes.index(c))))
    return predictions


def knn_by_votes(train_h, train_y, test_h, k):
    order = (1 - F.cosine_similarity(test_h[:, None], train_h[None], dim=2)).argsort(dim=1)[:, :k]
    weights = 1 + 0.5 ** torch.arange(1, k + 1).double() / (k + 1)  # nearer ones a little more, for the ties
    return (F.one_hot(train_y)[order] * weights[:, None]).sum(1).argmax(1)


def rank_numpy(h):
    s = np.linalg.svd(h.numpy(), compute_uv=False)
    p = s[s > 0] / s.sum()
    return np.exp(-(p * np.log(p)).sum())


def rank_from_covariance(h):
    s = torch.linalg.eigvalsh(h.T @ h).clamp(min=0).sqrt()
    return float(torch.distributions.Categorical(probs=s / s.sum()).entropy().exp())


def uniformity_table(z):
    squared = torch.cdist(unit(z), unit(z)) ** 2
    return (-2 * squared[~torch.eye(len(z), dtype=torch.bool)]).exp().mean().log()


def uniformity_python(z):
    rows = unit_numpy(z)
    values = [math.exp(-2 * ((a - b) ** 2).sum()) for i, a in enumerate(rows) for b in rows[:i]]
    return math.log(sum(values) / len(values))


def uniformity_logsumexp(z):
    gram = unit(z) @ unit(z).T
    i, j = torch.triu_indices(len(z), len(z), 1)
    return torch.logsumexp(4 * gram[i, j] - 4, 0) - math.log(len(i))


def rotate_in_groups(x, k):
    out = torch.empty_like(x)
    for turns in range(4):
        out[k == turns] = torch.rot90(x[k == turns], turns, (2, 3))
    return out


def rotate_by_flips(x, k):
    k = k.view(-1, 1, 1, 1)
    x = torch.where((k == 1) | (k == 3), x.transpose(2, 3).flip(2), x)
    return torch.where(k >= 2, x.flip(2, 3), x)


def pretext_batch_loop(x):
    pairs = [(torch.rot90(image, turns, (1, 2)), turns) for turns in range(4) for image in x]
    return [torch.stack([view for view, _ in pairs]), torch.tensor([turns for _, turns in pairs])]


def nce_logsumexp(z1, z2, temperature):
    z = unit(torch.cat([z1, z2]))
    n = len(z1)
    similarity = z @ z.T / temperature
    others = similarity[~torch.eye(2 * n, dtype=torch.bool)].view(2 * n, 2 * n - 1)
    positive = torch.cat([similarity.diagonal(n), similarity.diagonal(-n)])
    return (others.logsumexp(1) - positive).mean()


def nce_exp_sums(z1, z2, temperature):
    a, b = F.normalize(z1), F.normalize(z2)
    aa, bb, ab = [(x @ y.T / temperature).exp() for x, y in ((a, a), (b, b), (a, b))]
    first = ab.diagonal() / (aa.sum(1) - aa.diagonal() + ab.sum(1))
    second = ab.diagonal() / (bb.sum(1) - bb.diagonal() + ab.sum(0))
    return -0.5 * (first.log().mean() + second.log().mean())


def nce_alternating(z1, z2, temperature):
    """Views stacked alternately, with the partner at i ^ 1: another order, the same loss."""
    z = unit(torch.stack([z1, z2], dim=1).flatten(0, 1))
    logits = z @ z.T / temperature - torch.diag(torch.full((len(z),), 1e9))
    return F.nll_loss(logits.log_softmax(1), torch.arange(len(z)) ^ 1)


def nce_loop(z1, z2, temperature):
    z, n, losses = torch.cat([z1, z2]), len(z1), []
    for i in range(2 * n):
        s = F.cosine_similarity(z[i : i + 1], z, dim=1) / temperature
        keep = [j for j in range(2 * n) if j != i]
        losses.append(-s[(i + n) % (2 * n)] + torch.log(torch.exp(s[keep]).sum()))
    return sum(losses) / len(losses)


def similarity_in_place(z):
    s = unit(z) @ unit(z).T
    s.fill_diagonal_(-math.inf)
    return s


def similarity_where(z):
    s = F.cosine_similarity(z[:, None], z[None], dim=2)
    return torch.where(torch.eye(len(z)) == 1, torch.tensor(-torch.inf), s)


def false_negatives_loop(y):
    y = y.tolist()
    return np.mean([np.mean([y[j] == y[i] for j in range(len(y)) if j != i]) for i in range(len(y))])


def false_negatives_counts(y):
    counts = torch.bincount(y)
    return (counts * (counts - 1)).sum().item() / (len(y) * (len(y) - 1))


def false_negatives_of_views(y):
    views, image = y.repeat(2), torch.arange(len(y)).repeat(2)
    negative = image[:, None] != image[None]
    return ((views[:, None] == views[None]) & negative).sum() / negative.sum()


RIGHT = {
    "start_here.accuracy": [
        lambda pred, y: sum(p == t for p, t in zip(pred.tolist(), y.tolist())) / len(y),
        lambda pred, y: np.mean(pred.numpy() == y.numpy()),
        lambda pred, y: 1 - (pred != y).double().mean().item(),
    ],
    "start_here.nearest": [
        lambda q, b: [int(row.argmax()) for row in unit(q) @ unit(b).T],
        lambda q, b: (unit_numpy(q) @ unit_numpy(b).T).argmax(axis=1),
        lambda q, b: torch.cdist(unit(q), unit(b)).argmin(1),
        lambda q, b: F.cosine_similarity(q[:, None], b[None], dim=2).topk(1).indices.squeeze(1),
    ],
    "start_here.chance_level": [
        lambda counts: max(counts.tolist()) / sum(counts.tolist()),
        lambda counts: (counts / counts.sum()).max(),
        lambda counts: np.max(counts.numpy()) / np.sum(counts.numpy()),
    ],
    "judging.knn_predict": [knn_by_counting, knn_by_votes],
    "judging.effective_rank": [
        rank_numpy,
        rank_from_covariance,
        lambda h: torch.special.entr(F.normalize(torch.linalg.svdvals(h), p=1, dim=0)).sum().exp(),
    ],
    "judging.alignment": [
        lambda a, b: 2 - 2 * F.cosine_similarity(a, b).mean(),
        lambda a, b: float(((unit_numpy(a) - unit_numpy(b)) ** 2).sum(1).mean()),
        lambda a, b: (unit(a) - unit(b)).norm(dim=1).pow(2).mean(),
        lambda a, b: F.mse_loss(unit(a), unit(b)) * a.shape[1],
    ],
    "judging.uniformity": [uniformity_table, uniformity_python, uniformity_logsumexp],
    "rotation.rotate_batch": [
        rotate_in_groups,
        rotate_by_flips,
        lambda x, k: torch.stack([torch.rot90(a, int(t), (1, 2)) for a, t in zip(x, k)]),
        lambda x, k: np.stack([np.rot90(a.numpy(), int(t), (1, 2)) for a, t in zip(x, k)]),
    ],
    "rotation.rotation_batch": [
        pretext_batch_loop,
        lambda x: (
            torch.cat([x, x.transpose(2, 3).flip(2), x.flip(2, 3), x.flip(2).transpose(2, 3)]),
            torch.arange(4 * len(x)) // len(x),
        ),
    ],
    "rotation.rotation_loss": [
        lambda a, y: -a.log_softmax(1)[torch.arange(len(y)), y].mean(),
        lambda a, y: (a.logsumexp(1) - a.gather(1, y[:, None]).squeeze(1)).mean(),
        lambda a, y: -(F.one_hot(y, 4) * (a.exp() / a.exp().sum(1, keepdim=True)).log()).sum(1).mean(),
        lambda a, y: sum(F.cross_entropy(a[i], y[i]) for i in range(len(y))) / len(y),
    ],
    "rotation.chance_loss": [
        lambda classes: -math.log(1 / classes),
        lambda classes: torch.log(torch.tensor(classes)),
        lambda classes: np.log(classes),
        lambda classes: F.cross_entropy(torch.zeros(1, classes), torch.tensor([0])),
    ],
    "simclr.positive_index": [
        lambda n: torch.cat([torch.arange(n) + n, torch.arange(n)]),
        lambda n: [(i + n) % (2 * n) for i in range(2 * n)],
        lambda n: np.roll(np.arange(2 * n), n),
    ],
    "simclr.similarity_matrix": [similarity_in_place, similarity_where],
    "simclr.info_nce": [nce_logsumexp, nce_exp_sums, nce_alternating, nce_loop],
    "simclr.false_negative_rate": [false_negatives_loop, false_negatives_counts, false_negatives_of_views],
}


@pytest.mark.parametrize("name, function", [(n, f) for n, functions in RIGHT.items() for f in functions])
def test_right_answers_written_differently_are_accepted(name, function):
    verdict = judge(find(name), function)
    assert verdict.status == "right", verdict.text


def test_two_variants_at_least_for_every_exercise():
    assert set(RIGHT) == set(exercises()) and min(map(len, RIGHT.values())) >= 2


def nce_self_kept(z1, z2, temperature):
    z, n = unit(torch.cat([z1, z2])), len(z1)
    e = (z @ z.T / temperature).exp()
    return -(torch.cat([e.diagonal(n), e.diagonal(-n)]) / e.sum(1)).log().mean()


def nce_masked_by_multiplying(z1, z2, temperature):
    z, n = unit(torch.cat([z1, z2])), len(z1)
    logits = z @ z.T / temperature * (1 - torch.eye(2 * n))
    return F.cross_entropy(logits, torch.cat([torch.arange(n) + n, torch.arange(n)]))


def nce_clip(z1, z2, temperature):
    logits, labels = unit(z1) @ unit(z2).T / temperature, torch.arange(len(z1))
    return 0.5 * (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels))


def ranks_squared(h):
    s = np.linalg.svd(h.numpy(), compute_uv=False) ** 2 + 1e-12
    return np.exp(-(s / s.sum() * np.log(s / s.sum())).sum())


@pytest.mark.parametrize(
    "name, function, mistake",
    [
        ("simclr.info_nce", nce_self_kept, "self-similarity in the denominator"),
        ("simclr.info_nce", nce_masked_by_multiplying, "diagonal 0 instead of -inf"),
        ("simclr.info_nce", nce_clip, "negatives from the other view only"),
        ("simclr.info_nce", lambda a, b, t: nce_loop(a, b, 1 / t), "temperature multiplied"),
        ("simclr.info_nce", lambda a, b, t: -nce_exp_sums(a, b, t), "sign"),
        ("simclr.info_nce", lambda a, b, t: nce_loop(a, b, t) * 2 * len(a), "sum instead of mean"),
        ("simclr.info_nce", lambda a, b, t: nce_loop(a, b, t).item(), "no gradient"),
        ("simclr.info_nce", lambda a, b, t: nce_loop(a.detach(), b.detach(), t), "no gradient"),
        ("simclr.info_nce", lambda a, b, t: nce_logsumexp(a, b.detach(), t), "one view without gradient"),
        ("simclr.info_nce", lambda a, b, t: nce_loop(a, b, t).detach() + 0 * a.sum(), "another gradient"),
        ("rotation.rotation_loss", lambda a, y: F.nll_loss(a, y), "no softmax"),
        ("rotation.rotation_loss", lambda a, y: F.cross_entropy(F.softmax(a, -1), y), "softmax twice"),
        ("judging.effective_rank", ranks_squared, "squared singular values"),
        ("judging.alignment", lambda a, b: F.mse_loss(unit(a), unit(b)), "mean over the dimensions"),
        (
            "judging.knn_predict",
            lambda h, y, q, k: [row.bincount().argmax() for row in y[(unit(q) @ unit(h).T).topk(k)[1]]],
            "ties by class number",
        ),
        ("judging.knn_predict", lambda *args: torch.tensor(knn_by_counting(*args)).float(), "another dtype"),
        ("rotation.rotate_batch", lambda x, k: rotate_in_groups(x, k).float(), "another dtype"),
        ("rotation.rotate_batch", lambda x, k: x.copy_(rotate_in_groups(x, k)), "changes its input"),
        ("rotation.rotate_batch", lambda x, k: rotate_in_groups(x, -k % 4), "clockwise"),
    ],
)
def test_mistakes_written_in_other_ways_get_their_name(name, function, mistake):
    verdict = judge(find(name), function)
    assert (verdict.status, verdict.mistake) == ("wrong", mistake), verdict.text


@pytest.mark.parametrize(
    "name, function",
    [
        ("simclr.info_nce", lambda a, b, t: nce_loop(a, b, t) + 0.01),
        ("simclr.info_nce", lambda a, b, t: nce_loop(a, b, 0.5)),
        ("simclr.info_nce", lambda a, b, t: a.sum()),
        ("judging.knn_predict", lambda h, y, q, k: y[torch.cdist(unit(q), unit(h)).argsort(1)[:, k - 1]]),
        ("judging.effective_rank", lambda h: torch.tensor(float(min(h.shape)))),
        ("start_here.accuracy", lambda pred, y: 0.5),
        ("simclr.similarity_matrix", lambda z: unit(z) @ unit(z).T - 3 * torch.eye(len(z))),
    ],
)
def test_unknown_mistakes_are_wrong_without_a_name(name, function):
    verdict = judge(find(name), function)
    assert (verdict.status, verdict.mistake) == ("wrong", "")
    assert "expected" in verdict.text and "got" in verdict.text
