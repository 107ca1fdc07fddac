"""Images that do not fit into memory: decoded from their files when they are needed."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import torch
from torch import Tensor

from .contract import as_index
from .images import UnreadableImage, pool, read_image

CHUNK = 8  # files per task: small enough to keep all workers busy to the end of a batch


class StreamedImages:
    """Files that index like the tensor uint8 [N, C, size, size] of their images.

    `x[index]` (LongTensor [B], slice or list) decodes B images on worker threads; `x[3]` is one, [C, H, W].
    `x.prefetch(index)` starts on the next batch and returns: it is decoded while the network trains.
    A file that is gone or broken by now raises an error that names it.
    """

    dtype = torch.uint8
    device = torch.device("cpu")

    def __init__(self, files: list[Path], size: int, channels: int = 3, workers: int | None = None):
        self.files, self.workers = list(files), workers
        self.shape = torch.Size([len(self.files), channels, size, size])
        self._ahead: dict[tuple[int, ...], tuple[Tensor, list[Future]]] = {}

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"StreamedImages({list(self.shape)})"

    def __getitem__(self, index) -> Tensor:
        if isinstance(index, int):
            return self[[index]][0]
        numbers = self._numbers(index)
        images, jobs = self._ahead.pop(numbers) if numbers in self._ahead else self._start(numbers)
        for job in jobs:
            job.result()
        return images

    def prefetch(self, index) -> None:
        """Start decoding the `x[index]` that will be asked for. At most two wait, the oldest is dropped."""
        numbers = self._numbers(index)
        if numbers in self._ahead:
            return
        while len(self._ahead) > 1:
            _, jobs = self._ahead.pop(next(iter(self._ahead)))
            for job in jobs:
                job.cancel()
        self._ahead[numbers] = self._start(numbers)

    def subset(self, index) -> StreamedImages:
        """The chosen images, still as files."""
        files = [self.files[i] for i in self._numbers(index)]
        return StreamedImages(files, self.shape[2], self.shape[1], self.workers)

    def _numbers(self, index) -> tuple[int, ...]:
        if isinstance(index, slice):
            return tuple(range(len(self))[index])
        return tuple(as_index(index, len(self)).tolist())

    def _start(self, numbers: tuple[int, ...]) -> tuple[Tensor, list[Future]]:
        images = torch.empty(len(numbers), *self.shape[1:], dtype=torch.uint8)
        out = images.numpy()

        def decode(start: int) -> None:
            for place in range(start, min(start + CHUNK, len(numbers))):
                out[place] = self._read(self.files[numbers[place]])

        return images, [pool(self.workers).submit(decode, start) for start in range(0, len(numbers), CHUNK)]

    def _read(self, path: Path):
        try:
            return read_image(path, self.shape[2], self.shape[1])
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"{path} was there when the set was loaded and is gone now: put it back, or load the set again"
            ) from error
        except UnreadableImage as error:
            raise UnreadableImage(
                f"{path} cannot be read ({error}): remove or repair it, and load the set again"
            ) from error
