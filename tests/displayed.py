"""A widget as IPython displays it."""

import io

from IPython.core.formatters import DisplayFormatter
from PIL import Image

from sslkit.plots import Picture
from sslkit.widgets.panel import WIDGET_MIME


def displayed(widget) -> Picture:
    """What IPython shows: the live widget, and a picture that can be opened; returns the picture."""
    data, _ = DisplayFormatter().format(widget)
    assert data[WIDGET_MIME]["model_id"] == widget.model_id
    picture = Picture.found(data["text/html"])
    Image.open(io.BytesIO(picture.png)).verify()
    assert data["text/plain"] == picture.alt
    return picture
