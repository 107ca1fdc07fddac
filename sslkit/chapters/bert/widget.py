"""A sentence with one word hidden: click another one to hide it, and see what a network thinks it was."""

import re

import ipywidgets
import torch
from torch import Tensor

from sslkit import plots
from sslkit.chapters.bert.figures import token_labels, word_guesses
from sslkit.widgets import Panel

SHOWN = 5  # guesses for each token
PARTS = 3  # tokens of a word that are shown
SENTENCE = "Return the number of elements in the given list."


def words_of(tokenizer, text: str, context: int) -> tuple[list[int], list[tuple[str, list[int]]]]:
    """The first `context` tokens of a text, and its words, each with the places of its tokens; words that are not
    within those tokens are left out."""
    tokens = tokenizer.encode(text)
    lengths, ends, total = tokenizer.lengths(), [], 0
    for token in tokens:
        total += lengths[token]
        ends.append(total)
    found = []
    for match in re.finditer(r"\S+", text):
        start, stop = (len(text[:at].encode("utf-8", "surrogatepass")) for at in match.span())
        places = [i for i, end in enumerate(ends) if end > start and end - lengths[tokens[i]] < stop]
        if places[-1] < context:
            found.append((match.group(), places))
    return tokens[:context], found


def masked_word(tokenizer, guess, text: str = SENTENCE, word: int = 2, context: int = 128) -> Panel:
    """A panel with a sentence to type and a button for each of its words; the word that is pressed is hidden.

    guess(shown int64 [1, T], mask bool [1, T]) -> scores [M, vocabulary] of the M hidden tokens: logits or log
    probabilities. tokenizer: a sslkit.tokenizer.BytePair with a <mask>. A word of several tokens is hidden as a whole.
    Only the first `context` tokens are read. word: the one that is hidden at first.
    """
    if tokenizer.mask is None:
        raise ValueError("this tokenizer has no <mask> to hide a word with")
    words = words_of(tokenizer, text, context)[1]
    sentence = ipywidgets.Text(
        text, description="sentence", continuous_update=False, layout=ipywidgets.Layout(width="100%")
    )
    buttons = ipywidgets.ToggleButtons(
        options=choices(words),
        value=min(word, len(words) - 1) if words else None,
        description="hide",
        style={"button_width": "auto"},
    )

    def change(event):
        """New buttons for a new sentence, the first word hidden."""
        words = words_of(tokenizer, event["new"], context)[1]
        buttons.options = choices(words)
        buttons.value = 0 if words else None

    sentence.observe(change, names="value")  # before the panel does, which then finds both in step

    def draw(sentence: str, word: int | None):
        tokens, words = words_of(tokenizer, sentence, context)
        if not words:
            return plots.note("Write a sentence above", "Then press one of its words to hide it.")
        places = words[min(word or 0, len(words) - 1)][1]
        mask = torch.zeros(1, len(tokens), dtype=torch.bool)
        mask[0, places] = True
        shown = torch.tensor([tokens]).masked_fill(mask, tokenizer.mask)
        p = torch.as_tensor(guess(shown, mask)).detach().float().cpu().softmax(dim=1)
        rows = likeliest(tokenizer, p)
        truths = token_labels(tokenizer, [tokens[i] for i in places])
        left = len(tokenizer.encode(sentence)) - len(tokens)
        caption = f"The five likeliest of {p.shape[1]:,} tokens, the true one in strong blue; · is a blank." + (
            f" A word of {len(places)} tokens{f', the first {PARTS} shown' if len(places) > PARTS else ''}."
            * (len(places) > 1)
            + f" The last {left} tokens are beyond what the network reads." * (left > 0)
        )
        labels = ["□" if hidden else label for hidden, label in zip(mask[0].tolist(), token_labels(tokenizer, tokens))]
        title = "What stands in the frame? The network's five best guesses"
        return word_guesses(labels, places, list(zip(truths, rows))[:PARTS], title, caption)

    panel = Panel({"sentence": sentence, "word": buttons}, draw, lambda: draw(text, min(word, max(0, len(words) - 1))))
    return panel


def choices(words: list[tuple[str, list[int]]]) -> list[tuple[str, int]]:
    """Buttons for words: (label, number); equal words keep their own number."""
    return [(word if len(word) <= 24 else word[:23] + "…", i) for i, (word, _) in enumerate(words)]


def likeliest(tokenizer, p: Tensor) -> list[list[tuple[str, float]]]:
    """The five likeliest tokens of each row of p [M, vocabulary], with their probabilities."""
    top = p.topk(min(SHOWN, p.shape[1]), dim=1)
    return [list(zip(token_labels(tokenizer, ids), values.tolist())) for ids, values in zip(top.indices, top.values)]
