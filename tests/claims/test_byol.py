"""What 12_byol says of its one-number world. What it will say of results/ablations/byol_scenes.json belongs here as well."""

from claim import claim

from sslkit.chapters.byol.exercises import pull_on
from sslkit.notebooks import files

WHERE = "12_byol"


def one_number():
    """The function as the notebook defines it."""
    nb, names = files.read(files.ROOT / "notebooks" / f"{WHERE}.ipynb"), {}
    (source,) = [cell.source for cell in nb.cells if cell.source.startswith("def one_number")]
    exec(source, names)
    return names["one_number"]


def test_the_pull():
    best = 1 / (1 + 0.5**2)
    claim(WHERE, "the pull on $w$ is $w\\sigma^2$", abs(pull_on(3.0, 1.0, 0.5) - 3 * 0.5**2) < 1e-12)
    claim(WHERE, "With the predictor at its best the bracket is **zero**", abs(pull_on(3.0, best, 0.5)) < 1e-12)
    claim(WHERE, "$w\\,(1 + \\sigma^2 - p)$, and it is positive at $p^*$", 1 + 0.5**2 - best > 0)


def test_who_lives():
    world = one_number()
    alive = min(world()[-1], world(momentum=0.95)[-1])
    dying = world(rate=0, momentum=0.95), world(rate=0), world(stop=False), world(rate=0.3)
    claim(
        WHERE,
        "One number: with a predictor and a stop-gradient it stays alive",
        alive > 0.79 and all(path[-1] < 0.25 and path[-1] < 0.8 * path[200] for path in dying),
    )
    claim(
        WHERE,
        "Why does a slow teacher without a predictor die later than none, but die?",
        all(slow >= none for slow, none in zip(dying[0], dying[1]))
        and world(rate=0, momentum=0.95, steps=2000)[-1] < 1e-3,
    )
    claim(
        WHERE,
        "why does a predictor that learns at three tenths of the rate come too late?",
        world(rate=0.3, steps=20_000)[-1] < 0.05,
    )
    claim(
        WHERE,
        "In the one-number world the slow teacher only delays a collapse.",
        dying[0][-1] > dying[1][-1],
    )
