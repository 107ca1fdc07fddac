"""The InfoNCE similarity matrix, and what the temperature does to it."""

from sslkit import plots
from sslkit.chapters.simclr import figures
from sslkit.widgets import Panel, slider


def similarity(z1, z2, images=None, temperature: float = 0.1, most: int = 16, title: str = "") -> Panel:
    """A panel on the InfoNCE matrix of the first `most` pairs: sliders for the temperature and the row.

    z1, z2 [N, K]: projections of two views (need not be normalised); images: the two batches of views, as a
    pair (x1, x2), to show the row's image with its hardest negatives. title: of the picture that stands still.
    """
    z1, z2 = plots.array(z1)[:most], plots.array(z2)[:most]
    figures.info_nce_parts(z1, z2, temperature)  # a wrong shape is an error here, not in the panel
    views = None if images is None else [x[:most] for x in images]
    controls = {
        "temperature": slider("temperature", temperature, 0.02, 2.0, log=True),
        "row": slider("row", 0, 0, 2 * len(z1) - 1),
    }

    def draw(temperature, row):
        return figures.similarity_matrix(z1, z2, temperature, row, views)

    return Panel(controls, draw, lambda: figures.temperature_strip(z1, z2, title=title))
