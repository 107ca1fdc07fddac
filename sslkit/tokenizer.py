"""Byte-pair encoding: text to token numbers and back. Any text can be written, since every byte is a token.

Source: Sennrich, Haddow, Birch 2016, algorithm 1; on bytes, and with the cut into pieces, as in GPT-2 (Radford et al.
2019).
"""

import heapq
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from torch import Tensor

SPECIAL = (
    "<pad>",
    "<end>",
    "<mask>",
)  # tokens that no text turns into; their numbers are 0, 1, 2 in a tokenizer of ours
# A word with the space before it, a number, signs, blanks: merges never cross these. GPT-2's pattern, in Python's own words.
PIECES = re.compile(r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")
SHOWN = {" ": "·", "\n": "⏎", "\t": "⇥"}


class BytePair:
    """A byte-pair tokenizer. vocabulary: the bytes that each token stands for, by number (those of special tokens are
    their names); merges: pairs of token numbers, the first to be merged first; special: the numbers of tokens that are
    no text, by name."""

    def __init__(self, vocabulary: list[bytes], merges: list[tuple[int, int]], special: dict[str, int]):
        self.vocabulary, self.merges, self.special = vocabulary, merges, special
        taken = set(special.values())
        number = {token: i for i, token in enumerate(vocabulary) if i not in taken}
        if missing := [byte for byte in range(256) if bytes([byte]) not in number]:
            raise ValueError(f"a byte-pair vocabulary needs all 256 bytes, it lacks {len(missing)}: {missing[:5]} ...")
        self.bytes = [number[bytes([byte])] for byte in range(256)]
        self.into = {(a, b): (rank, number[vocabulary[a] + vocabulary[b]]) for rank, (a, b) in enumerate(merges)}
        self.known: dict[str, list[int]] = {}  # pieces that were encoded before: words repeat

    def __len__(self) -> int:
        return len(self.vocabulary)

    def __repr__(self) -> str:
        return f"BytePair({len(self)} tokens, {len(self.merges)} merges)"

    @property
    def pad(self) -> int | None:
        """The token that fills up short passages."""
        return self.special.get("<pad>")

    @property
    def end(self) -> int | None:
        """The token that ends a document."""
        return self.special.get("<end>", self.special.get("<|endoftext|>"))

    @property
    def mask(self) -> int | None:
        """The token that stands for a hidden one."""
        return self.special.get("<mask>")

    def encode(self, text: str) -> list[int]:
        """Token numbers of any text; "" gives []. Names of special tokens are read as plain text."""
        return [token for piece in PIECES.findall(text) for token in self.piece(piece)]

    def piece(self, piece: str) -> list[int]:
        """Token numbers of one piece: its bytes, merged pair by pair, always the pair that was learned first."""
        if piece not in self.known:
            tokens = [self.bytes[byte] for byte in piece.encode("utf-8", "surrogatepass")]
            while len(tokens) > 1:
                pair = min(zip(tokens, tokens[1:]), key=lambda p: self.into.get(p, (len(self.into), 0))[0])
                if pair not in self.into:
                    break
                tokens = merge(tokens, pair, self.into[pair][1])
            self.known[piece] = tokens
        return self.known[piece]

    def decode(self, tokens: Iterable[int] | Tensor) -> str:
        """The text of token numbers; bytes that are no UTF-8 (a character cut in two) become U+FFFD."""
        tokens = tokens.tolist() if isinstance(tokens, Tensor) else tokens
        return b"".join(self.vocabulary[token] for token in tokens).decode("utf-8", "replace")

    def shown(self, token: int) -> str:
        """A token as figures and tables write it: · for a blank, ⏎ for a new line, ⇥ for a tab, \\xNN for bytes that are
        only a part of a character."""
        text = self.vocabulary[token].decode("utf-8", "backslashreplace")
        return "".join(SHOWN.get(c, c if c.isprintable() else repr(c)[1:-1]) for c in text)

    def lengths(self) -> list[int]:
        """How many bytes of text each token stands for; 0 for special ones."""
        taken = set(self.special.values())
        return [0 if i in taken else len(token) for i, token in enumerate(self.vocabulary)]

    def state(self) -> dict:
        """Plain values to keep in a checkpoint: `BytePair.from_state` reads them."""
        vocabulary = [token.decode("latin-1") for token in self.vocabulary]
        return {"vocabulary": vocabulary, "merges": [list(pair) for pair in self.merges], "special": dict(self.special)}

    @classmethod
    def from_state(cls, state: dict) -> "BytePair":
        """The tokenizer that `state` was taken from."""
        vocabulary = [token.encode("latin-1") for token in state["vocabulary"]]
        return cls(vocabulary, [tuple(pair) for pair in state["merges"]], state["special"])

    @classmethod
    def from_huggingface(cls, vocab: str | Path, merges: str | Path) -> "BytePair":
        """GPT-2's own tokenizer from its two files, vocab.json and merges.txt."""
        plain = {shown: byte for byte, shown in enumerate(gpt2_characters())}

        def read(token: str) -> bytes | None:
            return bytes(plain[c] for c in token) if all(c in plain for c in token) else None

        table = json.loads(Path(vocab).read_text(encoding="utf-8"))
        if sorted(table.values()) != list(range(len(table))):
            raise ValueError(f"{vocab} does not number its tokens 0, 1, 2, ...")
        tokens = sorted(table, key=table.get)
        special = {t: table[t] for t in tokens if t in ("<|endoftext|>", *SPECIAL) or read(t) is None}
        lines = [line.split(" ") for line in Path(merges).read_text(encoding="utf-8").splitlines()]
        pairs = [tuple(table[token] for token in line) for line in lines if len(line) == 2 and line[0] != "#version:"]
        return cls([t.encode() if t in special else read(t) or b"" for t in tokens], pairs, special)


def train(texts: Iterable[str], size: int) -> BytePair:
    """A tokenizer of at most `size` tokens learned from texts: 3 special ones, 256 bytes, then one for each merge of the
    pair that is most frequent at that time (in a tie the one of lowest numbers). It is smaller where no pair occurs
    twice. ValueError for size below 259."""
    base = len(SPECIAL) + 256
    if size < base:
        raise ValueError(f"{size} tokens are too few: {base} are {len(SPECIAL)} special ones and the 256 bytes")
    vocabulary = [name.encode() for name in SPECIAL] + [bytes([byte]) for byte in range(256)]
    counts = Counter(piece for text in texts for piece in PIECES.findall(text))
    words = [[len(SPECIAL) + b for b in piece.encode("utf-8", "surrogatepass")] for piece in counts]
    times = list(counts.values())
    where: dict[tuple[int, int], set[int]] = {}
    frequency: Counter[tuple[int, int]] = Counter()
    for w, word in enumerate(words):
        for pair in zip(word, word[1:]):
            frequency[pair] += times[w]
            where.setdefault(pair, set()).add(w)
    queue, merges = [(-count, pair) for pair, count in frequency.items()], []
    heapq.heapify(queue)  # holds old counts too: one that is no longer true is skipped when it comes up
    while queue and len(vocabulary) < size:
        count, pair = heapq.heappop(queue)
        if -count != frequency[pair]:
            continue
        if -count < 2:
            break
        new, changed = len(vocabulary), set()
        merges.append(pair)
        vocabulary.append(vocabulary[pair[0]] + vocabulary[pair[1]])
        for w in where.pop(pair):
            before, after = words[w], merge(words[w], pair, new)
            if len(after) == len(before):
                continue
            for old in zip(before, before[1:]):
                frequency[old] -= times[w]
                changed.add(old)
            for found in zip(after, after[1:]):
                frequency[found] += times[w]
                where.setdefault(found, set()).add(w)
                changed.add(found)
            words[w] = after
        for found in changed:
            heapq.heappush(queue, (-frequency[found], found))
    return BytePair(vocabulary, merges, {name: i for i, name in enumerate(SPECIAL)})


def merge(tokens: list[int], pair: tuple[int, int], new: int) -> list[int]:
    """tokens with each occurrence of the pair, from left to right, replaced by `new`."""
    merged, i = [], 0
    while i < len(tokens):
        if tokens[i] == pair[0] and i + 1 < len(tokens) and tokens[i + 1] == pair[1]:
            merged.append(new)
            i += 2
        else:
            merged.append(tokens[i])
            i += 1
    return merged


def gpt2_characters() -> list[str]:
    """The printable character that GPT-2's files write for each byte: itself where it prints, else one from 256 on."""
    prints = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    spare = iter(range(256, 512))
    return [chr(byte) if byte in prints else chr(next(spare)) for byte in range(256)]
