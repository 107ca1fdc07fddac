"""What chapter 08 changes, one thing at a time; `python tests/benchmarks/ablate.py next_frame` trains each at full length."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from sslkit.chapters.next_frame.pictures import longer
from sslkit.nets import device_of, evaluating
from sslkit.train import Ablation

AHEAD = 9  # frames of the roll-out


def fed_back(method: Any) -> None:
    """In half of the batches the newest frame that is given is one that the method predicted from the three before it."""
    pretext, past = method.pretext, method.past

    def changed(x: Tensor, generator: torch.Generator | None) -> Tensor:
        clips = pretext(x, generator)
        if torch.rand((), device=clips.device, generator=generator) < 0.5:
            return clips
        windows = clips.unfold(1, past + 2, 1).movedim(-1, 2).flatten(0, 1)  # [N (T - past - 1), past + 2, C, H, W]
        with torch.no_grad():
            guess = method.predict(windows[:, :past])[0].clamp(0, 1)
        return torch.cat([windows[:, 1:past], guess[:, None].to(windows), windows[:, past + 1 :]], dim=1)

    method.pretext = changed


def off_by(method: Any, late: int) -> None:
    """A bug: the frame that the decoder moves is not the last one given, but one that comes `late` frames later."""
    forward, decoder = method.forward, method.decoder.forward

    def broken(clips: Tensor) -> Any:
        first = method.past - 1 + late
        wrong = clips[:, first : first + clips.shape[1] - method.past].flatten(0, 1)
        method.decoder.forward = lambda code, last: decoder(code, wrong)
        try:
            return forward(clips)
        finally:
            method.decoder.forward = decoder

    method.forward = broken


def codes_out_of_order(method: Any) -> None:
    """A bug: the codes go time by time, the frames clip by clip."""
    forward, code = method.forward, method.code.forward

    def broken(clips: Tensor) -> Any:
        count = clips.shape[1] - method.past  # of windows in a clip
        method.code.forward = lambda h: code(h).unflatten(0, (-1, count)).transpose(0, 1).flatten(0, 1)
        try:
            return forward(clips)
        finally:
            method.code.forward = code

    method.forward = broken


@torch.no_grad()
def also(method: Any, data: Any) -> dict[str, list[float]]:
    """The mean squared error of the roll-out of section 5, frame by frame."""
    x = longer(400, method.past + AHEAD)[0] / 255
    seen, at = x[:, : method.past].to(device_of(method)), slice(-method.past, None)
    with evaluating(method):
        for _ in range(AHEAD):
            new = torch.cat([method.predict(part)[0] for part in seen[:, at].split(100)]).clamp(0, 1)
            seen = torch.cat([seen, new[:, None]], dim=1)
    error = (seen.cpu() - x)[:, method.past :].square().mean((0, 2, 3, 4))
    return {"rolled out": [round(value, 5) for value in error.tolist()]}


ABLATIONS = {
    "as it is": Ablation(),
    "fed back": Ablation(change=fed_back),
    "sees the answer": Ablation(change=partial(off_by, late=1), once=True),
    "moves an old frame": Ablation(change=partial(off_by, late=-1), once=True),
    "codes out of order": Ablation(change=codes_out_of_order, once=True),
}
BUGS = {"A": "moves an old frame", "B": "sees the answer", "C": "codes out of order"}  # of "diagnose"
