"""Runs that somebody forged, broke or shared: load_run, load_encoder and resume say what is wrong in one line."""

import copy

import pytest
import torch

from sslkit import checkpoint
from sslkit.chapters import get
from sslkit.datasets import load
from sslkit.runs import load_encoder, load_run
from sslkit.train import build, train

ABOUT = {"name": "rotation", "data": "scenes", "channels": 3, "size": 32}
RECIPE = get("rotation").RECIPES["laptop"].but(steps=3, batch=8)


@pytest.fixture(scope="module")
def images():
    return load("scenes", limit=20).train.x


@pytest.fixture(scope="module")
def state(images, tmp_path_factory):
    """Of a run that stands at step 2 of 3."""
    out = tmp_path_factory.mktemp("run")
    for record in train(build(get("rotation").METHOD, RECIPE), images, RECIPE, out=out, about=ABOUT):
        if record.step == 2:
            break
    state = checkpoint.load(out / "checkpoint.pt")
    del state["format"]
    return state


def change(*path, to):
    """Put `to` at a place of the state; a function makes it of the value there."""

    def forge(state):
        for key in path[:-1]:
            state = state[key]
        state[path[-1]] = to(state[path[-1]]) if callable(to) else to

    return forge


def remove(*path):
    """Take a place out of the state."""

    def forge(state):
        for key in path[:-1]:
            state = state[key]
        del state[path[-1]]

    return forge


WEIGHT, MEAN, MOMENTS = "encoder.layers.0.0.weight", "encoder.layers.0.1.running_mean", ("optimizer", "state", 0)
ALL, READ, RUN, RESUME = (
    ("load_run", "load_encoder", "resume"),
    ("load_run", "load_encoder"),
    ("load_run",),
    ("resume",),
)
FORGED = {  # what is changed, and who must refuse it
    "no recipe": (remove("recipe"), ALL),
    "a list for a recipe": (change("recipe", to=[1]), ALL),
    "an empty recipe": (change("recipe", to={}), ALL),
    "a recipe with another word": (change("recipe", "k", to=1), READ),
    "steps in words": (change("recipe", "steps", to="many"), ALL),
    "no steps": (change("recipe", "steps", to=0), ALL),
    "a batch that is true": (change("recipe", "batch", to=True), ALL),
    "a rate that is no number": (change("recipe", "lr", to=float("nan")), ALL),
    "a number for an encoder": (change("recipe", "encoder", to=3), ALL),
    "an unknown encoder": (change("recipe", "encoder", to="vgg"), ALL),
    "another encoder": (change("recipe", "encoder", to="vit"), ALL),
    "an encoder of no library": (change("recipe", "encoder", to="os:system"), ALL),
    "a list of options": (change("recipe", "options", to=[1]), ALL),
    "unknown options": (change("recipe", "options", to={"colour": 1}), RUN + RESUME),
    "a number for a name": (change("name", to=3), ALL),
    "an unknown name": (change("name", to="nobody"), RUN + RESUME),
    "a name that is a path": (change("name", to="../../etc"), RUN + RESUME),
    "another method": (change("name", to="simclr"), RUN + RESUME),
    "another class": (change("method", to="SimCLR"), RUN + RESUME),
    "no channels": (remove("channels"), ALL),
    "words for channels": (change("channels", to="three"), ALL),
    "no channel": (change("channels", to=0), ALL),
    "channels below zero": (change("channels", to=-3), ALL),
    "one channel": (change("channels", to=1), ALL),
    "endless channels": (change("channels", to=10**12), ALL),
    "a network that is a list": (change("network", to=[1]), READ),
    "a network of nobody": (change("network", to="timm:nobody"), READ),
    "no model": (remove("model"), ALL),
    "a list for a model": (change("model", to=[1, 2]), ALL),
    "an empty model": (change("model", to={}), ALL),
    "words for weights": (change("model", WEIGHT, to="heavy"), ALL),
    "numbers for weights": (change("model", WEIGHT, to=1.5), ALL),
    "nothing for weights": (change("model", WEIGHT, to=None), ALL),
    "whole numbers for weights": (change("model", WEIGHT, to=lambda w: w.long()), ALL),
    "complex weights": (change("model", WEIGHT, to=lambda w: w.to(torch.complex64)), ALL),
    "weights of another shape": (change("model", WEIGHT, to=lambda w: w[:5]), ALL),
    "one number for weights": (change("model", WEIGHT, to=torch.tensor(1.0)), ALL),
    "no weights": (change("model", WEIGHT, to=torch.zeros(0)), ALL),
    "a weight missing": (remove("model", MEAN), ALL),
    "a weight too many": (change("model", "encoder.more", to=torch.ones(2)), ALL),
    "a number for a weight's name": (change("model", 3, to=torch.ones(2)), RUN + RESUME),
    "words for a step": (change("step", to="two"), ALL),
    "half a step": (change("step", to=1.5), ALL),
    "a step below zero": (change("step", to=-1), RESUME),
    "a step beyond the end": (change("step", to=99), RESUME),
    "words for seconds": (change("seconds", to="long"), RESUME),
    "seconds that are no number": (change("seconds", to=float("nan")), RESUME),
    "another precision": (change("dtype", to="complex64"), RESUME),
    "a function for a precision": (change("dtype", to="load"), RESUME),
    "a list for a precision": (change("dtype", to=["float32"]), RESUME),
    "no processes": (change("processes", to=0), RESUME),
    "words for processes": (change("processes", to="two"), RESUME),
    "another seed": (change("seed", to=5), RESUME),
    "words for a seed": (change("seed", to="x"), RESUME),
    "other images": (change("images", to=21), RESUME),
    "no optimiser": (remove("optimizer"), RESUME),
    "a list for an optimiser": (change("optimizer", to=[]), RESUME),
    "an optimiser without groups": (remove("optimizer", "param_groups"), RESUME),
    "a group too few": (change("optimizer", "param_groups", to=lambda groups: groups[:1]), RESUME),
    "other parameters": (change("optimizer", "param_groups", 0, "params", to=[7, 8]), RESUME),
    "moments of another shape": (change(*MOMENTS, "momentum_buffer", to=torch.ones(2)), RESUME),
    "words for moments": (change(*MOMENTS, "momentum_buffer", to="fast"), RESUME),
    "other moments": (change(*MOMENTS, to={"exp_avg": torch.ones(2)}), RESUME),
    "moments of nobody": (change("optimizer", "state", 99, to={"momentum_buffer": torch.ones(2)}), RESUME),
    "moments by name": (change("optimizer", "state", "x", to={"momentum_buffer": torch.ones(2)}), RESUME),
}  # fmt: skip


def resume(folder):
    images = load("scenes", limit=20).train.x
    return list(train(build(get("rotation").METHOD, RECIPE), images, RECIPE, out=folder, about=ABOUT, resume=True))


@pytest.mark.parametrize("kind", FORGED)
@pytest.mark.slow
def test_what_is_wrong_is_said(kind, state, tmp_path):
    forge, refusing = FORGED[kind]
    forged = copy.deepcopy(state)
    forge(forged)
    for read in (load_run, load_encoder, resume):
        folder = tmp_path / read.__name__
        checkpoint.save(folder / "checkpoint.pt", forged)
        if read.__name__ not in refusing:
            assert read(folder)  # what it does not need does not hurt it
            continue
        with pytest.raises(ValueError) as caught:
            read(folder)
        assert 20 < len(str(caught.value)) < 700


def test_hyperparameters_of_a_checkpoint_are_not_taken(state, tmp_path):
    """Those of the recipe hold: a forged momentum would train something else, or fail within a step."""
    forged, losses = copy.deepcopy(state), []
    forged["optimizer"]["param_groups"][0] |= {"momentum": "fast", "weight_decay": 9.0, "lr": -1.0}
    for name, kept in (("as it was", state), ("forged", forged)):
        checkpoint.save(tmp_path / name / "checkpoint.pt", kept)
        losses.append([record.loss for record in resume(tmp_path / name)])
    weights = [checkpoint.load(tmp_path / name / "checkpoint.pt")["model"][WEIGHT] for name in ("as it was", "forged")]
    assert losses[0] == losses[1] and torch.equal(*weights)
