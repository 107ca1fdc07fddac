"""A widget as IPython displays it."""

import base64
import io

from IPython.core.formatters import DisplayFormatter
from PIL import Image

from sslkit.widgets.panel import WIDGET_MIME


def displayed(widget) -> tuple[dict, dict]:
    """The data and metadata that IPython shows: the live widget, and a picture that can be opened."""
    data, metadata = DisplayFormatter().format(widget)
    assert data[WIDGET_MIME]["model_id"] == widget.model_id
    Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).verify()
    return data, metadata
