"""The pictures of chapter 19 that stand still: what was hidden, who guesses how well, where heads look, what pretraining is worth."""

from statistics import mean
from typing import Any

import torch
from matplotlib.ticker import MultipleLocator
from torch import Tensor

from sslkit import plots
from sslkit.chapters.bert.figures import token_labels, words
from sslkit.chapters.bert.looking import attention_seen
from sslkit.chapters.bert.method import BERT, mask_tokens
from sslkit.evidence import or_a_note
from sslkit.nets import device_of, evaluating
from sslkit.plots.axes import DASHED, Percent, log_ticks, name_lines, panels
from sslkit.plots.curves import band
from sslkit.plots.picture import COLOURS, Picture, drawing, render

KINDS = ("masked", "left as it is", "replaced at random")
NEAR = range(-6, 7)  # distances in tokens
# In the course blue is fine-tuned, orange from scratch, green a frozen probe: what is none of these has another colour.
LOOKS = {"tf-idf": 3}


def labels_of(tokenizer: Any, tokens: Tensor) -> list[str]:
    """Tokens [T] as they are shown, □ for <mask>."""
    named = zip(tokens.tolist(), token_labels(tokenizer, tokens))
    return ["□" if token == tokenizer.mask else name for token, name in named]


def hidden_twice(passage: Tensor, tokenizer: Any) -> plots.Picture:
    """One passage [T] with some of its tokens hidden, drawn twice."""
    blocks = {}
    for seed in range(2):
        shown, _, mask = mask_tokens(passage[None], len(tokenizer), torch.Generator().manual_seed(seed))
        what = torch.where(shown == tokenizer.mask, 0, torch.where(shown == passage, 1, 2))[0]
        kinds = [KINDS[w] if hidden else "" for w, hidden in zip(what.tolist(), mask[0].tolist())]
        blocks[f"draw {seed + 1}"] = (labels_of(tokenizer, shown[0]), kinds)
    title = "One passage, hidden twice: the network must name what stood in every coloured box"
    caption = (
        "A validation passage, 15 % of its tokens hidden by the 80/10/10 rule; □ is <mask>, · a blank, ⏎ a new line, \\x and two "
        "signs a single byte."
    )
    return words(blocks, kinds=KINDS, title=title, caption=caption)


def guessers(shares: dict[str, float], title: str, caption: str, highlight: str) -> plots.Picture:
    """How many hidden tokens each guesser names."""
    return plots.bars(shares, title=title, caption=caption, xlabel="named right, validation", highlight=highlight)


@torch.no_grad()
def looks_at(models: dict[str, BERT], tokenizer: Any, sentence: str, word: str) -> plots.Picture:
    """Where the hidden place of a sentence looks in each network: the mean over the heads of its last block."""
    tokens = torch.tensor([tokenizer.encode(sentence)])
    place = tokens[0].tolist().index(tokenizer.encode(word)[0])
    tokens[0, place] = tokenizer.mask
    passages = {}
    for name, model in models.items():
        with evaluating(model):
            seen = attention_seen(model.encoder, tokens.to(device_of(model)))
        passages[name] = seen[0, -1, :, place].mean(0).cpu()
    most, labels = max(seen.max() for seen in passages.values()), labels_of(tokenizer, tokens[0])
    title = "Where the hidden place looks: much of it was built in"
    caption = (
        f"The framed token, {word.strip()!r}, is hidden. Mean over the heads of the last block; the darker, the more "
        "weight, by one scale for both."
    )
    blocks = {name: (labels, seen / most) for name, seen in passages.items()}
    return words(blocks, framed={name: [place] for name in models}, title=title, caption=caption)


def distances(models: dict[str, BERT], x: Tensor) -> plots.Picture:
    """What training changed in each head's mean weight on the tokens near by: of two networks, the second minus the first."""
    found = []
    for model in models.values():
        with evaluating(model):
            maps = attention_seen(model.encoder, x.to(device_of(model))).float().cpu().mean(0)
        found.append(torch.stack([maps.diagonal(offset, dim1=-2, dim2=-1).mean(-1) for offset in NEAR], dim=-1))
    depth, heads = found[0].shape[:2]
    change = (found[1] - found[0]).flatten(0, 1)
    most = change.abs().max().item()
    return plots.heatmap(
        change,
        [f"block {b + 1} · head {h + 1}" for b in range(depth) for h in range(heads)],
        [f"{offset:+d}" if offset else "itself" for offset in NEAR],
        title="Training took weight from the tokens two away",
        caption=f"Weight of each head by distance, trained minus untrained; mean of {len(x)} validation passages, nothing hidden.",
        label="change of weight",
        xlabel="distance in tokens (negative: before)",
        numbers=False,
        limits=(-most, most),
        colours="RdBu_r",  # white is no change
    )


def by_layer(found: dict, title: str) -> plots.Picture:
    """A linear probe after each layer, from results/bert.json."""
    last = len(found["BERT"]) - 1
    table = {
        "embeddings" if layer == "0" else f"block {layer}": {name: row[layer] for name, row in found.items()}
        for layer in map(str, range(last + 1))
    }
    caption = "Linear probe with the labels of every fourth training passage; all validation passages, 3 seeds."
    return plots.scoreboard(table, title=title, caption=caption, highlight="")


def as_labels_grow(found: dict, commonest: float, title: str) -> plots.Picture:
    """Test accuracy against labels: fine-tuned, from scratch, tf-idf; `commonest`: of always saying the commonest class."""
    curves = {name: {int(k): v for k, v in row.items()} for name, row in found["labels"].items()}
    caption = (
        "Test passages, 3 seeds: pretraining of 1,200 steps, weights and labels anew each time. Fine-tuning of 60 steps"
        f"{found.get('fine_tuning_note', '.')} Chance: always the commonest package."
    )
    return plots.label_efficiency(curves, chance=commonest, title=title, caption=caption, looks=LOOKS)


@drawing
def as_pretraining_grows(found: dict, title: str) -> Picture:
    """Fine-tuning with ten labels, and hidden tokens named, against the length of pretraining, each beside its rivals."""
    labels, masked = found["labels"], found["masked"]
    few = {"from scratch": (labels["from scratch"]["10"], 1), "tf-idf": (labels["tf-idf"]["10"], 3)}
    counting = {"two neighbours": (masked["left and right neighbour"], 7)}
    grows = {  # title: (the key of what grows, its name, its colour, rivals that are not pretrained)
        "package, 10 labels per class, test": ("fine-tuned", "fine-tuned", 0, few),
        "hidden tokens named, validation": ("masked accuracy", "BERT", 4, counting),
    }
    caption = (
        "1,200 steps: 3 seeds; the others: one network, three draws of labels. Line: mean; band: lowest to highest run. "
        f"A hundred steps show {100 * found['batch'] * 128 / 1e6:.2g} million tokens."
    )
    fig, axes = panels(title, caption, 3.2, "steps of pretraining", grid="both", heads=grows, sharey=True, w_pad=0.05)
    told = []
    for ax, (name, (key, label, number, rivals)) in zip(axes, grows.items()):
        points = {int(k): row[key] for k, row in found["lengths"].items()}
        x, means, _ = band(ax, points, COLOURS[number], "o", label)
        told.append(f"{name}: {label} {means[0]:.0%} at {x[0]:,} to {means[-1]:.0%} at {x[-1]:,}")
        for rival, (runs, other) in rivals.items():
            ax.axhspan(min(runs), max(runs), color=COLOURS[other], alpha=0.1, linewidth=0)
            ax.axhline(mean(runs), label=rival, **DASHED | dict(color=COLOURS[other], linewidth=1.5))
            told[-1] += f", {rival} {mean(runs):.0%}"
        log_ticks(ax, x, [f"{k:,}" for k in x])
        ax.yaxis.set_major_locator(MultipleLocator(0.1))
        ax.yaxis.set_major_formatter(Percent())
        name_lines(ax, "upper left")
    return render(fig, title, caption, "; ".join(told), colours=96)


def rules(found: dict, title: str) -> plots.Picture:
    """80/10/10 beside always <mask>, from results/bert.json."""
    shown = {"masked": "at <mask>", "intact": "on intact text", "probe": "probe, package"}
    table = {
        name: {title: found["ablations"][name][judge] for judge, title in shown.items()}
        for name in ("80/10/10", "always <mask>")
    }
    seeds = "One seed" if found["ablation_seeds"] == 1 else f"{found['ablation_seeds']} seeds"
    caption = (
        f"{seeds}, {found['ablation_steps']:,} steps of 32 passages; validation. Intact text: the true token is shown and asked for. "
        "Probe: with the labels of every fourth training passage, as in 'Which layer?', not the scoreboard's."
    )
    return plots.scoreboard(table, title=title, caption=caption, highlight="80/10/10")


@or_a_note
def order(found: dict, title: str) -> plots.Picture:
    """What no bag of words can tell: a linear probe says whether pieces of a passage changed places, from results/bert.json."""
    shown = {"pieces of 64": "the two halves", "pieces of 8": "each two pieces of 8 tokens"}
    table = {"counting words": dict.fromkeys(shown.values(), 0.5)} | {
        name: {head: found["order"][size][name] for size, head in shown.items()} for name in ("untrained", "BERT")
    }
    caption = (
        "Did these change places? Linear probe on the mean over tokens; validation passages, each both ways, "
        f"{len(found['order']['pieces of 8']['BERT'])} seeds. Counting is right in half by construction."
    )
    return plots.scoreboard(table, title=title, caption=caption, highlight="BERT")
