"""What 00_start_here says of its own run, and of results/ that other chapters draw."""

import math
from statistics import mean

from claim import board, claim, results, said, shown
from torch import nn

from sslkit.chapters.simclr.method import RECIPES, SimCLR, simclr_views
from sslkit.chapters.start_here import pictures
from sslkit.datasets import load
from sslkit.datasets.scenes import members
from sslkit.probes import features
from sslkit.train import build

WHERE = "00_start_here"
PARTS = results("ablations/simclr_scenes")


def last(row: str) -> float:
    """The last loss of an ablation's seed 0."""
    return PARTS["runs"][row]["0"]["curve"][-1][1]


def test_the_run():
    said = shown(WHERE)
    claim(WHERE, "which random numbers give for nothing, to 59 %.", "step 1,000 of 1,000" in said and "58.8%" in said)
    claim(WHERE, "512 views in each of 1,000 steps", 2 * PARTS["recipe"]["batch"] * PARTS["recipe"]["steps"] == 512_000)
    claim(
        WHERE,
        "The loss jumps at step 700. Until then the views were only 20 pixels wide, to save time; from there on the network gets them at "
        "full size.",
        PARTS["recipe"]["small_share"] * PARTS["recipe"]["steps"] == 700 and PARTS["recipe"]["small_views"] == 20,
    )


def test_where_this_leads():
    (map_of_the_hour,) = [line for line in shown(WHERE).splitlines() if "An hour of such puzzles" in line]
    claim(WHERE, "On the left two images in a hundred", "before: random numbers 2%" in map_of_the_hour)
    claim(
        WHERE,
        "On the right every second image, and all ten kinds have a place.",
        "after an hour 51%" in map_of_the_hour,
    )
    two_pieces = ("simclr", "byol", "barlow_twins", "vicreg", "swav", "dino")
    knn = {name: results(f"shelf/{name}_scenes")["rows"]["kNN"][name][0] for name in two_pieces}
    claim(WHERE, "the best after an hour of those that ask about two pieces", max(knn, key=knn.get) == "barlow_twins")


def test_the_puzzle():
    order = [k % 3 for k in pictures.ORDER]
    pairs = [[k + 1 for k in range(6) if order[k] == picture] for picture in range(3)]
    claim(WHERE, "1 and 4, 2 and 6, 3 and 5.", pairs == [[1, 4], [2, 6], [3, 5]])
    assert 'load("scenes", limit=300).val.x[[4, 11, 23]]' in said(WHERE)
    six = pictures.pieces(load("scenes", limit=300).val.x[[4, 11, 23]], simclr_views())
    grey = [k for k in range(1, 7) if (six[k - 1].amax(0) - six[k - 1].amin(0)).max() < 0.01]
    claim(WHERE, "(By colour, 2 and 3 would be a pair: both have lost theirs.)", grey == [2, 3])
    before = build(SimCLR, RECIPES["laptop"], seed=0)
    guess = pictures.partners(features(nn.Sequential(before.encoder, before.projector), six))
    claim(
        WHERE,
        "None. It goes by colour: the two grey pieces, a flag and a heart, take each other for partners.",
        pictures.right(guess) == 0 and (guess[1], guess[2]) == (2, 1),
    )


def test_many_puzzles():
    (bars,) = [line for line in shown(WHERE).splitlines() if line.startswith("Bars: pixels")]
    pixels, untrained, trained = (float(part.split()[-1]) for part in bars.split(". ")[0].split(", "))
    claim(
        WHERE,
        "Pixels 3.5, the untrained network 2.35, the trained one 5.97: it misses one piece in some thirty puzzles.",
        (round(pixels, 1), untrained, trained) == (3.5, 2.35, 5.97) and 28 < 1 / (6 - trained) < 36,
    )


def test_what_a_few_minutes_are_worth():
    (bars,) = [line for line in shown(WHERE).splitlines() if line.startswith("Bars: from scratch")]
    scratch, minutes, hour = (float(part.split()[-1]) for part in bars.split(". ")[0].split(", "))
    claim(
        WHERE,
        "A few minutes without labels are worth about nineteen points, an hour about twenty-six",
        (round(100 * (minutes - scratch)), round(100 * (hour - scratch))) == (19, 26),
    )
    longer = {key: mean(arms["from scratch"]) for key, arms in results("transfer")["longer"].items()}
    claim(
        WHERE,
        "in chapter [22](22_transfer.ipynb) three times as many steps bring it no further.",
        longer["10 labels, 360 steps"] < longer["10 labels, 120 steps"] + 0.005,
    )
    few = board(WHERE, "SimCLR")[2]
    claim(
        WHERE,
        "gets at least as far (47 %) as training all of it (45 %).",
        (round(few), round(100 * minutes)) == (47, 45),
    )


def test_other_numbers_of_labels():
    arms = results("transfer")["curves"]["scenes"]
    gained = [mean(arms["fine-tuned"][n]) - mean(arms["from scratch"][n]) for n in ("2", "10", "100")]
    claim(
        WHERE,
        "with 2 labels of each kind fine-tuning was 14 points ahead of starting from scratch, with 10 it was 17, with 100 "
        "it was 15 (three draws of the labels, 900 steps of stage one;",
        [round(100 * gain) for gain in gained] == [14, 17, 15] and results("transfer")["pretrain_steps"] == 900,
    )


def test_the_scoreboard():
    found = [round(board(WHERE, row)[0]) for row in ("SimCLR", "untrained", "supervised")]
    claim(
        WHERE,
        "So read SimCLR's 66 % (kNN) between the 26 % that come for free and the 75 % that all the labels bought.",
        found == [66, 26, 75],
    )


def test_the_broken_question():
    claim(
        WHERE,
        "Anna's loss comes down to 6.24 and stays there for a thousand steps, to two decimals.",
        all(f"{value:.2f}" == "6.24" for _, value in PARTS["runs"]["wrong partner"]["0"]["curve"][-5:])
        and f"{math.log(511):.2f}" == "6.24",
    )
    claim(WHERE, "the loss never gets below chance", "no better than chance level" in shown(WHERE))
    (near,) = [value for step, value in PARTS["runs"]["as it is"]["0"]["curve"] if step == 96]
    claim(WHERE, "After the same hundred steps the real question had brought the loss to about 4", 3.5 < near < 4.5)


def test_the_friends():
    knn = {row: [run["scores"]["kNN"] for run in seeds.values()] for row, seeds in PARTS["runs"].items()}
    twice = [value for step, value in PARTS["runs"]["same view twice"]["0"]["curve"] if step <= 100]
    claim(
        WHERE,
        "Ben's loss is nearly 0 after a hundred steps, and his probe ends below where it began.",
        twice[-1] < 0.1 and knn["same view twice"][0] < knn["untrained"][0] - 0.02,
    )
    claim(
        WHERE,
        "Cem's loss falls as it should and ends at a sixth of yours.",
        5 < last("as it is") / last("no colour changes") < 7.5,
    )
    claim(
        WHERE,
        "(kNN 40 % in place of 68 in chapter 10)",
        [round(100 * mean(knn[row])) for row in ("no colour changes", "as it is")] == [40, 68],
    )


def test_the_wrong_question():
    claim(
        WHERE,
        "Here it fell a little: from 23 to 21 %.",
        "step 100 of 100" in shown(WHERE) and "kNN accuracy, validation images 20.6%" in shown(WHERE),
    )
    knn = {row: PARTS["runs"][row]["0"]["scores"]["kNN"] for row in ("wrong partner", "untrained")}
    claim(
        WHERE,
        "after a thousand such steps another run stood at 23 %, where its untrained network had 25.",
        [round(100 * value) for value in knn.values()] == [23, 25] and PARTS["recipe"]["steps"] == 1000,
    )


def test_the_figures_of_the_hour():
    shelf = results("shelf/simclr_scenes")
    claim(
        WHERE,
        "By kNN, with 10,000 labelled images to vote, this network is right for 82 % of the test images; untrained it was right for 29 %. "
        "(The 76 % above the map had only 5,000 images to vote",
        round(100 * shelf["along the way (val, kNN)"]["knn"][-1]) == 76
        and [round(100 * shelf["rows"]["kNN"][row][0]) for row in ("simclr", "untrained")] == [82, 29]
        and "10,000 training images" in shelf["caption"],
    )


def test_the_drawings():
    claim(WHERE, "only 671 drawings make all these scenes", sum(len(rows) for rows in members().values()) == 671)


def test_the_yardstick():
    long = results("compare")
    claim(
        WHERE,
        "Trained seven times as long it reaches 96 % by kNN",
        (round(long["passes"] / 64_000), round(100 * long["rows"]["kNN"]["supervised, as long"][0])) == (7, 96),
    )
    claim(
        WHERE,
        "*Supervised* was trained on all 20,000 labels for 500 steps: a yardstick, not a ceiling.",
        "supervised 500 steps on all 20,000 labels" in " ".join(shown(WHERE).split()),
    )
