"""What chapter 25 draws."""

from types import SimpleNamespace

import torch

from sslkit.chapters.many_gpus import bugs, diagram, pictures
from sslkit.datasets import load
from sslkit.plots.diagrams import lay_out


def test_its_diagram_fits():
    places, *_ = lay_out(diagram.BOXES, diagram.ARROWS)
    assert set(places) == set(diagram.BOXES)


def test_parts_of_a_batch():
    alt = pictures.parts(torch.zeros(8, 3, 8, 8, dtype=torch.uint8), 4).alt
    assert "process 3" in alt and "meets 1 others, in the whole batch 7" in alt


def test_tables_and_curves():
    row = {"angle, 2 (°)": 1.5, "length, 32": 0.5}
    assert "local" in pictures.ways({"local": row, "differentiable gather": row}, 64).alt
    steps = [SimpleNamespace(step=k, loss=1.0 / k) for k in range(1, 5)]
    assert "resumed" in pictures.resumed(steps, steps[:2], steps, 2.0).alt
    said = pictures.trained_ways({"one": [[2.0, 1.0], [2.0, 0.5]]}, 256).alt
    assert "at step 12: one 2.00 to 2.00; at the end: one 0.50 to 1.00" in said
    assert "resnet18" in pictures.traffic(8).alt and "moco" in pictures.speed().alt


def test_what_each_bug_does():
    scenes = load("scenes", limit=300).train
    x = scenes.x[:, :, ::4, ::4].flatten(1) / 255
    losses, apart = bugs.two_processes(x, scenes.y)
    assert (losses[:, 0] != losses[:, 1]).all() and apart.max() == 0  # no bug
    losses, apart = bugs.two_processes(x, scenes.y, same=True)
    assert (losses[:, 0] == losses[:, 1]).all() and apart.max() == 0
    _, apart = bugs.two_processes(x, scenes.y, alone=2)
    assert apart.min() > 0 and apart[-1] > apart[0]
    assert "distance between the weights" in bugs.three_bugs(scenes.x, scenes.y).alt
