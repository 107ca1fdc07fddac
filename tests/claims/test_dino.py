"""What 16_dino says of its own settings, of results/dino_collapse.json and of results/ablations/dino_scenes.json."""

import math
from statistics import mean

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
        "entropy stands still at 4.8 and KL goes to 0 as well",
        round(last("neither")["entropy"], 1) == 4.8 and last("neither")["kl"] < 0.005,
    )
    claim(WHERE, "the spread of the scores, 0.01, is", round(last("neither")["spread"], 2) == 0.01)
    first = {run: results("dino_collapse")["runs"][run]["0"]["curve"][0] for run in ("both", "neither")}
    claim(
        WHERE,
        "Yet two runs start with a KL of 0.9, and two near 0.",
        first["both"]["step"] == 1 and round(first["both"]["kl"], 1) == 0.9,
    )
    claim(WHERE, "only the two views differ: KL 0.08.", round(first["neither"]["kl"], 2) == 0.08)
    claim(WHERE, "in a small convolutional network and 250 steps", results("dino_collapse")["recipe"]["steps"] == 250)


def test_one_thing_at_a_time():
    kept = results("ablations/dino_scenes")
    knn, probe = ({row: 100 * mean(v) for row, v in kept["rows"][judge].items()} for judge in ("kNN", "linear probe"))
    claim(
        WHERE,
        "26 and 31 % by kNN and probe, against 25 and 32. The same goes for **a teacher that is the student**.",
        [round(judge[row]) for row in ("no centring", "untrained") for judge in (knn, probe)] == [26, 31, 25, 32]
        and all(abs(judge["teacher is student"] - judge["untrained"]) < 4 for judge in (knn, probe)),
    )
    claim(
        WHERE,
        "still has 36 % by kNN, where the whole method has 40; the linear probe is ten points lower",
        (round(knn["no sharpening"]), round(knn["as it is"])) == (36, 40)
        and round(probe["as it is"] - probe["no sharpening"]) == 10,
    )
    each = [100 * score for score in kept["rows"]["kNN"]["no sharpening"]]
    claim(WHERE, "How much is left hangs on the seed: 31 to 39 %.", (round(min(each)), round(max(each))) == (31, 39))
    claim(
        WHERE,
        "**Two small crops** do not pay at about equal compute",
        all(row["two small crops"] < row["as it is"] for row in (knn, probe)),
    )
    claim(
        WHERE,
        "**Four times the steps** bring 20 points by kNN.",
        round(knn["four times as long"] - knn["as it is"]) == 20,
    )
    simclr = [round(100 * mean(row["as it is"])) for row in results("ablations/simclr_scenes")["rows"].values()]
    claim(
        WHERE,
        "That makes 60 %, and 67 by the probe; SimCLR has 68 and 71 after 1,000 steps, by the same judges.",
        (round(knn["four times as long"]), round(probe["four times as long"]), simclr) == (60, 67, [68, 71]),
    )
    run = {row: kept["runs"][row]["0"] for row in kept["runs"]}
    ends = [one["curve"][-1][1] for one in kept["runs"]["no sharpening"].values()]
    claim(WHERE, "with a loss within 0.001 of ln K", all(abs(end - LN_K) < 0.001 for end in ends))
    claim(WHERE, "at step 1 the loss is above ln K already", run["temperatures exchanged"]["curve"][0][1] > LN_K)
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
    three = [row for row, runs in kept["runs"].items() if len(runs) == 3]
    claim(
        WHERE,
        "Three seeds for the first two and the whole method; one for the others",
        set(three) == {"untrained", "as it is", "no centring", "no sharpening"},
    )
