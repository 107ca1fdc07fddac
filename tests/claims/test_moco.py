"""What 11_moco says of results/moco_ablations.json and of its ablations."""

from statistics import mean

from claim import claim, results

WHERE = "11_moco"
KEPT = results("moco_ablations")
GROUPS = KEPT["groups"]
RUNS = results("ablations/moco_scenes")["runs"]


def percent(group: str, row: str, judge: str = "kNN") -> float:
    return 100 * mean(GROUPS[group]["rows"][row][judge])


def once(row: str) -> int:
    """kNN of seed 0, in %."""
    return round(100 * RUNS[row]["0"]["scores"]["kNN"])


def curve(row: str, since: int = 0) -> list[float]:
    return [loss for step, loss in RUNS[row]["0"]["curve"] if step >= since]


def test_a_teacher_that_knows_nothing():
    found = {m: percent("momentum", f"momentum {m}") for m in ("0", "0.99", "0.999", "1")}
    untrained = percent("momentum", "untrained")
    claim(
        WHERE,
        "With a frozen teacher kNN ends at 33 %, where an untrained network has 27 and the best student 36: "
        "**nearly two thirds of the gain come from a teacher that knows nothing.**",
        (round(found["1"]), round(found["0.99"]), round(untrained)) == (33, 36, 27)
        and max(found, key=found.get) == "0.99"
        and 0.55 < (found["1"] - untrained) / (found["0.99"] - untrained) < 0.67
        and len(KEPT["seeds"]) == 3,
    )
    claim(WHERE, "the features end *below* those of an untrained network (21 %)", round(found["0"]) == 21)
    claim(
        WHERE,
        "These are short runs of 400 steps, so a slow teacher has hardly moved; 0.999 is a little behind 0.99.",
        GROUPS["momentum"]["steps"] == 400 and 0 < found["0.99"] - found["0.999"] < 4,
    )


def test_the_long_queue():
    found = {row: percent("queue", row) for row in ("SimCLR", "queue 64", "queue 512", "queue 4096")}
    claim(
        WHERE,
        "The longest is the worst (35.5 % by kNN, against 36.8 with 64 or 512 keys), "
        "and SimCLR with its 62 fresh negatives is ahead of all (42).",
        min(found, key=found.get) == "queue 4096"
        and round(found["queue 4096"], 1) == 35.5
        and round(found["queue 64"], 1) == round(found["queue 512"], 1) == 36.8
        and round(found["SimCLR"]) == 42
        and GROUPS["queue"]["batch"] == 32,
    )
    claim(WHERE, "these runs 25,600.", GROUPS["queue"]["batch"] * GROUPS["queue"]["steps"] == 25_600)


def test_the_leak_is_not_shown():
    same, other = "key found, same companions", "key found, other companions"
    falls = [percent("shuffle", row, same) - percent("shuffle", row, other) for row in ("shuffled", "not shuffled")]
    near = [percent("shuffle", row) for row in ("shuffled", "not shuffled", "one group")]
    claim(
        WHERE,
        "Both networks find fewer keys with other companions, the shuffled one as much as the other (5 points fewer each, three seeds)",
        all(round(fall) == 5 for fall in falls) and falls[0] > falls[1] - 1,
    )
    claim(WHERE, "The features of all three are level by kNN (35 to 36 %).", 34.5 < min(near) and max(near) < 36.5)


def test_the_missing_gradient():
    one_sided, twice = "SimCLR, one view without gradient", "MoCo, twice the steps"
    knn = {row: round(percent("passes", row)) for row in ("SimCLR", one_sided, "MoCo")}
    knn[twice] = round(percent("passes", twice))
    probe = {row: round(percent("passes", row, "linear probe")) for row in ("SimCLR", one_sided, "MoCo", twice)}
    claim(
        WHERE,
        "Without the gradient of one view SimCLR falls from 41 to 37 % by kNN, next to MoCo's 36, "
        "but to 46 % by linear probe, where MoCo has 43.",
        (knn["SimCLR"], knn[one_sided], knn["MoCo"], probe[one_sided], probe["MoCo"]) == (41, 37, 36, 46, 43),
    )
    claim(
        WHERE,
        "With twice the steps MoCo's linear probe rises from 43 to 48 %, next to SimCLR's 49, but kNN only to 38.",
        (probe["MoCo"], probe[twice], probe["SimCLR"], knn[twice]) == (43, 48, 49, 38),
    )


def test_three_bugs():
    claim(
        WHERE,
        "so the loss is near 0 within a hundred steps, "
        "and the features are no better than untrained ones (25 % by kNN, where those have 27).",
        min(curve("never written")[:9]) < 0.3 and (once("never written"), once("untrained")) == (25, 27),
    )
    lost = curve("not put back")
    claim(
        WHERE,
        "Yet the loss is below chance, 7.63, for most of the run",
        sum(loss < 7.63 for loss in lost) > 0.8 * len(lost),
    )
    claim(WHERE, "At the end it is worse than guessing.", lost[-1] > 7.63)
    claim(WHERE, "The features suffer too (21 %).", once("not put back") == 21)
    claim(WHERE, "the features end lowest of all (19 %)", once("weights exchanged") == 19 < once("not put back"))
    claim(
        WHERE,
        "One seed, 800 steps; without a bug 40 %.",
        once("as it is") == 40 and results("ablations/moco_scenes")["recipe"]["steps"] == 800,
    )


def test_what_if():
    claim(
        WHERE,
        "kNN hardly changes (39 against 40 %), though the loss falls to 1.8, with chance at ln 65 = 4.17.",
        (once("queue 64"), once("as it is")) == (39, 40) and round(curve("queue 64")[-1], 1) == 1.8,
    )
    claim(
        WHERE,
        "kNN ends at 35 %, and the loss stays at 6.5.",
        once("temperature 0.5") == 35 and round(curve("temperature 0.5")[-1], 1) == 6.5,
    )
    probe = {row: round(100 * RUNS[row]["0"]["scores"]["linear probe"]) for row in ("symmetric", "as it is")}
    claim(
        WHERE,
        "kNN 42 against 40 %, linear probe 51 against 47, the loss at 4.6 in place of 5.0.",
        (once("symmetric"), once("as it is"), probe["symmetric"], probe["as it is"]) == (42, 40, 51, 47)
        and (round(curve("symmetric")[-1], 1), round(curve("as it is")[-1], 1)) == (4.6, 5.0),
    )
    spent = {row: RUNS[row]["0"]["core seconds"] for row in ("symmetric", "as it is")}
    claim(WHERE, "(78 core seconds for the run in place of 40)", (spent["symmetric"], spent["as it is"]) == (78, 40))
