"""The masked word without a browser, and its figures: sentences in, pictures out; odd sentences; what is told of errors."""

import pytest
import torch
from displayed import displayed

from sslkit import plots
from sslkit.chapters.bert import pictures
from sslkit.chapters.bert.figures import token_labels, word_guesses, words
from sslkit.chapters.bert.widget import masked_word, words_of
from sslkit.evidence import Measured
from sslkit.tokenizer import train

SENTENCE = "Return the number of the list."
TOKENIZER = train([SENTENCE, "the list of the number", "Return the list\nof the number"] * 5, 290)


class Guess:
    """Stands in for a network: always the same token, and it remembers what it was asked."""

    def __init__(self, token: int = 50):
        self.token, self.asked = token, []

    def __call__(self, shown, mask):
        self.asked.append((shown, mask))
        scores = torch.zeros(int(mask.sum()), len(TOKENIZER))
        scores[:, self.token] = 9.0
        return scores


def hidden_text(guess: Guess) -> str:
    """The text under the mask when the network was asked last."""
    shown, mask = guess.asked[-1]
    assert (shown[mask] == TOKENIZER.mask).all() and not (shown[~mask] == TOKENIZER.mask).any()
    places = [w for w in words_of(TOKENIZER, SENTENCE, 99)[1]]
    return next(word for word, at in places if at == mask[0].nonzero().flatten().tolist())


def test_shown_as_live_widget_and_as_picture():
    widget = masked_word(TOKENIZER, Guess(), SENTENCE)
    assert "guesses of a hidden word" in displayed(widget).alt


def test_pressing_a_word_hides_it_and_no_other():
    guess = Guess()
    widget = masked_word(TOKENIZER, guess, SENTENCE, word=1)
    assert hidden_text(guess) == "the"
    assert [label for label, _ in widget.controls["word"].options] == ["Return", "the", "number", "of", "the", "list."]
    before = widget.image.value
    for number, word in [(4, "the"), (0, "Return"), (5, "list.")]:
        widget.controls["word"].value = number
        assert hidden_text(guess) == word and guess.asked[-1][1][0].nonzero()[0] >= number
    assert widget.image.value != before and widget.words.value == ""


def test_the_true_word_is_told_apart_and_probabilities_add_up():
    tokens = TOKENIZER.encode(SENTENCE)
    widget = masked_word(TOKENIZER, Guess(tokens[1]), SENTENCE, word=1)
    assert "hidden ·the: ·the" in widget.picture.alt
    widget.controls["word"].value = 2
    assert "hidden ·number: ·the" in widget.picture.alt


def test_every_word_owns_its_tokens_and_no_two_share_one():
    for text in (SENTENCE, "  two  blanks\tand\na line ", "naïve 東京 x_y's 1.5e-3!", "a"):
        tokens, found = words_of(TOKENIZER, text, 999)
        places = [place for _, at in found for place in at]
        assert places == sorted(set(places)) and [word for word, _ in found] == text.split()
        for word, at in found:
            assert TOKENIZER.decode([tokens[i] for i in at]).strip() == word


def test_a_new_sentence_makes_new_buttons():
    guess = Guess()
    widget = masked_word(TOKENIZER, guess, SENTENCE, word=4)
    widget.controls["sentence"].value = "the list"
    assert [label for label, _ in widget.controls["word"].options] == ["the", "list"]
    assert widget.controls["word"].value == 0 and guess.asked[-1][0].shape[1] == len(TOKENIZER.encode("the list"))
    assert widget.words.value == ""


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_an_empty_sentence_is_asked_for_more(text):
    widget = masked_word(TOKENIZER, Guess(), SENTENCE)
    widget.controls["sentence"].value = text
    assert "Write a sentence" in widget.picture.alt and widget.words.value == ""
    widget.controls["sentence"].value = "the number"
    assert "Text with guesses" in widget.picture.alt
    assert "Write a sentence" in masked_word(TOKENIZER, Guess(), text).picture.alt


def test_a_sentence_beyond_the_context_is_cut_and_says_so():
    guess = Guess()
    widget = masked_word(TOKENIZER, guess, SENTENCE * 9, context=12)
    assert guess.asked[-1][0].shape == (1, 12) and "beyond what the network reads" in widget.picture.alt
    widget.controls["word"].value = len(widget.controls["word"].options) - 1
    assert guess.asked[-1][1].any() and widget.words.value == ""


@pytest.mark.parametrize("text", ["東京 the", "\U0001f600 $x$ the", "<b>bold</b> & the", "\x07 \u200b the", "a" * 300])
def test_unknown_characters_and_markup_are_only_text(text):
    widget = masked_word(TOKENIZER, Guess(), text, word=0)
    assert widget.words.value == "" and widget.picture is not None


def test_an_error_of_the_network_is_told_in_words_and_escaped():
    def guess(shown, mask):
        raise ValueError("no <network> here")

    widget = masked_word(TOKENIZER, guess, SENTENCE)
    assert "no &lt;network&gt; here" in widget.words.value


def test_a_tokenizer_without_mask_is_refused():
    class Plain:
        mask = None

    with pytest.raises(ValueError, match="no <mask>"):
        masked_word(Plain(), Guess())


# --- figures ---


def test_labels_show_what_cannot_be_seen():
    tokens = TOKENIZER.encode(" the\nnumber") + [TOKENIZER.mask, 3 + 0xE6]
    labels = token_labels(TOKENIZER, tokens)
    assert labels[0].startswith("·") and "⏎" in "".join(labels) and labels[-2:] == ["<mask>", "\\xe6"]


def test_words_in_boxes():
    picture = words(
        {"one": (["a", "·b", "$x$"], ["", "kept", "hidden"]), "": (["c"] * 200, [""] * 200)},
        kinds=("hidden", "kept"),
        title="T",
    )
    assert isinstance(picture, plots.Picture) and "coloured by kind" in picture.alt
    shaded = words({"": (["a", "b"], [0.0, 1.0])}, framed={"": [1]})
    plain = words({"": (["a", "b"], [0.0, 1.0])})
    assert shaded.png != plain.png
    with pytest.raises(ValueError, match="2 words, but 1 values"):
        words({"x": (["a", "b"], [1.0])})
    with pytest.raises(ValueError, match="no kind odd"):
        words({"x": (["a"], ["odd"])}, kinds=("even",))
    with pytest.raises(ValueError, match="no words"):
        words({})


def test_guesses_of_several_tokens():
    rows = [("·the", 0.5), ("·a", 0.25)]
    picture = word_guesses(["x", "·the", "s"], [1, 2], [("·the", rows), ("s", rows)], title="T")
    assert "hidden ·the: ·the 50%, ·a 25%; hidden s:" in picture.alt


def test_order_is_drawn_once_it_was_measured():
    kept = Measured(order={f"pieces of {size}": {"BERT": [0.7, 0.8], "untrained": [0.5, 0.52]} for size in (64, 8)})
    alt = pictures.order(kept, "Does order show?").alt
    assert "the two halves: counting words 0.500, untrained 0.510, BERT 0.750; each two pieces of 8 tokens" in alt
    assert "Not measured yet" in pictures.order(Measured(), "Does order show?").alt
