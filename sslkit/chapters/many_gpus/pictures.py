"""The pictures of chapter 25: parts of a batch, the four ways, what is sent, a run that was killed."""

from statistics import mean
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from sslkit import evidence, plots, probes
from sslkit.datasets import Dataset
from sslkit.nets import build_encoder, device_of, evaluating, parameter_count

HIGHER = 0.4  # one curve is drawn so much higher, or it would hide the other


def parts(x: Tensor, processes: int) -> plots.Picture:
    """A batch as the processes take it, a row for each."""
    return plots.rows(
        {f"process {rank}": part for rank, part in enumerate(x.chunk(processes))},
        title="One batch, a quarter for each process. Whose images may be whose negatives?",
        caption=f"{len(x)} training scenes. Within its process an image meets {len(x) // processes - 1} others, in the whole batch "
        f"{len(x) - 1}.",
        side=64,
    )


def ways(table: dict[str, dict[str, float]], images: int) -> plots.Picture:
    """Angles and lengths of the four ways' gradients."""
    return plots.scoreboard(
        {way: {judge: round(value, 3) for judge, value in row.items()} for way, row in table.items()},
        title="Only one way gives the whole batch's gradient, in direction and in length",
        caption=f"W processes: angle to the gradient of one process with the whole batch, and length as a share of its length. {images} "
        "images, two views of each; one small network before training, one draw; no batch norm, float64.",
        highlight="differentiable gather",
    )


@torch.no_grad()
def rotation_loss(method: Any, x: Tensor) -> float:
    """The loss on images x, turned by fixed random numbers."""
    task = method.pretext(x, torch.Generator().manual_seed(9))
    where = device_of(method)
    with evaluating(method):
        return method(tuple(part.to(where) for part in task))[0].item()


def traffic(processes: int) -> plots.Picture:
    """What each process sends in a step: gradients once around a ring, and the rows of two views of 128 numbers."""
    table, share = {}, 2 * (processes - 1) / processes
    for name, batch in {"small": 256, "resnet18": 512, "vit_tiny": 512}.items():
        ring = share * parameter_count(build_encoder(name)) * 4 / 1e6  # float32
        rows = 1.5 * share * (2 * batch * 128) * 4 / 1e6  # gathered: half a ring; their gradients added up: a whole one
        sent = ring + rows
        table[f"{name}, batch {batch}"] = {
            "gradients (MB)": ring,
            "rows (MB)": rows,
            "ms at 10 Gbit/s": sent * 0.8,
            "µs at 200 GB/s": sent * 5,
        }
    return plots.scoreboard(
        table,
        title="Most of what travels is gradients; the rows of a contrastive loss are few",
        caption=f"Computed: what each of {processes} processes sends in a step, float32; 200 GB/s is what GPUs of one machine reach.",
        highlight="",
    )


def speed() -> plots.Picture:
    """What a process keeps of its speed beside a second one (results/processes.json)."""
    found = evidence.results("processes")
    table = {}
    for method, by in found["methods"].items():
        alone, two = (mean(by[w]["images_per_second"]) / int(w) for w in "12")
        talk = mean(by["2"]["communication"])
        table[method] = {"of its speed alone": two / alone, "of a step waiting or sending": talk}
    return plots.scoreboard(
        table,
        title="Beside a second process each keeps most of its speed, and MoCo the least",
        caption="Speed: images per second in each process. Laptop recipes of an earlier version, one thread each; "
        f"{found['rounds']} runs of {found['steps']} steps on {found['cores']} cores.",
        highlight="moco",
    )


def resumed(
    whole: list[SimpleNamespace], before: list[SimpleNamespace], both: list[SimpleNamespace], chance: float
) -> plots.Picture:
    """The losses of an undisturbed run, and of one that was killed and went on."""
    after = both[len(before) :]
    curves = {
        "undisturbed": ([r.step for r in whole], [r.loss for r in whole]),
        "until the kill": ([r.step for r in before], [r.loss + HIGHER for r in before]),
        "after the resume": ([r.step for r in after], [r.loss + HIGHER for r in after]),
    }
    return plots.losses(
        curves,
        chance,
        window=1,
        title="Killed half-way, and resumed: the same curve",
        caption=f"SimCLR in two processes. The killed run is drawn {HIGHER} higher, so that it does not hide the other.",
    )


def judged(networks: dict[str, nn.Module], data: Dataset, seeds: int) -> plots.Picture:
    """Test accuracy of several networks, beside pixels."""
    columns = {"kNN": "knn", "linear probe": "linear_probe", "10 labels per kind": "few_labels_all"}
    table: dict[str, dict] = {}
    for name, network in networks.items():
        board = probes.scoreboard(network, data, name=name, seeds=range(seeds), limit=3000, with_supervised=False)
        for row in board.rows:
            if row.name in ("pixels", name):
                table[row.name] = {judge: getattr(row, key) for judge, key in columns.items()}
    return plots.scoreboard(
        table,
        title="Trained in one process or in two, the features are about as good",
        caption=f"{len(data.test):,} test scenes, frozen features; kNN and probe know 3,000 labels.",
        highlight="two processes",
        dots=f"{seeds} draws of ten labels",
    )


def trained_ways(runs: dict[str, list[list[float]]], images: int) -> plots.Picture:
    """Losses of networks trained with each way's gradient: {way: [[a loss after every twelfth step] for each seed]}."""
    right = "differentiable gather"
    runs = {way: runs[way] for way in sorted(runs, key=lambda way: way != right)}  # the right one first, so blue
    seeds = len(next(iter(runs.values())))
    steps = [12 * (k + 1) for k in range(len(next(iter(runs.values()))[0]))]
    early = len(steps) // 6
    spans = [
        ", ".join(f"{way} {min(r[k] for r in each):.2f} to {max(r[k] for r in each):.2f}" for way, each in runs.items())
        for k in (early, -1)
    ]
    return plots.losses(
        {way: (steps, torch.tensor(each).mean(0).tolist()) for way, each in runs.items()},
        torch.tensor(2.0 * images - 1).log().item(),
        window=1,
        title="One wrong way learns far less; the other two come close to the right one",
        caption=f"64 images per step over 16 simulated processes, SGD with one learning rate; loss over {images} validation images, "
        f"mean of {seeds} seed{'s' * (seeds > 1)}. Lowest to highest seed, at step {steps[early]}: {spans[0]}; at the end: {spans[1]}.",
    )
