"""What 15_swav says of results/ablations/swav_scenes.json."""

import math
from statistics import mean

from claim import claim, results

WHERE = "15_swav"


def test_without_seats():
    kept = results("ablations/swav_scenes")
    found = {
        judge: [round(100 * mean(rows[row])) for row in ("no seats", "untrained", "as it is")]
        for judge, rows in kept["rows"].items()
    }
    assert len(kept["seeds"]) == 1 and kept["recipe"]["steps"] == 250
    claim(
        WHERE,
        "kNN 24 % and a linear probe of 25, where an untrained network has 25 and 32 and the whole method 45 and 54",
        (found["kNN"], found["linear probe"]) == ([24, 25, 45], [25, 32, 54]),
    )


def test_three_bugs():
    kept = results("ablations/swav_scenes")["runs"]
    last = {row: kept[row]["0"]["curve"][-1][1] for row in ("as it is", "wrong partner", "own code", "no seats")}
    claim(WHERE, "its loss is $\\ln K$: no network can do better", last["wrong partner"] > 0.95 * math.log(256))
    claim(WHERE, "The loss looks fine, better than it should", last["own code"] < last["as it is"])
    claim(
        WHERE,
        "the loss lies below $\\ln K$ from the first step on",
        kept["own code"]["0"]["curve"][0][:1] == [1] and kept["own code"]["0"]["curve"][0][1] < 0.9 * math.log(256),
    )
    knn = results("ablations/swav_scenes")["rows"]["kNN"]
    claim(
        WHERE,
        "26 % by kNN, where an untrained network has 25 and the right program 45",
        [round(100 * mean(knn[row])) for row in ("own code", "untrained", "as it is")] == [26, 25, 45],
    )
    claim(WHERE, "there is a loss that is too good", last["no seats"] < 0.1)
