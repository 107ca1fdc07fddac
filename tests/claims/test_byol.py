"""What 12_byol says of its one-number world, and of results/ablations/byol_scenes.json."""

from math import log
from statistics import mean

from claim import board, claim, numbers, results, shown

from sslkit.chapters import get
from sslkit.chapters.byol.exercises import pull_on
from sslkit.notebooks import files

WHERE = "12_byol"


def defined(name: str):
    """A function as the notebook defines it."""
    nb, names = files.read(files.ROOT / "notebooks" / f"{WHERE}.ipynb"), {"pull_on": pull_on}
    (source,) = [cell.source for cell in nb.cells if cell.source.startswith(f"def {name}(")]
    exec(source, names)
    return names[name]


def test_the_pull():
    best = 1 / (1 + 0.5**2)
    claim(WHERE, "the pull on $w$ is $w\\sigma^2$", abs(pull_on(3.0, 1.0, 0.5) - 3 * 0.5**2) < 1e-12)
    claim(WHERE, "With the predictor at its best the bracket is **zero**", abs(pull_on(3.0, best, 0.5)) < 1e-12)
    claim(WHERE, "$w\\,(1 + \\sigma^2 - p)$, and it is positive at $p^*$", 1 + 0.5**2 - best > 0)


def test_two_inputs():
    """Student w_a x_a + w_b x_b, one predictor p: at its best the length is not pulled, and the quiet input gains."""
    quiet, noisy = 1 + 0.3**2, 1 + 0.8**2  # E[x^2] of each input

    def pulls(a: float, b: float) -> tuple[float, float]:
        p = (a * a + b * b) / (a * a * quiet + b * b * noisy)
        return p * a * (p * quiet - 1), p * b * (p * noisy - 1)

    pairs = [(a / 10, b / 10) for a in range(1, 20) for b in range(1, 20)]
    claim(
        WHERE,
        "For the quiet input the bracket, with its own $\\sigma$, is then negative, and its weight grows; for the noisy one it is "
        "positive, and its weight shrinks; the length $\\sqrt{w_a^2 + w_b^2}$ has no pull.",
        all(pulls(a, b)[0] < 0 < pulls(a, b)[1] for a, b in pairs)
        and all(abs(a * pulls(a, b)[0] + b * pulls(a, b)[1]) < 1e-12 for a, b in pairs),
    )
    learn = defined("two_inputs")
    a, b = learn(0.3, 0.8, steps=2000, lr=0.02)[-1]
    claim(WHERE, "it turns to the input on which the two views agree best", b < 0.001 and abs(a - 2**0.5) < 0.05)
    claim(
        WHERE,
        "With a number and a $p$ for each, neither would move.",
        all(abs(pull_on(w, 1 / (1 + noise**2), noise)) < 1e-12 for w in (0.3, 1, 2) for noise in (0.3, 0.8)),
    )
    claim(WHERE, "With equal noise nothing moves.", all(abs(w - 1) < 1e-9 for w in learn(0.5, 0.5)[-1]))


def test_who_lives():
    world = defined("one_number")
    alive = min(world()[-1], world(momentum=0.95)[-1])
    dying = world(rate=0, momentum=0.95), world(rate=0), world(stop=False), world(rate=0.3)
    claim(
        WHERE,
        "One number lives with a stop-gradient and a predictor that is not too slow",
        alive > 0.79 and all(path[-1] < 0.25 and path[-1] < 0.8 * path[200] for path in dying),
    )
    claim(
        WHERE,
        "Without a predictor, $w$ dies under a slow teacher too, only later.",
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
        "When $p$ arrives at $p^* = 0.8$, $w^2 = 1 - 0.36 / r$: below $r = 0.36$ there is no such $w$, and it dies.",
        1 / (1 + 0.5**2) == 0.8
        and abs((1 - 0.8**2) - 0.36) < 1e-9
        and world(rate=0.34, steps=20_000)[-1] < 0.001
        and abs(world(rate=0.4, steps=20_000)[-1] - (1 - 0.36 / 0.4) ** 0.5) < 0.01,
    )
    claim(WHERE, "at 0.996 a teacher needs 173 steps to go half the way", round(log(0.5) / log(0.996)) == 173)
    claim(
        WHERE,
        "In those small worlds a slow teacher only delays a collapse.",
        dying[0][-1] > dying[1][-1],
    )


KEPT = results("ablations/byol_scenes")
RATES = {0: "predictor rate 0", 1: "predictor rate 1", 4: "as it is", 10: "predictor rate 10"}


def knn(row: str) -> int:
    """The mean over seeds on val, in %."""
    return round(100 * mean(KEPT["rows"]["kNN"][row]))


def probe(row: str) -> float:
    return 100 * mean(KEPT["rows"]["linear probe"][row])


def first(row: str) -> tuple[int, int]:
    """kNN and linear probe of seed 0."""
    return round(100 * KEPT["rows"]["kNN"][row][0]), round(100 * KEPT["rows"]["linear probe"][row][0])


def rank(row: str) -> float:
    """Effective rank of z at the end, seed 0."""
    return KEPT["runs"][row]["0"]["spread"][-1][2]


def ranks(row: str) -> list[float]:
    """The same, of all seeds."""
    return [run["spread"][-1][2] for run in KEPT["runs"][row].values()]


def loss(row: str) -> float:
    return KEPT["runs"][row]["0"]["curve"][-1][1]


def test_the_ladder():
    gaps = [a - b for a, b in zip(KEPT["rows"]["kNN"]["frozen teacher"], KEPT["rows"]["kNN"]["untrained"])]
    claim(
        WHERE,
        "is far better than its teacher: 37 against 25 % by kNN, and ahead by nine points or more with each of three seeds.",
        (knn("frozen teacher"), knn("untrained")) == (37, 25) and len(gaps) == 3 and min(gaps) > 0.09,
    )
    claim(
        WHERE,
        "Replacing the teacher three times during the run adds two points by kNN and four by the linear probe.",
        (knn("four teachers") - knn("frozen teacher"), round(probe("four teachers") - probe("frozen teacher")))
        == (2, 4),
    )
    gains = [
        [mean(rows[row]) - mean(rows["untrained"]) for row in ("frozen teacher", "as it is")]
        for rows in KEPT["rows"].values()
    ]
    claim(
        WHERE,
        "a frozen teacher already brings most of the gain of these 500 steps",
        all(frozen > 0.6 * whole for frozen, whole in gains),
    )
    claim(
        WHERE,
        "brings 39.5 and 51 %, a teacher that *is* the student 43 and 53; each of these two leads with at least one seed.",
        [(knn(row), round(probe(row))) for row in ("as it is", "SimSiam")] == [(39, 51), (43, 53)]
        and len({a > b for a, b in zip(KEPT["rows"]["kNN"]["as it is"], KEPT["rows"]["kNN"]["SimSiam"])}) == 2
        and all(len(KEPT["runs"][row]) == 3 for row in ("as it is", "SimSiam", "frozen teacher", "four teachers"))
        and KEPT["recipe"]["steps"] == 500,
    )


def test_four_times_as_long():
    kept = KEPT["runs"]["four times as long"]
    claim(
        WHERE,
        "the images of these 500 steps in batches of 64, also four times as many steps, bring 44 and 55 %, where batches of "
        "256 have 43 and 54 (seed 0).",
        (first("batches of 64"), first("as it is")) == ((44, 55), (43, 54)) and len(KEPT["runs"]["batches of 64"]) == 1,
    )
    claim(
        WHERE,
        "With four times as many steps BYOL has 57 and 68 % (one seed)",
        first("four times as long") == (57, 68)
        and len(kept) == 1
        and kept["0"]["curve"][-1][0] == 4 * KEPT["recipe"]["steps"],
    )
    shelf, laptop = results("shelf/byol_scenes"), get("byol").RECIPES["laptop"]
    claim(
        WHERE,
        "thirteen times as many steps: 51 minutes of one core",
        round(shelf["recipe"]["steps"] / laptop.steps) == 13
        and round(shelf["core_seconds"][0] / 60) == 51
        and shelf["threads"] == 1,
    )
    long = results("compare")["rows"]["kNN"]["supervised, as long"]
    claim(
        WHERE,
        "Trained for as many image passes as the methods of chapter 23, it reaches 96 % by kNN.",
        round(100 * mean(long)) == 96,
    )


def test_the_settings_that_were_compared():
    tried = [trial for trial in results("engine")["trials"] if trial["method"] == "byol"]
    claim(
        WHERE,
        "Nine settings were compared on validation scenes, one seed each (`results/engine.json`)",
        len({trial["idea"] for trial in tried}) == len(tried) == 9,
    )


def test_where_the_loss_begins():
    first_losses = [run["curve"][0][1] for run in KEPT["runs"]["as it is"].values()]
    claim(WHERE, "(ours begins near 2, ", all(abs(value - 2) < 0.02 for value in first_losses))


def test_which_parts_can_go():
    dead = "no predictor", "teacher learns", "no stop-gradient", "nothing of the three"
    claim(
        WHERE,
        "*Alive:* BYOL and SimSiam, with a rank of about 35.",
        all(abs(rank(row) - 35) < 1 for row in ("as it is", "SimSiam")) and all(rank(row) < 5 for row in dead),
    )
    lowest = [min(r for *_, r in KEPT["runs"][row]["0"]["spread"]) for row in ("as it is", "SimSiam")]
    claim(WHERE, "It falls at first, to 26 and 18, and comes back.", [round(r) for r in lowest] == [26, 18])
    alive = [end for row in ("as it is", "SimSiam") for end in ranks(row)]
    claim(
        WHERE,
        "(Over three seeds of each it ends at 25 to 35; no run of the other four, one or three seeds each, ends above 5.)",
        (round(min(alive)), round(max(alive))) == (25, 35)
        and all(max(ranks(row)) < 5 for row in dead)
        and len(alive) == 6
        and {len(ranks(row)) for row in dead} == {1, 3},
    )
    claim(
        WHERE,
        "*Collapsed, with the lowest losses of all:* the other four.",
        max(map(loss, dead)) < min(loss("as it is"), loss("SimSiam")),
    )
    claim(
        WHERE,
        "both judges find *less* in the features than in those of an untrained network",
        all(
            knn(row) < knn("untrained") and probe(row) < probe("untrained")
            for row in ("no stop-gradient", "nothing of the three")
        )
        and max(rank("no stop-gradient"), rank("nothing of the three")) < 1.3,
    )
    claim(
        WHERE,
        "the rank is at 4 after 500 steps, and to the probe the features are worth about as much as untrained ones "
        '(by kNN "no predictor" is five points above them).',
        all(
            round(rank(row)) == 4 and abs(probe(row) - probe("untrained")) < 3
            for row in ("no predictor", "teacher learns")
        )
        and round(100 * (mean(KEPT["rows"]["kNN"]["no predictor"]) - mean(KEPT["rows"]["kNN"]["untrained"]))) == 5,
    )


def test_it_is_later_and_not_worse():
    shelf = {name: results(f"shelf/{name}_scenes") for name in ("byol", "simclr")}
    along = {name: kept["along the way (val, kNN)"] for name, kept in shelf.items()}
    early = {name: path["knn"][path["step"].index(400)] for name, path in along.items()}
    claim(
        WHERE,
        "After a hundred thousand images (400 steps) BYOL has 38 % where SimCLR has 55; in the end it is 75 against 76.",
        [round(100 * early[name] + 1e-6) for name in early] == [38, 55]
        and [round(100 * path["knn"][-1]) for path in along.values()] == [75, 76],
    )
    test = {
        judge: [round(100 * shelf[name]["rows"][judge][name][0]) for name in shelf]
        for judge in ("kNN", "linear probe", "few labels")
    }
    claim(
        WHERE,
        "kNN says 81 % for BYOL and 82 for SimCLR, the linear probe 82 for both, and from ten labels of each kind it is 57 and 55 "
        "(one seed each: too few for gaps this small).",
        test == {"kNN": [81, 82], "linear probe": [82, 82], "few labels": [57, 55]}
        and all(kept["seeds"] == [0] for kept in shelf.values()),
    )
    claim(
        WHERE,
        "After ten thousand steps it is almost level (one seed each), without negatives.",
        all(abs(ours - theirs) <= 2 for ours, theirs in test.values())
        and {kept["recipe"]["steps"] for kept in shelf.values()} == {10_000},
    )


def test_the_runs_shown():
    claim(
        WHERE,
        "31 % of the eight nearest neighbours are right, where chapter 10 has 44 and the untrained network 18.",
        "18% and 31% and 52% of the 8 nearest" in shown(WHERE) and "18% and 44% and" in shown("10_simclr"),
    )
    figures = {
        where: [line for line in shown(where).splitlines() if "training images nearest to 4" in line][1]
        for where in (WHERE, "10_simclr")
    }
    claim(
        WHERE,
        "After training, all neighbours of the helmet are flags, and all of the hand's have stripes or checks.",
        "7 of 28 neighbours (25%)" in figures[WHERE],  # the figure that this was read from
    )
    claim(
        WHERE,
        "Chapter 10's network puts three helmets first.",
        "15 of 28 neighbours (54%)" in figures["10_simclr"],  # as above
    )
    claim(
        WHERE,
        "After the short run SimCLR is far ahead: 72 against 49 % by kNN.",
        abs(board("10_simclr", "SimCLR")[0] - 72) < 0.6 and abs(board(WHERE, "BYOL")[0] - 49) < 0.6,
    )


def test_the_scoreboard():
    untrained, byol, supervised = (board(WHERE, row)[:3] for row in ("untrained", "BYOL", "supervised"))
    knn_way, probe_way, few = ((m - u) / (s - u) for u, m, s in zip(untrained, byol, supervised))
    claim(
        WHERE,
        "By kNN two fifths of the way, by linear probe a little more than half, with ten labels of each kind three tenths.",
        0.38 < knn_way < 0.42 and 0.52 < probe_way < 0.58 and 0.28 < few < 0.32,
    )
    long = 100 * mean(results("compare")["rows"]["kNN"]["supervised, as long"])
    claim(
        WHERE,
        "it reaches 96 % by kNN. Measured against that, BYOL has come three tenths of the way.",
        round(long) == 96 and 0.27 < (byol[0] - untrained[0]) / (long - untrained[0]) < 0.33,
    )
    (bars,) = [line for line in shown(WHERE).splitlines() if line.startswith("Bars: from scratch")]
    scratch, tuned = (100 * n for n in numbers(bars.split(". The same")[0]))
    claim(
        WHERE,
        "Level with it: 37 % against 36, where training from scratch gives 27.",
        (round(tuned), round(byol[2]), round(scratch)) == (37, 36, 27),
    )


def test_the_bugs():
    claim(
        WHERE,
        "38 % by kNN and 47 by linear probe, where the right program has 43 and 54 (seed 0).",
        (first("teacher forgotten"), first("as it is")) == ((38, 47), (43, 54)),
    )
    w, p, noise = 1.3, 0.7, 0.5  # the mean of (p w x1 - p v x2) p x1 at v = w
    claim(
        WHERE,
        "the pull on $w$ is $p^2 w \\sigma^2$, and no $p$ makes it zero but 0.",
        abs((p * w * (1 + noise**2) - p * w) * p - p**2 * w * noise**2) < 1e-12,
    )
    claim(
        WHERE,
        "the features are hardly better than untrained ones",
        0 < knn("same view twice") - knn("untrained") < 5 and 0 < probe("same view twice") - probe("untrained") < 6,
    )
    claim(
        WHERE,
        "The loss goes to 0 and the rank of $z$ to 4, and the probe finds less than in an untrained network.",
        loss("target has the predictor") < 0.001
        and round(rank("target has the predictor")) == 4
        and probe("target has the predictor") < probe("untrained"),
    )


def test_the_predictors_rate():
    found = {rate: (knn(row), round(probe(row))) for rate, row in RATES.items()}
    seeds = {rate: KEPT["rows"]["kNN"][row] for rate, row in RATES.items()}
    claim(
        WHERE,
        "23 and 27 % at rate 0, with two of the seeds less than in an untrained network; 36 and 47 at the student's own rate, 39.5 and "
        "51 at four times that rate, 39 and 50 at ten times.",
        found == {0: (23, 27), 1: (36, 47), 4: (39, 51), 10: (39, 50)}
        and all(
            [rate_0 < free for rate_0, free in zip(rows["predictor rate 0"], rows["untrained"])] == [False, True, True]
            for rows in KEPT["rows"].values()
        )
        and {len(values) for values in seeds.values()} == {3},
    )
    claim(
        WHERE,
        "Four times is ahead of once with each seed; four and ten times, the seeds do not tell apart.",
        all(four > one for four, one in zip(seeds[4], seeds[1]))
        and len({four > ten for four, ten in zip(seeds[4], seeds[10])}) == 2,
    )
    used = {rate: [round(directions) for directions in ranks(row)] for rate, row in RATES.items()}
    claim(
        WHERE,
        "At rate 0 $z$ uses 10 to 13 directions in the end, at the other rates 30 to 35.",
        (min(used[0]), max(used[0])) == (10, 13)
        and (min(min(used[rate]) for rate in (1, 4, 10)), max(max(used[rate]) for rate in (1, 4, 10))) == (30, 35),
    )


def test_batch_norm_is_a_help_and_not_the_reason():
    scores = {row: (knn(row), round(probe(row))) for row in ("no last norm", "as it is", "untrained")}
    each = list(
        zip(*[[round(100 * x) for x in KEPT["rows"][judge]["group norm"]] for judge in ("kNN", "linear probe")])
    )
    claim(
        WHERE,
        "two of the three runs still learn: 32 % by kNN and 42 or 43 by the probe, where untrained networks with batch norm have 25 "
        "and 32",
        (sorted(each)[1:], scores["untrained"]) == ([(32, 42), (32, 43)], (25, 32)),
    )
    third = KEPT["runs"]["group norm"]["2"]["spread"]
    claim(
        WHERE,
        "(22 and 29 %), but it has not collapsed: its $z$ keeps 8 directions, theirs 12, and its spread has grown",
        each[2] == (22, 29)
        and [round(r) for r in ranks("group norm")] == [12, 12, 8]
        and third[-1][1] > 1.3 * third[0][1],
    )
    bare = "group norm, no predictor"
    claim(
        WHERE,
        "Take away the predictor as well (one seed), and it does collapse: $z$ keeps one direction, and the features are worth "
        "*less* than untrained ones",
        rank(bare) < 1.3
        and knn(bare) < knn("untrained")
        and probe(bare) < probe("untrained")
        and len(ranks(bare)) == 1,
    )
    claim(
        WHERE,
        "(one seed each): 34 and 44 % with the predictor, one direction without it",
        scores["no last norm"] == (34, 44) and rank("no last norm, no predictor") < 1.3,
    )
    kept = ranks("group norm") + ranks("no last norm")
    claim(
        WHERE,
        "the ranks are far apart, 8 to 22 against 1",
        (round(min(kept)), round(max(kept))) == (8, 22)
        and {round(rank(row)) for row in (bare, "no last norm, no predictor")} == {1},
    )
    claim(
        WHERE,
        "39.5 and 51 % over three seeds, and a rank of 30 to 35",
        scores["as it is"] == (39, 51) and [round(r) for r in ranks("as it is")] == [35, 34, 30],
    )


def test_a_computed_predictor():
    scores = {row: (knn(row), round(probe(row))) for row in ("linear predictor", "direct predictor", "as it is")}
    claim(
        WHERE,
        "A matrix that is trained gives 34 % by kNN and 39 by the probe, and its $z$ uses 7 directions in the end.",
        scores["linear predictor"] == (34, 39) and round(mean(ranks("linear predictor"))) == 7,
    )
    used = ranks("direct predictor")
    claim(
        WHERE,
        "gives 43 and 54, ahead of the trained predictor of two layers with each seed, and its $z$ uses 55 to 67 (three seeds)",
        scores["direct predictor"] == (43, 54)
        and all(
            ours > theirs
            for rows in KEPT["rows"].values()
            for ours, theirs in zip(rows["direct predictor"], rows["as it is"])
        )
        and (len(used), round(min(used)), round(max(used))) == (3, 55, 67),
    )


def test_no_norm_at_all():
    claim(
        WHERE,
        "with no norm at all it is 24 and 37 % (one seed), near the 25 and 32 of an untrained network with batch norm.",
        (first("no norm"), knn("untrained"), round(probe("untrained"))) == ((24, 37), 25, 32)
        and len(KEPT["runs"]["no norm"]) == 1,
    )
