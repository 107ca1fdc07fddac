"""The kinds of samples: images, clips, tokens, and pairs of an image and its text. `data.kind` holds what depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Kind:
    """What the samples of a set are.

    name        "images", "clips", "tokens" or "pairs": what a chapter's method names as its KIND
    noun        what many of them are called
    channels    of images, clips and the images of pairs: 1 for grey, 3 for colour
    vocabulary  how many different tokens there are, in tokens and in the texts of pairs
    judge       what measures the features learned from them (see sslkit.probes.report): "scoreboard", "clips"
    baseline    what any learned feature has to beat: "pixels" or "tf-idf"
    crops       whether training with labels shows random crops of them; passages are read as they stand
    batch       samples in a step of training with labels
    """

    name: str
    noun: str
    channels: int | None = None
    vocabulary: int | None = None
    judge: str = "scoreboard"
    baseline: str = "pixels"
    crops: bool = True
    batch: int = 128

    @property
    def inputs(self) -> int:
        """What an encoder is built for: the channels of what it sees, or the vocabulary of what it reads."""
        found = self.channels if self.channels is not None else self.vocabulary
        if found is None:
            raise ValueError(
                f"it is not known how many different {self.name} there are: give the Dataset its tokenizer"
            )
        return found

    @property
    def options(self) -> dict[str, int]:
        """What a method's constructor must know of the data beside its encoder: for pairs, the `vocabulary` of their texts."""
        return {"vocabulary": self.vocabulary} if self.name == "pairs" and self.vocabulary else {}


SPOKEN = {"tokens": "text"}  # where the name is not what one says
EXAMPLES = {  # what to try where another kind was given
    "images": "scenes or folder:PATH",
    "clips": "moving or video:PATH",
    "tokens": "text or text:PATH",
    "pairs": "a set of your own, load((Pairs(images, tokens), y))",
}


class Pairs:
    """N images and their texts: images uint8 [N, C, H, W], tokens int64 [N, T]. Indexed like a tensor; a batch is a pair of tensors."""

    def __init__(self, images: Tensor, tokens: Tensor):
        if len(images) != len(tokens) or tokens.dtype != torch.int64 or tokens.dim() != 2:
            raise ValueError(
                f"pairs are N images and as many texts int64 [N, T], got {describe(images)} and {describe(tokens)}"
            )
        self.images, self.tokens = images, tokens

    @property
    def shape(self) -> torch.Size:
        """That of the images, N first."""
        return self.images.shape

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: Any) -> tuple[Tensor, Tensor]:
        """The chosen images and texts, as a method's pretext takes them."""
        return self.images[index], self.tokens[index]

    def subset(self, index: Any) -> Pairs:
        """The chosen pairs."""
        return Pairs(self.images[index], self.tokens[index])


def kind_of(x: Any, vocabulary: int | None = None) -> Kind:
    """The kind of samples x: a tensor, Pairs, or a streamed object with `.shape` and `.subset`.

    TypeError or ValueError for anything else.
    """
    if isinstance(x, Pairs):
        return Kind("pairs", "pairs", channels_of(x.images), vocabulary)
    if not isinstance(x, Tensor):
        if len(getattr(x, "shape", ())) != 4 or not hasattr(x, "subset"):
            raise TypeError(f"x must be a tensor or a streamed set of images, got {type(x).__name__}")
        return Kind("images", "images", x.shape[1])
    if x.dtype == torch.int64 and x.dim() == 2:
        return Kind("tokens", "passages", vocabulary=vocabulary, baseline="tf-idf", crops=False, batch=32)
    if x.dtype != torch.uint8 or x.dim() not in (4, 5):
        raise ValueError(
            f"images must be uint8 [N, C, H, W], clips uint8 [N, T, C, H, W] (tokens int64 [N, T]), got {describe(x)}"
        )
    channels = channels_of(x)
    return Kind("images", "images", channels) if x.dim() == 4 else Kind("clips", "clips", channels, judge="clips")


def channels_of(x: Tensor) -> int:
    """The channels of images or clips; ValueError where they seem to come last."""
    if x.shape[-3] > 4 and x.shape[-1] <= 4:
        images = x.dim() == 4
        raise ValueError(
            f"{'images must be [N, C, H, W]' if images else 'clips must be [N, T, C, H, W]'}, but {list(x.shape)} looks "
            f"like [..., H, W, C]: use x.permute({'0, 3, 1, 2' if images else '0, 1, 4, 2, 3'})"
        )
    return x.shape[-3]


def describe(x: Any) -> str:
    """dtype and shape of a tensor."""
    return f"{str(x.dtype).removeprefix('torch.')} {list(x.shape)}"
