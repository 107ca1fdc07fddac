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
def test_three_bugs():
    claim(WHERE, "the loss stays at chance, ln 4 = 1.386", abs(last("labels out of order") - math.log(4)) < 0.02)
    claim(WHERE, "it is near zero after a tenth of the steps", curve("padded below")[6] < 0.05)
    claim(WHERE, "below ln(1 + 3/e) = 0.744", last("softmax twice") > math.log(1 + 3 / math.e) > 0.743)
    claim(WHERE, "The loss stays at ln 4: after a random turn", abs(last("turned before") - math.log(4)) < 0.02)
