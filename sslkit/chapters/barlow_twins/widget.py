"""The cross-correlation matrix through a training."""

from torch import Tensor

from sslkit.chapters.barlow_twins import pictures
from sslkit.widgets import Panel, slider


def turning(matrices: dict[int, Tensor], most: int = 32) -> Panel:
    """A panel with a slider over the steps at which a cross-correlation matrix [K, K] was kept, {step: matrix}; its first `most`
    numbers are shown."""
    steps = sorted(matrices)
    if not steps:
        raise ValueError("matrices is empty: keep one in training")

    def draw(step: int):
        return pictures.one_matrix(matrices[step], step, most)

    def fallback():
        chosen = dict.fromkeys(steps[round(k * (len(steps) - 1) / 4)] for k in range(5))
        title = "The cross-correlation matrix comes closer to the identity"
        caption = f"{pictures.TURNING} {pictures.two_parts([matrices[step] for step in chosen])}"
        return pictures.matrices({f"step {step:,}": matrices[step] for step in chosen}, title, caption, most)

    return Panel({"step": slider("step", steps[-1], options=steps)}, draw, fallback)
