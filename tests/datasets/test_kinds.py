"""Kinds of samples, pairs among them, and sets that are given as tensors, arrays or torchvision's objects."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import Subset, TensorDataset

from sslkit.datasets import Dataset, Pairs, Split, load
from sslkit.datasets.kinds import kind_of
from sslkit.nets import build_encoder, mlp
from sslkit.probes import label_efficiency, quick_knn, report, scoreboard
from sslkit.runs import load_encoder
from sslkit.tokenizer import train as train_tokenizer
from sslkit.train import Recipe, build, train
from sslkit.transformer import TextEncoder
from sslkit.views import to_float

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randint(256, (60, 3, 16, 16), dtype=torch.uint8, generator=GENERATOR)
Y = torch.arange(60) % 3


@pytest.mark.parametrize(
    "x, name, noun, judge",
    [
        (X, "images", "images", "scoreboard"),
        (X[:, None].expand(-1, 4, -1, -1, -1), "clips", "clips", "clips"),
        (torch.zeros(5, 7, dtype=torch.int64), "tokens", "passages", "scoreboard"),
        (Pairs(X[:5], torch.zeros(5, 7, dtype=torch.int64)), "pairs", "pairs", "scoreboard"),
    ],
)
def test_each_kind_says_what_follows_from_it(x, name, noun, judge):
    kind = kind_of(x, vocabulary=40)
    assert (kind.name, kind.noun, kind.judge) == (name, noun, judge)
    assert kind.inputs == (40 if name == "tokens" else 3)
    assert kind.options == ({"vocabulary": 40} if name == "pairs" else {})


def test_tokens_without_a_tokenizer_say_what_is_missing():
    with pytest.raises(ValueError, match="give the Dataset its tokenizer"):
        _ = kind_of(torch.zeros(5, 7, dtype=torch.int64)).inputs


# --- given sets ------------------------------------------------------------------------------------------------------


class Photos:
    """As torchvision's sets without `.data`: items (image, label), some with names of classes."""

    classes = ["cat", "dog", "cow"]

    def __init__(self, x=X, pil=True):
        self.x, self.pil = x, pil

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        image = self.x[i].permute(1, 2, 0).numpy()
        return (Image.fromarray(image) if self.pil else self.x[i].float() / 255), int(Y[i])


class Stored(Photos):
    """As torchvision's CIFAR-10: everything in `.data` and `.targets`; items would be transformed."""

    data, targets = X.permute(0, 2, 3, 1).numpy(), Y.tolist()

    def __getitem__(self, i):
        raise AssertionError("the stored images are taken as they are")


SOURCES = {
    "tensors": lambda: (X, Y),
    "backwards": lambda: (X.numpy()[::-1], Y.numpy()[::-1]),
    "uint16": lambda: (X.numpy().astype("uint16"), Y),
    "arrays, channels last": lambda: (X.permute(0, 2, 3, 1).numpy(), Y.numpy()),
    "decimal numbers": lambda: (X.float().numpy() / 255, Y.numpy().astype(float)),
    "a list of arrays": lambda: (list(X.numpy()), Y.tolist()),
    "names": lambda: (X, [Photos.classes[k] for k in Y.tolist()]),
    "names, a column of pandas": lambda: (X, np.array([Photos.classes[k] for k in Y.tolist()], dtype=object)),
    "TensorDataset": lambda: TensorDataset(X, Y),
    "torchvision, PIL": Photos,
    "torchvision, tensors": lambda: Photos(pil=False),
    "torchvision, stored": Stored,
    "Subset": lambda: Subset(Photos(), range(60)),
}


@pytest.mark.parametrize("name", SOURCES)
def test_what_can_be_given(name):
    data = load(SOURCES[name]())
    assert [len(part) for part in data.splits.values()] == [42, 6, 12] and data.kind.name == "images"
    x = torch.cat([part.x for part in data.splits.values()])
    assert torch.equal(x.flatten(1).long().sort(0).values, X.flatten(1).long().sort(0).values)
    for part in data.splits.values():  # every image keeps its own label
        row = [(X == image).flatten(1).all(1).nonzero().item() for image in part.x]
        wanted = [data.classes[k] for k in part.y.tolist()]
        assert wanted == [(data.classes if "names" not in name else Photos.classes)[Y[r]] for r in row]
    assert all(part.y.unique().numel() == 3 for part in data.splits.values())
    assert data.classes == (
        ["cat", "cow", "dog"] if "names" in name else Photos.classes if "torchvision" in name else ["0", "1", "2"]
    )


def test_without_labels_with_a_test_set_and_with_options():
    data = load(X.numpy())
    assert data.train.y is None and data.classes == [] and len(data.train) == 42
    data = load((X, Y), test=(X[:9], Y[:9]), limit=5, channels=1, classes=["a", "b", "c"])
    assert len(data.test) == 5 and len(data.train) == 5 and data.channels == 1 and data.classes == ["a", "b", "c"]
    grey = load((X[:, 0], Y))
    assert grey.train.x.shape[1:] == (1, 16, 16)
    assert torch.equal(load((X, Y), seed=1).test.x, load((X, Y), seed=1).test.x)
    assert not torch.equal(load((X, Y), seed=1).test.x, load((X, Y), seed=2).test.x)


@pytest.mark.parametrize(
    "source, words",
    [
        (3, "This is a int"),
        ({"x": X}, "This is a dict"),
        (lambda: X, "This is a function"),
        (X[:4], "too few"),
        (torch.zeros(20), "1 or 3 channels"),
        (torch.zeros(20, 4, 8, 8, dtype=torch.uint8), "take the transparency off"),
        (torch.zeros(20, 7, 8, 9, dtype=torch.uint8), "1 or 3 channels"),
        ((X[:0], Y[:0]), "no images"),
        (X[:0].float(), "no images"),
        (torch.zeros(20, 3, 8, 8, dtype=torch.complex64), "0 .. 255"),
        ((X.float(), Y), "divide by 255"),
        ((X.float() / 255 - 0.5, Y), "undo Normalize"),
        ((X.long() + 300, Y), "0 .. 255"),
        ((X, Y[:50]), "60 images and 50 labels"),
        ((X, F.one_hot(Y)), "argmax"),
        ((X, Y + 0.5), "whole numbers"),
        ((X, Y - 1), "start at 0"),
        ((X, [object()] * 60), "whole numbers"),
        ([X[0].numpy(), X[1, :, :8].numpy()], "no numbers of one shape|labels"),
        (["a", "b"], "channels|numbers|takes"),
    ],
)
def test_what_cannot_be_given_is_refused_in_words(source, words):
    with pytest.raises((ValueError, TypeError), match=words):
        load(source)


def test_names_of_classes_and_labels_of_a_test_set_must_fit():
    names = [Photos.classes[k] for k in Y.tolist()]
    with pytest.raises(ValueError, match="'cow' is not one of the classes cat, dog"):
        load((X, names), classes=["cat", "dog"])
    for one, other in [((X, names), (X, Y)), ((X, Y), (X, names)), ((X, Y), X)]:
        with pytest.raises(ValueError, match="labels of one kind.* and "):
            load(one, test=other)
    assert load((X, names), test=(X, names[::-1])).classes == ["cat", "cow", "dog"]


def test_a_set_that_is_labelled_in_part_is_refused():
    class Some(Photos):
        def __getitem__(self, i):
            return super().__getitem__(i)[0], None if i < 9 else 1

    with pytest.raises(ValueError, match="whole numbers .* or names"):
        load(Some())


def test_images_of_several_sizes_ask_for_a_transform():
    class Sizes(Photos):
        def __getitem__(self, i):
            return Image.new("RGB", (16 + i, 16)), 0

    with pytest.raises(ValueError, match="Resize"):
        load(Sizes())


@pytest.mark.parametrize(
    "options, words",
    [
        ({"limit": -1}, "limit is -1: a whole number from 1 on"),
        ({"limit": 0}, "limit is 0"),
        ({"channels": 2}, "1 for grey, 3 for colour"),
    ],
)
def test_options_out_of_range(options, words):
    with pytest.raises(ValueError, match=words):
        load("emoji", **options)


@pytest.mark.parametrize("size", [-3, 0, 5000, 100_000])
def test_a_size_that_no_memory_holds_is_refused_before_anything_is_read(size, tmp_path):
    with pytest.raises(ValueError, match=f"size is {size}: a whole number from 8 to 512"):
        load(f"folder:{tmp_path}", size=size)


def test_a_limit_beyond_a_generated_set_draws_no_more_than_there_is(monkeypatch):
    from sslkit.datasets import scenes

    asked = []
    monkeypatch.setattr(scenes, "generate", lambda n, *rest: asked.append(n) or Split(X[:9], Y[:9]))
    load("scenes", limit=10**9)
    assert asked == [20_000, 2_000, 4_000]


# --- pairs -----------------------------------------------------------------------------------------------------------

WORDS = ["red", "green", "blue"]


def pairs_data() -> Dataset:
    """Images of one colour each, with its name: 60 of them."""
    tokenizer = train_tokenizer(["red green blue " * 9], 262)
    texts = [tokenizer.encode(WORDS[k]) for k in Y.tolist()]
    tokens = torch.tensor([t + [0] * (6 - len(t)) for t in texts])
    x = X.clone() // 4
    x[torch.arange(60), Y] += 150
    parts = [Split(Pairs(x[rows], tokens[rows]), Y[rows]) for rows in torch.arange(60).split([36, 12, 12])]
    return Dataset("colours", *parts, WORDS, tokenizer=tokenizer)


class Clip(nn.Module):
    """A tiny CLIP: which text belongs to which image of the batch? Without a chance level, to try that too."""

    def __init__(self, encoder: nn.Module, vocabulary: int):
        super().__init__()
        self.encoder, self.text = encoder, TextEncoder(vocabulary, 6, dim=16, depth=1, heads=2)
        self.image_head, self.text_head = mlp([encoder.dim, 8]), mlp([16, 8])

    def pretext(self, x: tuple[Tensor, Tensor], generator: torch.Generator) -> tuple[Tensor, Tensor]:
        return to_float(x[0]), x[1]

    def forward(self, task: tuple[Tensor, Tensor]) -> tuple[Tensor, dict]:
        h = self.encoder(task[0])
        a, b = F.normalize(self.image_head(h)), F.normalize(self.text_head(self.text(task[1])))
        logits, own = a @ b.T / 0.1, torch.arange(len(a))
        loss = (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
        return loss, {"h": h.detach()}

    def encode(self, x: Tensor) -> Tensor:
        return self.encoder(x)


def test_pairs_are_trained_saved_resumed_and_judged_by_their_images(tmp_path, smoke_scale):
    data = pairs_data()
    assert data.kind.name == "pairs" and data.channels == 3 and len(data.train[:4].x) == 4
    recipe = Recipe(steps=8, lr=2e-3, batch=12, optimizer="adamw", options=data.kind.options)
    about = {"name": "clip", "data": data.name, "channels": data.channels}
    whole = build(Clip, recipe, data.channels)
    losses = [r.loss for r in train(whole, data.pretrain, recipe, out=tmp_path / "whole", about=about)]
    cut = build(Clip, recipe, data.channels)
    for record in train(cut, data.pretrain, recipe, out=tmp_path / "cut", about=about):
        if record.step == 4:
            break
    again = build(Clip, recipe, data.channels, seed=3)
    rest = [r.loss for r in train(again, data.pretrain, recipe, out=tmp_path / "cut", resume=True, about=about)]
    assert rest == losses[4:]
    board = scoreboard(again, data, seeds=[0], per_class=2, supervised_steps=4)
    assert [row.name for row in board.rows] == ["pixels", "untrained", "Clip", "supervised"]
    encoder, state = load_encoder(tmp_path / "whole")
    assert state["data"] == "colours" and isinstance(encoder, type(build_encoder("small")))
    assert str(report(again, data, "clip", seeds=[0])).count("clip") >= 1


def test_pairs_lose_their_colours_and_are_judged_by_labels_alone():
    data = pairs_data()
    grey = load((data.train.x, data.train.y), channels=1)
    assert grey.channels == 1 and isinstance(grey.train.x, Pairs) and grey.train.x.tokens.shape[1] == 6
    encoder = build_encoder("small")
    assert label_efficiency(encoder, data, (1,), [0], arms=["frozen probe"])["frozen probe"][1]
    assert 0 <= quick_knn(encoder, data) <= 1


def test_pairs_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="N images and as many texts"):
        Pairs(X, torch.zeros(5, 7, dtype=torch.int64))
