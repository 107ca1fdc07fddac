"""Answers to the exercises of mae: known numbers, right ones written differently, wrong ones."""

import torch
import torch.nn.functional as F


def patchify_unfold(x, size):
    return F.unfold(x, size, stride=size).transpose(1, 2)


def patchify_cuts(x, size):
    rows = [row.split(size, dim=3) for row in x.split(size, dim=2)]
    return torch.stack([square.flatten(1) for row in rows for square in row], dim=1)


def visible_topk(noise, ratio):
    visible = noise.topk(round(noise.shape[1] * (1 - ratio)), dim=1, largest=False, sorted=True).indices
    mask = torch.ones(noise.shape, dtype=torch.bool)
    mask[torch.arange(len(noise))[:, None], visible] = False
    return visible, mask


def visible_by_rank(noise, ratio):
    keep = round(noise.shape[1] * (1 - ratio))
    return noise.sort(dim=1).indices[:, :keep], noise.argsort(dim=1).argsort(dim=1) >= keep


def mask_by_rank(noise, ratio):
    """MAE's own code before it unshuffles the mask."""
    visible, mask = visible_topk(noise, ratio)
    mask[:, : visible.shape[1]], mask[:, visible.shape[1] :] = False, True
    return visible, mask


def put_back_by_writing(tokens, visible, mask_token, L):
    out = mask_token.expand(len(tokens), L, -1).clone()
    out[torch.arange(len(tokens))[:, None], visible] = tokens
    return out


def put_back_by_unshuffling(tokens, visible, mask_token, L):
    """As in MAE's own code: mask tokens behind, then the inverse of the permutation."""
    hidden = torch.ones(len(tokens), L).scatter(1, visible, 0).argsort(dim=1, descending=True, stable=True)
    order = torch.cat([visible, hidden[:, : L - visible.shape[1]]], dim=1)
    all_tokens = torch.cat([tokens, mask_token.expand(len(tokens), L - visible.shape[1], -1)], dim=1)
    return all_tokens.gather(1, order.argsort(1)[:, :, None].expand(-1, -1, tokens.shape[2]))


def put_back_one_hot(tokens, visible, mask_token, L):
    places = F.one_hot(visible, L).to(tokens.dtype)  # [N, K, L]
    return places.transpose(1, 2) @ tokens + (1 - places.sum(1))[:, :, None] * mask_token


def loss_loop(prediction, target, mask):
    errors = [(p - t) ** 2 for ps, ts, ms in zip(prediction, target, mask) for p, t, m in zip(ps, ts, ms) if m]
    return torch.stack(errors).mean()


KNOWN = [
    ("mae.patchify", ([[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]]], 2), [[[1, 2, 5, 6], [3, 4, 7, 8]]]),
    ("mae.visible_patches", ([[0.6, 0.1, 0.8, 0.3]], 0.5), ([[1, 3]], [[True, False, True, False]])),
    ("mae.put_back", ([[[1.0], [2.0]]], [[2, 0]], [9.0], 3), [[[2], [9], [1]]]),
    ("mae.hidden_mse", ([[[1.0, 0.0], [5.0, 5.0]]], [[[0.0, 3.0], [0.0, 0.0]]], [[True, False]]), 5.0),
]

RIGHT = {
    "mae.patchify": [patchify_unfold, patchify_cuts],
    "mae.visible_patches": [visible_topk, visible_by_rank],
    "mae.put_back": [put_back_by_writing, put_back_by_unshuffling, put_back_one_hot],
    "mae.hidden_mse": [
        lambda p, t, m: F.mse_loss(p[m], t[m]),
        lambda p, t, m: ((p - t) ** 2 * m[:, :, None]).sum() / (m.sum() * p.shape[2]),
        loss_loop,
    ],
}

NAMED = [
    ("mae.hidden_mse", lambda p, t, m: F.mse_loss(p, t), "all patches"),
    ("mae.hidden_mse", lambda p, t, m: F.mse_loss(p[~m], t[~m]), "visible patches"),
    ("mae.hidden_mse", lambda p, t, m: F.mse_loss(p * m[:, :, None], t * m[:, :, None]), "divided by all"),
    ("mae.hidden_mse", lambda p, t, m: F.mse_loss(p[m], t[m]).item(), "no gradient"),
    ("mae.put_back", lambda t, v, m, L: put_back_by_writing(t, v, 0 * m, L), "zeros in place of the mask token"),
    ("mae.put_back", lambda t, v, m, L: put_back_by_writing(t.detach(), v, m, L), "no gradient to tokens"),
    ("mae.visible_patches", lambda x, r: visible_topk(x, 1 - r), "keeps the share to hide"),
    ("mae.visible_patches", lambda x, r: visible_topk(x, 1 - int(x.shape[1] * (1 - r)) / x.shape[1]), "rounded down"),
    (
        "mae.visible_patches",
        lambda x, r: (visible_topk(x, r)[0], visible_topk(x, r)[1].long()),
        "another dtype",
    ),
    (
        "mae.patchify",
        lambda x, size: x.unfold(2, size, size).unfold(3, size, size).reshape(len(x), -1, x.shape[1] * size**2),
        "colours apart",
    ),
    ("mae.patchify", lambda x, size: F.unfold(x, size, stride=1).mT, "overlapping"),
    (
        "mae.visible_patches",
        lambda x, r: (x.sort(1).values[:, : visible_topk(x, r)[0].shape[1]], visible_topk(x, r)[1]),
        "noise instead of numbers",
    ),
    (
        "mae.visible_patches",
        lambda x, r: (visible_topk(-x, r)[0], ~visible_topk(-x, r)[1]),
        "mask inverted and keeps the most noise",
    ),
    ("mae.hidden_mse", lambda p, t, m: F.mse_loss(p[m], t[m], reduction="sum") / p.shape[2], "sum"),
    ("mae.visible_patches", mask_by_rank, "mask in the order of the noise"),
    (
        "mae.hidden_mse",
        lambda p, t, m: (p.masked_fill(~m[:, :, None], 0) - t).pow(2).mean(),
        "prediction masked, not the error",
    ),
]

UNNAMED = [
    ("mae.hidden_mse", lambda p, t, m: F.mse_loss(p[m], t[m]) + 0.01),
    ("mae.patchify", lambda x, size: patchify_unfold(x, size).flip(1)),
    ("mae.put_back", lambda t, v, m, L: put_back_one_hot(t, v, m, L).flip(1)),
]
