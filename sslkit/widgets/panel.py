"""Controls above a picture: what the playground, the similarity matrix and the data picker share."""

import html
import threading

import ipywidgets

from sslkit import plots
from sslkit.plots.picture import for_a_moment

from .controls import Shown

WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
ALERT = '<p role="alert" style="color: #B00020; background: #FFF; padding: 4px">{}</p>'


def bundle(widget, picture):
    """A live widget's MIME bundle, with a picture for where no kernel runs: before Run All, on GitHub, in
    HTML.

    Written out, not taken from super(): ipywidgets 7 (Colab) has no _repr_mimebundle_, and what ipywidgets 8
    and anywidget return differs.
    """
    data, metadata = picture._repr_mimebundle_()
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return data | {WIDGET_MIME: view}, metadata


class Panel(ipywidgets.VBox):
    """Named controls, a picture that follows them, and a line for what went wrong.

    draw(**values) -> Picture is called with the controls' values whenever one changes; an error in it is
    shown in words and the last picture stays. fallback() -> Picture is what a reader without a kernel sees: a
    strip of settings. `.controls[name].value` and `.picture` are what is set and shown.
    """

    _ipython_display_ = None  # that of ipywidgets 7 would go before the bundle and leave out the picture

    def __init__(self, controls: dict, draw, fallback):
        self.controls, self.draw, self.fallback, self.picture = controls, draw, fallback, None
        self.image = Shown(layout=ipywidgets.Layout(max_width="100%"))
        self.words = ipywidgets.HTML()
        self._lock = threading.RLock()
        row = ipywidgets.Layout(display="flex", flex_flow="row wrap", width="100%")
        super().__init__([ipywidgets.Box(list(controls.values()), layout=row), self.words, self.image])
        self.add_class("sslkit-panel")
        for control in controls.values():
            control.observe(self.refresh, names="value")
        self.refresh()

    def values(self) -> dict:
        """The controls' present values by name."""
        return {name: control.value for name, control in self.controls.items()}

    def refresh(self, change=None):
        """Draw again with the present values.

        JupyterLab may call this in a second thread while a cell runs: values are read under the lock, so that
        the picture that is drawn last shows the values that were set last.
        """
        with self._lock:
            values = self.values()
            try:
                with for_a_moment():
                    picture = self.draw(**values)
            except Exception as error:  # Jupyter would hide it in a log, and the control would seem dead
                self.words.value = ALERT.format(html.escape(f"{type(error).__name__}: {error}"))
                return
            if values == self.values():  # else drawing has set a control, which has drawn already
                self.words.value = ""
                self.image.show(picture)
                self.picture = picture

    def _repr_mimebundle_(self, include=None, exclude=None, **kwargs):
        try:
            picture = self.fallback()
        except Exception as error:  # IPython would show the error in place of the widget
            picture = plots.note("This widget has no picture", f"{type(error).__name__}: {error}")
        return bundle(self, picture)
