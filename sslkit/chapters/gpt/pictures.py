"""The pictures of chapter 20 that stand still: texts, tokens, bits per byte, the knobs of sampling, where a network looks."""

import html
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import mean
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit import plots
from sslkit.chapters.bert.figures import token_labels, words
from sslkit.chapters.bert.looking import attention_seen
from sslkit.chapters.gpt.method import GPT, truncate
from sslkit.chapters.gpt.widget import as_html
from sslkit.nets import evaluating
from sslkit.plots.axes import DASHED, panels
from sslkit.plots.picture import COLOURS, FAINT, TEXT_SIZE, drawing, render
from sslkit.plots.text import drawable
from sslkit.tokenizer import BytePair
from sslkit.transformer.attention import Attention

CELL = "padding: 3px 10px 8px 0; vertical-align: top; text-align: left"


class Texts:
    """Named texts below a title, to be read: a table in Jupyter, lines elsewhere."""

    def __init__(self, texts: dict[str, str], title: str = "", caption: str = ""):
        self.texts, self.title, self.caption = texts, title, caption

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><td style="{CELL}; white-space: nowrap"><b>{html.escape(name)}</b></td>'
            f'<td style="{CELL}; max-width: 46em">{html.escape(text).replace(chr(10), " ⏎ ")}</td></tr>'
            for name, text in self.texts.items()
        )
        title, caption = html.escape(self.title), html.escape(self.caption)
        return f"<div><b>{title}</b></div><table>{rows}</table><div><small>{caption}</small></div>"

    def __repr__(self) -> str:
        return "\n".join([self.title, *(f"{name}: {text}" for name, text in self.texts.items()), self.caption])


def excerpts(split: Any, tokenizer: BytePair, numbers: list[int]) -> Texts:
    """Passages of a split by their numbers, each with its document's name."""
    shown = {split.names[n]: tokenizer.decode(split.x[n][split.x[n] > tokenizer.mask])[:330] + " ..." for n in numbers}
    return Texts(
        shown,
        "Passages of three documents",
        "The start of each, validation split; a passage has 128 tokens. ⏎ is a new line.",
    )


class Tokens:
    """A text cut into tokens, each on its own shade."""

    def __init__(self, text: str, tokenizer: BytePair):
        self.tokens, self.tokenizer = tokenizer.encode(text), tokenizer

    def _repr_html_(self) -> str:
        return as_html(self.tokens, self.tokenizer)

    def __repr__(self) -> str:
        return " | ".join(self.tokenizer.shown(token) for token in self.tokens)


def exercises(given: Tensor, asked: Tensor, tokenizer: BytePair) -> Texts:
    """What stands before each of the first tokens of a passage, and what is asked there."""
    shown = {name: " | ".join(map(tokenizer.shown, row.tolist())) for name, row in (("given", given), ("asked", asked))}
    return Texts(shown, "Every column is one exercise", "· is a space; it belongs to the word after it.")


def bits(models: dict[str, Any], title: str, caption: str, highlight: str = "") -> plots.Picture:
    """Bits per byte of several models; less is better."""
    return plots.bars(models, title, f"{caption} Less is better.", xlabel="bits per byte", highlight=highlight)


def triangle(weights: Tensor, names: list[str]) -> plots.Picture:
    """The weights of one head [T, T]."""
    title = "Who may look where: nothing right of the diagonal"
    caption = "One head before any training, on random numbers; each row sums to 1. The words only show the order."
    look = dict(label="weight", ylabel="asks", xlabel="is asked", numbers=False)
    return plots.heatmap(weights, names, names, title=title, caption=caption, **look)


def knobs(logits: Tensor, tokenizer: BytePair, after: str) -> plots.Picture:
    """What temperature, top-k and top-p make of the eight likeliest tokens, logits [V]."""
    row = logits[None]
    turned = {
        "as it is": row,
        "temperature 0.5": row / 0.5,
        "temperature 2": row / 2,
        "top-k 3": truncate(row, top_k=3),
        "top-p 0.8": truncate(row, top_p=0.8),
    }
    best = logits.topk(8).indices.tolist()
    table = {
        drawable(tokenizer.shown(t)): {
            name: x.softmax(-1)[0, t].item() for name, x in turned.items() if x[0, t] > -torch.inf
        }
        for t in best
    }
    title = "Cooling and cutting favour the likeliest token, heating the others"
    caption = f"Probabilities after {after!r}, by the bigram: its eight likeliest tokens of {len(tokenizer):,}. Blank: cut off."
    return plots.scoreboard(table, title=title, caption=caption, highlight=drawable(tokenizer.shown(best[0])))


@torch.no_grad()
def looks_back(models: dict[str, GPT], tokenizer: BytePair, text: str, answer: str) -> plots.Picture:
    """Where each model looks from the last token of a text: of all its heads the one that looks most at the tokens of
    `answer`, which the text holds. And how likely the answer is, with all heads and without that one."""
    tokens, asked = tokenizer.encode(text), tokenizer.encode(answer)
    wanted = torch.tensor([token in asked for token in tokens])
    passages, sure = {}, []
    for name, model in models.items():
        given = model.window(torch.tensor([tokens], device=model.encoder.embed.weight.device))
        with evaluating(model):
            seen = attention_seen(model.encoder, given)[0, :, :, -1].flatten(0, 1)  # of every head of every block
        heads = seen[:, -len(tokens) :].float().cpu()
        best = int(heads[:, wanted].sum(1).argmax())
        block, head = divmod(best, len(heads) // len(model.encoder.blocks))
        blocks: Any = model.encoder.blocks
        with silenced(blocks[block].attention, head):
            muted = likely(model, tokens, asked)
        sure.append(f"{name} {likely(model, tokens, asked):.1%}, with this head silenced {muted:.1%}")
        passages[f"{name}, a head of block {block + 1}"] = (
            token_labels(tokenizer, tokens),
            heads[best] / heads[best].max(),
        )
    title = "After training, one head looks almost only at the lost thing"
    caption = (
        "Seen from the last token; the darker, the more weight. Of 16 heads the one that looks most at "
        f"{answer.strip()!r}, in each network; blue is scaled to its largest weight. How likely it is to write it next: "
        f"{'; '.join(sure)}."
    )
    return words(passages, title=title, caption=caption)


@torch.no_grad()
def in_turn(model: GPT, tokenizer: BytePair, text: str, answer: str, things: list[str]) -> plots.Picture:
    """How likely the lost thing is after a text with each head of each block silenced in turn: the mean over `things`, each of
    which takes the place of `answer` in the text."""
    told = [(tokenizer.encode(text.replace(answer, f" {it}")), tokenizer.encode(f" {it}")) for it in things]

    def sure() -> float:
        return mean(100 * likely(model, tokens, asked) for tokens, asked in told)

    found: list[list[int]] = []
    block: Any
    for block in model.encoder.blocks:
        found.append([])
        for head in range(block.attention.heads):
            with silenced(block.attention, head):
                found[-1].append(round(sure()))
    names = [f"block {n + 1}" for n in range(len(found))], [f"head {n + 1}" for n in range(len(found[0]))]
    title = "Four of the sixteen heads carry the lost thing"
    caption = (
        f"How likely the lost thing is with one head silenced (with all heads: {sure():.0f} %). Mean over the text above with each "
        f"of {len(things)} things in place of {answer.strip()!r}."
    )
    picture = plots.heatmap(found, *names, title=title, caption=caption, label="probability (%)", limits=(0, 100))
    return replace(picture, alt=f"{picture.alt} {'; '.join(' '.join(map(str, row)) for row in found)}.")


@torch.no_grad()
def next_words(texts: dict[str, str], models: dict[str, Any], tokenizer: BytePair, most: int = 3) -> Texts:
    """The likeliest next tokens after each text by each model, tokens int64 [1, T] to logits or log p [1, V]."""
    rows = {}
    for name, text in texts.items():
        tokens = torch.tensor([tokenizer.encode(text)])
        for model, predict in models.items():
            p, order = predict(tokens)[0].float().cpu().softmax(-1).topk(most)
            found = [f"{tokenizer.shown(t)} {share:.1%}" for t, share in zip(order.tolist(), p.tolist())]
            rows[f"{name}, {model}"] = ", ".join(found)
    return Texts(rows, "What comes next?", f"The {most} likeliest tokens; · is a space.")


@torch.no_grad()
def likely(model: GPT, tokens: list[int], answer: list[int]) -> float:
    """The probability that a model writes the tokens of `answer` next, after `tokens`."""
    given = model.window(torch.tensor([tokens + answer], device=model.encoder.embed.weight.device))
    with evaluating(model):
        logs = model.logits(given)[0, -len(answer) - 1 : -1].float().log_softmax(-1)
    return logs[range(len(answer)), answer].sum().exp().item()


@contextmanager
def silenced(attention: Attention, head: int) -> Iterator[None]:
    """While it lasts, one head adds nothing to what the tokens hold."""

    def mute(module: nn.Module, arguments: tuple[Tensor]) -> tuple[Tensor]:
        mixed = arguments[0].unflatten(-1, (attention.heads, -1)).clone()
        mixed[..., head, :] = 0
        return (mixed.flatten(-2),)

    hook = attention.out.register_forward_pre_hook(mute)
    try:
        yield
    finally:
        hook.remove()


def by_place(models: dict[str, Tensor], x: Tensor, pad: int) -> plots.Picture:
    """Bits per token by the place in the passage: -log p [N, T] in nats of each model."""
    stretches = {"1": (0, 1), "2 to 4": (1, 4), "5 to 16": (4, 16), "17 to 64": (16, 64), "65 to 128": (64, 128)}
    real, bit = x != pad, torch.tensor(2.0).log()
    table = {
        f"place {name}": {model: (nats[:, a:b][real[:, a:b]].mean() / bit).item() for model, nats in models.items()}
        for name, (a, b) in stretches.items()
    }
    title = "After the first token only GPT goes on saving bits"
    caption = f"Bits per token on {len(x):,} validation passages, padding left out."
    return plots.scoreboard(table, title=title, caption=caption, highlight="place 65 to 128")


def alike(models: dict[str, GPT], tokenizer: BytePair, asked: str, most: int = 5) -> Texts:
    """For some words the words whose token vectors point most nearly the same way, by each model."""
    whole = [t for t in range(len(tokenizer)) if (name := tokenizer.shown(t))[0] == "·" and name[3:].isalpha()]
    rows = {}
    for word in asked.split():
        token = tokenizer.encode(f" {word}")[0]
        for name, model in models.items():
            vectors = F.normalize(model.encoder.embed.weight.detach().cpu().float(), dim=1)
            near = (vectors[whole] @ vectors[token]).argsort(descending=True).tolist()
            found = [tokenizer.shown(whole[i])[1:] for i in near if whole[i] != token]
            rows[f"{word}, {name}"] = ", ".join(found[:most])
    return Texts(rows, "The most similar token vectors", "Cosine, among tokens that are words or begin one.")


@drawing
def bugs(losses: dict[str, list[float]], chance: float) -> plots.Picture:
    """Loss curves on a logarithmic axis, since two of them go to 0; each has its name at its end."""
    title = "Three bugs, three curves: what went wrong?"
    caption = "Tales, training loss on a logarithmic axis, seed 0. As it should be: the first half of your run."
    fig, (ax,) = panels(title, caption, 3.4, "step", "loss", grid="y")
    ax.axhline(chance, **DASHED)
    beside: dict[str, Any] = dict(textcoords="offset points", size=TEXT_SIZE + 1, annotation_clip=False)
    right: dict[str, Any] = dict(xycoords=("axes fraction", "data"), ha="right", color=FAINT)
    ax.annotate(f"chance {chance:.3g}", (1, chance), (-2, 3), **right, **beside)
    for colour, (name, values) in zip(COLOURS, losses.items()):
        ax.plot(range(1, len(values) + 1), values, color=colour, linewidth=1.8)
        ax.annotate(name, (len(values), values[-1]), (6, 0), va="center", color=colour, **beside)
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ends = "; ".join(f"{name} {values[-1]:.2g}" for name, values in losses.items())
    return render(fig, title, caption, f"Loss curves, at the end: {ends}", colours=128)
