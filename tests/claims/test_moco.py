"""What 11_moco says of results/moco_ablations.json and the methods' scores on scenes."""

from statistics import mean

from claim import claim, own_row, results, rows

WHERE = "11_moco"
GROUPS = results("moco_ablations")["groups"]


def percent(group: str, row: str, judge: str = "kNN") -> float:
    return 100 * mean(GROUPS[group]["rows"][row][judge])


def test_beside_simclr():
    ours, theirs = (
        {j: row[own_row(m)] for j, row in rows(m).items() if j != "effective rank"} for m in ("moco", "simclr")
    )
    gaps = [100 * (theirs[judge] - ours[judge]) for judge in ours]
    claim(WHERE, "MoCo is behind by two to six points.", 1.5 < min(gaps) and max(gaps) < 6.5)


def test_momentum():
    found = {m: percent("momentum", f"momentum {m}") for m in ("0", "0.99", "0.999", "1")}
    untrained = percent("momentum", "untrained")
    claim(
        WHERE,
        "In four hundred steps 0.99 is best here, 0.999 a little behind, and momentum 0 leaves the features *below* those of an untrained "
        "network (21 against 27 % by kNN).",
        GROUPS["momentum"]["steps"] == 400
        and max(found, key=found.get) == "0.99"
        and 0 < found["0.99"] - found["0.999"] < 4
        and (round(found["0"]), round(untrained)) == (21, 27),
    )
    claim(
        WHERE,
        "its student ends at 33 %, where the best one has 36 and the untrained network 27: **nearly two thirds of the gain come from "
        "predicting the features of a network that knows nothing.**",
        (round(found["1"]), round(found["0.99"])) == (33, 36)
        and 0.55 < (found["1"] - untrained) / (found["0.99"] - untrained) < 0.67,
    )


def test_the_long_queue():
    found = {row: percent("queue", row) for row in ("SimCLR", "queue 64", "queue 512", "queue 4096")}
    claim(
        WHERE,
        "The longest queue is the worst (35.5 % by kNN, against 36.8 with 64 or 512 keys), and SimCLR with its 62 fresh negatives is "
        "ahead of all (42).",
        min(found, key=found.get) == "queue 4096"
        and round(found["queue 4096"], 1) == 35.5
        and round(found["queue 64"], 1) == round(found["queue 512"], 1) == 36.8
        and round(found["SimCLR"]) == 42
        and GROUPS["queue"]["batch"] == 32,
    )


def test_the_leak_is_not_shown():
    same, other = "key found, same companions", "key found, other companions"
    falls = [percent("shuffle", row, same) - percent("shuffle", row, other) for row in ("shuffled", "not shuffled")]
    near = [percent("shuffle", row) for row in ("shuffled", "not shuffled", "one group")]
    claim(
        WHERE,
        "Both networks find fewer keys with other companions, the shuffled one as much as the other (5 points fewer each, three seeds)",
        all(round(fall) == 5 for fall in falls) and falls[0] > falls[1] - 1,
    )
    claim(WHERE, "the features of all three are level by kNN (35 to 36 %).", 34.5 < min(near) and max(near) < 36.5)
