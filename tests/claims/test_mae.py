"""What 17_mae says of results/mae_labels.json, results/ablations/mae_scenes.json, and of the encoder that ships."""

from statistics import mean

import pytest
from claim import ROOT, claim, results

from sslkit import checkpoint
from sslkit.chapters.mae.method import RECIPES

WHERE = "17_mae"
KEPT, LABELS = results("ablations/mae_scenes"), results("mae_labels")
MEANS = {judge: {row: mean(v) for row, v in rows.items()} for judge, rows in KEPT["rows"].items()}
ablated = pytest.mark.skipif(
    "trial" in KEPT or KEPT["recipe"]["steps"] != RECIPES["laptop"].steps,
    reason="results/ablations/mae_scenes.json is a trial of a few steps: python tests/benchmarks/ablate.py mae",
)
judged = pytest.mark.skipif(
    "trial" in LABELS, reason="results/mae_labels.json is a trial of a few steps: python tests/benchmarks/run.py mae"
)


def loss(row: str) -> float:
    """The last loss of seed 0."""
    return KEPT["runs"][row]["0"]["curve"][-1][1]


def test_the_longer_run():
    state = checkpoint.load(ROOT / "data/encoders/mae_scenes.pt")
    claim(WHERE, "a longer run of 7,200 steps; its encoder came with the kit.", state["step"] == 7200)


def test_how_many_stay_visible():
    claim(WHERE, "**90 % hidden**: six patches of 64 remain", round(64 * 0.1) == 6)


@judged
def test_four_judges():
    gains = {judge: mean(rows["MAE"]) - mean(rows["new network"]) for judge, rows in LABELS["rows"].items()}
    few, every = (gains[judge] for judge in gains if "tuned" in judge)
    claim(WHERE, "By the last.", every == max(gains.values()))
    claim(
        WHERE,
        "Frozen judges find the pretrained encoder well ahead of a new one, and fine-tuning on ten labels of each kind hardly notices",
        min(gains["kNN"], gains["linear probe"]) > 0.08 and few < 0.05,
    )
    claim(WHERE, "Both networks had the same 1,000 steps", LABELS["steps"] == 1000)
    claim(WHERE, "This is one pretrained encoder", LABELS["encoder"]["seed"] == 0 and len(LABELS["seeds"]) == 3)


@ablated
def test_one_thing_at_a_time():
    right = MEANS["linear probe"]["as it is"]
    assert len(KEPT["seeds"]) == 3 and right > MEANS["linear probe"]["untrained"] + 0.03, "the baseline has not learned"
    for row, sentence in {
        "25 % hidden": "**25 % hidden** is worse",
        "raw pixels": "**Raw pixels** are worse",
    }.items():
        claim(WHERE, sentence, MEANS["linear probe"][row] < right)
    seconds = {row: KEPT["runs"][row]["0"]["core seconds"] for row in ("as it is", "25 % hidden")}
    claim(WHERE, "each step costs nearly twice as much", 1.5 < seconds["25 % hidden"] / seconds["as it is"] < 2.4)


@ablated
def test_three_bugs():
    right = loss("as it is")
    claim(WHERE, "the curve falls at once, far below the right one", loss("mask upside down") < 0.6 * right)
    claim(WHERE, "The curve stays above the right one", loss("not put back") > 1.1 * right)
    claim(WHERE, "above the right one, and below chance", 1.3 * right < loss("no positions") < 0.9)
