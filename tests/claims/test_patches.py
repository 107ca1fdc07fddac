"""What 04_patches says of results/ablations/patches_scenes.json."""

import math
from statistics import mean

import pytest
from claim import ROOT, claim, results

WHERE = "04_patches"
ABLATIONS = "ablations/patches_scenes"
pytestmark = pytest.mark.skipif(
    not (ROOT / "results" / f"{ABLATIONS}.json").exists(), reason="python tests/benchmarks/ablate.py patches makes it"
)


def judged(judge: str) -> dict[str, float]:
    """{row: mean over seeds, in %}."""
    kept = results(ABLATIONS)
    assert len(kept["seeds"]) >= 3
    return {row: 100 * mean(values) for row, values in kept["rows"][judge].items()}


def last(row: str) -> float:
    """The mean of the last ten losses of seed 0 that were kept."""
    return mean(loss for _, loss in results(ABLATIONS)["runs"][row]["0"]["curve"][-10:])


def test_the_cast_and_its_cures():
    for found in map(judged, ("kNN", "linear probe")):
        claim(WHERE, "The cast makes the question easier and the features worse", found["cast"] < found["as it is"] - 2)
    claim(WHERE, "The cast makes the question easier", last("cast") < last("as it is") - 0.1)
    for cured in ("cast, grey", "cast, colour dropped"):
        claim(WHERE, "so the question becomes harder than it ever was", last(cured) > last("as it is"))


def test_three_halvings_do_not_show_in_the_loss():
    for found in map(judged, ("kNN", "linear probe")):
        claim(WHERE, "its features are worth less", found["halved three times"] < found["as it is"] - 2)
    close = abs(last("halved three times") - last("as it is")) < 0.1
    claim(WHERE, "though it solves the question just as well, so its loss does not show it", close)


def test_three_bugs():
    claim(WHERE, "the loss stays at chance, ln 8 = 2.079", abs(last("other image") - math.log(8)) < 0.02)
    claim(WHERE, "the loss falls far below that of the working program", last("overlapping") < last("as it is") / 2)
    claim(WHERE, "the loss cannot fall below ln 2 = 0.693", last("order lost") > math.log(2))
    claim(WHERE, "it stays well above that of the working program", last("order lost") > last("as it is") + 0.2)
