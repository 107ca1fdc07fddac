"""What tests/benchmarks/shelf.py makes, with runs of a few steps: whole, and the same after a stop."""

import json
import sys
from pathlib import Path

import pytest
import torch

from sslkit import checkpoint
from sslkit.chapters import get
from sslkit.runs import load_encoder
from sslkit.train import Recipe

KEPT = sorted((Path(__file__).parents[2] / "results/shelf").glob("*.json"))
WORDS = ["simclr", "--data", "scenes", "--seeds", "2", "--steps", "6", "--limit", "300"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The shelf of one method in a place of its own."""
    root = tmp_path_factory.mktemp("shelf")
    shelve(root)
    return root


def shelve(root: Path) -> None:
    import shelf

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["shelf.py", *WORDS, "--root", str(root)])
        shelf.main()


def files(root: Path) -> tuple[dict, dict, dict]:
    """The encoder's file, the features along the way, the result."""
    shelf = root / "data/encoders/shelf"
    result = json.loads((root / "results/shelf/simclr_scenes.json").read_text())
    return checkpoint.load(shelf / "simclr_scenes.pt"), checkpoint.load(shelf / "simclr_scenes_forming.pt"), result


@pytest.mark.slow
def test_the_encoder_is_that_of_seed_0_in_half_precision(made):
    encoder, state = load_encoder(made / "data/encoders/shelf/simclr_scenes.pt")
    run, _ = load_encoder(made / "runs/shelf/simclr-scenes-0")
    assert state["seed"] == 0 and state["scale"] == "shelf" and state["step"] == 6
    assert {v.dtype for v in state["encoder"].values() if v.is_floating_point()} == {torch.float16}
    for key, value in run.state_dict().items():
        torch.testing.assert_close(encoder.state_dict()[key].float(), value.float(), atol=1e-3, rtol=1e-3)


@pytest.mark.slow
def test_what_it_saw_along_the_way(made):
    _, along, result = files(made)
    assert along["step"] == sorted({0, *along["step"]}) and along["step"][-1] == 6
    assert along["h"].shape == (len(along["step"]), 300, 32) and along["h"].dtype == torch.float16
    assert (
        result["along the way (val, kNN)"]["knn"] == along["knn"] and 0 <= min(along["knn"]) <= max(along["knn"]) <= 1
    )
    from shelf import narrow

    h = torch.randn(300, 8) @ torch.randn(8, 40)  # no more than 8 directions: nothing is lost
    torch.testing.assert_close(torch.cdist(*[narrow(h).float()] * 2), torch.cdist(h, h), atol=0.1, rtol=0.01)


@pytest.mark.slow
def test_scores_of_all_seeds_and_the_log(made):
    _, _, result = files(made)
    assert result["seeds"] == [0, 1] and result["recipe"]["optimizer"] == "muon" and result["recipe"]["steps"] == 6
    for rows in result["rows"].values():
        assert list(rows) == ["pixels", "untrained", "simclr"] and {len(values) for values in rows.values()} == {2}
    assert [line["step"] for line in result["log of seed 0"]] == [1, 2, 3, 4, 5, 6]
    assert len(result["seconds"]) == len(result["core_seconds"]) == 2 and min(result["core_seconds"]) > 0


@pytest.mark.slow
def test_a_stopped_shelf_goes_on_to_the_same(made, tmp_path, monkeypatch):
    import shelf

    class Killed(Exception):
        pass

    def look(method, data, step, out):
        if step == 4:
            raise Killed
        looked(method, data, step, out)

    looked = shelf.look
    with pytest.raises(Killed), monkeypatch.context() as patch:
        patch.setattr(shelf, "look", look)
        shelve(tmp_path)
    assert checkpoint.load(tmp_path / "runs/shelf/simclr-scenes-0/checkpoint.pt")["step"] < 6
    shelve(tmp_path)
    (encoder, along, result), (other, theirs, whole) = files(made), files(tmp_path)
    assert all(torch.equal(value, other["encoder"][key]) for key, value in encoder["encoder"].items())
    assert along["step"] == theirs["step"] and torch.equal(along["h"], theirs["h"])
    assert result["rows"] == whole["rows"]
    losses = [[line["loss"] for line in one["log of seed 0"]] for one in (result, whole)]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("path", KEPT, ids=[path.stem for path in KEPT])
def test_what_ships_was_made_with_the_recipe_that_the_chapter_has(path):
    method, _ = path.stem.rsplit("_", 1)
    assert Recipe.read(json.loads(path.read_text())["recipe"]) == get(method).RECIPES["shelf"]
