"""How many processes, and which negatives each of their losses sees."""

import ipywidgets

from sslkit.chapters.many_gpus import figures
from sslkit.widgets.panel import Panel


def negatives(batch: int = 16, processes: int = 4) -> Panel:
    """A panel on the similarity matrix of a batch that is spread over processes: how many, and whose loss is looked at.

    batch: images over all processes; the numbers of processes that divide it can be chosen. ValueError unless
    `processes` does.
    """
    figures.negatives(batch, processes)  # a number that does not divide is an error here, not in the panel
    choices = dict(style={"description_width": "11.5rem"})
    numbers = [n for n in range(1, batch + 1) if batch % n == 0]
    controls = {
        "processes": ipywidgets.SelectionSlider(options=numbers, value=processes, description="processes", **choices),
        "process": ipywidgets.IntSlider(value=0, min=0, max=max(numbers) - 1, description="whose loss", **choices),
    }

    def draw(processes, process):
        return figures.negatives(batch, processes, min(process, processes - 1))

    return Panel(controls, draw, lambda: figures.negatives(batch, processes))
