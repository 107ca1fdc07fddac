"""`text`: passages of documents, what is in which split, one's own .txt files, and what is kept on disk."""

import itertools
from pathlib import Path

import pytest
import torch

from sslkit.datasets import load, prose, text
from sslkit.datasets.text import files, passages, split, take, without_repeats
from sslkit.tokenizer import train

WORDS = ("alpha", "beta", "gamma", "delta", "kappa", "sigma", "omega", "theta")


def sentences(seed, count=60):
    """Text that no other seed gives."""
    picks = torch.randint(len(WORDS), (count, 7), generator=torch.Generator().manual_seed(seed))
    return "\n".join(f"Line {seed} {i} says " + " ".join(WORDS[k] for k in row) for i, row in enumerate(picks.tolist()))


def write(folder, names, **about):
    for i, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(sentences(i, **about), encoding="utf-8")
    return folder


def said(data, part):
    """The text of each document of a split, by name."""
    rows = {}
    for name, row in zip(data.splits[part].names, data.splits[part].x):
        rows.setdefault(name, []).append(row[row > data.tokenizer.mask])
    return {name: data.tokenizer.decode(torch.cat(parts)) for name, parts in rows.items()}


# --- the installed Python's text ---


@pytest.fixture(scope="module")
def python():
    return load("text")  # gathered once (20 s) and then kept in the data folder


@pytest.mark.slow
def test_the_installed_pythons_text(python):
    assert python.name == "text" and python.train.x.shape[1:] == (128,) and python.train.x.dtype == torch.int64
    assert python.channels == len(python.tokenizer) == 2048
    assert (
        {"language", "stdlib", "numpy", "sklearn", "matplotlib", "torch"} <= set(python.classes) <= set(prose.PACKAGES)
    )
    for part in python.splits.values():
        assert all(name.split("/")[0] == python.classes[y] for name, y in zip(part.names, part.y.tolist()))
        assert part.x.min() >= 0 and part.x.max() < 2048 and (part.x != 2).all()
        assert set(part.y.tolist()) == set(range(len(python.classes)))
    sizes = [len(part) for part in python.splits.values()]
    assert sizes[0] > 5000 and 0.03 < sizes[1] / sum(sizes) < 0.08 and 0.07 < sizes[2] / sum(sizes) < 0.13


@pytest.mark.slow
def test_no_document_and_no_paragraph_is_on_two_sides(python):
    texts = {part: said(python, part) for part in python.splits}
    for a, b in itertools.combinations(texts, 2):
        assert not set(texts[a]) & set(texts[b])
        lines = [{" ".join(line.lower().split()) for t in texts[p].values() for line in t.split("\n")} for p in (a, b)]
        shared = {line for line in lines[0] & lines[1] if len(line) >= prose.SHORTEST}
        # What is cut at a passage that was dropped for being short may look alike by chance; whole paragraphs may not.
        assert not shared, sorted(shared)[:3]


@pytest.mark.slow
def test_end_stands_once_at_the_end_of_a_document_and_padding_after_it(python):
    x = python.train.x[:4000]
    ends = x == 1
    assert (ends.sum(1) <= 1).all() and ends.any()
    after = ends.cumsum(1).bool() & ~ends
    assert ((x == 0) == after).all()
    last = [i for i in range(len(x) - 1) if python.train.names[i] != python.train.names[i + 1]]
    dropped = [i for i in last if not ends[i].any()]  # their rest was too short to keep
    assert len(dropped) < len(last) and not ends[[i for i in range(len(x) - 1) if i not in set(last)]].any()


def test_it_is_kept_on_disk_and_made_again_when_damaged(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SSLKIT_DATA", str(tmp_path))
    monkeypatch.setattr(text, "PACKAGES", ("language", "nothing_of_that_name"))
    calls = []

    def documents(package):
        calls.append(package)
        return [(f"{package}/{i}", sentences(i)) for i in range(30)] if package == "language" else []

    monkeypatch.setattr(text, "documents", documents)
    first = text.load()
    assert calls and first.classes == ["language"] and first.skipped == ["nothing_of_that_name: not installed"]
    calls.clear()
    again = text.load()
    assert not calls, "the second load reads the file"
    (path,) = (tmp_path / "downloads").glob("text-*.pt")
    path.write_bytes(path.read_bytes()[:1000])
    third = text.load()
    assert calls
    for other in (again, third):
        assert other.tokenizer.state() == first.tokenizer.state() and other.skipped == first.skipped
        for part, found in other.splits.items():
            assert torch.equal(found.x, first.splits[part].x) and found.x.dtype == torch.int64
            assert torch.equal(found.y, first.splits[part].y) and found.names == first.splits[part].names
    calls.clear()
    assert text.load(context=64).train.x.shape[1] == 64 and calls, "another context is another file"
    assert len(list((tmp_path / "downloads").glob("text-*.pt"))) == 2


def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch, capsys):
    (tmp_path / "downloads").write_text("a file where the folder should be")
    monkeypatch.setenv("SSLKIT_DATA", str(tmp_path))
    monkeypatch.setattr(text, "PACKAGES", ("language",))
    monkeypatch.setattr(text, "documents", lambda package: [(f"{package}/{i}", sentences(i)) for i in range(30)])
    assert len(text.load().train) > 2 and "not kept" in capsys.readouterr().out


# --- a folder of one's own ---


def test_many_files(tmp_path):
    data = load(f"text:{write(tmp_path, [f'{i:02}.txt' for i in range(40)])}", vocabulary=330)
    assert data.classes == [] and data.train.y is None and data.skipped == [] and len(data.tokenizer) == 330
    homes = [set(split.names) for split in data.splits.values()]
    assert len(set.union(*homes)) == 40 == sum(map(len, homes))
    for i, name in enumerate(sorted(set.union(*homes))):
        found = next(t for part in data.splits for n, t in said(data, part).items() if n == name)
        assert sentences(i).startswith(found) and len(found) > len(sentences(i)) - 80


def test_folder_finds_text_by_itself_and_the_same_again(tmp_path):
    write(tmp_path, [f"{i}.txt" for i in range(25)])
    one, two = load(f"folder:{tmp_path}", vocabulary=300), load(f"text:{tmp_path}", vocabulary=300)
    assert all(torch.equal(one.splits[p].x, two.splits[p].x) for p in one.splits)


def test_one_file_is_cut_and_shares_no_line(tmp_path):
    data = load(f"text:{write(tmp_path, ['only.txt'], count=900)}", vocabulary=400)
    lines = [set(next(iter(said(data, part).values())).split("\n")) for part in ("train", "val", "test")]
    whole = set(sentences(0, 900).split("\n"))
    assert sum(map(len, lines)) > 880 and not any(a & b & whole for a, b in itertools.combinations(lines, 2))
    sizes = [len(data.splits[part]) for part in ("train", "val", "test")]
    assert sizes[0] > 10 * sizes[1] > 0 and sizes[2] > sizes[1]


def test_subfolders_are_classes(tmp_path):
    names = [f"{kind}/deep/{i:02}.txt" for kind in ("zebra", "ape", "cow") for i in range(15)]
    data = load(f"text:{write(tmp_path, names)}", vocabulary=350)
    assert data.classes == ["ape", "cow", "zebra"]
    for part in data.splits.values():
        assert [data.classes[y] for y in part.y.tolist()] == [name.split("/")[0] for name in part.names]
        assert set(part.y.tolist()) == {0, 1, 2}
    write(tmp_path, ["loose.txt"])
    assert load(f"text:{tmp_path}", vocabulary=350).classes == [], "a file outside of the subfolders has no class"


def test_files_that_cannot_be_read_are_named(tmp_path):
    write(tmp_path, [f"{i}.txt" for i in range(24)])
    (tmp_path / "latin.txt").write_bytes("déjà vu".encode("latin-1"))
    (tmp_path / "empty.txt").write_text(" \n ")
    (tmp_path / "bom.txt").write_bytes(b"\xef\xbb\xbf" + sentences(99).encode())
    (tmp_path / "notes.md").write_text("not asked for")
    data = load(f"text:{tmp_path}", vocabulary=300)
    assert data.skipped == ["empty.txt: empty", "latin.txt: not UTF-8 (byte 1); save it as UTF-8"]
    found = next(t for part in data.splits for n, t in said(data, part).items() if n == "bom.txt")
    assert found.startswith("Line 99")


def test_folders_hidden_files_and_those_that_are_nobodys_to_read(tmp_path, monkeypatch):
    write(tmp_path, ["a.txt", "b.txt", "mine.txt", ".git/c.txt"])
    (tmp_path / "folder.txt").mkdir()
    read = Path.read_text

    def denied(path, **options):
        if path.name == "mine.txt":
            raise PermissionError(13, "Permission denied")
        return read(path, **options)

    monkeypatch.setattr(Path, "read_text", denied)
    found, skipped, _ = files(tmp_path)
    assert [name for _, name, _ in found] == ["a.txt", "b.txt"] and skipped == ["mine.txt: Permission denied"]


@pytest.mark.parametrize("make, error, words", [
    (lambda p: p / "missing", FileNotFoundError, "no folder"),
    (lambda p: (p / "a.txt", (p / "a.txt").write_text("hello"))[0], NotADirectoryError, "name the folder"),
    (lambda p: p, ValueError, "no readable .txt files"),
    (lambda p: (p, (p / "a.txt").write_text(""))[0], ValueError, "a.txt: empty"),
    (lambda p: (p, (p / "a.txt").write_text("A few words are not enough."))[0], ValueError, "too little text"),
])  # fmt: skip
def test_what_is_wrong_with_a_folder(tmp_path, make, error, words):
    with pytest.raises(error, match=words):
        load(f"text:{make(tmp_path)}")


def test_repeated_paragraphs_stand_once():
    found = [
        ("", "a", "One line.\n\nTwo  LINES here.\nOne line."),
        ("", "b", "two lines here.\nThree."),
        ("", "c", "One line."),
    ]
    assert without_repeats(found) == [("", "a", "One line.\n\nTwo  LINES here."), ("", "b", "Three.")]


def test_the_split_goes_by_name_and_size():
    found = [("x", f"{i}", "a" * (1000 if i % 3 else 100)) for i in range(60)]
    parts = split(found)
    homes = {name: part for part, documents in parts.items() for _, name, _ in documents}
    assert len(homes) == 60
    again = split(found[::-1])
    assert {part: sorted(d) for part, d in again.items()} == {part: sorted(d) for part, d in parts.items()}
    total = sum(len(t) for *_, t in found)
    assert 0.05 * total < sum(len(t) for *_, t in parts["test"]) <= 0.1 * total
    assert 0 < sum(len(t) for *_, t in parts["val"]) <= 0.05 * total


@pytest.mark.parametrize("sizes", [[1000] * 15, [10] * 30 + [9000], [500], [9000, *[10] * 30]])
def test_no_part_is_left_with_nothing(sizes):
    """Few documents, or a book among notes: each is cut."""
    parts = split([("", f"{i}", "".join(chr(97 + (i + k) % 26) for k in range(n))) for i, n in enumerate(sizes)])
    length = {part: sum(len(t) for *_, t in documents) for part, documents in parts.items()}
    assert sum(length.values()) == pytest.approx(sum(sizes), rel=0.01)
    for part, share in {"train": 0.85, "val": 0.05, "test": 0.1}.items():
        assert length[part] == pytest.approx(share * sum(sizes), rel=0.25)


def test_passages_hold_a_document_in_order():
    trained = train([sentences(0)], 300)
    document = sentences(1, 20)
    part = passages([("k", "one", document), ("j", "two", "short and sweet, but long enough")], ["j", "k"], trained, 32)
    one = part.x[[n == "one" for n in part.names]]
    tokens = [*trained.encode(document), 1]
    rest = len(tokens) % 32
    flat = one.flatten().tolist()
    kept = len(tokens) - (rest if 0 < rest < text.SHORTEST else 0)
    assert flat[:kept] == tokens[:kept] and not any(flat[kept:])
    assert part.y.tolist() == [1] * len(one) + [0] and part.x.shape[1] == 32
    assert passages([], [], trained, 32).x.shape == (0, 32)


def test_a_tokenizer_of_a_run_is_used(tmp_path):
    given = train(["quite another text " * 20], 280)
    data = load(f"text:{write(tmp_path, [f'{i}.txt' for i in range(22)])}", tokenizer=given)
    assert data.tokenizer is given and data.channels == len(given)
    with pytest.raises(ValueError, match="too short"):
        text.load(tmp_path, context=16)
    with pytest.raises(ValueError, match="no channels"):
        load(f"text:{tmp_path}", channels=3)


def test_take():
    assert take(["aa", "bb", "cc"], 3) == ["aa", "bb"] and take(["aa"], 99) == ["aa"] and take([], 1) == []
