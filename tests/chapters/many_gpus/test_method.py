"""Chapter 25's own gather in two real processes, against one process with the whole batch."""

import pytest
import torch
from torch import nn

from sslkit.chapters.many_gpus import started
from sslkit.chapters.many_gpus.method import my_anchors
from sslkit.chapters.simclr.method import info_nce


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 4)).double()
    views = torch.randn(2, 6, 12, dtype=torch.float64)
    info_nce(net(views[0]), net(views[1]), 0.2).backward()
    whole = torch.cat([p.grad.flatten() for p in net.parameters()])
    return whole, started.gradients(tmp_path_factory.mktemp("two"), net, tuple(views), 0.2)


@pytest.mark.slow
def test_the_differentiable_gather_is_one_process_with_the_whole_batch(found):
    whole, two = found
    torch.testing.assert_close(two["differentiable gather"], whole, rtol=1e-10, atol=1e-14)


@pytest.mark.slow
def test_bare_numbers_lose_half_of_the_length(found):
    whole, two = found
    torch.testing.assert_close(2 * two["plain, all anchors"], whole, rtol=1e-10, atol=1e-14)


@pytest.mark.slow
def test_local_negatives_are_another_loss(found):
    whole, two = found
    assert (two["local negatives"] - whole).norm() > 0.01 * whole.norm()


@pytest.mark.slow
def test_own_anchors_lose_what_others_say_of_their_rows(found):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 4)).double()
    views = torch.randn(2, 6, 12, dtype=torch.float64)
    for rank in range(2):
        parts = [net(view).chunk(2) for view in views]
        z1, z2 = (torch.cat([z if r == rank else z.detach() for r, z in enumerate(halves)]) for halves in parts)
        (my_anchors(z1, z2, rank, 2, 0.2) / 2).backward()  # gradients add up
    played, (whole, two) = torch.cat([p.grad.flatten() for p in net.parameters()]), found
    torch.testing.assert_close(two["plain, own anchors"], played, rtol=1e-10, atol=1e-14)
    assert (played - whole).norm() > 0.1 * whole.norm()
