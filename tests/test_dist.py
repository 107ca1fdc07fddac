"""Two gloo processes against one: gather, its gradient, and DistributedDataParallel around a contrastive loss."""

import math
import os
from pathlib import Path

import pytest
import torch
import torch.distributed as torch_dist
import torch.nn.functional as F
from torch import nn
from two_processes import in_two_processes

from sslkit import dist

STEPS, BATCH = 10, 6


class Contrast(nn.Module):
    """A small network without batch norm under InfoNCE, written out once more for this test, in float64."""

    def __init__(self, gather):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 4)).double()
        self.gather = gather

    def forward(self, batch):
        a, b = (self.gather(F.normalize(self.net(x), dim=1)) for x in batch)
        logits = torch.cat([a, b]) @ torch.cat([a, b]).T / 0.3
        logits.fill_diagonal_(-math.inf)
        n = len(a)
        return F.cross_entropy(logits, torch.cat([torch.arange(n, 2 * n), torch.arange(n)]))


def detached_all_gather(z):
    """What a plain all_gather gives: the other processes' rows are constants. Here to show that the test can fail."""
    parts = [torch.empty_like(z) for _ in range(dist.world())]
    torch_dist.all_gather(parts, z.detach().contiguous())
    parts[dist.rank()] = z
    return torch.cat(parts)


def batches():
    g = torch.Generator().manual_seed(1)
    return [torch.randn(2, BATCH, 5, dtype=torch.float64, generator=g) for _ in range(STEPS)]


def run(gather):
    """Ten steps of SGD on this process's share of each batch: losses, gradients, and the weights at the end."""
    model = Contrast(gather)
    wrapped, optimizer = dist.wrap(model), torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    share, losses, gradients = BATCH // dist.world(), [], []
    for batch in batches():
        loss = wrapped(batch[:, dist.rank() * share :][:, :share])
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.detach())
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
        optimizer.step()
    return {
        "losses": torch.stack(losses),
        "gradients": torch.stack(gradients),
        "weights": torch.cat([p.detach().flatten() for p in model.parameters()]),
    }


def gather_alone():
    """The gather by itself: order, dtype, shapes, gradients that differ from process to process, unequal batches."""
    r, found = dist.rank(), {}
    z = (torch.arange(6.0).view(3, 2) + 10 * r).requires_grad_()
    everything = dist.gather(z)
    weights = torch.arange(12.0).view(6, 2) * (r + 1)
    (everything * weights).sum().backward()
    found |= {"all": everything.detach(), "gradient": z.grad, "images": dist.gather(torch.full((2, 3, 4), r))}
    z2, z3 = torch.ones(2, 2, requires_grad=True), torch.ones(2, 2, requires_grad=True)
    ((dist.gather(z2) + dist.gather(z3)) * torch.ones(4, 2)).sum().backward()  # addition hands one gradient to both
    found |= {"shared": torch.stack([z2.grad, z3.grad]), "column": dist.gather(torch.arange(4.0).view(2, 2).T[:1] + r)}
    found["share"] = torch.stack(
        [dist.share(everything.detach()), dist.share(torch.arange(6.0).view(6, 1).expand(6, 2))]
    )
    try:
        dist.share(torch.zeros(3, 2))
        found["odd"] = "accepted"
    except ValueError as error:
        found["odd"] = str(error)
    try:
        dist.gather(torch.zeros(2 + r, 3))
        found["unequal"] = "accepted"
    except ValueError as error:
        found["unequal"] = str(error)
    return found


def norms():
    """Batch norm under wrap on the CPU stays batch norm, with the weights of process 0 at the start."""
    torch.manual_seed(dist.rank())
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    with torch.no_grad():
        model[1].running_mean += dist.rank()  # buffers start as those of process 0, too
    wrapped = dist.wrap(model)
    start = model[0].weight.detach().clone()
    wrapped(torch.randn(8, 3)).square().sum().backward()
    own = torch.stack([model[1].running_mean, model[1].running_var])
    dist.settle(model)
    settled = torch.stack([model[1].running_mean, model[1].running_var])
    number, stop = dist.agree(torch.tensor(float(dist.rank())), dist.rank() == 1)
    agreed = torch.tensor([number, stop, *dist.gone()])
    return {"norm": type(model[1]).__name__, "start": start, "own": own, "settled": settled, "agreed": agreed}


def work():
    dist.init()  # a second call does nothing
    return {
        "rank": dist.rank(),
        "world": dist.world(),
        "main": dist.is_main(),
        "processes": [number for _, number in dist._members],
        "own": os.getpid(),
        "right": run(dist.gather),
        "naive": run(detached_all_gather),
        "gather": gather_alone(),
        "norms": norms(),
    }


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What both processes found, [process 0, process 1]."""
    return in_two_processes(work, tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def one():
    return run(dist.gather)


def test_ranks(two):
    assert [(p["rank"], p["world"], p["main"]) for p in two] == [(0, 2, True), (1, 2, False)]


@pytest.mark.parametrize("what", ["losses", "gradients", "weights"])
def test_two_processes_are_one_with_the_whole_batch(two, one, what):
    for p in two:
        assert p["right"][what].dtype == torch.float64
        assert torch.allclose(p["right"][what], one[what], rtol=0, atol=1e-6)


def test_a_plain_all_gather_is_not(two, one):
    """So the test above can fail: the first loss is right, its gradient is not, and so the training goes elsewhere."""
    naive = two[0]["naive"]
    assert torch.allclose(naive["losses"][0], one["losses"][0], atol=1e-12)
    assert (naive["gradients"][0] - one["gradients"][0]).abs().max() > 0.1 * one["gradients"][0].abs().max()
    assert (naive["losses"] - one["losses"])[1:].abs().max() > 1e-3


def test_gather_puts_rows_in_rank_order_and_sums_the_gradients(two):
    rows = torch.cat([torch.arange(6.0).view(3, 2), torch.arange(6.0).view(3, 2) + 10])
    weights = 3 * torch.arange(12.0).view(6, 2)  # process 0 weighs once, process 1 twice
    for r, p in enumerate(two):
        found = p["gather"]
        assert torch.equal(found["all"], rows)
        assert torch.equal(found["gradient"], weights[3 * r :][:3])
        assert torch.equal(found["images"], torch.arange(2).repeat_interleave(2)[:, None, None].expand(4, 3, 4))
        assert torch.equal(found["column"], torch.tensor([[0.0, 2.0], [1.0, 3.0]]))  # memory that is not contiguous


def test_gathers_that_share_a_gradient_do_not_disturb_each_other(two):
    for p in two:
        assert torch.equal(p["gather"]["shared"], torch.full((2, 2, 2), 2.0))


def test_unequal_batches_are_named(two):
    for p in two:
        assert "[2, 3]" in p["gather"]["unequal"] and "equal" in p["gather"]["unequal"]


def test_share_takes_back_what_gather_put_together(two):
    for r, p in enumerate(two):
        mine, numbers = p["gather"]["share"]
        assert torch.equal(mine, torch.arange(6.0).view(3, 2) + 10 * r)
        assert numbers[:, 0].tolist() == [3 * r, 3 * r + 1, 3 * r + 2]
        assert "3 rows" in p["gather"]["odd"]


def test_batch_norm_stays_local_on_cpus_and_weights_start_equal(two):
    assert two[0]["norms"]["norm"] == two[1]["norms"]["norm"] == "BatchNorm1d"
    assert torch.equal(two[0]["norms"]["start"], two[1]["norms"]["start"])


def test_running_statistics_are_the_mean_of_both_after_settling(two):
    (a, b), mean = [p["norms"]["own"] for p in two], two[0]["norms"]["settled"]
    assert not torch.equal(a, b) and torch.allclose(mean, (a + b) / 2)
    assert torch.equal(mean, two[1]["norms"]["settled"])
    assert mean[0].abs().max() < 0.5  # the one that process 1 started with was replaced


def test_all_agree_and_each_misses_the_other(two):
    assert [p["norms"]["agreed"].tolist() for p in two] == [[0.5, 1, 1], [0.5, 1, 0]]


def test_each_knows_the_numbers_of_all_processes(two):
    """By which `gone` finds the one that no longer runs, where there are more than two."""
    assert two[0]["processes"] == two[1]["processes"] == [p["own"] for p in two]


@pytest.mark.parametrize("device, backend", [(None, "nccl"), ("", "nccl"), ("cuda", "nccl"), ("cpu", "gloo")])
def test_processes_talk_by_what_can_carry_their_tensors(monkeypatch, device, backend):
    """On a machine with GPUs: nccl carries no tensors of the CPU, which SSLKIT_DEVICE may ask for."""
    joined = []
    monkeypatch.setenv("WORLD_SIZE", "1")
    monkeypatch.setenv("SSLKIT_DEVICE", device) if device is not None else monkeypatch.delenv("SSLKIT_DEVICE", False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_device", lambda _: None)
    monkeypatch.setattr(torch_dist, "init_process_group", lambda backend, **_: joined.append(backend))
    monkeypatch.setattr(torch_dist, "all_gather_object", lambda *_: None)
    dist.init()
    assert joined == [backend]


def test_one_process_needs_nothing(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    dist.init()
    z, model = torch.ones(3, 2, requires_grad=True), nn.Linear(2, 2)
    assert not torch_dist.is_initialized() and (dist.world(), dist.rank(), dist.is_main()) == (1, 0, True)
    assert dist.gather(z) is z and dist.wrap(model) is model and torch.equal(dist.share(z), z)
    assert dist.gather(torch.ones(3, 2, device="meta")).shape == (3, 2)
    dist.finish()


def test_nobody_else_imports_torch_distributed():
    """But the chapter that builds it in view."""
    folder = Path(dist.__file__).parent
    users = {str(f.relative_to(folder)) for f in folder.rglob("*.py") if "torch.distributed as" in f.read_text()}
    assert users == {"dist.py", str(Path("chapters/many_gpus/method.py"))}
