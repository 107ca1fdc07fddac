"""What 02_judging says of results/shelf/simclr_scenes.json."""

from claim import claim, results

WHERE = "02_judging"
SHELF = results("shelf/simclr_scenes")


def test_the_contestant_that_ships():
    minutes = round(SHELF["seconds"][0] / 60)
    claim(
        WHERE,
        "It ships with the kit, after 49 minutes of training on one core.",
        (minutes, SHELF["threads"]) == (49, 1),
    )
    passed = [point["loss"] for point in SHELF["log of seed 0"] if 90 <= point["seconds"] <= 130]
    claim(
        WHERE,
        "2.1 is about where SimCLR, the best contestant of this chapter that has seen no labels, stands after two "
        "minutes of training.",
        any(abs(loss - 2.1) < 0.5 for loss in passed),
    )
