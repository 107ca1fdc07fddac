"""What 22_transfer says of results/transfer.json."""

from statistics import mean, stdev

import torch
from claim import claim, results

from sslkit.chapters.transfer.method import labels_saved
from sslkit.chapters.transfer.pictures import saved

WHERE = "22_transfer"
KEPT = results("transfer")


def curve(data: str, arm: str) -> dict[int, list[float]]:
    return {int(n): values for n, values in KEPT["curves"][data][arm].items()}


def lead(data: str, first: str, second: str) -> dict[int, list[float]]:
    one, other = curve(data, first), curve(data, second)
    return {n: [a - b for a, b in zip(one[n], other[n])] for n in one if n in other}


def gains(data: str) -> dict[int, list[float]]:
    return lead(data, "fine-tuned", "from scratch")


def test_labels_saved():
    found = saved()
    claim(
        WHERE,
        "what SimCLR's encoder does with ten labels of each kind takes about 38 from scratch.",
        round(found[10][0]) == 38,
    )
    claim(
        WHERE,
        "With ten labels of each kind the pretrained network reaches 43 %. The network from scratch gets there with about 38. "
        "So here pretraining is worth 28 labels of each kind, 280 in all.",
        round(100 * mean(curve("scenes", "fine-tuned")[10])) == 43,
    )
    claim(WHERE, "With one label of each kind it does what takes about twelve.", round(found[1][0]) == 12)
    claim(
        WHERE,
        "with ten labels they say 31, 41 and 42, with one label 8, 10 and 17.",
        [sorted(round(n) for n in found[k][1]) for k in (10, 1)] == [[31, 41, 42], [8, 10, 17]],
    )
    claim(WHERE, 'Remember "about four times as many" rather than "38".', 3.5 < found[10][0] / 10 < 4.5)


def test_the_curve():
    tuned = {n: mean(v) for n, v in lead("scenes", "fine-tuned", "frozen probe").items()}
    gained = {n: mean(v) for n, v in gains("scenes").items()}
    claim(WHERE, "with 100 it is still fifteen points behind.", round(100 * gained[100]) == 15)
    claim(
        WHERE,
        "Up to twenty labels fine-tuning and the frozen probe are within about three points of each other; with 50 and 100 fine-tuning "
        "is ahead by five or more.",
        all(abs(tuned[n]) < 0.035 for n in (1, 2, 5, 10, 20)) and min(tuned[50], tuned[100]) > 0.049,
    )
    claim(
        WHERE,
        "With few labels a frozen probe is about as good as fine-tuning; with many, fine-tuning is ahead by several points.",
        all(tuned[n] > 0.045 for n in tuned if n >= 50),
    )
    claim(
        WHERE,
        "16 to 19 with 5, 10 and 20 labels, eleven with one and fifteen with a hundred.",
        all(0.16 < gained[n] < 0.19 for n in (5, 10, 20)) and 0.11 < gained[1] < 0.12 and gained[100] < 0.155,
    )
    spread = {n: [stdev(curve("scenes", arm)[n]) for arm in ("frozen probe", "fine-tuned")] for n in (1, 2, 5, 50, 100)}
    claim(
        WHERE,
        "Why are the bands of the two pretrained curves wider at 1 to 5 labels than at 50 and 100?",
        min(min(spread[n]) for n in (1, 2, 5)) > max(max(spread[n]) for n in (50, 100)),
    )


def test_on_other_images():
    emoji, fashion, scenes = ({n: mean(g) for n, g in gains(data).items()} for data in ("emoji", "fashion", "scenes"))
    claim(
        WHERE,
        "On emoji fine-tuning is four to seven points ahead of training from scratch, on clothes two to three from ten labels on, where "
        "scenes had fifteen and more. (With a single label of each kind the clothes gain twelve points.)",
        all(0.035 <= g < 0.075 for g in emoji.values())
        and all(0.02 < g < 0.035 for n, g in fashion.items() if n >= 10)
        and all(g > 0.149 for n, g in scenes.items() if n >= 10)
        and round(100 * fashion[1]) == 12,
    )
    claim(
        WHERE,
        "From ten labels on they gain a point or two more.",
        all(0.005 < emoji[n] - fashion[n] < 0.02 for n in (10, 100)),
    )
    ahead = {
        data: [mean(g) for g in lead(data, "fine-tuned", "frozen probe").values()] for data in ("emoji", "fashion")
    }
    claim(
        WHERE,
        "Fine-tuning is three to four points ahead of the frozen probe on emoji, and level with it or a little ahead on clothes.",
        0.025 < min(ahead["emoji"])
        and max(ahead["emoji"]) < 0.04
        and 0 <= min(ahead["fashion"]) < 0.005
        and max(ahead["fashion"]) < 0.03,
    )


def test_parts_of_fixmatch():
    semi = {name.removesuffix(", from SimCLR"): mean(values) for name, values in KEPT["semi"].items()}
    alone, best = semi["labels alone"], semi["FixMatch with threshold 0.95"]
    claim(
        WHERE,
        "**Pseudo-labels** on the same view bring nothing over the labels alone",
        semi["pseudo-labels"] < alone + 0.005,
    )
    claim(WHERE, "**FixMatch** brings two to three points.", 0.02 < best - alone < 0.03)
    weak = semi["FixMatch without its strong view"]
    claim(WHERE, "Without its strong view it still brings nearly two", 0.015 < weak - alone < 0.02)
    strong, plain = (
        KEPT["semi"][f"FixMatch {word}, from SimCLR"] for word in ("with threshold 0.8", "without its strong view")
    )
    claim(
        WHERE,
        "half a point to a point with each of the three seeds.",
        all(0.004 < a - b < 0.0105 for a, b in zip(strong, plain)) and len(strong) == 3,
    )
    claim(
        WHERE,
        "whether it is 0.8 or the paper's 0.95 hardly matters when the start is good",
        abs(semi["FixMatch with threshold 0.8"] - best) < 0.01,
    )
    scratch = semi["FixMatch with threshold 0.8, from scratch"]
    claim(WHERE, "**From scratch** it stays sixteen points below labels alone", 0.155 < alone - scratch < 0.165)
    many = mean(curve("scenes", "fine-tuned")[100]) - mean(curve("scenes", "FixMatch, from SimCLR")[100])
    claim(WHERE, "with a hundred plain fine-tuning is nearly three points ahead of FixMatch", 0.025 < many < 0.03)


def test_given_more_steps():
    longer = {key: {arm: mean(v) for arm, v in arms.items()} for key, arms in KEPT["longer"].items()}
    more = {
        (n, arm): longer[f"{n} labels, 360 steps"][arm] - longer[f"{n} labels, 120 steps"][arm]
        for n in (10, 20, 50)
        for arm in ("fine-tuned", "from scratch")
    }
    claim(
        WHERE,
        "With ten and twenty labels neither start gains a point.",
        max(gain for (n, _), gain in more.items() if n < 50) < 0.01,
    )
    scratch = torch.tensor([longer[f"{n} labels, 360 steps"]["from scratch"] for n in (10, 20, 50)])
    needed = labels_saved(torch.tensor([10.0, 20, 50]), scratch, longer["10 labels, 360 steps"]["fine-tuned"])
    claim(
        WHERE,
        "With 50 the network from scratch gains two: read off this longer curve, the 38 become 35.",
        0.015 < more[50, "from scratch"] < 0.025 and round(needed) == 35,
    )
