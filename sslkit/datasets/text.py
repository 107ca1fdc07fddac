"""`text`: passages of English as token numbers, from what Python brings along (see prose.py) or from a user's own files
(`text:PATH`, and `folder:PATH` where the folder holds .txt files and no images)."""

import hashlib
import json
import math
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from sslkit import checkpoint
from sslkit.tokenizer import BytePair
from sslkit.tokenizer import train as train_tokenizer

from .contract import Dataset, Info, Split
from .listing import visible
from .prose import PACKAGES, documents
from .root import data_root, in_home
from .splits import fraction

CONTEXT = 128  # tokens of a passage
VOCABULARY = 2048  # tokens in all: measured in notebook 20
SAMPLE = 2_000_000  # characters that the tokenizer is trained on
SHORTEST = 16  # tokens of a document's last passage; a shorter rest is dropped
FEW = 20  # files; fewer are cut into parts, so that each split has something
LICENCE = "each package's own (PSF, BSD); nothing is copied into the kit"
ABOUT = "docstrings and the language reference of the installed Python, as tokens; the label is the package"
INFO = Info("text", f"{ABOUT} · {LICENCE}", LICENCE, "generated", 0.0, len(PACKAGES))

Document = tuple[str, str, str]  # class, name, text


def load(
    path: str | Path | None = None,
    *,
    tokenizer: BytePair | None = None,
    context: int = CONTEXT,
    vocabulary: int = VOCABULARY,
) -> Dataset:
    """Passages int64 [N, context] of `path`'s .txt files, or else of the installed Python's documentation.

    Each passage lies in one document; the last one of a document ends with `<end>` and is filled up with `<pad>`. The
    split goes by document, and no paragraph is in two documents. y is the package (a folder's first-level
    subfolder, where there are two or more), `names` the module or file. The set's `tokenizer` is the one given (a
    run's), else one of `vocabulary` tokens trained on the train documents. Kept on disk once it is made, since
    gathering takes about 20 seconds. FileNotFoundError, NotADirectoryError or ValueError for a folder without usable text.
    """
    if context < 2 * SHORTEST:
        raise ValueError(f"passages of {context} tokens are too short: at least {2 * SHORTEST}")
    if path is not None:
        found, skipped, classes = files(in_home(path))
        return build(f"text:{path}", found, classes, tokenizer, context, vocabulary, skipped)

    def gather() -> Dataset:
        found = [(package, name, text) for package in PACKAGES for name, text in documents(package)]
        missing = [p for p in PACKAGES if not any(p == package for package, _, _ in found)]
        classes = [p for p in PACKAGES if p not in missing]
        skipped = [f"{p}: not installed" for p in missing]
        return build("text", found, classes, tokenizer, context, vocabulary, skipped)

    key = [sys.version, [installed(p) for p in PACKAGES], context, vocabulary, tokenizer and tokenizer.state(), 2]
    return cached("text-" + hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16], gather)


def installed(package: str) -> str:
    """The version of an installed package, "" for one that is not installed."""
    try:
        return version({"sklearn": "scikit-learn"}.get(package, package))
    except PackageNotFoundError:
        return ""


def files(folder: Path) -> tuple[list[Document], list[str], list[str]]:
    """The .txt files below a folder, hidden ones aside, as documents, what was skipped and why, and the classes ([] without
    labels)."""
    if not folder.exists():
        raise FileNotFoundError(f"there is no folder {folder.resolve()}")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; name the folder that holds the .txt files")
    found, skipped = [], []
    for path in sorted(path for path in folder.rglob("*.txt") if path.is_file() and visible(path, folder)):
        name = path.relative_to(folder).as_posix()
        try:
            text = path.read_text(encoding="utf-8-sig").strip()
        except UnicodeDecodeError as error:
            skipped.append(f"{name}: not UTF-8 (byte {error.start}); save it as UTF-8")
            continue
        except OSError as error:
            skipped.append(f"{name}: {error.strerror}")
            continue
        if not text:
            skipped.append(f"{name}: empty")
            continue
        found.append((name.split("/")[0] if "/" in name else "", name, text))
    if not found:
        raise ValueError(f"{folder} holds no readable .txt files" + (f": {'; '.join(skipped[:3])}" if skipped else ""))
    classes = sorted({label for label, _, _ in found})
    return found, skipped, classes if len(classes) > 1 and "" not in classes else []


def build(
    name: str,
    found: list[Document],
    classes: list[str],
    tokens: BytePair | None,
    context: int,
    vocabulary: int,
    skipped: list[str],
) -> Dataset:
    """The data set of some documents; see `load`."""
    parts = split(without_repeats(found))
    if tokens is None:
        texts = [text for _, _, text in sorted(parts["train"], key=lambda d: fraction(d[1]))]
        tokens = train_tokenizer(take(texts, SAMPLE), vocabulary)
    splits = {part: passages(documents, classes, tokens, context) for part, documents in parts.items()}
    if len(splits["train"]) < 2:
        raise ValueError(
            f"{name} holds too little text: {len(splits['train'])} passages of {context} tokens to train on"
        )
    return Dataset(name, **splits, classes=classes, about=f"{ABOUT}. {LICENCE}", skipped=skipped, tokenizer=tokens)


def take(texts: list[str], characters: int) -> list[str]:
    """The first texts that together have at least that many characters."""
    total = 0
    for i, text in enumerate(texts):
        total += len(text)
        if total >= characters:
            return texts[: i + 1]
    return texts


def without_repeats(found: list[Document]) -> list[Document]:
    """The documents without paragraphs that occur earlier: packages copy from each other and from themselves."""
    seen, kept = set(), []
    for label, name, text in found:
        lines = []
        for line in text.split("\n"):
            key = " ".join(line.lower().split())
            if not key or key not in seen:
                lines.append(line)
            seen.add(key)
        if new := "\n".join(lines).strip():
            kept.append((label, name, new))
    return kept


def split(found: list[Document]) -> dict[str, list[Document]]:
    """Documents to train, val and test, class by class, in the order of a hash of their names: each goes to test while
    10 % of the class's text has room for it, else to val (5 %), else to train. Where that leaves a part with nothing,
    and in a class of fewer than 20, each document is cut instead: the first 85 % of its text to train, then 5 % to val
    and 10 % to test."""
    parts: dict[str, list[Document]] = {"train": [], "val": [], "test": []}
    for label in sorted({label for label, _, _ in found}):
        members = sorted((d for d in found if d[0] == label), key=lambda d: fraction(d[1]))
        whole = by_document(members)
        for part, chosen in (whole if all(whole.values()) else each_cut(members)).items():
            parts[part] += chosen
    return parts


def by_document(members: list[Document]) -> dict[str, list[Document]]:
    """The documents of a class shared out whole; nothing for val and test where there are too few."""
    total = sum(len(text) for _, _, text in members) if len(members) >= FEW else 0
    room = {"test": 0.1 * total, "val": 0.05 * total, "train": math.inf}
    parts: dict[str, list[Document]] = {"train": [], "val": [], "test": []}
    for document in members:
        part = next(part for part, left in room.items() if len(document[2]) <= left)
        room[part] -= len(document[2])
        parts[part].append(document)
    return parts


def each_cut(members: list[Document]) -> dict[str, list[Document]]:
    """A piece of each document for each part."""
    parts: dict[str, list[Document]] = {"train": [], "val": [], "test": []}
    for label, name, text in members:
        for part, start, stop in (("train", 0.0, 0.85), ("val", 0.85, 0.9), ("test", 0.9, 1.0)):
            if piece := text[round(start * len(text)) : round(stop * len(text))].strip():
                parts[part].append((label, name, piece))
    return parts


def passages(found: list[Document], classes: list[str], tokens: BytePair, context: int) -> Split:
    """The documents cut into passages of `context` tokens."""
    if tokens.pad is None or tokens.end is None:
        raise ValueError("passages need a tokenizer with <pad> and <end>, such as one of sslkit.tokenizer.train")
    rows, labels, names = [], [], []
    for label, name, text in found:
        numbers = [*tokens.encode(text), tokens.end]
        for start in range(0, len(numbers), context):
            row = numbers[start : start + context]
            if len(row) >= SHORTEST:
                rows.append(row + [tokens.pad] * (context - len(row)))
                labels.append(classes.index(label) if classes else 0)
                names.append(name)
    x = torch.tensor(rows, dtype=torch.int64).view(-1, context)
    return Split(x, torch.tensor(labels, dtype=torch.int64) if classes else None, names=names)


def cached(key: str, make: Callable[[], Dataset]) -> Dataset:
    """What `make` gives, kept in the data folder under `key`; made again where the file is missing or damaged."""
    path = data_root() / "downloads" / f"{key}.pt"
    try:
        kept = checkpoint.load(path)
    except (FileNotFoundError, ValueError):
        data = make()
        parts = {part: {"x": s.x.int(), "y": s.y, "names": s.names} for part, s in data.splits.items()}
        tokenizer = data.tokenizer.state() if data.tokenizer else None
        state = {"parts": parts, "classes": data.classes, "skipped": data.skipped, "tokenizer": tokenizer}
        try:
            checkpoint.save(path, state)
        except OSError as error:  # a folder that cannot be written to: gather again next time
            print(f"text is not kept in {path}: {error}")
        return data
    found = [kept["parts"][part] for part in ("train", "val", "test")]
    train, val, test = (Split(s["x"].long(), s["y"], names=s["names"]) for s in found)
    made = Dataset("text", train, val, test, kept["classes"], about=f"{ABOUT}. {LICENCE}", skipped=kept["skipped"])
    made.tokenizer = BytePair.from_state(kept["tokenizer"])
    return made
