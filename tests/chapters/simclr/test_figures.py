"""The figures of the InfoNCE loss."""

import numpy as np
import pytest
import torch

from sslkit.chapters.simclr import figures

Z = np.random.default_rng(0).normal(size=(2, 8, 5))


def test_info_nce_parts_agree_with_autograd():
    z1, z2 = torch.tensor(Z[0], dtype=torch.float64), torch.tensor(Z[1], dtype=torch.float64)
    z = torch.nn.functional.normalize(torch.cat([z1, z2]), dim=1)
    similarity = (z @ z.T).requires_grad_()
    target = torch.arange(16).roll(8)
    masked = (similarity / 0.2).masked_fill(torch.eye(16, dtype=torch.bool), -torch.inf)
    loss = torch.nn.functional.cross_entropy(masked, target)
    loss.backward()
    parts = figures.info_nce_parts(z1, z2, 0.2)
    assert parts["loss"] == pytest.approx(loss.item(), abs=1e-12) and parts["chance"] == pytest.approx(np.log(15))
    push = similarity.grad.numpy().copy()
    push[np.arange(16), target] = 0
    np.fill_diagonal(push, 0)
    assert np.allclose(parts["push"], push / push.sum(1, keepdims=True))
    assert figures.hardest(parts["push"])[0] == 1
    assert figures.hardest(parts["push"])[1] == pytest.approx(parts["push"].max(1).mean())
    with pytest.raises(ValueError, match="above 0"):
        figures.info_nce_parts(z1, z2, 0)
