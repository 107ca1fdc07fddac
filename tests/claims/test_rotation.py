"""What 03_rotation says of results/rotation_scenes.json and results/ablations/rotation_scenes.json."""

import math
from statistics import mean

import pytest
from claim import ROOT, claim, results, rows

WHERE = "03_rotation"
ABLATIONS = "ablations/rotation_scenes"
made = pytest.mark.skipif(
    not (ROOT / "results" / f"{ABLATIONS}.json").exists(), reason="python tests/benchmarks/ablate.py rotation makes it"
)


def ablated(judge: str) -> dict[str, float]:
    """{row: mean over seeds, in %}."""
    kept = results(ABLATIONS)
    assert len(kept["seeds"]) >= 3
    return {row: 100 * mean(values) for row, values in kept["rows"][judge].items()}


def curve(row: str) -> list[float]:
    """The losses of seed 0."""
    return [loss for _, loss in results(ABLATIONS)["runs"][row]["0"]["curve"]]


def last(row: str) -> float:
    """The mean of the last ten losses of seed 0 that were kept."""
    return mean(curve(row)[-10:])


def test_three_seeds():
    found = {
        judge: {row: round(100 * value) for row, value in named.items()} for judge, named in rows("rotation").items()
    }
    knn, few = found["kNN"], found["fine-tuning, 10 labels per class"]
    claim(
        WHERE,
        "kNN is right for 62 % of the test scenes, and for 29 % with an untrained network",
        (knn["Rotation"], knn["untrained"]) == (62, 29),
    )
    claim(
        WHERE,
        "29 % from scratch, 43 % fine-tuned: about fifteen points",
        (few["from scratch"], few["Rotation"]) == (29, 43),
    )


@made
def test_the_line_and_its_cure():
    for judge in ("kNN", "linear probe"):
        found = ablated(judge)
        clean, line, cured = (found[row] for row in ("whole images", "line, whole images", "line, crops of 0.6"))
        claim(WHERE, "the features are worth less than those of an untrained network", line < found["untrained"])
        claim(
            WHERE,
            "The line ruins the features; a random crop brings most of them back",
            cured - line > (clean - line) / 2,
        )
    claim(WHERE, "the loss is near zero at once", curve("line, whole images")[6] < 0.1)


@made
def test_one_thing_at_a_time():
    for judge in ("kNN", "linear probe"):
        found = ablated(judge)
        two = {row: found[row] for row in ("0 and 180 degrees", "0 and 90 degrees")}
        claim(WHERE, "Four turns are better than two", found["as it is"] > max(two.values()))


@made
def test_three_bugs():
    claim(WHERE, "the loss stays at chance, ln 4 = 1.386", abs(last("labels out of order") - math.log(4)) < 0.02)
    claim(WHERE, "it is near zero after a tenth of the steps", curve("padded below")[6] < 0.05)
    claim(WHERE, "below ln(1 + 3/e) = 0.744", last("softmax twice") > math.log(1 + 3 / math.e) > 0.743)
    claim(WHERE, "the loss stays at ln 4", abs(last("turned before") - math.log(4)) < 0.02)
