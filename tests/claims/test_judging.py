"""What 02_judging says of its own figures, and of results/shelf/simclr_scenes.json."""

import re
from statistics import mean

from claim import board, claim, panels, results, shown
from scipy.stats import spearmanr

from sslkit.chapters.simclr.method import RECIPES

WHERE = "02_judging"
SHELF = results("shelf/simclr_scenes")


def bars(title: str) -> dict[str, float]:
    """The bars of the figure of that title, in %: {name: value}."""
    (line,) = [line for line in shown(WHERE).splitlines() if line.startswith("Bars: ") and f". {title}" in line]
    found = re.findall(r"(\D.*?) ([\d.]+)(?:, |\. |$)", line.removeprefix("Bars: ").split(f". {title}")[0])
    return {name: 100 * float(value) for name, value in found}


def rows(title: str, *names: str) -> dict[str, dict[str, float]]:
    """The scoreboard of that title: {row: {panel: number}}."""
    return {name: {head: values[i] for head, values in panels(WHERE, title).items()} for i, name in enumerate(names)}


def near(value: float, says: float, by: float = 0.5) -> bool:
    """Whether a number rounds to what is said of it."""
    return abs(value - says) <= by


def test_rank_among_the_runs_of_one_method():
    names = ("rotation", "patches", "moco", "byol", "barlow_twins", "vicreg", "swav", "dino", "mae")
    runs = {}
    for name in names:
        kept = results(f"ablations/{name}_scenes")["runs"]
        trained = [run for row, seeds in kept.items() if row != "untrained" for run in seeds.values()]
        runs[name] = sorted((run["rank of h"], run["scores"]["linear probe"]) for run in trained)
    highest = {
        row: run["rank of h"]
        for row, seeds in results("ablations/moco_scenes")["runs"].items()
        for run in seeds.values()
    }
    found = {name: (round(float(spearmanr(*zip(*pairs)).statistic), 2), len(pairs)) for name, pairs in runs.items()}
    claim(
        WHERE,
        "from 0.77 (47 runs of BYOL) down to -0.22 (33 of Barlow Twins) and -0.29 (29 of patches)",
        [found[name] for name in ("byol", "barlow_twins", "patches")] == [(0.77, 47), (-0.22, 33), (-0.29, 29)]
        and sorted(found, key=found.get)[:2] == ["patches", "barlow_twins"]
        and max(found, key=found.get) == "byol",
    )
    claim(
        WHERE,
        "In five of the nine it has less than 40 % by the probe: in four (BYOL, SwAV, VICReg, Barlow Twins) it is a broken run, in MoCo's "
        "one with another optimiser.",
        {name for name, pairs in runs.items() if pairs[-1][1] < 0.4}
        == {"byol", "swav", "vicreg", "barlow_twins", "moco"}
        and max(highest, key=highest.get).startswith("AdamW"),
    )
    claim(WHERE, "MAE, with nothing wrong, never gets beyond 23.", runs["mae"][-1][0] <= 23)
    column = [probe for rank, probe in runs["dino"] if 60 <= rank <= 80]
    claim(
        WHERE,
        "DINO's runs of rank 60 to 80 read between 41 and 60 %.",
        (round(100 * min(column)), round(100 * max(column))) == (41, 60),
    )
    kept = results("ablations/vicreg_scenes")["runs"]
    both = [
        (
            round(mean(r["rank of h"] for r in kept[row].values())),
            round(100 * mean(r["scores"]["kNN"] for r in kept[row].values())),
        )
        for row in ("no invariance", "as it is")
    ]
    claim(
        WHERE,
        "VICReg without its invariance term has rank 141 and a kNN of 22 %; as it should be it has 66 and 54 %.",
        both == [(141, 22), (66, 54)],
    )


def test_the_contestant_that_ships():
    minutes = round(SHELF["core_seconds"][0] / 60)
    claim(
        WHERE,
        "It ships with the kit; its training took 41 minutes on one core.",
        (minutes, SHELF["threads"]) == (41, 1),
    )
    log = SHELF["log of seed 0"]
    ended = sum(point["loss"] for point in log[-20:]) / 20
    claim(
        WHERE,
        "0.5 is about where SimCLR ended after 10,000 steps of training;",
        abs(ended - 0.5) < 0.1 and log[-1]["step"] == 10_000,
    )
    long = results("compare")
    claim(
        WHERE,
        "After seven times as many it reaches 96 % by kNN",
        (round(long["passes"] / 64_000), round(100 * long["rows"]["kNN"]["supervised, as long"][0])) == (7, 96),
    )
    recipe = RECIPES["shelf"]
    claim(
        WHERE,
        "it sees 64,000 images, SimCLR has seen 2.6 million",
        (500 * 128, round(recipe.steps * recipe.batch / 1e6, 1)) == (64_000, 2.6)
        and (recipe.steps, recipe.batch) == (SHELF["recipe"]["steps"], SHELF["recipe"]["batch"]),
    )


def test_the_unit():
    found = bars("Change the unit")
    claim(
        WHERE,
        "Divided by 100, SimCLR loses half of its score",
        near(found["SimCLR, divided by 100"] / found["SimCLR, as it comes"], 0.5, 0.05),
    )
    claim(WHERE, "even as it comes, seems to know nothing", near(found["untrained, as it comes"], 10))


def test_few_labels():
    (line,) = [line for line in shown(WHERE).splitlines() if line.startswith("validation accuracy against labels")]
    ends = {name: (int(a), int(b)) for name, a, b in re.findall(r"(\w+) (\d+)% at 1 to (\d+)% at 100", line)}
    claim(
        WHERE,
        "Even given a hundred of each, it is still below 30: less than SimCLR reads, on average, from a single one.",
        ends["untrained"][1] < 30 and ends["untrained"][1] < ends["SimCLR"][0],
    )
    claim(WHERE, "one label per bundle goes far (58 %)", ends["supervised"][0] == 58)
    standardised = bars("Change the unit")["untrained, standardised"]
    claim(WHERE, "All 4,000 labels took it to 33 % (section 4).", near(standardised, 33))


def test_fine_tuning():
    found = bars("Ten labels of each kind")
    tuned, frozen = found["fine-tuned from SimCLR"], found["frozen SimCLR, linear probe"]
    claim(WHERE, "No: 50 % against 56.", (round(tuned), round(frozen)) == (50, 56))
    by_rate = {
        lr: 100 * sum(reported for _, reported in draws) / 3
        for lr, draws in results("judging_what_ifs")["fine-tuned, by rate"].items()
    }
    claim(
        WHERE,
        "on either side of our two it gets no better (44 % with 0.0003, 48 % with 0.01; three draws).",
        (round(by_rate["0.0003"]), round(by_rate["0.01"])) == (44, 48)
        and max(by_rate, key=by_rate.get) == "0.003"
        and near(by_rate["0.003"], tuned, 0.2),
    )
    (there,) = [line for line in shown("00_start_here").splitlines() if line.startswith("Bars: from scratch")]
    claim(WHERE, "took the same network to 53 %", "an hour without labels 0.526" in there)


def test_the_scoreboard():
    found = rows("SimCLR keeps up", "pixels", "untrained", "SimCLR", "supervised")
    gaps = [abs(found["SimCLR"][judge] - found["supervised"][judge]) for judge in ("kNN", "linear probe")]
    claim(
        WHERE,
        "an accuracy is uncertain by up to 1.5 points either way (95 %), and each row is a single network: another seed would move "
        "it, too. So do not rank SimCLR and supervised by the first two columns.",
        near(196 * (0.25 / 4000) ** 0.5, 1.5, 0.06) and max(gaps) < 0.0155 * 2**0.5,
    )


def test_another_artist():
    found = rows("Another exam paper", "untrained", "SimCLR", "supervised")
    lost = {name: 100 * row["lost"] for name, row in found.items()}
    claim(
        WHERE,
        "by 31 points; SimCLR by 16 to 17 (one network of each).",
        (round(lost["supervised"]), 16 <= lost["SimCLR"] <= 17) == (31, True),
    )


MADE = ("complete collapse", "3 directions left", "SimCLR", "SimCLR, squeezed", "SimCLR, whitened", "noise")


def test_collapse_made_by_hand():
    found = rows("Rank sounds the alarm", *MADE)
    whole, squeezed, whitened = found["SimCLR"], found["SimCLR, squeezed"], found["SimCLR, whitened"]
    claim(
        WHERE,
        "rank near 1, and a probe at chance (complete collapse) or at 80 % (squeezed).",
        max(found["complete collapse"]["effective rank"], squeezed["effective rank"]) < 1.5
        and near(100 * found["complete collapse"]["linear probe"], 10, 1.5)
        and near(100 * squeezed["linear probe"], 80),
    )
    claim(WHERE, "kNN loses five points", near(100 * (whole["kNN"] - squeezed["kNN"]), 5))
    claim(WHERE, "kNN gains nearly twelve points", near(100 * (whitened["kNN"] - whole["kNN"]), 11.6, 0.3))
    claim(WHERE, "the probe gains nothing", whitened["linear probe"] < whole["linear probe"])
    ranks = {name: row["effective rank"] for name, row in found.items()}
    claim(
        WHERE, "the highest rank of all, and nothing to be known", max(ranks, key=lambda name: ranks[name]) == "noise"
    )


def test_two_networks_of_one_rank():
    ranks = dict(re.findall(r"^(untrained|supervised) ([\d.]+), in sslkit", shown(WHERE), re.M))
    probe = bars("Change the unit")["untrained, standardised"]
    claim(
        WHERE,
        "have nearly the same rank, 47 and 49, and some 46 points lie between their probes.",
        (round(float(ranks["untrained"])), round(float(ranks["supervised"]))) == (47, 49) and near(probe, 33),
    )


def test_alignment():
    found = rows("Good alignment is easy", "pixels", "untrained", "SimCLR", "supervised")
    best = min(found, key=lambda name: found[name]["alignment"])
    claim(WHERE, "The best aligned of the four is the untrained network", best == "untrained")
    heads = ("alignment", "right / wrong pairs")
    last = {max(found, key=lambda name, head=head: found[name][head]) for head in heads}
    claim(WHERE, "comes last in both of the first two panels", last == {"supervised"})


def test_trained_for_alignment_alone():
    found = re.search(
        r"linear probe ([\d.]+)% before, ([\d.]+)% after, kNN ([\d.]+)% before, ([\d.]+)% after", shown(WHERE)
    )
    probe, probe_after, knn, knn_after = map(float, found.groups())
    claim(
        WHERE,
        "in this one run they end about three and four points below the *untrained* network.",
        (round(probe - probe_after), round(knn - knn_after)) == (3, 4),
    )


def test_factors():
    found = rows("How much of each factor", "pixels", "untrained", "SimCLR", "supervised")
    less = {factor for factor in found["untrained"] if found["supervised"][factor] < found["untrained"][factor]}
    claim(WHERE, "Of the hue and the mean colour.", less == {"hue", "mean colour"})
    best = max(found, key=lambda name: found[name]["background"])
    claim(WHERE, "SimCLR knows the background better than any other", best == "SimCLR")


def test_what_ifs():
    found = results("judging_what_ifs")
    stay = {name: round(100 * share) for name, share in found["neighbours kept"].items()}
    claim(
        WHERE,
        "81 % are among its ten nearest on another, against 67 % for SimCLR.",
        stay == {"untrained": 81, "SimCLR": 67},
    )
    cosine = {name: round(value, 2) for name, value in found["cosine to clocks"].items()}
    others = [value for name, value in cosine.items() if name not in ("clock", "face")]
    claim(
        WHERE,
        "between a clock and a face is 0.66, between a clock and any other kind 0.54 to 0.59, between two clocks 0.83.",
        (cosine["face"], min(others), max(others), cosine["clock"]) == (0.66, 0.54, 0.59, 0.83),
    )
    votes = [round(100 * share, 1) for share in found["plain vote by distance"].values()]
    claim(
        WHERE,
        "A plain vote by that distance, on features that nobody has squeezed, is right for 70.0 %, so this is the whole loss.",
        votes[1] == 70.0 and votes[0] > 71.5,
    )
    nearest = [round(100 * share) for share in found["8 nearest of its kind"].values()]
    claim(
        WHERE,
        "of its eight nearest in feature space 61 % are of its kind in that bank, but 43 % *among these 400*.",
        nearest == [43, 61],
    )
    ranks = [round(value) for value in found["effective rank"].values()]
    claim(WHERE, "14, 53, 112 and 121.", ranks == [14, 53, 112, 121])
    gifts = {n: round(gift, 1) for n, gift in found["flattery of 50 images"].items()}
    claim(
        WHERE,
        "from 2.4 points to 4.1 with 14 values, and no further with 100:",
        gifts == {"3": 2.4, "14": 4.1, "100": 4.1},
    )
    claim(
        "00_start_here",
        "raw pixels name 80 % by kNN, of the scenes 22 %",
        round(100 * found["kNN of pixels on fashion"]) == 80 and round(board("00_start_here", "pixels")[0]) == 22,
    )


def test_forgetting_eval():
    found = bars("One encoder, the same images")
    lost = found["eval(), as it should be"] - found["eval() again, after the last of these"]
    claim(WHERE, "here, that cost about a point.", near(lost, 1, 0.3))
