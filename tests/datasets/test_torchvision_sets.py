"""The published sets, read from small files laid out as the real ones."""

import gzip
import hashlib
import pickle  # noqa: TID251  CIFAR's Python version is made of pickles
import shutil
import tarfile
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torchvision
from overlaps import overlaps
from PIL import Image

from sslkit import datasets
from sslkit.datasets import fashion_files, torchvision_sets
from sslkit.datasets.download import DownloadError
from sslkit.datasets.torchvision_sets import SOURCES, infos, load


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Nothing on the machine but what a test puts there, and no request leaves it."""

    def refuse(request, **_):
        raise ConnectionRefusedError

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr(fashion_files, "DEBIAN", fashion_files.DEBIAN / "not here")


def cifar10_arrays(n=200, n_test=40):
    x, test_x = noise(n, 3, 32, 32), noise(n_test, 3, 32, 32, seed=1)
    return (x, np.arange(n) % 10), (test_x, np.arange(n_test) % 10)


def write_binary(folder, labels, train, test):
    """CIFAR's records: `labels` bytes before the pixels, the last of which is the class."""
    folder.mkdir(parents=True)

    def write(name, x, y):
        columns = [y.astype(np.uint8)] if labels == 1 else [(y // 5).astype(np.uint8), y.astype(np.uint8)]
        (folder / name).write_bytes(np.hstack([np.stack(columns, 1), x.reshape(len(x), -1)]).tobytes())

    if labels == 1:
        for i in range(5):
            part = slice(i * len(train[0]) // 5, (i + 1) * len(train[0]) // 5)
            write(f"data_batch_{i + 1}.bin", train[0][part], train[1][part])
        write("test_batch.bin", *test)
        (folder / "batches.meta.txt").write_text("\n".join(torchvision_names("CIFAR10")) + "\n\n")
    else:
        write("train.bin", *train)
        write("test.bin", *test)
        (folder / "fine_label_names.txt").write_text("\n".join(f"kind{i}" for i in range(100)) + "\n")
    return folder


def torchvision_names(_):
    return ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def same(data, train, test):
    """Every image stands once, with its label, in train or val; test is the official one, in order."""
    x, y = train
    label = {image.tobytes(): int(k) for image, k in zip(x, y)}
    seen = [(image.numpy().tobytes(), int(k)) for s in (data.train, data.val) for image, k in zip(s.x, s.y)]
    all_there = len(seen) == len(set(seen)) == len(x) and dict(seen) == label
    assert all_there  # a bare truth value: pytest would take minutes to show how megabytes differ
    assert np.array_equal(data.test.x, test[0]) and np.array_equal(data.test.y, test[1])
    assert len(data.val) == len(x) // 10 and overlaps(data.splits) == {}


@pytest.mark.parametrize("place", [".", "downloads"])
def test_cifar10_binary(tmp_path, place):
    train, test = cifar10_arrays()
    write_binary(tmp_path / place / "cifar-10-batches-bin", 1, train, test)
    data = load("cifar10", root=tmp_path)
    same(data, train, test)
    assert data.classes == torchvision_names("CIFAR10") and data.skipped == []
    assert torch.equal(data.val.y.bincount(), torch.full((10,), 2))
    assert "Krizhevsky" in data.about and "licence" in data.about
    assert torch.equal(data.val.x, load("cifar10", root=tmp_path).val.x)


def test_cifar100_takes_the_fine_label(tmp_path):
    train = noise(300, 3, 32, 32), np.arange(300) % 100
    test = noise(100, 3, 32, 32, seed=1), np.arange(100)
    write_binary(tmp_path / "cifar-100-binary", 2, train, test)
    data = load("cifar100", root=tmp_path)
    same(data, train, test)
    assert data.classes[3] == "kind3" and len(data.classes) == 100


@pytest.fixture
def python_cifar10(tmp_path, monkeypatch):
    """cifar-10-batches-py with torchvision's MD5s set to those of these small files."""
    train, test = cifar10_arrays()
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()

    def write(name, content):
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
        return [name, hashlib.md5((folder / name).read_bytes()).hexdigest()]

    def batch(x, y):
        return {"data": x.reshape(len(x), -1), "labels": y.tolist()}

    cuts = np.array_split(np.arange(200), 5)
    lists = [write(f"data_batch_{i + 1}", batch(train[0][c], train[1][c])) for i, c in enumerate(cuts)]
    cifar = torchvision.datasets.CIFAR10
    monkeypatch.setattr(cifar, "train_list", lists)
    monkeypatch.setattr(cifar, "test_list", [write("test_batch", batch(*test))])
    meta = write("batches.meta", {"label_names": torchvision_names("CIFAR10")})
    monkeypatch.setattr(cifar, "meta", {"filename": "batches.meta", "key": "label_names", "md5": meta[1]})
    return train, test


def test_cifar10_in_torchvisions_own_layout(tmp_path, python_cifar10):
    data = load("cifar10", root=tmp_path)
    same(data, *python_cifar10)
    assert data.classes == torchvision_names("CIFAR10")
    write_binary(tmp_path / "binary" / "cifar-10-batches-bin", 1, *python_cifar10)
    binary = load("cifar10", root=tmp_path / "binary")
    for part in ("train", "val", "test"):
        assert torch.equal(binary.splits[part].x, data.splits[part].x), "both versions give the same splits"


def test_a_changed_pickle_is_not_loaded(tmp_path, python_cifar10):
    class Harmful:
        def __reduce__(self):
            return (tmp_path / "harm").touch, ()

    (tmp_path / "cifar-10-batches-py" / "data_batch_3").write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(ValueError, match="MD5 differs"):
        load("cifar10", root=tmp_path)
    assert not (tmp_path / "harm").exists()


def test_an_archive_on_disk_is_unpacked(tmp_path, monkeypatch):
    train, test = cifar10_arrays()
    write_binary(tmp_path / "made" / "cifar-10-batches-bin", 1, train, test)
    packed = tmp_path / "data" / "cifar-10-binary.tar.gz"
    packed.parent.mkdir()
    with tarfile.open(packed, "w:gz") as tar:
        tar.add(tmp_path / "made" / "cifar-10-batches-bin", "cifar-10-batches-bin")
    with pytest.raises(ValueError, match="MD5"):
        load("cifar10", root=tmp_path / "data")
    real = SOURCES["cifar10"]
    archive = replace(real.archives[0], md5=hashlib.md5(packed.read_bytes()).hexdigest())
    monkeypatch.setitem(SOURCES, "cifar10", replace(real, archives=(archive,)))
    assert {info.name: info.where for info in infos(tmp_path / "data")}["cifar10"] == "on disk"
    same(load("cifar10", root=tmp_path / "data"), train, test)


def test_sslkit_data_is_looked_at(tmp_path, monkeypatch):
    write_binary(tmp_path / "cifar-10-batches-bin", 1, *cifar10_arrays())
    monkeypatch.setenv("SSLKIT_DATA", str(tmp_path))
    assert len(load("cifar10").test) == 40
    where = {info.name: info.where for info in infos()}
    assert where.pop("cifar10") == "on disk" and set(where.values()) == {"to download"}


def test_copies_of_held_out_images_are_left_out(tmp_path):
    train, test = cifar10_arrays()
    train[0][[3, 50]] = test[0][[7, 8]]
    train[0][100:180] = train[0][0]
    write_binary(tmp_path / "cifar-10-batches-bin", 1, train, test)
    data = load("cifar10", root=tmp_path)
    assert overlaps(data.splits) == {} and len(data.test) == 40
    assert data.skipped and all("copies of held-out images" in line for line in data.skipped)


def test_other_sizes_are_resized_antialiased(tmp_path):
    train, test = cifar10_arrays()
    write_binary(tmp_path / "cifar-10-batches-bin", 1, train, test)
    data = load("cifar10", root=tmp_path, size=8)
    resize = torchvision.transforms.Resize(8, antialias=True)
    error = data.test.x.float() - resize(torch.from_numpy(test[0])).float()
    assert data.train.x.shape[1:] == (3, 8, 8) and error.abs().max() <= 1


def write_stl10(root):
    """Columns first, labels from 1; the unlabelled split holds three images of test, as the real one does."""
    folder = root / "stl10_binary"
    folder.mkdir(parents=True)
    x, test_x, more = noise(40, 3, 96, 96), noise(20, 3, 96, 96, seed=1), noise(30, 3, 96, 96, seed=2)
    more[[4, 5, 29]] = test_x[[0, 11, 19]]
    for name, images in (("train", x), ("test", test_x), ("unlabeled", more)):
        (folder / f"{name}_X.bin").write_bytes(np.ascontiguousarray(images.swapaxes(2, 3)).tobytes())
    y, test_y = np.arange(40) % 10, np.arange(20) % 10
    (folder / "train_y.bin").write_bytes((y + 1).astype(np.uint8).tobytes())
    (folder / "test_y.bin").write_bytes((test_y + 1).astype(np.uint8).tobytes())
    (folder / "class_names.txt").write_text("\n".join("abcdefghij") + "\n")
    return folder, (x, y), (test_x, test_y), np.delete(more, [4, 5, 29], axis=0)


def test_stl10(tmp_path):
    _, train, test, more = write_stl10(tmp_path)
    data = load("stl10", root=tmp_path)
    same(data, train, test)
    assert data.classes == list("abcdefghij") and data.unlabelled.y is None
    assert np.array_equal(data.unlabelled.x, more) and data.pretrain is data.unlabelled.x
    assert data.skipped == ["3 images of unlabelled: copies of held-out images"]
    small = load("stl10", root=tmp_path, size=32)
    assert small.train.x.shape[1:] == small.unlabelled.x.shape[1:] == (3, 32, 32)
    expected = F.interpolate(torch.from_numpy(more).float(), size=32, mode="bilinear", antialias=True)
    assert (small.unlabelled.x - expected).abs().max() <= 0.51


@pytest.mark.parametrize(
    "name, damage, words",
    [
        ("train_X.bin", lambda content: content[:-7], "whole records"),
        ("unlabeled_X.bin", lambda content: b"", "whole records"),
        ("train_y.bin", lambda content: content[:-1], "labels of train do not fit"),
        ("test_y.bin", lambda content: bytes(len(content)), "labels of test do not fit"),
    ],
)
def test_damaged_files_are_refused(tmp_path, name, damage, words):
    path = write_stl10(tmp_path)[0] / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=words):
        load("stl10", root=tmp_path)


def write_imagenette(folder, each=12):
    for part, start in (("train", 0), ("val", 1000)):
        for k, wnid in enumerate(("n01440764", "n02102040", "n03888257")):
            (folder / part / wnid).mkdir(parents=True)
            for i in range(each):
                image = Image.fromarray(noise(40, 60, 3, seed=start + 100 * k + i))
                image.save(folder / part / wnid / f"{wnid}_{i}.JPEG", quality=90)
    (folder / "noisy_imagenette.csv").write_text("path,noisy_labels_0\n")


def test_imagenette(tmp_path):
    write_imagenette(tmp_path / "imagenette2-160")
    data = load("imagenette", root=tmp_path, size=16)
    assert data.classes == ["tench", "English springer", "parachute"]
    assert len(data.test) == 36 and len(data.train) + len(data.val) == 36 and 0 < len(data.val) < 12
    assert all(name.startswith("val/") for name in data.test.names) and data.skipped == []
    assert overlaps(data.splits) == {} and data.train.x.shape[1:] == (3, 16, 16)
    assert "Howard" in data.about
    assert load("imagenette", root=tmp_path).train.x.shape[-1] == 64
    assert not isinstance(load("imagenette", root=tmp_path, memory_gb=0).train.x, torch.Tensor)
    for grey in (datasets.load("imagenette", root=tmp_path, memory_gb=gb, channels=1) for gb in (0, 2)):
        assert grey.channels == 1 and grey.train.x[torch.arange(2)].shape == (2, 1, 64, 64)
    with pytest.raises(DownloadError, match="imagenette2-320"):
        load("imagenette", root=tmp_path, size=224)  # 160 pixels would be blown up
    shutil.move(tmp_path / "imagenette2-160", tmp_path / "imagenette2-320")
    assert load("imagenette", root=tmp_path, size=224).train.x.shape[-1] == 224


def write_fashion(folder, packed):
    folder.mkdir(parents=True)
    x, test_x = noise(100, 28, 28), noise(30, 28, 28, seed=1)
    y, test_y = np.arange(100, dtype=np.uint8) % 10, np.arange(30, dtype=np.uint8) % 10
    for prefix, images, labels in (("train", x, y), ("t10k", test_x, test_y)):
        for kind, values in (("images-idx3", images), ("labels-idx1", labels)):
            head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, dtype=">u4").tobytes()
            content = head + values.tobytes()
            path = folder / f"{prefix}-{kind}-ubyte"
            content = gzip.compress(content) if packed else content
            path.with_name(path.name + ".gz" * packed).write_bytes(content)
    return (x[:, None], y), (test_x[:, None], test_y)


@pytest.mark.parametrize("packed", [True, False])
def test_fashion(tmp_path, packed):
    train, test = write_fashion(tmp_path / "FashionMNIST" / "raw", packed)
    data = load("fashion-full", root=tmp_path, size=28)
    same(data, train, test)
    assert data.classes[0] == "t-shirt" and data.channels == 1
    padded = load("fashion-full", root=tmp_path)
    assert torch.equal(padded.val.x, F.pad(data.val.x, (2, 2, 2, 2)))


def test_fashion_from_debians_package(tmp_path, monkeypatch):
    write_fashion(tmp_path / "debian", packed=True)
    monkeypatch.setattr(fashion_files, "DEBIAN", tmp_path / "debian")
    assert len(load("fashion-full", root=tmp_path / "empty").test) == 30
    assert not (tmp_path / "empty").exists()
    path = tmp_path / "debian" / "t10k-images-idx3-ubyte.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(ValueError, match="damaged"):
        load("fashion-full", root=tmp_path / "empty")
    for content in (gzip.decompress(whole)[:-1], b"", b"\0\0\x0d\3" + gzip.decompress(whole)[4:]):
        path.write_bytes(gzip.compress(content))
        with pytest.raises(ValueError, match="damaged, or not an IDX file"):
            load("fashion-full", root=tmp_path / "empty")


@pytest.mark.parametrize(
    "name, folder",
    [
        ("cifar10", "cifar-10-batches-py"),
        ("cifar100", "cifar-100-binary"),
        ("stl10", "stl10_binary"),
        ("imagenette", "imagenette2-160"),
        ("fashion-full", "FashionMNIST/raw"),
    ],
)
def test_without_a_network_the_ways_out_are_told(tmp_path, name, folder):
    with pytest.raises(DownloadError) as caught:
        load(name, root=tmp_path)
    told = folder, str(tmp_path), "SSLKIT_DATA", "emoji", "scenes", "fashion", "https://", "nobody answers"
    assert [words for words in told if words not in str(caught.value)] == []


def test_unknown_names_and_options_are_errors(tmp_path):
    with pytest.raises(ValueError, match="no set 'mnist'; there are cifar10, cifar100"):
        load("mnist", root=tmp_path)
    for name in ("cifar10", "imagenette"):  # before anything is downloaded
        with pytest.raises(ValueError, match="no option colour"):
            load(name, root=tmp_path, colour=True)


def test_what_torchvision_publishes_is_what_is_asked_for():
    """Checksums and folders are those of torchvision's classes: a wrong digit would lose a set."""
    sets = torchvision.datasets
    for ours, theirs in (("cifar10", sets.CIFAR10), ("cifar100", sets.CIFAR100), ("stl10", sets.STL10)):
        archive = SOURCES[ours].archives[-1]
        assert (archive.file, archive.md5) == (theirs.filename, theirs.tgz_md5)
        assert archive.folder == theirs.base_folder
        assert all(url.endswith("/" + archive.file) for url in archive.urls)
    published = {url: md5 for url, md5 in sets.Imagenette._ARCHIVES.values()}
    assert published == {a.urls[0]: a.md5 for a in SOURCES["imagenette"].archives}
    fashion = {name.removesuffix(".gz"): md5 for name, md5 in sets.FashionMNIST.resources}
    assert fashion == fashion_files.FILES
    assert set(torchvision_sets.IMAGENETTE_CLASSES) == set(sets.Imagenette._WNID_TO_CLASS)
