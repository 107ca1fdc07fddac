"""The pictures of chapter 22: what labels are worth, what the network believes, what FixMatch's parts bring."""

from collections.abc import Callable
from statistics import mean
from typing import Any

import torch
from torch import Tensor, nn

from sslkit import evidence, plots, probes, runs
from sslkit.chapters.transfer import figures
from sslkit.chapters.transfer.method import labels_saved
from sslkit.datasets import Dataset

THREE = ("fine-tuned", "from scratch", "frozen probe")  # in this order, so that each has one colour in all figures
AXIS = (0.09, 0.73)  # of the curves on scenes: one axis for the live one and those of three seeds
SAVED = (1, 2, 5, 10)  # labels after pretraining; with 20 more than were measured are saved for one seed


def kept(data: str = "scenes") -> dict[str, dict[int, list[float]]]:
    """results/transfer.json: {arm: {labels of each kind: one accuracy a seed}}."""
    curves = evidence.results("transfer")["curves"][data]
    return {arm: {int(n): v for n, v in points.items()} for arm, points in curves.items()}


def protocol(steps: str = "") -> str:
    """How the benchmark's numbers came about; steps: where there are others than the usual ones."""
    found = evidence.results("transfer")
    return (
        f"Test accuracy, {len(found['seeds'])} seeds (encoder, labels, order). Pretrained: SimCLR, {found['pretrain_steps']} steps. "
        f"With labels: {steps or found['steps']} steps, learning rate 0.0003 or 0.002, whichever is better on val."
    )


def needed(scratch: dict[int, float], target: float) -> float:
    """How many labels of each kind the curve from scratch needs; a curve that dips is held at its highest so far."""
    climbing = torch.tensor(list(scratch.values())).cummax(0).values
    return labels_saved(torch.tensor(list(scratch)).float(), climbing, target)


def saved() -> dict[int, tuple[float, list[float]]]:
    """{labels after pretraining: how many the network from scratch needs: by the means, and seed by seed}."""
    tuned, scratch = kept()["fine-tuned"], kept()["from scratch"]
    by_seed = [{n: values[s] for n, values in scratch.items()} for s in range(len(scratch[10]))]
    means = {n: mean(values) for n, values in scratch.items()}
    return {
        n: (needed(means, mean(tuned[n])), [needed(curve, tuned[n][s]) for s, curve in enumerate(by_seed)])
        for n in SAVED
    }


def headline() -> plots.Picture:
    """The two curves, and the distance between them, in labels."""
    curves = {arm: kept()[arm] for arm in THREE[:2]}
    title = "Read it sideways: from scratch, how many labels get as far?"
    pairs = {n: by_means for n, (by_means, _) in saved().items() if n in (1, 10)}
    return figures.labels_between(curves, pairs, chance=0.1, title=title, caption=f"scenes. {protocol()}")


def saved_by_seed() -> plots.Picture:
    """How many labels the network from scratch needs, a dot for each seed."""
    rows = {f"pretrained, {n} label{'s' * (n > 1)}": values for n, (_, values) in saved().items()}
    title = "From scratch it takes four to twelve times as many labels to get as far"
    words = "labels of each kind, from scratch"
    caption = f"scenes. Bars: mean of what each seed's own curves give. {protocol()}"
    return plots.bars(rows, title=title, caption=caption, xlabel=words, highlight="")


def all_there_is(labelled: Any, classes: list[str]) -> plots.Picture:
    """The labelled images, a row for each kind."""
    rows = {name: labelled.x[labelled.y == k] for k, name in enumerate(classes)}
    title = "All that a network gets to know of ten kinds: ten labels of each"
    return plots.rows(rows, title=title, caption="label_subset(y, 10, seed=0) of the training scenes.", side=40)


def growing(data: Dataset) -> Callable[[dict], None]:
    """A figure in the notebook that grows with label_efficiency's table: pass it as on_result."""
    from IPython.display import display

    handle = display(plots.note("Training ..."), display_id=True)

    def show(table: dict) -> None:
        curves = {arm: {n: v for n, v in table.get(arm, {}).items() if v} for arm in THREE}
        title = "Few labels: which start is worth more?"
        caption = f"Test accuracy, {len(data.test):,} scenes, one draw of labels (seed 0)."
        chance = 1 / len(data.classes)
        picture = plots.label_efficiency(curves, chance=chance, title=title, caption=caption, limits=AXIS)
        if handle is not None:
            handle.update(picture)

    return show


def curves() -> plots.Picture:
    """Three ways to use few labels, with the spread of three seeds."""
    found, title = kept(), "With any number of labels up to 100, the pretrained network is well ahead"
    arms = {arm: found[arm] for arm in THREE}
    return plots.label_efficiency(arms, chance=0.1, title=title, caption=f"scenes. {protocol()}", limits=AXIS)


def longer() -> plots.Picture:
    """Both starts, given three times the steps."""
    found = evidence.results("transfer")["longer"]
    title = "Three times the steps change little, from either start"
    table: dict[str, dict[str, list[float]]] = {}
    for run, arms in found.items():  # "10 labels, 120 steps"
        labels, steps = run.split(", ")
        for arm, values in arms.items():
            table.setdefault(f"{labels}, {arm}", {})[steps] = values
    return plots.scoreboard(table, title=title, caption=f"scenes. {protocol('120 or 360')}", highlight="")


def elsewhere() -> plots.Picture:
    """The three arms on the set that was pretrained on, and on two others."""
    found = evidence.results("transfer")
    panels = {data: {arm: kept(data)[arm] for arm in THREE} for data in found["curves"]}
    chance = {data: 1 / found["classes"][data] for data in panels}
    title = "From ten labels on, pretraining is worth much less away from the scenes"
    return figures.efficiency_panels(panels, chance, title=title, caption=protocol())


def met_before(hits: dict[str, list[Tensor]], parts: dict[str, Tensor]) -> plots.Picture:
    """Test accuracy on emoji in three parts: {arm: which test images were right, bool [N], one a draw}, {part: bool [N]}."""
    sizes = {f"{part} ({int(rows.sum())})": rows for part, rows in parts.items()}
    table = {
        arm: {size: [h[rows].float().mean().item() for h in draws] for size, rows in sizes.items()}
        for arm, draws in hits.items()
    }
    title = "On emoji that it never met the pretrained network is ahead, too"
    draws = len(hits["fine-tuned"])
    caption = f"Test accuracy, nine groups of emoji; ten labels of each, {draws} draws, one encoder; 60 steps at one learning rate."
    return plots.scoreboard(table, title=title, caption=caption, highlight="fine-tuned")


def layers(table: dict[str, dict]) -> plots.Picture:
    """Ways to train the layers, with few labels and with many."""
    title = "With a hundred labels of each kind a frozen encoder costs much, with ten it does not"
    caption = "Accuracy on up to 1,000 validation scenes, learning rate 0.002, two draws of labels."
    return plots.scoreboard(table, title=title, caption=caption)


def weak_and_strong(images: Tensor, weak: Any, strong: Any) -> plots.Picture:
    """Weak and strong views of a few images."""
    generator = torch.Generator().manual_seed(0)
    views = [weak(images, generator) for _ in range(3)] + [strong(images, generator) for _ in range(5)]
    title = "The guess is made on a weak view, and must hold on a strong one"
    caption = "Three training scenes; views are drawn anew at each step."
    return plots.strip(images, views, ["weak"] * 3 + ["strong"] * 5, title=title, caption=caption, side=72)


def reliability(guesses: dict[str, Tensor], y: Tensor) -> plots.Picture:
    """How often guesses are right, by how sure they were: {network: probabilities [N, K]}."""
    table: dict[str, dict[float, float]] = {}
    for name, p in guesses.items():
        confidence, guess = p.max(1)
        for low, high in ((0.1, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 1.01)):
            some = (confidence >= low) & (confidence < high)
            if some.sum() >= 10:
                table.setdefault(name, {})[confidence[some].mean().item()] = (guess == y)[some].float().mean().item()
    title = "All three are surer than they are right, and from scratch by far the most"
    caption = f"{len(y):,} training scenes whose labels were not used, in four classes of confidence; ten guesses or more in each."
    looks = {"fine-tuned from SimCLR": 0, "trained from scratch": 1, "FixMatch": 4}  # as in the curves
    return figures.reliability(table, title, caption, looks)


def parts_of_fixmatch() -> plots.Picture:
    """FixMatch and its parts, at ten labels of each kind."""
    found = evidence.results("transfer")
    title = "From SimCLR, FixMatch gains two to three points, its strong view at most one of them"
    caption = (
        f"scenes, 10 labels of each kind, test accuracy, {len(found['seeds'])} seeds, {found['semi_steps']} steps of 128 "
        "unlabelled and 32 labelled images. Without its strong view: threshold 0.8."
    )
    order = sorted(found["semi"], key=lambda name: ("scratch" in name, not name.startswith("labels alone")))
    rows = {name: found["semi"][name] for name in order}
    return plots.bars(rows, title=title, caption=caption, xlabel="test accuracy", chance=0.1, highlight="")


def guessed(networks: dict[str, nn.Module], split: Any, classes: list[str]) -> plots.Picture:
    """Which share of its guesses each network gives to each kind."""
    shares, names = [], []
    for name, network in networks.items():
        guess = probes.features(network, split.x).argmax(1)
        shares.append(100 * guess.bincount(minlength=len(classes)) / len(guess))
        names.append(f"{name}: {probes.accuracy(guess, split.y):.0%} right")
    table = torch.stack(shares).round()
    title = "A network that trusts every guess hardly ever names some kinds"
    caption = f"Share of the guesses by kind, in %, on {len(split):,} validation scenes; seed 0."
    return plots.heatmap(table, names, classes, title=title, caption=caption, label="%")


def bugs(encoder: nn.Module, data: Any, steps: int) -> plots.Picture:
    """What three broken programs report with ten labels of each kind, beside the right one."""
    leaky = runs.load_encoder(runs.READY / "supervised_scenes.pt")[0]
    starts = {"as it should be": (encoder, 2e-3), "A": (leaky, 2e-3)}
    starts |= {"B": (probes.reinitialised(encoder, seed=0), 2e-3), "C": (encoder, 0.1)}
    table = {}
    for name, (start, lr) in starts.items():
        h = [probes.features(start, split.x) for split in (data.train, data.test)]
        frozen = probes.few_labels(h[0], data.train.y, h[1], data.test.y, per_class=10, seeds=[0])[0]
        table[name] = {
            "frozen probe": frozen,
            "fine-tuned": probes.finetune(start, data, 10, steps=steps, lrs=(lr,)).test,
        }
    title = "Three bugs: which is which?"
    caption = (
        f"Test accuracy, {len(data.test):,} scenes, ten labels of each kind, seed 0, {steps} steps of fine-tuning."
    )
    return plots.scoreboard(table, title=title, caption=caption, highlight="as it should be")
