"""Short tales, made up on demand: somebody loses a thing, and an animal finds it. A world small enough for a network of two
minutes, and one in which a tale can be checked: one hero, one thing, one helper, and the right *he* or *she*."""

import random
import re
from collections.abc import Callable

from torch import Tensor

from sslkit import tokenizer
from sslkit.chapters.gpt import writing
from sslkit.chapters.gpt.method import GPT, RECIPES, bigram, shifted
from sslkit.datasets.contract import Dataset
from sslkit.datasets.text import passages

GIRLS = "Martha Anna Clara Greta Ida Nora Lucy Ellen Rosa Emma Alice Sophie".split()
BOYS = "Peter Hans Jack Oscar Felix Otto Tom Henry Karl Leo Simon Max".split()
ROLES = "baker miller weaver fisher tailor shepherd cook potter smith gardener piper sailor cobbler beggar".split()
NATURES = "poor proud merry clumsy gentle stubborn sleepy clever forgetful cheerful".split()
THINGS = (
    "ring fiddle lantern kettle hat spoon drum key clock hammer needle whistle book boot basket comb kite mirror "
    "teapot bell ladder broom coat thimble"
).split()
HELPERS = "fox crow bear hare toad owl wolf heron hedgehog cat goose badger mole goat snail donkey".split()
LOOKS = "old grey sly hungry tired polite lame fat young white".split()

TALE = """{begin} a {nature} {role} called {name}.
{name} had a {thing} and {love}.
{but} {where}, {he} {lost}.
{name} {searched}, then sat down and {cried}.
{along} a {look} {helper}.
{why} asked the {helper}.
"I have lost my {thing}," {said} {name}.
"I know where it is," said the {helper}. "What will you give me?"
{name} gave the {helper} {gift}, and the {helper} {found} the {thing} {spot}.
{end}"""

CHOICES = {
    "begin": ["Once upon a time there was", "Long ago there lived", "By the sea there lived", "Far away there lived"],
    "love": ["loved it more than gold", "never left it at home", "polished it every night", "would not sell it"],
    "but": ["One morning", "One evening", "One winter's day", "But one night", "One Sunday"],
    "where": ["in the forest", "by the river", "on the hill", "at the market", "in the marsh", "on the beach", "at the fair"],
    "lost": ["lost it", "dropped it", "could not find it"],
    "searched": ["looked high and low", "looked under every stone", "searched all day", "asked everybody"],
    "cried": ["wept", "cried", "sighed"],
    "along": ["Along came", "Then came", "Out of the dark came", "Just then came"],
    "why": ['"Why so sad?"', '"What is the matter?"', '"Who has hurt you?"', '"Why are you crying?"'],
    "said": ["said", "answered", "whispered"],
    "gift": ["a slice of bread", "three nuts", "a red apple", "a song", "half a cheese", "a cup of milk", "a warm scarf"],
    "found": ["found", "brought back", "dug up", "fetched"],
    "spot": [
        "under the bridge", "in a hollow oak", "behind the church", "in the old well", "in a nest", "under a stone",
    ],
    "end": [
        "{name} and the {helper} were friends ever after.",
        "If {he} has not lost it again, {name} has it still.",
        "That night {name} and the {helper} danced till dawn.",
        "And {name} never lost the {thing} again.",
    ],
}  # fmt: skip

NAMED = {"hero": GIRLS + BOYS, "thing": THINGS, "helper": HELPERS}


def tale(dice: random.Random) -> str:
    """One tale, drawn by `dice`."""
    name = dice.choice(GIRLS + BOYS)
    drawn = {"name": name, "he": "she" if name in GIRLS else "he"}
    drawn |= {key: dice.choice(words) for key, words in CHOICES.items()}
    for key, words in (("nature", NATURES), ("role", ROLES), ("thing", THINGS), ("look", LOOKS), ("helper", HELPERS)):
        drawn[key] = dice.choice(words)
    drawn["end"] = drawn["end"].format(**drawn)
    return TALE.format(**drawn).replace("\n", " ")


PUZZLE = (  # the text that the chapter begins with; no such tale is ever told
    "Long ago there lived a proud weaver called Ida. Ida had a kettle and would not sell it. One evening by the river, she "
    "dropped it. Ida searched all day, then sat down and wept. Along came a grey crow, and the crow dug up the"
)


def slips(text: str) -> list[str]:
    """What does not hang together in a tale: which of hero, thing and helper is not one and the same throughout, or
    the hero's pronoun. [] for a tale that does."""
    words = re.findall(r"[A-Za-z]+", text)
    kinds = {what: {word for word in words if word in names} for what, names in NAMED.items()}
    wrong = [what for what, found in kinds.items() if len(found) != 1]
    pronouns = {word for word in words if word in ("he", "she")}
    right = {"she" if name in GIRLS else "he" for name in kinds["hero"]}
    return wrong + ["he or she"] * (pronouns != right)


def hang_together(texts: list[str]) -> float:
    """The share of the tales that do."""
    return sum(not slips(text) for text in texts) / len(texts)


def load(n: int = 8000) -> Dataset:
    """n tales to train on, a twentieth of that for each of val and test, each a passage of 128 tokens with its `<end>`."""
    dice = random.Random(0)
    found = [("", f"tale {i}", tale(dice)) for i in range(n + 2 * (n // 20))]
    told, rest = found[:n], found[n:]
    tokens = tokenizer.train([text for _, _, text in told[:2000]], 1024)
    train, val, test = (passages(part, [], tokens, 128) for part in (told, rest[: n // 20], rest[n // 20 :]))
    about = "Made-up tales of a lost thing and an animal that finds it."
    return Dataset("tales", train, val, test, classes=[], about=about, tokenizer=tokens)


def pairs(data: Dataset) -> Callable[[Tensor], Tensor]:
    """The table of pairs of these tales, as a model: tokens int64 [N, T] to log p [N, V] of what comes next."""
    x, words = data.train.x, data.tokenizer
    table = bigram(shifted(x, words.end), x, len(words), prior=100.0)  # type: ignore[union-attr, arg-type]
    return lambda tokens: table[tokens[:, -1]]


RECIPE = RECIPES["laptop"].but(steps=300, batch=16, lr=0.02, optimizer="muon", weight_decay=0.0)


def write(method: GPT, tokens: tokenizer.BytePair, n: int = 100, seed: int = 0, **knobs) -> list[str]:
    """n tales by a network that learned from such, from an empty start to `<end>`."""
    return writing.write(method, tokens, "", 127, seed, n, **knobs)
