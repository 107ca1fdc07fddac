"""The controls that all panels share: sliders, drop-downs, and the picture that follows them.

Made of the browser's own elements (controls.js). Those of ipywidgets have no accessible name, a logarithmic slider's value is spoken as
its logarithm, JupyterLab takes the arrow keys of a drop-down for moving between cells, and a picture has no alt text.
"""

from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

HERE = Path(__file__).parent


class Control(anywidget.AnyWidget):
    """What the three have in common: their script, their style, and a name."""

    _esm = HERE / "controls.js"
    _css = HERE / "controls.css"
    _ipython_display_ = None  # as in Panel

    kind = traitlets.Unicode().tag(sync=True)
    description = traitlets.Unicode().tag(sync=True)


class Slider(Control):
    """A number, a pair of numbers (from, to) or one of some options, by one handle or two; see `slider`."""

    kind = traitlets.Unicode("slider").tag(sync=True)
    value: Any = traitlets.Any().tag(sync=True)
    min = traitlets.Float(0).tag(sync=True)
    max = traitlets.Float(1).tag(sync=True)
    step = traitlets.Float(0.01).tag(sync=True)
    log = traitlets.Bool(False).tag(sync=True)
    digits = traitlets.Int(2).tag(sync=True)
    options: traitlets.List[Any] = traitlets.List([]).tag(sync=True)

    @traitlets.validate("value")
    def _within(self, proposal: dict) -> Any:
        """The value brought into the range, as the kind of number that it was at first."""
        value = proposal["value"]
        if self.options:
            if value not in self.options:
                raise traitlets.TraitError(f"{value!r} is not one of {', '.join(map(str, self.options))}")
            return value
        if isinstance(value, (list, tuple)):
            return tuple(sorted(self._number(one) for one in value))
        return self._number(value)

    def _number(self, value: float) -> float:
        value = min(max(value, self.min), self.max)
        return round(value) if self.digits == 0 else float(value)


class Choice(Control):
    """A drop-down of names."""

    kind = traitlets.Unicode("choice").tag(sync=True)
    options: traitlets.List[Any] = traitlets.List([]).tag(sync=True)
    value = traitlets.Unicode().tag(sync=True)

    @traitlets.validate("value")
    def _known(self, proposal: dict) -> str:
        if proposal["value"] not in self.options:
            raise traitlets.TraitError(f"{proposal['value']!r} is not one of {', '.join(self.options)}")
        return proposal["value"]


class Shown(Control):
    """A picture in the page: PNG bytes, its alt text, and the pixels of the page that it takes."""

    kind = traitlets.Unicode("picture").tag(sync=True)
    value = traitlets.Bytes().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    width = traitlets.Int().tag(sync=True)

    def show(self, picture) -> None:
        """Show a plots.Picture, in one message to the page."""
        with self.hold_sync():
            self.alt, self.width, self.value = picture.alt, picture.width, picture.png


def slider(description: str, value, low=0, high=1, log: bool = False, options=()) -> Slider:
    """A slider for an int, a float, a pair of floats, or one of `options`. It redraws while it is dragged: the page sends a value only
    when the kernel is done with the one before."""
    layout = ipywidgets.Layout(min_width="20rem", max_width="34rem", flex="1 1 26rem")
    if options:
        return Slider(options=list(options), value=value, description=description, layout=layout)
    ends = value if isinstance(value, (tuple, list)) else [value]
    low, high = min(low, *ends), max(high, *ends)
    whole = isinstance(value, int)
    step, digits = (1, 0) if whole else (0.01, 3 if log else 2)
    range_ = dict(min=low, max=high, step=step, log=log, digits=digits)
    return Slider(**range_, value=value, description=description, layout=layout)


def choice(description: str, options, value: str | None = None) -> Choice:
    """A drop-down; `value` is the first option unless it says otherwise."""
    options = list(options)
    start = options[0] if value is None else value
    return Choice(options=options, value=start, description=description, layout=ipywidgets.Layout(width="28rem"))
