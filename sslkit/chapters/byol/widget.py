"""Two inputs, one noisier than the other: which of them does the student turn to?"""

from collections.abc import Callable

from sslkit.chapters.byol import pictures
from sslkit.widgets import Panel, slider


def two_inputs(learn: Callable[[float, float], list], first: tuple[float, float] = (0.3, 0.8)) -> Panel:
    """A panel with a slider for the noise of either input.

    learn(noise_a, noise_b): the weights (w_a, w_b) of both inputs, step by step; first: the noises at the start.
    """
    controls = {
        "noise_a": slider("noise of input a", first[0], 0.0, 1.0),
        "noise_b": slider("noise of input b", first[1], 0.0, 1.0),
    }
    still = [(0.5, 0.5), (0.4, 0.6), first]

    def draw(noise_a: float, noise_b: float):
        return pictures.two_inputs({(noise_a, noise_b): learn(noise_a, noise_b)})

    return Panel(controls, draw, lambda: pictures.two_inputs({noises: learn(*noises) for noises in still}))
