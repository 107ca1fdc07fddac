"""What benchmarks measured, as chapters show it; and the ablations that a chapter declares."""

import json
import re
import subprocess
import sys

import pytest
import torch
from tiny import TOKENS, inputs

from sslkit import evidence
from sslkit.chapters import get, kind_of, names, part
from sslkit.notebooks.files import ROOT
from sslkit.train import Ablation, Recipe

DECLARED = [name for name in names() if part(name, "ablations")]


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(evidence, "RESULTS", tmp_path)

    def write(name, value):
        (tmp_path / f"{name}.json").write_text(json.dumps(value))

    return write


def test_what_was_not_measured_is_said(results):
    with pytest.raises(evidence.NotMeasured, match="there is no .*nothing.json"):
        evidence.results("nothing")
    assert "Not measured yet" in evidence.scoreboard("nothing", title="A table").alt
    results("half", {"runs": {"a": {"0": {"curve": [[1, 2.0]]}}}})
    assert "Not measured yet: there is no 'b' in it" in evidence.losses("half", {"A": "b"}, "A title").alt

    @evidence.or_a_note
    def mistyped(title):
        return {}[title]

    with pytest.raises(KeyError):  # a mistake in a picture is not taken for a missing number
        mistyped("A title")


def test_a_table_shows_what_else_the_runs_keep(results):
    runs = {"a": {"0": {"rank": 3.0}, "1": {"rank": 5.0}}, "bug": {"0": {"rank": 9.0}}}
    about = {"seeds": [0, 1], "steps": 9, "batch": 64, "command": "python x.py"}
    results("x", {**about, "rows": {"kNN": {"a": [0.1, 0.2]}}, "runs": runs})
    assert "effective rank: a 4" in evidence.scoreboard("x", also={"effective rank": "rank"}).alt


def test_a_table_says_which_rows_have_one_seed(results):
    about = {"seeds": [0, 1, 2], "steps": 9, "batch": 64, "command": "python x.py"}
    results("x", {**about, "rows": {"kNN": {"a": [0.1, 0.2, 0.3], "b": [0.3], "c": [0.3, 0.4]}}})
    assert "3 seeds (one where a bar has no dots), 9 steps" in evidence.scoreboard("x", {"a": "a", "b": "b"}).alt
    assert "3 seeds (fewer where a bar has fewer dots or none), 9 steps" in evidence.scoreboard("x").alt
    assert "One seed, 9 steps" in evidence.scoreboard("x", {"b": "b"}).alt
    assert "3 seeds, 9 steps" in evidence.scoreboard("x", {"a": "a"}).alt


def test_a_table_says_which_rows_had_other_steps(results):
    runs = {"a": {"0": {"curve": [[1, 2.0], [9, 1.0]]}}, "b": {"0": {"curve": [[1, 2.0], [18, 1.0]]}}, "c": {"0": {}}}
    about = {"seeds": [0], "recipe": {"steps": 9, "batch": 64}, "command": "python x.py", "runs": runs}
    results("x", {**about, "rows": {"kNN": {"a": [0.1], "b": [0.2], "c": [0.3]}}})
    shown = evidence.scoreboard("x", {"a": "A", "b": "B", "c": "C"}).alt
    assert "A 0.100, B (18 steps) 0.200, C 0.300" in shown
    strong, weak = (evidence.scoreboard("x", {"a": "A", "b": "B"}, highlight=name) for name in ("B", ""))
    assert strong.png != weak.png


def test_how_knn_rises_along_the_shelf():
    drawn = evidence.along({"simclr": "SimCLR"}, title="It rises")
    assert "Curves of kNN (%): SimCLR" in drawn.alt and "Minutes of one core: SimCLR 41" in drawn.alt
    assert "Not measured yet" in evidence.along({"nobody": "N"}, title="It rises").alt


def test_a_table_keeps_the_bugs_that_the_chapter_asks_about_to_itself():
    shown = evidence.scoreboard("ablations/dino_scenes").alt
    assert "no centring" in shown and "temperatures exchanged" not in shown
    assert "A" in evidence.bugs("dino").alt and evidence.secrets("compare") == set()


def test_a_table_says_its_seeds_its_split_and_its_command(results):
    rows = {"kNN": {"a": [0.1, 0.2], "b": [0.3, 0.4]}, "linear probe": {"a": [0.5, 0.6]}}
    results(
        "x",
        {
            "seeds": [0, 1],
            "split": "val",
            "recipe": {"steps": 9000, "batch": 64},
            "command": "python x.py",
            "rows": rows,
        },
    )
    alt = evidence.scoreboard("x", title="Which is better?").alt
    for words in (
        "Which is better?",
        "2 seeds, 9,000 steps of 64 images; val split",
        "python x.py",
        "a 0.150",
        "b 0.350",
    ):
        assert words in alt
    assert (
        "b 0.350" not in evidence.scoreboard("x", {"a": "only this"}).alt
        and "only this" in evidence.scoreboard("x", {"a": "only this"}).alt
    )
    assert evidence.by_row(rows) == {"a": {"kNN": [0.1, 0.2], "linear probe": [0.5, 0.6]}, "b": {"kNN": [0.3, 0.4]}}


def test_curves_of_runs(results):
    results("x", {"runs": {"wrong": {"0": {"curve": [[1, 3.0], [10, 2.0]]}}}})
    assert "A" in evidence.losses("x", {"A": "wrong"}, title="Which bug?", chance=3.0).alt


def test_an_ablation_changes_one_thing_and_sees_as_many_images():
    recipe = Recipe(steps=100, lr=0.1, batch=256, options={"temperature": 0.1})
    smaller = Ablation(settings={"batch": 64}, options={"temperature": 2.0}).recipe(recipe)
    assert smaller == recipe.but(batch=64, steps=400, options={"temperature": 2.0})
    assert Ablation().recipe(recipe) == recipe


@pytest.mark.parametrize("chapter", DECLARED)
@pytest.mark.slow
def test_every_declared_ablation_trains_a_step(chapter):
    module, declared = get(chapter), part(chapter, "ablations").ABLATIONS
    recipe = module.RECIPES["laptop"].smoke()
    width, x = TOKENS if kind_of(chapter) == "tokens" else 3, torch.cat([inputs(chapter)] * 3)  # enough for 8 groups
    plain = next(iter(declared.values())).build(module.METHOD, recipe, width, 0)
    for name, ablation in declared.items():
        method = ablation.build(module.METHOD, recipe, width, 0)
        loss, extras = method(method.pretext(x, torch.Generator().manual_seed(0)))
        loss.backward()
        assert loss.isfinite() and any(p.grad is not None for p in method.encoder.parameters()), name
        assert type(method) is (ablation.make or type(plain))


@pytest.mark.parametrize("chapter", DECLARED)
def test_bugs_are_asked_about_by_the_names_of_ablations(chapter):
    module = part(chapter, "ablations")
    assert set(getattr(module, "BUGS", {}).values()) <= set(module.ABLATIONS)


@pytest.mark.slow
def test_the_benchmark_goes_on_where_it_was(tmp_path):
    script = str(ROOT / "tests/benchmarks/ablate.py")
    words = [
        sys.executable,
        script,
        DECLARED[0],
        "--steps",
        "3",
        "--limit",
        "200",
        "--jobs",
        "1",
        "--out",
        str(tmp_path),
    ]
    names = list(part(DECLARED[0], "ablations").ABLATIONS)[:2]
    assert subprocess.run([*words, "--seeds", "1", names[0]]).returncode == 0
    (path,) = tmp_path.glob("*.json")
    first = json.loads(path.read_text())["runs"]
    assert subprocess.run([*words, "--seeds", "2", *names]).returncode == 0
    found = json.loads(path.read_text())
    assert found["runs"][names[0]]["0"] == first[names[0]]["0"] and set(found["rows"]["kNN"]) == set(names)
    assert found["seeds"] == [0, 1] and found["split"] == "val" and re.search("--seeds 2", found["command"])
    found["runs"][names[0]]["0"]["curve"] = []
    path.write_text(json.dumps(found))
    assert subprocess.run([*words, "--seeds", "1", "--again", names[0]]).returncode == 0
    again = json.loads(path.read_text())["runs"]
    assert again[names[0]]["0"]["curve"] == first[names[0]]["0"]["curve"] and again[names[1]] == found["runs"][names[1]]
    unknown = subprocess.run([*words, "no such thing"], capture_output=True, text=True)
    assert unknown.returncode == 2 and "has no no such thing" in unknown.stderr
