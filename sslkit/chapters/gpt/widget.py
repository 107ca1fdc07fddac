"""Write with a language model: the likeliest next tokens as bars, and a button for each."""

import html
from collections.abc import Callable

import ipywidgets
import torch
from torch import Tensor

from sslkit import plots
from sslkit.plots.text import drawable
from sslkit.tokenizer import BytePair
from sslkit.widgets import Panel

SHADES = ("#DCEBF7", "#FBE8C8")  # of neighbouring tokens: where one ends is seen without its colour's name
TAIL = 60  # tokens of a long text that are shown


def next_token(
    predict: Callable[[Tensor], Tensor],
    tokenizer: BytePair,
    prompt: str = "",
    most: int = 5,
    title: str = "What comes next?",
) -> Panel:
    """A panel in which one writes with a model: type and press Enter, or click one of the `most` likeliest next tokens.

    predict(tokens int64 [1, T]) -> logits (or log p) [1, V] of what follows a text; T may be 0. A line break is written ⏎
    in the text field. Tokens that are no text but `<end>` are left out. Without a kernel: the bars after `prompt`.
    """
    clicked: list[int] = []  # the tokens of the text as they were clicked: reading it anew may cut it otherwise

    def cut(text: str) -> list[int]:
        text = text.replace("⏎", "\n")
        return list(clicked) if clicked and tokenizer.decode(clicked) == text else tokenizer.encode(text)

    def likeliest(tokens: list[int]) -> list[tuple[int, float]]:
        with torch.no_grad():
            logits = predict(torch.tensor([tokens], dtype=torch.int64))[0].detach().float().cpu()
        never = [t for name, t in tokenizer.special.items() if t != tokenizer.end]
        p, order = logits.index_fill(0, torch.tensor(never, dtype=torch.int64), -torch.inf).softmax(0).topk(most)
        return list(zip(order.tolist(), p.tolist()))

    def bars(found: list[tuple[int, float]], caption: str) -> plots.Picture:
        share = sum(p for _, p in found)
        named = {drawable(f"{i}. {tokenizer.shown(t)}"): p for i, (t, p) in enumerate(found, 1)}
        caption = f"{caption} These {len(found)} of {len(tokenizer):,} tokens hold {share:.0%} of the probability."
        return plots.bars(
            named, title=title, caption=caption.strip(), xlabel="probability", highlight=next(iter(named))
        )

    def draw(prompt: str) -> plots.Picture:
        tokens = cut(prompt)
        found = likeliest(tokens)
        line.value = as_html(tokens, tokenizer)
        for button, (token, p) in zip(buttons, found):
            button.token, button.description = token, f"{tokenizer.shown(token)}  {p:.0%}"
        return bars(found, "")

    def click(button) -> None:
        if button.token is None:
            return
        before = field.value
        clicked[:] = [*cut(before), button.token]
        field.value = tokenizer.decode(clicked).replace("\n", "⏎")
        if field.value == before:  # a part of a character more, which shows as the same sign: nothing would be redrawn
            panel.refresh()

    line = ipywidgets.HTML()
    wide = ipywidgets.Layout(width="auto", min_width="5rem")
    buttons = [ipywidgets.Button(tooltip="append this token", layout=wide) for _ in range(most)]
    for button in buttons:
        button.token = None
        button.on_click(click)
    field = ipywidgets.Text(prompt.replace("\n", "⏎"), description="text", continuous_update=False)
    field.layout = ipywidgets.Layout(width="100%")
    panel = Panel(
        {"prompt": field}, draw, lambda: bars(likeliest(tokenizer.encode(prompt)), drawable(f"After: {prompt!r}."))
    )
    row = ipywidgets.Layout(display="flex", flex_flow="row wrap", width="100%")
    panel.children = [*panel.children[:1], ipywidgets.Box(buttons, layout=row), line, *panel.children[1:]]
    panel.buttons, panel.line = buttons, line
    return panel


def as_html(tokens: list[int], tokenizer: BytePair) -> str:
    """The last tokens of a text, each on its own shade."""
    if not tokens:
        return "(no text yet: what begins a passage?)"
    cells = [
        f'<span style="background: {SHADES[i % 2]}; color: #222; white-space: pre-wrap">{html.escape(tokenizer.shown(t))}</span>'
        for i, t in enumerate(tokens)
    ]
    more = f"... ({len(tokens) - TAIL} tokens before) " if len(tokens) > TAIL else ""
    return f'<div style="line-height: 1.6; overflow-wrap: anywhere">{more}{"".join(cells[-TAIL:])}</div>'
