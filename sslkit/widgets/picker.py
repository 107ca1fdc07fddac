"""A drop-down that chooses the data set, with a look at it."""

import html
from typing import Any

import ipywidgets

from sslkit import plots
from sslkit.datasets import available, load

from .controls import choice
from .panel import Panel

_chosen: dict[str, str] = {}  # by key, in this kernel: running the cell again (Run All) keeps what was chosen
RERUN = "Now run the cells below again: menu <i>Run</i>, <i>Run Selected Cell and All Below</i>."


def preview(name: str) -> plots.Picture:
    """A few training images of a set; of one that is not on disk, words."""
    info = {one.name: one for one in available()}.get(name)
    if info is not None and info.where == "to download":
        size = f"{info.megabytes:,.0f} MB" if info.megabytes < 1000 else f"{info.megabytes / 1000:.1f} GB"
        said = f"load({name!r}) downloads about {size} on first use. {info.about}"
        return plots.note(f"{name}: not on this disk yet", said)
    data = load(name, limit=16)
    if data.kind.name == "clips":
        shape = data.train.x.shape
        said = (
            f"The first frames of {len(data.train)} training clips of {shape[1]}. Only methods for films train on it."
        )
        return plots.grid(data.train.x[:, 0], None, 8, title=f"{name}: a look at the data", caption=said, side=64)
    if data.kind.name == "tokens":
        return plots.note(f"{name}: {len(data.train)} training passages", "Only methods for text train on it.")
    titles = [data.classes[k] for k in data.train.y.tolist()] if data.train.y is not None else None
    size = " x ".join(map(str, data.train.x.shape[2:]))
    caption = f"{len(data.train)} training images, {size} pixels, of {len(data.classes) or 'no'} classes."
    return plots.grid(data.train.x, titles, 8, title=f"{name}: a look at the data", caption=caption, side=64)


def data_picker(names=None, value: str | None = None, on_change=None, key: str = "data"):
    """A panel to choose a data set by name; below it: data = load(picker.value).

    names: what to choose from (by default every set that available() lists); value: the start (the first
    name). A cell reads picker.value when it runs, so after a change the cells below must run again, which the
    panel says. The choice outlives running the picker's own cell again in the same kernel (pickers of one
    `key` share it); a fresh kernel starts from `value`. on_change(name) is called after each change.
    """
    names = list(names) if names is not None else [info.name for info in available()]
    start = value if value is not None else names[0]
    if start not in names:
        raise ValueError(f"value {start!r} is not among the names: {', '.join(names)}")
    chosen = _chosen.get(key, start)
    return DataPicker(names, chosen if chosen in names else start, on_change, key)


class DataPicker(Panel):
    """See data_picker; `.value` is the name of the chosen set."""

    def __init__(self, names: list[str], start: str, on_change, key: str):
        self.on_change, self.key = on_change, key
        self.hint = ipywidgets.HTML()
        _chosen[key] = start
        super().__init__(
            {"name": choice("data set", names, start)}, self._show, lambda: self.picture or preview(self.value)
        )
        panel: Any = self
        panel.children = [panel.children[0], self.hint, *panel.children[1:]]

    @property
    def value(self) -> str:
        """The chosen name."""
        return self.controls["name"].value

    def _show(self, name: str) -> plots.Picture:
        changed, _chosen[self.key] = name != _chosen[self.key], name
        if changed:
            self.hint.value = f"Chosen: <b>{html.escape(name)}</b>. {RERUN}"
            if self.on_change is not None:
                self.on_change(name)
        return preview(name)
