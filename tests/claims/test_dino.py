"""What 16_dino says of its own settings, of results/dino_collapse.json and of results/ablations/dino_scenes.json."""

import math

from claim import claim, results

WHERE = "16_dino"
LN_K = math.log(256)


def last(run: str) -> dict[str, float]:
    """The last point of a run's curve, seed 0."""
    return results("dino_collapse")["runs"][run]["0"]["curve"][-1]


def test_ln_k():
    claim(WHERE, "with 256 prototypes ln K is 5.55", abs(LN_K - 5.55) < 0.005)


def test_the_two_collapses():
    centred, sharp = last("centring only"), last("sharpening only")
    claim(
        WHERE, 'ends in "all alike": the entropy rises to 5.54, and ln K is 5.55', round(centred["entropy"], 2) == 5.54
    )
    claim(WHERE, 'ends in "one for all": the entropy falls to 0.00', sharp["entropy"] < 0.005)
    claim(WHERE, "In both, KL goes to 0.00.", max(centred["kl"], sharp["kl"]) < 0.005)
    claim(
        WHERE,
        "the entropy comes to rest at 2.6 and KL at 0.8",
        (round(last("both")["entropy"], 1), round(last("both")["kl"], 1)) == (2.6, 0.8),
    )
    claim(
        WHERE,
        "entropy stands still at 4.8, and yet nothing is left",
        round(last("neither")["entropy"], 1) == 4.8 and last("neither")["kl"] < 0.005,
    )
    claim(WHERE, "the spread of the scores, 0.01, is", round(last("neither")["spread"], 2) == 0.01)
    claim(WHERE, "in a small convolutional network and 250 steps", results("dino_collapse")["recipe"]["steps"] == 250)


def test_one_thing_at_a_time():
    kept = results("ablations/dino_scenes")
    knn, probe = ({row: 100 * one for row, (one,) in kept["rows"][judge].items()} for judge in ("kNN", "linear probe"))
    little = "no centring", "teacher is student"
    claim(
        WHERE,
        "leave features that are little better than untrained ones",
        all(0 < knn[row] - knn["untrained"] < 6 and 0 < probe[row] - probe["untrained"] < 4 for row in little),
    )
    claim(
        WHERE,
        "still has 39 % by kNN, like the whole method; the linear probe is six points lower",
        (round(knn["no sharpening"]), round(knn["as it is"])) == (39, 39)
        and round(probe["as it is"] - probe["no sharpening"]) == 6,
    )
    claim(
        WHERE,
        "**Two small crops** do not pay at equal compute",
        all(row["two small crops"] < row["as it is"] for row in (knn, probe)),
    )
    claim(
        WHERE,
        "**Four times the steps** bring 21 points by kNN.",
        round(knn["four times as long"] - knn["as it is"]) == 21,
    )
    claim(
        WHERE,
        "the loss climbs almost to ln K here, too",
        0.9 * LN_K < kept["runs"]["frozen teacher"]["0"]["curve"][-1][1] < LN_K,
    )
    claim(
        WHERE,
        "kNN ends at 34 %, in A below the untrained network",
        round(knn["frozen teacher"]) == 34 and knn["temperatures exchanged"] < knn["untrained"],
    )
    claim(WHERE, "with two thirds of its steps", kept["recipe"]["steps"] == 500)
    claim(WHERE, "One seed each", kept["seeds"] == [0])
