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
    log = SHELF["log of seed 0"]
    ended = sum(point["loss"] for point in log[-20:]) / 20
    claim(
        WHERE,
        "0.5 is about where SimCLR, the best contestant of this chapter that has seen no labels, ended after 10,000 "
        "steps of training.",
        abs(ended - 0.5) < 0.1 and log[-1]["step"] == 10_000,
    )
