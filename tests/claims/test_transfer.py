"""What 22_transfer says of results/transfer.json."""

from statistics import mean, stdev

from claim import claim, results

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
        "what SimCLR's encoder does with ten labels of each kind takes 27 from scratch.",
        round(found[10][0]) == 27,
    )
    claim(
        WHERE,
        "With ten labels of each kind the pretrained network reaches 36 %. The network from scratch gets there with 27.",
        round(100 * mean(curve("scenes", "fine-tuned")[10])) == 36,
    )
    claim(WHERE, "With one label of each kind it does what takes six.", round(found[1][0]) == 6)
    claim(WHERE, "With ten labels the seeds agree: 25, 27 and 28.", [round(n) for n in found[10][1]] == [25, 27, 28])
    ratios = [max(found[n][1]) / min(found[n][1]) for n in found if n != 10]
    claim(
        WHERE,
        "With the other numbers they differ by factors of 1.6 to 2.2",
        (round(min(ratios), 1), round(max(ratios), 1)) == (1.6, 2.2),
    )
    times = found[10][0] / 10
    claim(WHERE, 'Remember "two to three times as many" rather than "27".', 2 < times < 3)


def test_the_curve():
    behind, tuned = (
        mean(gains("scenes")[100]),
        {n: mean(v) for n, v in lead("scenes", "fine-tuned", "frozen probe").items()},
    )
    claim(WHERE, "with 100 it is still almost seven points behind.", 0.065 < behind < 0.07)
    claim(
        WHERE,
        "Up to ten labels fine-tuning and the frozen probe are within three points of each other; with 50 and 100 fine-tuning is ahead "
        "by more than five.",
        all(abs(tuned[n]) < 0.03 for n in (1, 2, 5, 10)) and min(tuned[50], tuned[100]) > 0.05,
    )
    claim(
        WHERE,
        "With few labels a frozen probe is about as good as fine-tuning; with many, fine-tuning is ahead by several points.",
        all(tuned[n] > 0.05 for n in tuned if n >= 50),
    )
    gained = {n: mean(v) for n, v in gains("scenes").items()}
    claim(
        WHERE,
        "ten to twelve with 5, 10 and 20 labels, about eight or less at either end.",
        all(0.1 < gained[n] < 0.12 for n in (5, 10, 20)) and all(gained[n] < 0.083 for n in (1, 2, 50, 100)),
    )
    claim(WHERE, "for 300 steps only: too few to say where the curves meet", KEPT["steps_all"] == 300)


def test_on_other_images():
    emoji, fashion, scenes = ({n: mean(g) for n, g in gains(data).items()} for data in ("emoji", "fashion", "scenes"))
    claim(
        WHERE,
        "On emoji fine-tuning is three to six points ahead of training from scratch, on clothes two points from ten labels on, where "
        "scenes had seven to twelve. (With a single label of each kind the clothes gain more, but the seeds disagree by as much.)",
        all(0.03 <= g < 0.065 for g in emoji.values())
        and all(0.015 < g < 0.03 for n, g in fashion.items() if n >= 10)
        and all(0.065 < g < 0.125 for n, g in scenes.items() if n <= 100)
        and fashion[1] > 0.1
        and stdev(gains("fashion")[1]) > 0.05,
    )
    ahead = [mean(g) for data in ("emoji", "fashion") for g in lead(data, "fine-tuned", "frozen probe").values()]
    claim(WHERE, "Fine-tuning is ahead of the frozen probe on both", min(ahead) > 0)


def test_parts_of_fixmatch():
    semi = {name.removesuffix(", from SimCLR"): mean(values) for name, values in KEPT["semi"].items()}
    alone, best = semi["labels alone"], semi["FixMatch with threshold 0.95"]
    claim(
        WHERE,
        "**Pseudo-labels** on the same view bring nothing over the labels alone",
        semi["pseudo-labels"] < alone + 0.005,
    )
    claim(WHERE, "**FixMatch** brings three points.", 0.025 < best - alone < 0.035)
    claim(
        WHERE,
        "whether it is 0.8 or the paper's 0.95 hardly matters when the start is good",
        abs(semi["FixMatch with threshold 0.8"] - best) < 0.01,
    )
    scratch = semi["FixMatch with threshold 0.8, from scratch"]
    claim(WHERE, "**From scratch** it stays eight points below labels alone", 0.075 < alone - scratch < 0.085)
    many = mean(curve("scenes", "fine-tuned")[100]) - mean(curve("scenes", "FixMatch, from SimCLR")[100])
    claim(WHERE, "with a hundred plain fine-tuning is two points ahead of FixMatch", 0.015 < many < 0.025)


def test_given_more_steps():
    scratch = [mean(KEPT["longer"][f"10 labels, {steps} steps"]["from scratch"]) for steps in (120, 360)]
    claim(
        WHERE, "With ten labels the network from scratch gains less than a point.", 0 < scratch[1] - scratch[0] < 0.01
    )
