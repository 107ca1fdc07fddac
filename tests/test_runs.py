"""Finding runs and reading encoders: the shipped ones, the reader's, and everything that can be wrong with a folder."""

import hashlib
import importlib.util
import os
import shutil

import pytest
import torch

from sslkit import checkpoint
from sslkit.chapters import get, kind_of, methods, passes_of
from sslkit.datasets import load
from sslkit.probes import features
from sslkit.runs import READY, all_runs, load_encoder, load_run
from sslkit.train import Recipe, build, train

ABOUT = {"name": "rotation", "data": "scenes", "channels": 3, "size": 32, "scale": "smoke"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of two steps, as the command line makes it."""
    folder, module = tmp_path_factory.mktemp("runs") / "mine", get("rotation")
    recipe = module.RECIPES["laptop"].but(steps=2, batch=8)
    for _ in train(
        build(module.METHOD, recipe), load("scenes", limit=20).train.x, recipe, seed=3, out=folder, about=ABOUT
    ):
        pass
    return folder


def runs_of(folder, **options):
    runs, left_out = all_runs(folder, **options)
    return [run for run in runs if not run.shipped], left_out


def changed(source, target, **changes):
    """A copy of a run whose checkpoint says something else; None takes a key out."""
    state = checkpoint.load(source / "checkpoint.pt") | changes
    state.pop("format")
    checkpoint.save(target / "checkpoint.pt", {key: value for key, value in state.items() if value is not None})


def test_the_shipped_encoders():
    runs, left_out = all_runs(READY / "no folder", data=None)
    assert left_out == [] and all(run.shipped for run in runs)
    assert {"simclr", "supervised"} <= {run.name for run in runs} <= {*methods(), "supervised"}
    readme, budget = (READY / "README.md").read_text(), set()
    for run in runs:
        assert hashlib.sha256(run.path.read_bytes()).hexdigest() in readme, (
            f"{run.path}: data/encoders/build.py --readme"
        )
        assert run.path.stat().st_size < 2_000_000
        encoder, state = load_encoder(run.path)
        h = features(encoder, torch.randint(256, (4, 3, 32, 32), dtype=torch.uint8))
        assert h.shape == (4, encoder.dim) and torch.isfinite(h).all() and not encoder.training
        assert state["step"] == run.steps and run.seed == 0
        if run.name != "supervised":
            budget.add(run.passes)
    assert budget == {460_800}


def builder():
    """data/encoders/build.py as a module."""
    spec = importlib.util.spec_from_file_location("build_encoders", READY / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_their_page_is_what_the_script_writes():
    """With the scores of results/compare.json: python data/encoders/build.py --readme"""
    assert (READY / "README.md").read_text() == builder().readme()


def test_a_small_file_of_a_run(finished, tmp_path, monkeypatch):
    build_module, x = builder(), load("scenes", limit=8).train.x
    monkeypatch.setattr(build_module, "HERE", tmp_path)
    (tmp_path / "supervised_scenes.pt").touch()  # training one takes half a minute
    shutil.copytree(finished, tmp_path / "runs/rotation-0")
    build_module.encoders(tmp_path / "runs")
    build_module.whole(finished, tmp_path / "whole.pt")
    expected, size = features(load_run(finished)[0], x), (finished / "checkpoint.pt").stat().st_size
    for encoder in (load_encoder(tmp_path / "rotation_scenes.pt")[0], load_run(tmp_path / "whole.pt")[0]):
        assert torch.allclose(features(encoder, x), expected, atol=0.02 * expected.abs().max().item())
    assert (tmp_path / "rotation_scenes.pt").stat().st_size < (tmp_path / "whole.pt").stat().st_size < size / 2
    assert score_words(build_module) == ["50.0 (60.0 ± 14.1)", "50.0 (50.0)", "not measured"]


def score_words(build_module):
    return [build_module.score(values, 0) for values in ([0.5, 0.7], [0.5], [])]


def test_passes_are_what_goes_through_the_encoder():
    for name in (name for name in methods() if kind_of(name) == "images"):
        module = get(name)
        method = build(module.METHOD, module.RECIPES["laptop"])
        batch = method.pretext(torch.randint(256, (6, 3, 32, 32), dtype=torch.uint8), torch.Generator().manual_seed(0))
        images = sum(len(part) for part in batch if part.ndim == 4)
        # a teacher that sees every view, too, doubles them
        assert 6 * passes_of(name) in (images, 2 * images), name


def test_a_finished_run_is_found_with_what_it_was(finished):
    (run,), left_out = runs_of(finished.parent)
    assert left_out == [] and run.path == finished
    assert (run.name, run.data, run.seed, run.encoder, run.steps, run.batch) == (
        "rotation",
        "scenes",
        3,
        "small7",
        2,
        8,
    )
    assert (run.images, run.passes) == (16, 64)
    x = torch.randint(256, (5, 3, 32, 32), dtype=torch.uint8)
    method, _ = load_run(finished)
    assert torch.equal(features(load_encoder(finished)[0], x), features(method, x))


def test_other_data_is_passed_over(finished, tmp_path):
    changed(finished, tmp_path / "text", data="text", model={"weight": torch.zeros(3)})
    changed(finished, tmp_path / "films", data="moving")
    assert runs_of(tmp_path) == ([], [])
    (films,), left_out = runs_of(tmp_path, data=None)
    assert films.data == "moving" and len(left_out) == 1 and "holds no encoder" in left_out[0]


BROKEN = {
    "cut off": lambda folder, run: (folder / "checkpoint.pt").write_bytes((run / "checkpoint.pt").read_bytes()[:5000]),
    "empty": lambda folder, run: (folder / "checkpoint.pt").write_bytes(b""),
    "no network": lambda folder, run: checkpoint.save(folder / "checkpoint.pt", {"data": "scenes"}),
    "not a dict": lambda folder, run: torch.save([1, 2], folder / "checkpoint.pt"),
    "a folder": lambda folder, run: (folder / "checkpoint.pt").mkdir(),
    "another network": lambda folder, run: changed(run, folder, recipe={"steps": 2, "lr": 0.1, "encoder": "resnet18"}),
    "unknown encoder": lambda folder, run: changed(run, folder, recipe={"steps": 2, "lr": 0.1, "encoder": "huge"}),
    "unknown setting": lambda folder, run: changed(
        run, folder, recipe={"steps": 2, "lr": 0.1, "encoder": "small", "k": 1}
    ),
    "unfinished": lambda folder, run: changed(run, folder, step=1),
    "no recipe": lambda folder, run: changed(run, folder, recipe=None),
    "recipe of another kind": lambda folder, run: changed(run, folder, recipe=[1]),
    "no data": lambda folder, run: changed(run, folder, data=None),
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.slow
def test_a_broken_run_is_left_out_with_a_reason(kind, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "good")
    (tmp_path / "bad").mkdir()
    BROKEN[kind](tmp_path / "bad", finished)
    runs, left_out = runs_of(tmp_path)
    assert [run.path.name for run in runs] == ["good"]
    assert (
        len(left_out) == 1 and left_out[0].startswith(str(tmp_path / "bad")) and len(left_out[0].split(": ", 1)[1]) > 5
    )


def test_folders_without_a_checkpoint_are_no_runs(finished, tmp_path):
    (tmp_path / "started").mkdir()
    (tmp_path / "started/log.jsonl").write_text('{"step": 1}\n')
    (tmp_path / "started/.checkpoint.pt.123").write_bytes(b"half")
    (tmp_path / "scores.jsonl").write_text("{}\n")
    shutil.copytree(finished, tmp_path / "deeper/down")
    runs, left_out = runs_of(tmp_path)
    assert [run.path.name for run in runs] == ["down"] and left_out == []


def test_the_oldest_comes_first(finished, tmp_path):
    for age, name in enumerate(("c", "a", "b")):
        shutil.copytree(finished, tmp_path / name)
        os.utime(tmp_path / name / "checkpoint.pt", (1e9 + age, 1e9 + age))
    assert [run.path.name for run in runs_of(tmp_path)[0]] == ["c", "a", "b"]


def test_an_encoder_alone_says_so(tmp_path):
    with pytest.raises(ValueError, match="load_encoder"):
        load_run(READY / "rotation_scenes.pt")
    with pytest.raises(FileNotFoundError):
        load_encoder(tmp_path / "nothing.pt")
    assert Recipe(**load_encoder(READY / "rotation_scenes.pt")[1]["recipe"]).steps == 1800
