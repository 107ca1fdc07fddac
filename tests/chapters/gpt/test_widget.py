"""The next-token panel without a browser: type, click, and what a browser or a reader might be surprised by."""

import warnings

import pytest
import torch
from displayed import displayed

from sslkit import plots
from sslkit.chapters.gpt.method import GPT
from sslkit.chapters.gpt.widget import TAIL, next_token
from sslkit.tokenizer import train
from sslkit.transformer import TextEncoder

TOKENS = train(["the cat sat on the mat\n<b> $a$ & $b$ é😀\n" * 30], 300)
V = len(TOKENS)


def prefers(*wanted, seen=None):
    """A model that holds those tokens for the likeliest, in that order, whatever it reads."""

    def predict(tokens):
        if seen is not None:
            seen.append(tokens[0].tolist())
        logits = torch.zeros(1, V)
        for rank, token in enumerate(wanted):
            logits[0, token] = 9.0 - rank
        return logits

    return predict


def one(text):
    (token,) = TOKENS.encode(text)
    return token


THE, CAT = one(" the"), one(" cat")


def test_shown_as_live_widget_and_as_picture():
    widget = next_token(prefers(THE, CAT), TOKENS, "so", title="Next?")
    alt = displayed(widget).alt
    assert "Next?" in alt and "1. ·the" in alt and "2. ·cat" in alt and "so" in alt


def test_the_five_likeliest_are_bars_and_buttons():
    widget = next_token(prefers(THE, CAT), TOKENS, "so")
    assert len(widget.buttons) == 5 and widget.buttons[0].description.startswith("·the ")
    p = torch.zeros(V).index_fill(0, torch.tensor([0, 2]), -torch.inf)
    p[THE], p[CAT] = 9.0, 8.0
    assert widget.buttons[0].description.endswith(f"{p.softmax(0)[THE]:.0%}")
    assert isinstance(widget.picture, plots.Picture) and "1. ·the" in widget.picture.alt


def test_a_click_appends_the_token_and_asks_again():
    seen = []
    widget = next_token(prefers(THE, CAT, seen=seen), TOKENS, "so")
    before = widget.picture
    widget.buttons[1].click()
    assert widget.controls["prompt"].value == "so cat" and seen[-1] == [*TOKENS.encode("so"), CAT]
    widget.buttons[0].click()
    assert widget.controls["prompt"].value == "so cat the" and seen[-1][-2:] == [CAT, THE]
    assert widget.picture is not before and widget.words.value == ""


def test_typing_asks_for_what_was_typed():
    seen = []
    widget = next_token(prefers(THE, seen=seen), TOKENS)
    assert seen[-1] == []
    widget.controls["prompt"].value = "on the mat"
    assert seen[-1] == TOKENS.encode("on the mat")
    assert "·the" in widget.line.value and "·mat" in widget.line.value


def test_a_text_that_reads_otherwise_than_it_was_clicked_keeps_its_tokens():
    seen = []
    letters = [TOKENS.encode(c)[0] for c in " the"]
    widget = next_token(prefers(*letters, seen=seen), TOKENS)
    for k in range(4):
        widget.buttons[k].click()
    assert widget.controls["prompt"].value == " the" and seen[-1] == letters != TOKENS.encode(" the")
    widget.controls["prompt"].value = " the "
    assert seen[-1] == TOKENS.encode(" the ")


def test_line_breaks_can_be_seen_and_typed():
    seen = []
    newline = one("\n")
    widget = next_token(prefers(newline, seen=seen), TOKENS, "a\nb")
    assert widget.controls["prompt"].value == "a⏎b" and seen[-1] == TOKENS.encode("a\nb")
    widget.buttons[0].click()
    assert widget.controls["prompt"].value == "a⏎b⏎" and widget.buttons[0].description.startswith("⏎ ")
    widget.controls["prompt"].value = "x⏎"
    assert seen[-1] == TOKENS.encode("x\n")


def test_parts_of_a_character_add_up_to_it():
    seen = []
    parts = [3 + b for b in "😀".encode()]
    widget = next_token(prefers(*parts, seen=seen), TOKENS)
    for k in range(4):
        assert widget.buttons[k].description.startswith(f"\\x{'😀'.encode()[k]:02x}")
        widget.buttons[k].click()
        assert seen[-1] == parts[: k + 1], "each click asks again, though the field may look the same"
    assert widget.controls["prompt"].value == "😀"


def test_padding_and_mask_are_not_offered_and_end_is():
    widget = next_token(prefers(TOKENS.pad, TOKENS.mask, TOKENS.end, THE), TOKENS)
    assert [b.token for b in widget.buttons[:2]] == [TOKENS.end, THE]
    widget.buttons[0].click()
    assert widget.controls["prompt"].value == "<end>"


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a & b", '"><img src=x onerror=y>', "<b>bold</b>"])
def test_text_is_never_html(text):
    widget = next_token(prefers(one("<"), one("&") if len(TOKENS.encode("&")) == 1 else THE), TOKENS, text)
    plain = (
        widget.line.value.replace("<div style", "")
        .replace("</div>", "")
        .replace("<span style", "")
        .replace("</span>", "")
    )
    assert "<" not in plain and "&lt;" in widget.line.value or "&amp;" in widget.line.value
    widget.fallback()


def test_strange_prompts_draw_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for text in ("😀 日本語", "$x^2$ and $", "tab\tand\r", "\ud800", "", "   "):
            widget = next_token(prefers(one("$"), one("\t")), TOKENS, text)
            assert widget.words.value == "" and widget.fallback().png
            assert "1. $" in widget.picture.alt


def test_a_long_text_shows_its_end():
    widget = next_token(prefers(THE), TOKENS, " cat" * 500)
    assert f"({500 - TAIL} tokens before)" in widget.line.value and widget.line.value.count("<span") == TAIL


def test_an_error_of_the_model_is_told_in_words():
    def predict(tokens):
        if tokens.shape[1] > 2:
            raise ValueError("too much <for> me")
        return torch.zeros(1, V)

    widget = next_token(predict, TOKENS, "a")
    widget.controls["prompt"].value = "a b c d"
    assert "too much &lt;for&gt; me" in widget.words.value
    widget.controls["prompt"].value = "b"
    assert widget.words.value == ""


@pytest.mark.parametrize("text", ["", "the cat", "😀 naïve <b>", "the cat sat " * 40])
def test_it_works_with_an_untrained_network_and_with_any_length(text):
    torch.manual_seed(0)
    method = GPT(TextEncoder(V, 16, dim=16, depth=1, heads=2, causal=True)).eval()
    widget = next_token(method.next_logits, TOKENS, text)
    assert widget.words.value == "" and all(button.token not in (None, 0, 2) for button in widget.buttons)
    for _ in range(3):
        widget.buttons[2].click()
    assert widget.words.value == ""
