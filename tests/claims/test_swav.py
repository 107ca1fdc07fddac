"""What 15_swav says of results/ablations/swav_scenes.json."""

import math
from statistics import mean

from claim import claim, results

WHERE = "15_swav"


KEPT = results("ablations/swav_scenes")
KNN, PROBE = ({row: 100 * mean(v) for row, v in KEPT["rows"][judge].items()} for judge in ("kNN", "linear probe"))


def by_seed(row: str) -> list[float]:
    """Both judges, all seeds."""
    return [score for rows in KEPT["rows"].values() for score in rows[row]]


def test_without_seats():
    assert KEPT["seeds"] == [0, 1, 2] and KEPT["recipe"]["steps"] == 250
    rows = "no seats", "untrained", "as it is"
    claim(
        WHERE,
        "kNN 22 % and a linear probe of 24, where an untrained network has 25 and 32 and the whole method 42 and 51.",
        [[round(judge[row]) for row in rows] for judge in (KNN, PROBE)] == [[22, 25, 42], [24, 32, 51]],
    )
    claim(
        WHERE,
        "No, and with no seed",
        all(without < untrained for without, untrained in zip(by_seed("no seats"), by_seed("untrained"))),
    )


def test_at_equal_compute():
    small = KEPT["runs"]["batch 32"]["0"]["curve"][-1][0]
    claim(
        WHERE,
        "The small batch is far ahead: 54 % by kNN and 63 by the probe, against 42 and 51. It sees as many images in eight times as many "
        "steps",
        [round(KNN["batch 32"]), round(PROBE["batch 32"])] == [54, 63] and small == 8 * 250,
    )
    claim(WHERE, "it is two points behind by kNN", round(KNN["batch 32"] - KNN["batch 32, queue"]) == 2)
    claim(
        WHERE,
        "Softer codes and small crops are behind the recipe with each seed.",
        all(
            less < as_it_is
            for row in ("epsilon 0.05", "two small crops")
            for less, as_it_is in zip(by_seed(row), by_seed("as it is"))
        ),
    )


def test_three_bugs():
    kept = KEPT["runs"]
    last = {row: kept[row]["0"]["curve"][-1][1] for row in ("as it is", "wrong partner", "own code", "no seats")}
    claim(WHERE, "its loss is $\\ln K$: no network can do better", last["wrong partner"] > 0.95 * math.log(256))
    claim(WHERE, "The loss looks fine, better than it should", last["own code"] < last["as it is"])
    claim(
        WHERE,
        "the loss lies below $\\ln K$ from the first step on",
        kept["own code"]["0"]["curve"][0][:1] == [1] and kept["own code"]["0"]["curve"][0][1] < 0.9 * math.log(256),
    )
    claim(
        WHERE,
        "26 % by kNN, where an untrained network has 25 and the right program 45",
        [round(100 * kept[row]["0"]["scores"]["kNN"]) for row in ("own code", "untrained", "as it is")] == [26, 25, 45],
    )
    claim(WHERE, "there is a loss that is too good", last["no seats"] < 0.1)
