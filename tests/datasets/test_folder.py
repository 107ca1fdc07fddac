"""A user's own images: layouts, splits, what is broken, and streaming."""

import os
import shutil
import sys
import threading
import time
import warnings

import numpy as np
import pytest
import torch
from overlaps import overlaps
from PIL import Image

from sslkit.datasets import folder, load, streamed
from sslkit.datasets.images import UnreadableImage, read_image
from sslkit.datasets.reading import content_key
from sslkit.datasets.streamed import StreamedImages

pytestmark = pytest.mark.filterwarnings("error")  # no warning but where a test says so


def picture(path, seed, size=(20, 16)):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)


def classes_in(root, names=("ant", "bee", "cat"), each=30, start=0):
    for label, name in enumerate(names):
        for i in range(each):
            picture(root / name / f"{i:03}.png", start + 1000 * label + i)
    return root


def homes(data):
    return {name: part for part, split in data.splits.items() for name in split.names}


def test_class_folders(tmp_path):
    classes_in(tmp_path)
    picture(tmp_path / "bee" / "deep" / "ER" / "Füße 1.PNG", 77)
    data = folder.load(tmp_path, size=16)
    assert data.classes == ["ant", "bee", "cat"] and data.skipped == [] and data.unlabelled is None
    assert sum(map(len, data.splits.values())) == 91 and min(map(len, data.splits.values())) > 0
    assert homes(data)["bee/deep/ER/Füße 1.PNG"]
    assert overlaps(data.splits) == {}
    for split in data.splits.values():
        assert split.x.shape[1:] == (3, 16, 16) and split.x.dtype == torch.uint8
        for i in (0, len(split) - 1):
            assert split.names[i].split("/")[0] == data.classes[split.y[i]]
            assert np.array_equal(split.x[i], read_image(tmp_path / split.names[i], 16))
    assert folder.load(tmp_path, size=16, channels=1).channels == 1
    assert folder.load(tmp_path).train.x.shape[-1] == 32


def test_new_and_renamed_files_move_no_other(tmp_path):
    before = homes(folder.load(classes_in(tmp_path)))
    for i in range(20):
        picture(tmp_path / "ant" / f"new{i}.png", 5000 + i)
        picture(tmp_path / "aaa" / f"{i}.png", 9000 + i)
    (tmp_path / "bee" / "001.png").rename(tmp_path / "bee" / "zzz.png")
    after = homes(folder.load(tmp_path))
    assert after["bee/zzz.png"] == before.pop("bee/001.png")
    assert {name: after[name] for name in before} == before
    assert homes(folder.load(tmp_path, seed=1)) != after


def test_copies_stay_in_one_split(tmp_path):
    classes_in(tmp_path)
    for i in range(30):
        shutil.copy(tmp_path / "ant" / f"{i:03}.png", tmp_path / "ant" / f"copy{i}.png")
    data = folder.load(tmp_path)
    assert sum(map(len, data.splits.values())) == 120 and overlaps(data.splits) == {}


def test_large_files_are_told_apart(tmp_path):
    block = np.random.default_rng(0).bytes(5 << 20)
    changes = {"a": None, "b": None, "first": 5, "middle": 5 << 19, "last": (5 << 20) - 1}
    for name, changed in changes.items():
        content = bytearray(block)
        if changed is not None:
            content[changed] ^= 1
        (tmp_path / name).write_bytes(content)
    keys = {path.name: content_key(path) for path in tmp_path.iterdir()}
    assert keys["a"] == keys["b"] and len(set(keys.values())) == 4


def test_split_folders_are_used(tmp_path):
    for start, part in enumerate(("Train", "validation", "test")):
        classes_in(tmp_path / part, each=4, start=100 * start)
    picture(tmp_path / "unlabelled" / "x" / "1.png", 7777)
    data = folder.load(tmp_path)
    assert all(part[:3] == name[:3].lower() for name, part in homes(data).items()), homes(data)
    assert data.classes == ["ant", "bee", "cat"] and len(data.train) == len(data.val) == len(data.test) == 12
    assert data.unlabelled.y is None and data.pretrain is data.unlabelled.x


def test_a_missing_val_is_taken_out_of_train(tmp_path):
    classes_in(tmp_path / "train", each=40)
    classes_in(tmp_path / "test", each=4, start=500)
    data = folder.load(tmp_path)
    assert len(data.test) == 12 and len(data.train) + len(data.val) == 120 and 3 < len(data.val) < 25
    (tmp_path / "test").rename(tmp_path / "val")  # as in ImageNet
    as_imagenet = folder.load(tmp_path)
    assert {n.split("/")[0] for n in as_imagenet.test.names} == {"val"}
    assert as_imagenet.val.names == data.val.names


def test_a_train_folder_alone_is_cut_in_three(tmp_path):
    data = folder.load(classes_in(tmp_path / "train").parent)
    assert data.classes == ["ant", "bee", "cat"] and set(homes(data).values()) == {"train", "val", "test"}


def test_copies_across_split_folders_are_left_out(tmp_path):
    for start, part in enumerate(("train", "val", "test")):
        classes_in(tmp_path / part, each=5, start=100 * start)
    shutil.copy(tmp_path / "test" / "ant" / "000.png", tmp_path / "train" / "ant" / "leak.png")
    shutil.copy(tmp_path / "test" / "bee" / "001.png", tmp_path / "val" / "bee" / "leak.png")
    shutil.copy(tmp_path / "val" / "cat" / "002.png", tmp_path / "train" / "cat" / "leak.png")
    data = folder.load(tmp_path)
    assert sorted(data.skipped) == [
        "train/ant/leak.png: a copy of test/ant/000.png",
        "train/cat/leak.png: a copy of val/cat/002.png",
        "val/bee/leak.png: a copy of test/bee/001.png",
    ]
    assert overlaps(data.splits) == {} and len(data.test) == 15


@pytest.mark.parametrize("prefix", ["", "photos/", "photos/2024/"])
def test_images_without_classes(tmp_path, prefix):
    for i in range(30):
        picture(tmp_path / f"{prefix}{i}.png", i)
    data = folder.load(tmp_path)
    assert data.classes == [] and all(split.y is None for split in data.splits.values())
    assert sum(map(len, data.splits.values())) == 30 and "without labels" in data.about


def test_folders_can_be_mere_folders(tmp_path):
    data = folder.load(classes_in(tmp_path), labelled=False)
    assert data.classes == [] and data.train.y is None and sum(map(len, data.splits.values())) == 90


def test_a_class_may_be_called_train(tmp_path):
    assert folder.load(classes_in(tmp_path, ("bus", "train"))).classes == ["bus", "train"]


def test_what_is_no_image_is_passed_over(tmp_path):
    classes_in(tmp_path)
    for name in (".DS_Store", "notes.txt", "ant/.x.png", "ant/Thumbs.db", ".cache/x.png", "__MACOSX/a/0.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(b"\0" * 100)
    data = folder.load(tmp_path)
    assert data.skipped == [] and sum(map(len, data.splits.values())) == 90


@pytest.mark.parametrize("memory_gb", [2.0, 0.0])
def test_broken_files_are_listed_and_left_out(tmp_path, memory_gb):
    classes_in(tmp_path)
    whole = (tmp_path / "ant" / "000.png").read_bytes()
    (tmp_path / "ant" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "bee" / "text.jpg").write_text("hello")
    (tmp_path / "cat" / "empty.webp").write_bytes(b"")
    picture(tmp_path / "loose.png", 4242)
    if os.name == "posix":
        (tmp_path / "cat" / "lost.png").symlink_to("nowhere.png")
    data = folder.load(tmp_path, memory_gb=memory_gb)
    listed = {line.split(":")[0] for line in data.skipped}
    assert listed - {"cat/lost.png"} == {"ant/cut.png", "bee/text.jpg", "cat/empty.webp", "loose.png"}
    assert sum(map(len, data.splits.values())) == 90
    for split in data.splits.values():
        for i, name in enumerate(split.names):
            assert np.array_equal(split.x[i], read_image(tmp_path / name, 32))
            assert data.classes[split.y[i]] == name.split("/")[0]


@pytest.mark.skipif(os.name != "posix", reason="needs symbolic links and pipes")
def test_loops_and_pipes_do_not_hang(tmp_path):
    classes_in(tmp_path / "set")
    (tmp_path / "set" / "ant" / "up").symlink_to(tmp_path / "set")
    (tmp_path / "set" / "ant" / "again").symlink_to(tmp_path / "set" / "cat")
    (tmp_path / "set" / "cat" / "again").symlink_to(tmp_path / "set" / "ant")
    (tmp_path / "set" / "self").symlink_to(tmp_path / "set" / "self")
    os.mkfifo(tmp_path / "set" / "ant" / "pipe.png")
    elsewhere = classes_in(tmp_path / "far", ("x",), start=9000)
    (tmp_path / "set" / "dog").symlink_to(elsewhere / "x")
    data = folder.load(tmp_path / "set")
    assert data.classes == ["ant", "bee", "cat", "dog"] and sum(map(len, data.splits.values())) == 120


def test_a_missing_or_empty_folder_is_an_error_in_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=f"no folder nowhere in {tmp_path}"):
        folder.load("nowhere")
    (tmp_path / "full").mkdir()
    with pytest.raises(ValueError, match="no image files.*nothing"):
        folder.load("full")
    (tmp_path / "full" / "video.mp4").touch()
    with pytest.raises(ValueError, match="1 x .mp4"):
        folder.load("full")
    (tmp_path / "set.zip").touch()
    with pytest.raises(NotADirectoryError, match="unpack"):
        folder.load("set.zip")
    with pytest.raises(ValueError, match="name the folder"):
        folder.load("")
    classes_in(tmp_path / "root" / "mine")
    assert folder.load("mine", root=tmp_path / "root").classes


def test_only_broken_files_is_an_error(tmp_path):
    (tmp_path / "a.jpg").write_text("x")
    with pytest.raises(ValueError, match="no file .* can be read.*a.jpg"):
        folder.load(tmp_path)


def test_too_few_images_is_an_error_in_words(tmp_path):
    classes_in(tmp_path)
    picture(tmp_path / "rare" / "0.png", 50)
    with pytest.raises(ValueError, match=r"at least 3 images.* too few: rare \(1\).*labelled=False"):
        folder.load(tmp_path)
    with pytest.raises(ValueError, match="too few images for a"):
        folder.load(classes_in(tmp_path / "small", ("a", "b"), each=3))
    classes_in(tmp_path / "uneven", ("a", "b"))
    for i in range(3):
        picture(tmp_path / "uneven" / "rare" / f"{i}.png", 60 + i)
    with pytest.warns(UserWarning, match="shows no image of rare"):
        assert len(load(f"folder:{tmp_path / 'uneven'}").classes) == 3


def test_a_warning_names_what_is_left_out_and_points_at_the_caller(tmp_path):
    classes_in(tmp_path)
    (tmp_path / "bee" / "text.jpg").write_text("hello")
    with pytest.warns(UserWarning, match=r"1 file is left out.*\n  bee/text.jpg") as warned:
        load(f"folder:{tmp_path}")
    (tmp_path / "cat" / "empty.webp").write_bytes(b"")
    with pytest.warns(UserWarning, match="2 files are left out") as again:
        load(f"folder:{tmp_path}", memory_gb=0)
    assert [warning.filename for warning in (*warned, *again)] == [__file__] * 2


@pytest.mark.parametrize(
    "tree, words",
    [
        (("train/a", "train/b", "test/a", "test/b", "extra"), "extra beside them"),
        (("val/a", "test/a"), "no train folder"),
        (("train/a", "val/a", "valid/a"), "mean the same split"),
        (("train/a", "train/b", "test"), "test has no class folders"),
        (("train/a", "train/b", "test/a", "test/c"), "classes that train does not: c"),
    ],
)
def test_a_layout_with_two_readings_is_an_error(tmp_path, tree, words):
    for number, name in enumerate(tree):
        classes_in(tmp_path, (name,), each=5, start=100 * number)
    with pytest.raises(ValueError, match=words):
        folder.load(tmp_path)


def test_streamed_images_are_those_in_memory(tmp_path):
    classes_in(tmp_path)
    held, files = folder.load(tmp_path, size=16), folder.load(tmp_path, size=16, memory_gb=0)
    assert isinstance(files.train.x, StreamedImages)
    for part, split in files.splits.items():
        x = held.splits[part].x
        assert split.x.shape == x.shape and len(split.x) == len(x) and split.names == held.splits[part].names
        assert torch.equal(split.x[:], x) and torch.equal(split.y, held.splits[part].y)
    index, x = torch.tensor([5, 0, -1, 5]), held.train.x
    train = files.train
    assert torch.equal(train.x[index], x[index]) and torch.equal(train.x[3], x[3])
    part = train[index]
    assert isinstance(part.x, StreamedImages) and torch.equal(part.x[1:3], x[index][1:3])
    assert torch.equal(train.x[x[:, 0, 0, 0] > 100], x[x[:, 0, 0, 0] > 100])
    with pytest.raises(IndexError):
        train.x[torch.tensor([len(x)])]


def test_streaming_can_look_ahead(tmp_path):
    classes_in(tmp_path)
    data, held = folder.load(tmp_path, memory_gb=0, workers=2), folder.load(tmp_path)
    batches = torch.randperm(len(held.train), generator=torch.Generator().manual_seed(0)).split(8)
    x = data.train.x
    x.prefetch(batches[0])
    for i, batch in enumerate(batches):
        images = x[batch]
        if i + 1 < len(batches):
            x.prefetch(batches[i + 1])
        assert torch.equal(images, held.train.x[batch])
    for batch in batches:  # looking ahead without ever asking keeps little
        x.prefetch(batch)
    assert len(x._ahead) <= 2
    first = x[batches[-1]]
    first.zero_()
    assert x[batches[-1]].any()  # a batch belongs to who asked


def test_prefetch_returns_at_once_and_works_ahead(tmp_path, monkeypatch):
    gate, read = threading.Event(), []

    def gated(path, size, channels):
        assert gate.wait(60), "prefetch waits for the images"
        read.append(path)
        return np.zeros((channels, size, size), np.uint8)

    monkeypatch.setattr(streamed, "read_image", gated)
    x = StreamedImages([tmp_path / "x"] * 64, 8, workers=2)
    x.prefetch(range(32))  # while the gate is shut
    assert read == []
    gate.set()
    end = time.monotonic() + 60
    while len(read) < 32 and time.monotonic() < end:
        time.sleep(0.01)
    assert len(read) == 32  # before anyone asks for them
    assert x[list(range(32))].shape == (32, 3, 8, 8) and len(read) == 32


def test_a_file_that_vanishes_or_breaks_is_named(tmp_path):
    data = folder.load(classes_in(tmp_path), memory_gb=0)
    gone, broken = data.train.names[:2]
    (tmp_path / gone).unlink()
    (tmp_path / broken).write_bytes(b"rubbish")
    data.train.x.prefetch([0, 5])
    with pytest.raises(FileNotFoundError, match=f"{gone} was there"):
        data.train.x[[0, 5]]
    with pytest.raises(UnreadableImage, match=f"{broken} cannot be read.*load the set again"):
        data.train.x[torch.tensor([5, 1])]
    assert data.train.x[[5]].shape == (1, 3, 32, 32)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_does_not_hang(tmp_path):
    picture(tmp_path / "0.png", 0)
    x = StreamedImages([tmp_path / "0.png"], 8, workers=2)
    x[[0]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of what is tried here
        child = os.fork()
    if child == 0:
        os._exit(0 if len(x[[0]]) == 1 else 1)
    end = time.monotonic() + 120
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0
            return
        time.sleep(0.02)
    os.kill(child, 9)
    os.waitpid(child, 0)
    pytest.fail("the child hung")


def test_paths_longer_than_python_recurses(tmp_path):
    deep = tmp_path
    for _ in range(60):
        deep = deep / "d"
    if sys.platform != "win32":
        picture(deep / "0.png", 0)
        assert len(folder.load(tmp_path, val=0, test=0).train) == 1
