"""The tales of chapter 20, what writes them, what is shown of them, and what the ablations change."""

import random

import pytest
import torch

from sslkit.chapters.gpt import pictures, tales, writing
from sslkit.chapters.gpt.ablations import ABLATIONS, TALES
from sslkit.chapters.gpt.counting import trigram
from sslkit.chapters.gpt.method import GPT, bigram, generate, shifted
from sslkit.train import Recipe
from sslkit.transformer import TextEncoder

DATA = tales.load(200)
WORDS = DATA.tokenizer


def small(seed: int = 0) -> GPT:
    torch.manual_seed(seed)
    return GPT(TextEncoder(len(WORDS), 128, dim=16, depth=4, heads=2, causal=True, std=0.5))


def drawn(n: int) -> list[str]:
    dice = random.Random(3)
    return [tales.tale(dice) for _ in range(n)]


def test_what_is_drawn_hangs_together():
    assert tales.hang_together(drawn(300)) == 1 and drawn(3) == drawn(3)
    assert len(set(drawn(300))) == 300


ONE = (
    "Long ago there lived a proud weaver called Ida. Ida had a kettle and would not sell it. One evening by the river, "
    "she dropped it. Then came an old crow, and the crow dug up the kettle."
)


@pytest.mark.parametrize("old, new, slip", [
    ("Ida had", "Martha had", ["hero"]),
    ("up the kettle", "up the drum", ["thing"]),
    ("the crow", "the fox", ["helper"]),
    ("she dropped", "he dropped", ["he or she"]),
    ("Ida", "Hans", ["he or she"]),
    ("she dropped", "Ida dropped", ["he or she"]),
    ("crow", "creature", ["helper"]),
])  # fmt: skip
def test_a_slip_is_named(old, new, slip):
    assert tales.slips(ONE) == [] and tales.slips(ONE.replace(old, new)) == slip


def test_each_tale_is_a_passage_with_its_end_and_stands_in_one_split():
    texts = {}
    for part, split in DATA.splits.items():
        assert (split.x == WORDS.end).sum(1).eq(1).all()
        texts[part] = {WORDS.decode(row[row > WORDS.mask]) for row in split.x}
        assert tales.hang_together(list(texts[part])) == 1
    assert not texts["train"] & (texts["val"] | texts["test"])


def test_writing_stops_at_the_end_and_follows_the_seed():
    method = small()
    texts = tales.write(method, WORDS, 4, seed=1)
    assert len(texts) == 4 and texts == tales.write(method, WORDS, 4, seed=1) != tales.write(method, WORDS, 4, seed=2)
    assert not any("<" in text for text in texts) and method.training
    table = bigram(shifted(DATA.train.x, WORDS.end), DATA.train.x, len(WORDS), 1.0)
    text = writing.chain(table, WORDS, "Long ago")
    assert text == writing.chain(table, WORDS, "Long ago") and text.startswith(" there ")


def test_trigram_counts_triples_and_leans_on_pairs():
    x = torch.tensor([[4, 5, 4, 5, 3, 0], [4, 5, 4, 3, 4, 5]])
    pairs = bigram(shifted(x, 1), x, 6, 2.0)
    found = trigram(shifted(x, 1), x, pairs, end=1, prior=2.0)(torch.tensor([[1, 4, 5, 5]])).exp()[0]
    assert torch.allclose(found.sum(-1), torch.ones(4))
    assert torch.isclose(found[1, 5], (2 + 2 * pairs[4, 5].exp()) / (2 + 2))  # <end> 4 is seen twice, and 5 follows
    assert torch.isclose(found[2, 4], (2 + 2 * pairs[5, 4].exp()) / (3 + 2))  # 4 5 is seen three times before a token
    assert torch.allclose(found[3], pairs[5].exp())  # 5 5 was never seen


def test_share_right_is_all_of_a_text_that_is_foreseen():
    x = DATA.val.x[:3]

    class Foreseeing(GPT):
        def logits(self, tokens, cache=None):
            return torch.nn.functional.one_hot(x[: len(tokens)], len(WORDS)).float()

    method = Foreseeing(small().encoder)
    assert writing.share_right(method, x) == 1
    assert writing.share_right(method, x.roll(1, 0)) < 0.5


def reach(name: str) -> list[int]:
    """The places that the last guess depends on."""
    method, x = TALES[name].build(lambda encoder: small(), Recipe(steps=1, lr=0.1), 3, 0).eval(), DATA.val.x[:1, :20]
    base, found = method.logits(x)[0, -1], []
    for place in range(20):
        other = x.clone()
        other[0, place] = 5
        found += [place] * ((method.logits(other)[0, -1] - base).abs().max() > 1e-6).item()
    return found


def test_four_blocks_that_see_one_token_back_see_five():
    assert reach("sees five tokens") == [15, 16, 17, 18, 19] and len(reach("as it is")) > 15


@pytest.mark.parametrize("name", TALES)
def test_each_variant_writes_with_the_cache_what_it_writes_without(name):
    method, x = TALES[name].build(lambda encoder: small(), Recipe(steps=1, lr=0.1), 3, 0).eval(), DATA.val.x[:2, :9]
    with_cache, without = (
        generate(method, x, 20, torch.Generator().manual_seed(0), cache=cache) for cache in (True, False)
    )
    assert torch.equal(with_cache, without)


def test_what_the_bugs_ask():
    x = DATA.val.x[:4]

    def task(name):
        return ABLATIONS[name].build(lambda encoder: small(), Recipe(steps=1, lr=0.1), 3, 0).pretext(x, None)

    given, asked = task("not shifted")
    assert torch.equal(given, asked) and torch.equal(given, shifted(x, 1))
    given, asked = task("passage next door")
    assert torch.equal(given, shifted(x, 1)) and torch.equal(asked, x.roll(1, 0))
    leak = ABLATIONS["no mask"].build(lambda encoder: small(), Recipe(steps=1, lr=0.1), 3, 0)
    assert not leak.encoder.causal


def test_asked_rarely_takes_the_loss_of_some_places():
    method = ABLATIONS["asked at 15 % of the places"].build(lambda encoder: small(), Recipe(steps=1, lr=0.1), 3, 0)
    batch = method.pretext(DATA.val.x)
    losses = torch.stack([method(batch)[0] for _ in range(30)])
    assert losses.std() > 0 and losses.mean().item() == pytest.approx(small()(batch)[0].item(), rel=0.02)


def test_texts_are_shown_as_they_are():
    shown = pictures.Texts({"a": "<b> & c"}, "title", "caption")
    assert "&lt;b&gt; &amp; c" in shown._repr_html_() and "a: <b> & c" in repr(shown)
    assert "·there" in repr(pictures.Tokens("Long ago there lived", WORDS))


def test_a_silenced_head_adds_nothing_and_comes_back():
    method, tokens, answer = small(), WORDS.encode("Ida had a kettle and the crow dug up the"), WORDS.encode(" kettle")
    attention, whole = method.encoder.blocks[1].attention, pictures.likely(method, tokens, answer)
    with pictures.silenced(attention, 1):
        muted = pictures.likely(method, tokens, answer)
    assert pictures.likely(method, tokens, answer) == whole != muted
    width = attention.out.in_features // attention.heads
    attention.out.weight.data[:, width : 2 * width] = 0  # the same by hand
    assert pictures.likely(method, tokens, answer) == pytest.approx(muted, rel=1e-5)
    one = method.next_logits(torch.tensor([tokens]))[0].log_softmax(0)[answer[0]].exp().item()
    assert pictures.likely(method, tokens, answer[:1]) == pytest.approx(one, rel=1e-4)


def test_the_pictures():
    method, x = small(), DATA.val.x
    picture = pictures.looks_back({"untrained": method}, WORDS, "Ida had a kettle and the crow dug up the", " kettle")
    assert "kettle" in picture.alt
    picture = pictures.in_turn(method, WORDS, "Ida had a kettle and the crow dug up the", " kettle", ["kettle", "drum"])
    rows = picture.alt.rsplit("'kettle'. ", 1)[1].rstrip(".").split("; ")
    assert [len(row.split()) for row in rows] == [2] * 4 and "with each of 2 things" in picture.alt
    said = pictures.next_words({"a": "Ida had a"}, {"pairs": tales.pairs(DATA)}, WORDS, most=2).texts["a, pairs"]
    assert said.count("%") == 2 and said.startswith("·")
    assert "only GPT goes on" in pictures.by_place({"GPT": torch.ones(x.shape)}, x, WORDS.pad).alt
    assert repr(pictures.alike({"GPT": method}, WORDS, "the was")).count(",") >= 8
    with pytest.raises(ValueError):
        pictures.bits({}, "nothing", "")
