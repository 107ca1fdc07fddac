"""What 03_rotation says of results/rotation_scenes.json and results/ablations/rotation_scenes.json."""

import math
from statistics import mean

import pytest
from claim import ROOT, claim, results

WHERE = "03_rotation"
ABLATIONS = "ablations/rotation_scenes"
made = pytest.mark.skipif(
    not (ROOT / "results" / f"{ABLATIONS}.json").exists(), reason="python tests/benchmarks/ablate.py rotation makes it"
)


def curve(row: str) -> list[float]:
    """The losses of seed 0."""
    return [loss for _, loss in results(ABLATIONS)["runs"][row]["0"]["curve"]]


def last(row: str) -> float:
    """The mean of the last ten losses of seed 0 that were kept."""
    return mean(curve(row)[-10:])


def test_fine_tuned_with_other_seeds():
    kept = results("compare")
    tuned = {name: round(100 * mean(v)) for name, v in kept["rows"]["fine-tuned, 10 labels"].items()}
    claim(
        WHERE,
        "Two networks of 1,800 steps: 27 % from scratch, 54 % fine-tuned (`results/compare.json`).",
        (tuned["untrained"], tuned["rotation"]) == (27, 54) and kept["methods"]["rotation"]["steps"] == 1800,
    )


@made
def test_what_each_part_is_worth():
    kept = results(ABLATIONS)
    knn = {row: round(100 * mean(values)) for row, values in kept["rows"]["kNN"].items()}
    claim(WHERE, "networks trained for 450 steps, half the recipe's length, one seed each", len(kept["seeds"]) == 1)
    claim(WHERE, "and nothing about what costs two", kept["recipe"]["steps"] == 450)
    line, clean, cured = knn["line, whole images"], knn["whole images"], knn["line, crops of 0.6"]
    claim(
        WHERE,
        "kNN ends at 30 %, where an untrained network has 25 and the same training without the line gives 68",
        (line, knn["untrained"], clean) == (30, 25, 68),
    )
    claim(WHERE, "of at least six tenths of the area it is 51 %", cured == 51)
    claim(WHERE, "64 % with it and 68 without", (knn["crops of 0.6 at least"], clean) == (64, 68))
    turns = knn["as it is"], knn["0 and 180 degrees"], knn["0 and 90 degrees"]
    claim(WHERE, "(kNN 63 % against 51)", turns[:2] == (63, 51))
    claim(WHERE, "does as well as all four (62 %)", turns[2] == 62)
    others = {row: value for row, value in knn.items() if row in ("new colours", "grey", "crops of 0.2 at least")}
    claim(
        WHERE,
        "**Taking the colours away costs most** (43 %)",
        min(others, key=others.get) == "grey" and knn["grey"] == 43,
    )
    claim(WHERE, "changing them at random next to nothing (62 %)", knn["new colours"] == 62)
    claim(WHERE, "The features hardly suffer: kNN 61 % against 63.", knn["crops of 0.2 at least"] == 61)


@made
def test_three_bugs():
    claim(WHERE, "the loss stays at chance, ln 4 = 1.386", abs(last("labels out of order") - math.log(4)) < 0.02)
    claim(WHERE, "it is near zero after a tenth of the steps", curve("padded below")[6] < 0.05)
    claim(WHERE, "below ln(1 + 3/e) = 0.744", last("softmax twice") > math.log(1 + 3 / math.e) > 0.743)
    claim(WHERE, "what the figure shows is a loss that lags", last("softmax twice") > last("as it is") + 0.1)
    claim(WHERE, "The loss stays at ln 4: after a random turn", abs(last("turned before") - math.log(4)) < 0.02)
