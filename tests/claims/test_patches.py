"""What 04_patches says of results/ablations/patches_scenes.json."""

import math
from statistics import mean

from claim import claim, results

WHERE = "04_patches"
ABLATIONS = "ablations/patches_scenes"


def judged(judge: str) -> dict[str, float]:
    """{row: mean over seeds, in %}."""
    return {row: 100 * mean(values) for row, values in results(ABLATIONS)["rows"][judge].items()}


def last(row: str) -> float:
    """The mean of the last ten losses of seed 0 that were kept."""
    return mean(loss for _, loss in results(ABLATIONS)["runs"][row]["0"]["curve"][-10:])


KNN, PROBE = judged("kNN"), judged("linear probe")


def test_the_cast_and_its_cures():
    claim(
        WHERE,
        "The cast makes the question easier and the features worse: 25 % by kNN, *below* an untrained network, where the same training "
        "without it gives 40.",
        (round(KNN["cast"]), round(KNN["as it is"])) == (25, 40)
        and KNN["cast"] < KNN["untrained"]
        and PROBE["cast"] < PROBE["as it is"] - 10
        and last("cast") < last("as it is") - 0.4,
    )
    cured = "cast, grey", "cast, colour dropped"
    claim(
        WHERE,
        "the question becomes harder than it ever was",
        all(last(row) > last("as it is") for row in cured),
    )
    claim(
        WHERE,
        "They bring kNN back to 29 % (grey) and 32 % (dropped), and not to 40",
        tuple(round(KNN[row]) for row in cured) == (29, 32),
    )


def test_one_thing_at_a_time():
    both = "gap 0, jitter 0"
    claim(
        WHERE,
        "without the one or the other little is lost, without both seven points by either judge. The loss hardly moves.",
        all(found["as it is"] - found[row] < 4.1 for found in (KNN, PROBE) for row in ("gap 0", "jitter 0"))
        and all(round(found["as it is"] - found[both]) == 7 for found in (KNN, PROBE))
        and abs(last(both) - last("as it is")) < 0.05,
    )
    claim(
        WHERE,
        "**Grey** costs ten points",
        all(round(found["as it is"] - found["grey"]) == 10 for found in (KNN, PROBE)),
    )
    claim(
        WHERE,
        "its features are worth less, though it solves the question just as well, so its loss does not show it",
        all(found["halved three times"] < found["as it is"] - 5 for found in (KNN, PROBE))
        and abs(last("halved three times") - last("as it is")) < 0.1,
    )
    claim(
        WHERE,
        "it is the best row of the table",
        all(found["enlarged for training"] == max(found.values()) for found in (KNN, PROBE)),
    )
    seconds = [results(ABLATIONS)["runs"][row]["0"]["core seconds"] for row in ("enlarged for training", "as it is")]
    claim(WHERE, "at more than twice the cost of a step", seconds[0] > 2 * seconds[1])
    kept = results(ABLATIONS)
    claim(WHERE, "with half of the chapter's steps, one seed", kept["recipe"]["steps"] == 400 and kept["seeds"] == [0])


def test_three_bugs():
    claim(WHERE, "the loss stays at chance, ln 8 = 2.079", abs(last("other image") - math.log(8)) < 0.02)
    claim(WHERE, "the loss falls far below that of the working program", last("overlapping") < last("as it is") / 2)
    claim(WHERE, "the loss cannot fall below ln 2 = 0.693", last("order lost") > math.log(2))
    claim(WHERE, "it stays well above that of the working program", last("order lost") > last("as it is") + 0.2)
