"""Byte pairs against the algorithm written out on strings of bytes; any text there and back."""

import json
import random

import pytest
import torch

from sslkit.tokenizer import PIECES, SPECIAL, BytePair, gpt2_characters, merge, train

TEXT = (
    "the cat sat on the mat. The cat's hat, the naïve cat's hat; 12 and 123!\n\n  aaaa aaaaa abab don't __init__ x_1\n"
)
STRANGE = [
    "",
    " ",
    "\n",
    "a",
    "   three blanks ",
    "tab\tand\r\nline\n\n\nbreaks",
    "naïve café ÀÉÎ",
    "日本語のテキスト",
    "emoji 😀👩‍👩‍👧 and flags 🇩🇪",
    "zero\0byte",
    "\ud800 a lone surrogate \udfff",
    "½ ² ٣ Ⅷ",
    "can't DON'T we'll I'd it's 'tis",
    "<pad><end><mask>",
    "x" * 5000,
    "\u00a0\u2003\u200b",
]


def train_oracle(texts, merges):
    """Sennrich et al. 2016, algorithm 1, as it stands there: count all pairs, join the most frequent, again."""
    words = [[bytes([b]) for b in p.encode("utf-8", "surrogatepass")] for t in texts for p in PIECES.findall(t)]
    order, learned = {bytes([b]): b for b in range(256)}, []
    for _ in range(merges):
        counts = {}
        for word in words:
            for pair in zip(word, word[1:]):
                counts[pair] = counts.get(pair, 0) + 1
        best = max(counts, key=lambda p: (counts[p], -order[p[0]], -order[p[1]]), default=None)
        if best is None or counts[best] < 2:
            break
        learned.append(best)
        order[best[0] + best[1]] = len(order)
        words = [join(word, best) for word in words]
    return learned


def join(word, pair):
    """Left to right, without the help of a stack."""
    if len(word) < 2:
        return word
    if (word[0], word[1]) == pair:
        return [word[0] + word[1], *join(word[2:], pair)]
    return [word[0], *join(word[1:], pair)]


def encode_oracle(text, learned):
    out = []
    for piece in PIECES.findall(text):
        word = [bytes([b]) for b in piece.encode("utf-8", "surrogatepass")]
        for pair in learned:
            word = join(word, pair)
        out += word
    return out


def noise(seed, letters="abc ", length=400):
    return "".join(random.Random(seed).choices(letters, k=length))


@pytest.mark.parametrize(
    "texts",
    [[TEXT], [TEXT, TEXT, "some other text, seen once"], [noise(0)], [noise(1, "ab")], ["aaaaaaaa aaaa aaa aa a"]],
)
def test_it_learns_what_the_algorithm_learns(texts):
    learned = train_oracle(texts, 60)
    trained = train(texts, 259 + 60)
    assert [(trained.vocabulary[a], trained.vocabulary[b]) for a, b in trained.merges] == learned
    assert len(trained) == 259 + len(learned)
    for text in [*texts, TEXT, noise(2), "".join(reversed(TEXT))]:
        assert [trained.vocabulary[t] for t in trained.encode(text)] == encode_oracle(text, learned)


@pytest.mark.parametrize("text", STRANGE)
def test_any_text_there_and_back(text):
    for trained in (train([TEXT] * 3, 300), train([TEXT, text, text], 400)):
        tokens = trained.encode(text)
        assert not set(tokens) & set(trained.special.values()), "a text never turns into a special token"
        whole = text.encode("utf-8", "surrogatepass")
        assert b"".join(trained.vocabulary[t] for t in tokens) == whole
        assert sum(trained.lengths()[t] for t in tokens) == len(whole)
        assert trained.decode(tokens) == whole.decode("utf-8", "replace")
        assert trained.decode(torch.tensor(tokens, dtype=torch.int64)) == trained.decode(tokens)


@pytest.mark.parametrize("text", [TEXT, *STRANGE])
def test_pieces_leave_nothing_out(text):
    assert "".join(PIECES.findall(text)) == text


def test_pieces_are_words_with_the_blank_before_them():
    assert PIECES.findall("The cat's  hat_1, 42\n x") == [
        "The",
        " cat",
        "'s",
        " ",
        " hat",
        "_",
        "1",
        ",",
        " 42",
        "\n",
        " x",
    ]


def test_numbers_of_the_special_tokens_and_of_the_bytes():
    trained = train([TEXT], 280)
    assert (trained.pad, trained.end, trained.mask) == (0, 1, 2) and SPECIAL == ("<pad>", "<end>", "<mask>")
    assert trained.vocabulary[3:259] == [bytes([b]) for b in range(256)]
    assert trained.lengths()[:4] == [0, 0, 0, 1] and trained.decode([1]) == "<end>"


def test_the_same_text_gives_the_same_tokenizer_and_the_order_of_equal_texts_does_not_count():
    one, two = train([TEXT, noise(3)], 330), train(iter([noise(3), TEXT]), 330)
    assert one.state() == two.state()


def test_it_is_smaller_where_no_pair_comes_twice_and_too_small_is_an_error():
    assert len(train([], 300)) == len(train(["abcdefg"], 300)) == 259
    assert len(train(["abab"], 259)) == 259
    with pytest.raises(ValueError, match="259 are 3 special ones and the 256 bytes"):
        train([TEXT], 258)


def test_state_is_plain_and_gives_the_tokenizer_back():
    trained = train([TEXT] * 2, 320)
    again = BytePair.from_state(json.loads(json.dumps(trained.state())))
    assert again.state() == trained.state() and (again.pad, again.end, again.mask) == (0, 1, 2)
    for text in [TEXT, *STRANGE]:
        assert again.encode(text) == trained.encode(text)
    assert "320 tokens" in repr(again) or str(len(again)) in repr(again)


def test_a_vocabulary_without_all_bytes_is_refused():
    with pytest.raises(ValueError, match="lacks 1"):
        BytePair([bytes([b]) for b in range(255)], [], {})


def test_a_cut_character_decodes_to_a_sign():
    trained = train([TEXT], 259)
    tokens = trained.encode("é")
    assert len(tokens) == 2 and trained.decode(tokens[:1]) == "\ufffd" and trained.decode(tokens) == "é"


def test_shown():
    trained = train([" the\n" * 9], 265)
    assert trained.shown(trained.encode(" the")[0]).startswith("·")
    assert trained.shown(trained.encode("\n")[0]) == "⏎" and trained.shown(trained.encode("\t")[0]) == "⇥"
    assert (
        trained.shown(trained.encode("é")[0]) == "\\xc3" and trained.shown(3) == "\\x00" and trained.shown(1) == "<end>"
    )


@pytest.mark.parametrize("tokens, pair, expected", [
    ([], (1, 1), []),
    ([1], (1, 1), [1]),
    ([1, 1, 1], (1, 1), [9, 1]),
    ([1, 1, 1, 1], (1, 1), [9, 9]),
    ([1, 2, 1, 2, 2, 1], (1, 2), [9, 9, 2, 1]),
    ([2, 1], (1, 2), [2, 1]),
])  # fmt: skip
def test_merge(tokens, pair, expected):
    assert merge(tokens, pair, 9) == expected


# --- GPT-2's files ---


def write(folder, trained, extra=()):
    letters = gpt2_characters()
    shown = ["".join(letters[b] for b in token) for token in trained.vocabulary[3:]] + [*extra]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(shown)}), encoding="utf-8")
    lines = [f"{shown[a - 3]} {shown[b - 3]}" for a, b in trained.merges]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *lines, ""]), encoding="utf-8")
    return folder / "vocab.json", folder / "merges.txt"


def test_gpt2s_files(tmp_path):
    trained = train([TEXT, "# ## #version:"] * 3, 340)
    read = BytePair.from_huggingface(*write(tmp_path, trained, ["<|endoftext|>"]))
    assert (
        read.special == {"<|endoftext|>": len(read) - 1} and read.end == len(read) - 1 and read.pad is read.mask is None
    )
    for text in [TEXT, *STRANGE]:
        assert [t + 3 for t in read.encode(text)] == trained.encode(text)
        assert read.decode(read.encode(text)) == trained.decode(trained.encode(text))
    assert read.lengths()[-1] == 0


def test_gpt2s_files_with_a_hole_in_the_numbers(tmp_path):
    vocab, merges = write(tmp_path, train([TEXT], 300))
    table = json.loads(vocab.read_text())
    table.popitem()
    vocab.write_text(json.dumps(table | {"x y": 5000}))
    with pytest.raises(ValueError, match="does not number its tokens"):
        BytePair.from_huggingface(vocab, merges)


def test_gpt2_characters_are_256_that_print():
    letters = gpt2_characters()
    assert len(set(letters)) == 256 and all(c.isprintable() and not c.isspace() for c in letters)
    assert letters[ord("A")] == "A" and letters[ord(" ")] == "Ġ" and letters[ord("\n")] == "Ċ"
