"""MoCo's queue: how old its keys are, and how much they still agree with the teacher."""

from math import ceil

from sslkit import plots
from sslkit.chapters.moco import figures
from sslkit.widgets import Panel, choice, slider

LENGTHS = (64, 256, 512, 1024, 2048, 4096, 8192)
BATCHES = (16, 32, 64, 128, 256)


def key_queue(agreement: dict, queue: int = 2048, batch: int = 64, momentum=None, note: str = "") -> Panel:
    """A panel on the dictionary: the length of the queue, the batch, the momentum, and the step that looks into it.

    agreement: {momentum: [2, A + 1]}, measured in a training run of each: the mean cosine of keys that are 0 .. A steps
    old with keys made now, of the same views and of different ones. momentum: the one shown first (the first of them).
    note: how the runs were made, added to the caption.
    """
    curves = {f"momentum {m:g}": plots.array(values) for m, values in agreement.items()}
    if not curves:
        raise ValueError("agreement is empty: record at least one run")
    first = f"momentum {momentum:g}" if momentum is not None else next(iter(curves))
    controls = {
        "queue": slider("keys in the queue", queue, options=sorted({*LENGTHS, queue})),
        "batch": slider("batch: keys per step", batch, options=sorted({*BATCHES, batch})),
        "momentum": choice("teacher", curves, first),
        "step": slider("step", 7, 0, 100),
    }

    def draw(queue, batch, momentum, step):
        title, caption = words_of(curves[momentum], queue, batch)
        return figures.dictionary(curves, queue, batch, [momentum], step, title, f"{caption} {note}".strip())

    def fallback():
        title = "The slower the teacher, the longer its keys stay apart from those of other images"
        caption = (
            "Solid: mean cosine of a key with keys made now of the same views. Dotted: of other images. Shaded: the ages in a "
            f"queue of {queue:,} keys at {batch} a step. {note} Run the notebook to see the queue and to move the sliders."
        )
        return figures.agreements(curves, ceil(queue / batch), title, caption)

    return Panel(controls, draw, fallback)


def words_of(curve, queue: int, batch: int) -> tuple[str, str]:
    """Title and caption: how old the oldest key is, and what it is worth."""
    oldest = ceil(queue / batch)
    age = f"{oldest} step{'s' if oldest > 1 else ''}"
    same, _ = curve
    worth = f"agreement {same[oldest]:.2f}" if oldest < len(same) else "older than what was measured"
    title = f"{queue:,} keys at {batch} a step: the oldest is {age} old ({worth})"
    caption = (
        "Each cell is a key in the queue, dark where it disagrees with the present teacher (mean cosine of keys of its "
        "age with keys made now), grey where it is too old for what was measured. Red square: the next to be "
        "overwritten. Shaded: the ages in this queue. Dotted: the cosine with keys of other images."
    )
    return title, caption
