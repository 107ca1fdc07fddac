"""What 16_dino says of its own settings, of results/dino_collapse.json and of results/ablations/dino_scenes.json."""

import math
import re
from statistics import NormalDist, mean

import numpy as np
from claim import after_an_hour, along_the_hour, board, claim, results, shown

from sslkit.chapters.dino import pictures
from sslkit.chapters.dino.method import RECIPES
from sslkit.datasets import load

WHERE = "16_dino"
LN_K = math.log(256)


def last(run: str) -> dict[str, float]:
    """The last point of a run's curve, seed 0."""
    return results("dino_collapse")["runs"][run]["0"]["curve"][-1]


def at(run: str, step: int) -> dict[str, float]:
    """The point of a run's curve at a step, seed 0."""
    return next(point for point in results("dino_collapse")["runs"][run]["0"]["curve"] if point["step"] == step)


def test_ln_k():
    claim(WHERE, "With 256 prototypes ln K is 5.55", abs(LN_K - 5.55) < 0.005)


def test_the_two_collapses():
    centred, sharp = last("centring only"), last("sharpening only")
    claim(
        WHERE,
        'ends in "all alike": the entropy rises to 5.55, and so much is ln K.',
        round(centred["entropy"], 2) == round(LN_K, 2) == 5.55,
    )
    claim(WHERE, 'ends in "one for all": the entropy falls to 0.00', sharp["entropy"] < 0.005)
    claim(WHERE, "In each of the two, KL goes to 0.00.", max(centred["kl"], sharp["kl"]) < 0.005)
    claim(
        WHERE,
        "With **both**, entropy ends at 2.0 and KL at 0.8",
        (round(last("both")["entropy"], 1), round(last("both")["kl"], 1)) == (2.0, 0.8),
    )
    claim(
        WHERE,
        "With **neither**, KL goes to 0 as well: a collapse, too. But the entropy hardly moves, from 4.9 to 4.7, between the two limits.",
        last("neither")["kl"] < 0.005
        and [round(point["entropy"], 1) for point in (at("neither", 1), last("neither"))] == [4.9, 4.7],
    )
    claim(WHERE, "The spread of the scores, 0.00, says how:", last("neither")["spread"] < 0.005)
    claim(
        WHERE,
        'At step 105, when "centring only" has all but reached ln K, its spread is 0.23, and that of the right run 0.26.',
        [round(at(run, 105)["spread"], 2) for run in ("centring only", "both")] == [0.23, 0.26]
        and at("centring only", 105)["entropy"] > LN_K - 0.02,
    )
    blue = {point["step"]: point["entropy"] for point in results("dino_collapse")["runs"]["both"]["0"]["curve"]}
    claim(
        WHERE,
        "the teacher's entropy first climbs to nearly 5, falls to 1 by step 60, swings for two hundred steps more, and only "
        "then settles near 2.",
        4.7 < max(blue.values()) < 5
        and abs(blue[60] - 1) < 0.1
        and all(1.3 < blue[step] < 2.5 for step in blue if step > 260),
    )
    scores = {run: round(100 * seeds["0"]["scores"]["kNN"]) for run, seeds in results("dino_collapse")["runs"].items()}
    claim(
        WHERE,
        'of the collapsed runs "centring only" has 37 % by kNN, the right one 38; the others have 27 and 22, an untrained network 25.',
        [scores[run] for run in ("centring only", "both", "sharpening only", "neither", "untrained")]
        == [37, 38, 27, 22, 25],
    )
    long = results("ablations/dino_scenes")
    ends = {
        arm: {round(run["curve"][-1][1], 2) for run in long["runs"][arm].values()}
        for arm in ("no centring", "no sharpening")
    }
    claim(
        WHERE,
        "In the runs of 900 steps further down, the loss ends at 0.00 without centring and at 5.55 without",
        ends == {"no centring": {0.0}, "no sharpening": {5.55}}
        and long["recipe"]["steps"] == 900
        and all(len(long["runs"][arm]) == 3 for arm in ends),
    )
    first = {run: results("dino_collapse")["runs"][run]["0"]["curve"][0] for run in ("both", "neither")}
    claim(
        WHERE,
        "Yet two runs start with a KL of 0.9, and two near 0.",
        first["both"]["step"] == 1 and round(first["both"]["kl"], 1) == 0.9,
    )
    claim(WHERE, "only the two views differ: KL 0.07.", round(first["neither"]["kl"], 2) == 0.07)
    claim(
        WHERE,
        "here: a small convolutional network, 750 steps, one seed.",
        results("dino_collapse")["recipe"]["steps"] == 750 and results("dino_collapse")["seeds"] == [0],
    )


def test_one_thing_at_a_time():
    kept = results("ablations/dino_scenes")
    knn, probe = ({row: 100 * mean(v) for row, v in kept["rows"][judge].items()} for judge in ("kNN", "linear probe"))
    claim(
        WHERE,
        "26 and 31 % by kNN and probe, against 25 and 32.",
        [round(judge[row]) for row in ("no centring", "untrained") for judge in (knn, probe)] == [26, 31, 25, 32],
    )
    published = results("published")["rows"]
    claim(
        WHERE,
        "68.2 % by a linear probe and 49.9 by kNN for DINO, 63.2 and 44.8 for SimCLR (LightlySSL's benchmark;",
        [round(100 * published[row][judge], 1) for row in ("dino", "simclr") for judge in ("linear probe", "kNN")]
        == [68.2, 49.9, 63.2, 44.8],
    )
    claim(
        WHERE,
        "still has 32 % by kNN, where the whole method has 39; the linear probe is fourteen points lower",
        (round(knn["no sharpening"]), round(knn["as it is"])) == (32, 39)
        and round(probe["as it is"] - probe["no sharpening"]) == 14,
    )
    each = [100 * score for score in kept["rows"]["kNN"]["no sharpening"]]
    claim(WHERE, "How much is left depends on the seed: 24 to 37 %.", (round(min(each)), round(max(each))) == (24, 37))
    claim(
        WHERE,
        "**Two small crops** do not pay at about equal compute (33 and 46 %)",
        [round(row["two small crops"]) for row in (knn, probe)] == [33, 46]
        and all(row["two small crops"] < row["as it is"] for row in (knn, probe)),
    )
    claim(
        WHERE,
        "**Batches of 256**, as many images in a quarter of the steps: 32 and 44 %, behind with each seed.",
        [round(score["batches of 256"]) for score in (knn, probe)] == [32, 44]
        and all(
            kept["rows"][judge]["batches of 256"][seed] < kept["rows"][judge]["as it is"][seed]
            for judge in ("kNN", "linear probe")
            for seed in range(3)
        ),
    )
    claim(
        WHERE,
        "as in chapters 11 and 12: 33 and 42 %, with a loss of 5.5, hardly below ln K.",
        [round(score["frozen teacher"]) for score in (knn, probe)] == [33, 42]
        and all(5.45 < one["curve"][-1][1] < LN_K - 0.02 for one in kept["runs"]["frozen teacher"].values()),
    )

    def swing(row: str) -> float:
        """How far the loss moves from one point of the curve to the next, on average, once a run is under way."""
        curves = [[loss for step, loss in one["curve"] if step >= 150] for one in kept["runs"][row].values()]
        return mean(abs(after - before) for curve in curves for before, after in zip(curve, curve[1:]))

    crossed = {
        "centre, a mean over past batches": ("as it is", "teacher is student"),
        "centre of the batch at hand": ("centre of the batch", "centre of the batch, teacher is student"),
        "seats": ("seats", "seats, teacher is student"),
    }
    table = [
        f"| {way} | " + " | ".join(f"{knn[row]:.0f} / {probe[row]:.0f}" for row in rows) + " |"
        for way, rows in crossed.items()
    ]
    claim(
        WHERE,
        "\n".join(table),
        knn["seats, teacher is student"] > knn["seats"] > knn["as it is"] > knn["teacher is student"],
    )
    claim(
        WHERE,
        "Beside a slow teacher, a centre that is never late is worth some five points by kNN. Without one it halves the swings (the loss "
        "stays above 2) and the probe gains seven points, but kNN nothing.",
        4.5 < knn["centre of the batch"] - knn["as it is"] < 5.5
        and all(
            loss > 2
            for one in kept["runs"]["centre of the batch, teacher is student"].values()
            for _, loss in one["curve"]
        )
        and 0.4 < swing("centre of the batch, teacher is student") / swing("teacher is student") < 0.6
        and round(probe["centre of the batch, teacher is student"] - probe["teacher is student"]) == 7
        and -2 < knn["centre of the batch, teacher is student"] - knn["teacher is student"] < 0.5,
    )
    others = [results(f"ablations/{name}_scenes") for name in ("swav", "barlow_twins", "vicreg")]
    found = [
        [round(100 * mean(other["rows"][judge]["as it is"])) for judge in ("kNN", "linear probe")] for other in others
    ]
    claim(
        WHERE,
        "have after as many steps in as large batches (51 / 59, 45 / 56, 54 / 62; chapters 13 to 15)",
        found == [[51, 59], [45, 56], [54, 62]]
        and all(
            (other["recipe"]["steps"], other["recipe"]["batch"]) == (kept["recipe"]["steps"], kept["recipe"]["batch"])
            for other in others
        ),
    )
    run = {row: kept["runs"][row]["0"] for row in kept["runs"]}
    ends = [one["curve"][-1][1] for one in kept["runs"]["no sharpening"].values()]
    claim(WHERE, "with a loss within 0.001 of ln K", all(abs(end - LN_K) < 0.001 for end in ends))
    claim(WHERE, "at step 1 the loss is above ln K already", run["temperatures exchanged"]["curve"][0][1] > LN_K)
    twice, right, added = (run[row] for row in ("same view twice", "as it is", "centre added"))
    claim(
        WHERE,
        "so the loss falls on and on, to 0.08, where the right program's ends above 2. This is hardly a collapse: the scores lie closer "
        "together than the right program's (spread 0.12 and 0.50) but take as many directions (effective rank 8 and 8)",
        round(twice["curve"][-1][1], 2) == 0.08
        and right["curve"][-1][1] > 2
        and [round(one["spread"][-1][1], 2) for one in (twice, right)] == [0.12, 0.5]
        and [round(one["spread"][-1][2]) for one in (twice, right)] == [8, 8],
    )
    claim(
        WHERE,
        "kNN is 26 %, the right program's 43, an untrained network's 25.",
        [round(100 * run[row]["scores"]["kNN"]) for row in ("same view twice", "as it is", "untrained")]
        == [26, 43, 25],
    )
    claim(
        WHERE,
        '"one for all" within sixty steps, with a loss of nearly 0. kNN is 25 %.',
        max(loss for step, loss in added["curve"] if step >= 60) < 0.05
        and added["curve"][-1][1] < 0.001
        and round(100 * added["scores"]["kNN"]) == 25,
    )
    claim(WHERE, "for 900 of its 3,000 steps", (kept["recipe"]["steps"], RECIPES["laptop"].steps) == (900, 3000))
    claim(WHERE, "were trained for 900 of the chapter's 3,000 steps, once each.", kept["recipe"]["steps"] == 900)
    swings = [loss for _, loss in kept["runs"]["teacher is student"]["0"]["curve"]]
    claim(
        WHERE,
        "With the student of the step before there is no lasting collapse, but the loss swings between 0.1 and 6.",
        (round(min(swings), 1), round(max(swings))) == (0.1, 6) and run["teacher is student"]["spread"][-1][1] > 0.4,
    )


def two_numbers(
    centred: bool, sharper: float, noise: float = 0.7, steps: int = 600, start: float = 0.05
) -> tuple[float, float]:
    """What all images prefer, and what sets one apart, after DINO in a world of two prototypes: b and w of scores b + w x.

    x is 1 or -1 and has noise in each view; the student's temperature is 0.1, the teacher's that by `sharper`.
    """
    draws = noise * np.array([NormalDist().inv_cdf((k + 0.5) / 15) for k in range(15)])
    x, n1, n2 = (grid.ravel() for grid in np.meshgrid([1.0, -1.0], draws, draws))
    b = w = teacher_b = teacher_w = start
    centre = 0.0
    for _ in range(steps):
        scores = teacher_b + teacher_w * (x + n2)
        wanted = 1 / (1 + np.exp((centre - scores) * sharper / 0.1))
        wrong = 1 / (1 + np.exp(-(b + w * (x + n1)) / 0.1)) - wanted
        b, w = b - 0.02 * wrong.mean(), w - 0.02 * (wrong * (x + n1)).mean()
        teacher_b, teacher_w = 0.95 * teacher_b + 0.05 * b, 0.95 * teacher_w + 0.05 * w
        centre = 0.9 * centre + 0.1 * scores.mean() if centred else 0.0
    return b, w


def test_one_number_says_why():
    b, w = two_numbers(centred=True, sharper=2.5)
    claim(WHERE, "| both | 0: the centre takes it away | $2.5\\,\\rho$: **grows,", abs(b) < 0.01 and w > 0.15)
    faded, kept_up = (
        two_numbers(centred=True, sharper=2.5, noise=((1 - share) / share) ** 0.5, steps=3000, start=0.01)[1]
        for share in (0.35, 0.47)
    )
    claim(WHERE, "where two views share more than 0.4**", faded < 0.002 and kept_up > 0.03)
    b, w = two_numbers(centred=True, sharper=1.0)
    claim(WHERE, "| centring only | 0 | $\\rho$: fades |", max(abs(b), abs(w)) < 0.01)
    b, w = two_numbers(centred=False, sharper=2.5)
    claim(
        WHERE, "| sharpening only | 2.5: grows fastest of all | $2.5\\,\\rho$, and is overrun |", b > 0.3 and w < 0.01
    )
    b, w = two_numbers(centred=False, sharper=1.0)
    claim(WHERE, "| neither | 1: stands still | $\\rho$: fades |", abs(b - 0.05) < 0.005 and abs(w) < 0.01)


def test_what_two_views_share_before_training():
    said = re.findall(r"seed \d: ([\d.]+) on average, ([\d.]+) in the best direction", shown(WHERE))
    average, best = ([float(pair[k]) for pair in said] for k in (0, 1))
    claim(
        WHERE,
        "with 0.23 or 0.24 all would fade. But in the best direction $\\rho$ is 0.51 to 0.56, and 2.5 times that is 1.3 or more",
        set(average) == {0.23, 0.24} and (min(best), max(best)) == (0.51, 0.56) and round(2.5 * min(best), 1) == 1.3,
    )


def test_the_map():
    claim(
        WHERE,
        "37 % of the eight nearest neighbours are right after your run and 52 after the long one, where chapter 10's short run has 44.",
        "18% and 37% and 52% of the 8 nearest" in shown(WHERE) and "18% and 44% and" in shown("10_simclr"),
    )


def test_twelve_times_as_long():
    found = after_an_hour("dino", "byol", "simclr")
    behind = {
        judge: [
            round(simclr - dino)
            for simclr, dino in (
                (board("10_simclr", "SimCLR")[place], board(WHERE, "DINO")[place]),
                tuple(100 * results(f"shelf/{name}_scenes")["rows"][judge][name][0] for name in ("simclr", "dino")),
            )
        ]
        for place, judge in enumerate(("kNN", "linear probe", "few labels"))
    }
    claim(
        WHERE,
        "After the chapter's own runs DINO is 11 points behind SimCLR by kNN and 5 by the linear probe, after the long ones 5 and 3, and "
        "level with ten labels of each kind.",
        behind["kNN"] == [11, 5] and behind["linear probe"] == [5, 3] and abs(behind["few labels"][1]) <= 1,
    )
    claim(
        WHERE,
        "In the end DINO is right on 70 % of the validation images, as it was at one and a half million; BYOL ends at 75 and SimCLR at "
        "76. On the test split, with twice the labels to vote, kNN is 77 % (BYOL 81, SimCLR 82), the linear probe 79 (82 and 82), and "
        "ten labels of each kind are worth 55 % (57 and 55). One seed each; 56 minutes of one core, where the others took 51 and 41.",
        [found[judge] for judge in ("val", "kNN", "linear probe", "few labels")]
        == [[70, 75, 76], [77, 81, 82], [79, 82, 82], [55, 57, 55]]
        and found["minutes"] == [56, 51, 41],
    )
    seen, knn = along_the_hour("dino")
    others, other = along_the_hour("byol")

    def lead(images: int) -> float:
        """How far DINO is ahead of BYOL after so many images, on the lines of the figure."""
        return np.interp(images, seen, knn) - np.interp(images, others, other)

    claim(
        WHERE,
        "After 10,000 (160 steps) this judge sees nothing learned, but from 41,000 (33 %) on DINO is ahead of BYOL, whose batches are "
        "larger and whose steps are therefore fewer: 50 % after 92,000 images, where BYOL has 51 after 182,000. At some 760,000 BYOL "
        "passes it.",
        [round(n, -3) for n in (seen[1], seen[2], seen[3], others[4])] == [10_000, 41_000, 92_000, 182_000]
        and knn[1] <= knn[0]
        and [round(score) for score in (knn[2], knn[3], other[4])] == [33, 50, 51]
        and all((lead(n) > 0) == (n < 755_000) for n in range(seen[2], seen[-1], 10_000))
        and lead(755_000) > 0 > lead(765_000)
        and abs(knn[12] - knn[-1]) < 0.5
        and round(seen[12], -5) == 1_500_000,
    )


def test_nearest_neighbours():
    claim(
        WHERE,
        "49 % are right, against 20.",
        "each of 2,000 test images 20% are right" in shown(WHERE)
        and "each of 2,000 test images 49% are right" in shown(WHERE),
    )


def test_beside_simclr():
    claim(
        WHERE,
        "in the run shown here DINO has 61.0 % by kNN and 66.1 by the probe. SimCLR, with the same network and views, has 72.4 and 71.5",
        board(WHERE, "DINO")[:2] == [61.0, 66.1] and board("10_simclr", "SimCLR")[:2] == [72.4, 71.5],
    )


def test_what_else_falls_on_the_thing():
    some = load("scenes", train=20, test=20).val[:1000]
    on = pictures.things(some, 8)
    claim(
        WHERE,
        "What counts as the thing is a disc around its middle, four fifths as wide as the thing.",
        2 * pictures.THING == 0.8,
    )
    share = {
        name: round(100 * (each * on[:, None]).sum((2, 3)).mean().item())
        for name, each in pictures.know_nothing(some.x, 8).items()
    }
    claim(WHERE, "Of the differences between neighbouring pixels, 49 % lie on the thing", share["edges"] == 49)
    claim(WHERE, "has 71 % there, more than the best head, as things", share["the middle quarter"] == 71)
    claim(
        WHERE,
        "Two maps that need no network do better than this average.",
        "200 steps 0.343" in shown(WHERE) and 34.3 < min(share.values()),
    )
    claim(
        WHERE,
        "its share of the area, 26 %. After 200 steps they give it 34 %",
        "Bars: untrained 0.261, 200 steps 0.343" in shown(WHERE) and round(100 * on.mean().item()) == 26,
    )
    claim(
        WHERE,
        "Here 30.6 % are left: of the eight points that training brought, more than four are such a habit, "
        "and nearly four come from looking at this image.",
        "200 steps, on another scene 0.306" in shown(WHERE),
    )
