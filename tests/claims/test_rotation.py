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
def test_what_each_part_is_worth():
    kept = results(ABLATIONS)
    knn = {row: round(100 * mean(values)) for row, values in kept["rows"]["kNN"].items()}
    claim(WHERE, "networks trained for 450 steps, half the recipe's length, one seed each", len(kept["seeds"]) == 1)
    claim(WHERE, "and nothing about what costs two", kept["recipe"]["steps"] == 450)
    line, cured = knn["line, whole images"], knn["line, crops of 0.6"]
    claim(WHERE, "kNN ends at 20 %, where an untrained network has 27", (line, knn["untrained"]) == (20, 27))
    claim(WHERE, "of at least six tenths of the area it is 43 %", cured == 43)
    crop, whole = knn["crops of 0.6 at least"], knn["whole images"]
    claim(WHERE, "53 % with it and 56 without", (crop, whole) == (53, 56))
    turns = knn["as it is"], knn["0 and 90 degrees"], knn["0 and 180 degrees"]
    claim(WHERE, "(kNN 53 % against 48 and 39)", turns == (53, 48, 39))
    claim(WHERE, "**Taking the colours away costs most** (31 %)", knn["grey"] == 31)
    claim(WHERE, "changing them at random little (50 %)", knn["new colours"] == 50)


@made
def test_three_bugs():
    claim(WHERE, "the loss stays at chance, ln 4 = 1.386", abs(last("labels out of order") - math.log(4)) < 0.02)
    claim(WHERE, "it is near zero after a tenth of the steps", curve("padded below")[6] < 0.05)
    claim(WHERE, "below ln(1 + 3/e) = 0.744", last("softmax twice") > math.log(1 + 3 / math.e) > 0.743)
    claim(WHERE, "The loss stays at ln 4: after a random turn", abs(last("turned before") - math.log(4)) < 0.02)
