"""Methods without a chance level: spread and rank as they train, and a collapsed run called so."""

import json

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sslkit import chapters, plots
from sslkit.__main__ import main
from sslkit.datasets import load
from sslkit.measures import effective_rank, spread
from sslkit.nets import mlp
from sslkit.train import Recipe, build, train
from sslkit.train.record import spread_of
from sslkit.views import RandomResizedCrop

pytestmark = pytest.mark.usefixtures("plain_precision")
RECIPE = Recipe(steps=60, lr=0.3, batch=64)


class Siamese(nn.Module):
    """Two views predict each other (Chen & He 2021); without the stop-gradient all images end in one point."""

    def __init__(self, encoder, stop: bool = True, shows: str = "z"):
        super().__init__()
        self.encoder, self.stop, self.shows = encoder, stop, shows
        self.projector, self.predictor = mlp([encoder.dim, 64, 64]), mlp([64, 32, 64])
        self.view = RandomResizedCrop()

    def pretext(self, x, generator):
        return self.view(torch.cat([x, x]), generator).chunk(2)

    def forward(self, task):
        h = self.encoder(torch.cat(task))
        z = self.projector(h)
        (p1, p2), (z1, z2) = self.predictor(z).chunk(2), (z.detach() if self.stop else z).chunk(2)
        loss = 1 - (F.cosine_similarity(p1, z2).mean() + F.cosine_similarity(p2, z1).mean()) / 2
        return loss, {name: value.detach() for name, value in {"z": z, "h": h}.items() if name in self.shows}

    def encode(self, x):
        return self.encoder(x)


@pytest.fixture(scope="module")
def images():
    return load("scenes", limit=256).train.x


def records(images, recipe=RECIPE, **options):
    return list(train(build(lambda encoder: Siamese(encoder, **options), recipe), images, recipe))


@pytest.mark.slow
@pytest.mark.parametrize("stop", [True, False])
def test_a_collapsed_run_is_called_so_and_another_is_not(images, stop, capsys):
    live = plots.Live(every=0)
    for record in records(images, stop=stop):
        live.update(record)
    said, last = capsys.readouterr().out.splitlines()[-1], record
    assert last.collapsed != stop
    assert f"spread {last.spread:.2f}, effective rank {last.rank:.1f}" in said
    assert ("Not collapsed" in said) == stop and ("Collapsed: the features hardly" in said) != stop
    assert "chance level (" not in said and "come down" not in said
    if not stop:
        assert last.loss < 0.05, "a loss close to its minimum is what must not deceive"
    assert ("ollapsed" in live.draw().alt) and "spread" in live.draw().alt


def test_the_numbers_are_those_of_what_the_method_shows(images):
    z, h = (records(images, RECIPE.but(steps=1), shows=shows)[0] for shows in ("zh", "h"))
    for record, name in ((z, "z"), (h, "h")):
        assert record.spread == pytest.approx(spread(record.extras[name]))
        assert record.rank == pytest.approx(effective_rank(record.extras[name]))
    assert z.spread != h.spread


def test_without_features_to_see_the_encoder_is_asked_and_left_as_it_was(images):
    silent, shown = (records(images, RECIPE.but(steps=3), shows=shows) for shows in ("", "h"))
    assert [r.loss for r in silent] == [r.loss for r in shown]
    assert all(0 < r.spread < 1 and r.rank > 1.5 for r in silent)


def test_a_hundred_times_a_run_and_at_its_end():
    class Cheap(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 3)

        def pretext(self, x, generator):
            return x

        def forward(self, x):
            return self.layer(x).square().mean(), {"h": self.layer(x).detach()}

    found = list(train(Cheap(), torch.rand(16, 4), Recipe(steps=250, lr=0.01, batch=4)))
    assert [r.step for r in found if r.spread is not None] == list(range(2, 251, 2))
    with_chance = Cheap()
    with_chance.chance = lambda batch: 1.0
    assert all(r.spread is None for r in train(with_chance, torch.rand(16, 4), Recipe(steps=5, lr=0.01, batch=4)))


@pytest.mark.slow  # the same run, by another way
def test_the_command_line_says_it(tmp_path, monkeypatch, capsys):
    module = chapters.get("simclr")
    monkeypatch.setattr(module, "METHOD", lambda encoder, **_: Siamese(encoder, stop=False))
    monkeypatch.setitem(
        module.RECIPES, "laptop", RECIPE
    )  # its optimiser and network, which end in one point on any processor
    words = "pretrain simclr --data scenes --limit 256 --scale laptop".split()
    assert main([*words, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "Collapsed: the features hardly" in said and "(chance" not in said and ", rank " in said
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["spread"] < 0.5 < lines[0]["spread"] and lines[-1]["rank"] > 0


def test_few_directions_are_a_collapse_of_z_even_where_its_numbers_vary():
    """Batch norm keeps the spread up while all numbers of z come to say the same."""
    one = torch.randn(256, 1, generator=torch.Generator().manual_seed(0))
    said = spread_of(nn.Identity(), {"z": one.expand(-1, 64) * torch.linspace(-1, 1, 64)}, None)
    assert said["spread"] > 0.8 and said["rank"] < 1.5 and said["collapsed"]
    four = torch.randn(256, 3) @ torch.randn(3, 64)
    assert spread_of(nn.Identity(), {"z": four}, None)["collapsed"]
    assert not spread_of(nn.Identity(), {"h": four}, None)["collapsed"]
    assert not spread_of(nn.Identity(), {"z": torch.randn(256, 64)}, None)["collapsed"]
