"""How many processes, and which negatives each of their losses sees."""

from sslkit.chapters.many_gpus import figures
from sslkit.widgets import Panel, slider


def negatives(batch: int = 16, processes: int = 4) -> Panel:
    """A panel on the similarity matrix of a batch that is spread over processes: how many, and whose loss is looked at.

    batch: images over all processes; the numbers of processes that divide it can be chosen. ValueError unless
    `processes` does.
    """
    figures.negatives(batch, processes)  # a number that does not divide is an error here, not in the panel
    numbers = [n for n in range(1, batch + 1) if batch % n == 0]
    controls = {
        "processes": slider("processes", processes, options=numbers),
        "process": slider("whose loss", 0, 0, max(numbers) - 1),
    }

    def draw(processes, process):
        return figures.negatives(batch, processes, min(process, processes - 1))

    return Panel(controls, draw, lambda: figures.negatives(batch, processes))
