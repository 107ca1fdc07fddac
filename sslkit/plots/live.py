"""The loss while it falls: one figure that is redrawn in place, or lines of text where there is no
Jupyter."""

import math
import time
from textwrap import fill
from typing import Any

from sslkit.progress import duration, in_jupyter

from .axes import DASHED, Percent, name_lines, plain_axes
from .curves import draw_losses, verdict
from .picture import COLOURS, FAINT, INK, TEXT_SIZE, WIDTH, Picture, drawing, frame, render
from .text import percent

MOST_POINTS = 1500  # drawn a curve: more would cost time and show nothing


class Live:
    """Live loss figure with its chance level, and the accuracy of a probe beside it. For a method without a chance level
    the spread of its features stands between them: 0 means that all images have the same.

    live = Live(chance=method.chance(256), title="...", probe="kNN accuracy, validation split")
    for record in train(method, x, recipe):
        live.update(record, probe=accuracy if due else None)

    Redrawn at most every `every` seconds, and so rarely that drawing takes under 3 % of the time, whatever the machine;
    the last picture stays in the notebook, and shows the last step however the cell ends. things: what the speed counts
    ("passages" of text). limits: of the probe's axis, where runs are to be compared; by default those of the numbers. level: what the
    loss is held against, where that is not chance ("copying"). probe_chance: the accuracy of guessing, a dashed line in the probe's panel.
    """

    def __init__(
        self,
        chance: float | None = None,
        title: str = "Training",
        probe: str | None = None,
        caption: str = "",
        every: float = 2.0,
        things: str = "images",
        limits: tuple[float, float] | None = None,
        level: str = "chance",
        probe_chance: float | None = None,
    ):
        self.level, self.probe_chance = level, probe_chance
        self.chance, self.title, self.probe_name, self.caption = chance, title, probe, caption
        self.every, self.things, self.limits = every, things, limits
        self.steps: list[int] = []
        self.losses: list[float] = []
        self.probes: dict[str, list[tuple[int, float]]] = {}
        self.spreads: list[tuple[int, float]] = []
        self.spread: Any = None  # the last record that has a spread
        self.record: Any = None  # the last sslkit.train.Record, and the first
        self.first: Any = None
        self.next_draw, self.handle, self.shown = 0.0, None, 0
        if in_jupyter():
            self._finish_with_the_cell()

    def update(self, record, probe: float | dict | None = None):
        """Take in one training record, and a probe's accuracy if there is a new one ({name: accuracy} for
        several)."""
        self.first = self.first or record
        self.record = record
        self.steps.append(record.step)
        self.losses.append(record.loss)
        if getattr(record, "spread", None) is not None:
            self.spreads.append((record.step, record.spread))
            self.spread = record
        if probe is not None:
            for name, value in (probe if isinstance(probe, dict) else {"": probe}).items():
                self.probes.setdefault(name, []).append((record.step, float(value)))
        if record.step >= record.steps:
            self.finish()
        elif time.monotonic() >= self.next_draw:
            self._show()

    def finish(self):
        """Show the state after the last step taken."""
        if self.record is not None and self.shown != self.record.step:
            self._show()

    def _finish_with_the_cell(self):
        """However the cell ends, by an error or the stop button too, the picture shows the last step."""
        from IPython import get_ipython

        events = get_ipython().events

        def ended(*_):
            events.unregister("post_run_cell", ended)
            self.finish()

        events.register("post_run_cell", ended)

    def _show(self):
        start, self.shown = time.monotonic(), self.record.step
        if in_jupyter():
            from IPython.display import display

            picture = self.draw()
            if self.handle is None:
                self.handle = display(picture, display_id=True)
            else:
                self.handle.update(picture)
        else:
            words = f". {self.words()}" if self.record.step >= self.record.steps else ""
            print(f"{self.status()}, {self._numbers()}{words}", flush=True)
        end = time.monotonic()
        self.next_draw = end + max(self.every, 40 * (end - start))

    def status(self) -> str:
        """step 300 of 600, 2,100 images/s, 45 s left"""
        r, first = self.record, self.first
        text = f"step {r.step:,} of {r.steps:,}, {r.images_per_second:,.0f} {self.things}/s"
        if r.step >= r.steps:
            return f"{text}, {duration(r.seconds)} in all"
        taken = r.step - first.step  # a resumed run starts late: only what was seen here tells the speed
        return f"{text}, {duration((r.seconds - first.seconds) / taken * (r.steps - r.step))} left" if taken else text

    def words(self) -> str:
        """What the losses say, compared with the chance level; without one, whether the features have collapsed."""
        done = self.record.step >= self.record.steps
        return verdict(self.losses, self.chance, done=done, record=self.spread, level=self.level)

    def _numbers(self) -> str:
        """loss 0.31, spread 0.72, effective rank 24.1, kNN accuracy 41.3%"""
        s = self.spread
        spread = f", spread {s.spread:.2f}, effective rank {s.rank:.1f}" if s else ""
        probes = (
            f", {name or self.probe_name or 'probe'} {percent(points[-1][1], 1)}"
            for name, points in self.probes.items()
        )
        return f"loss {self.losses[-1]:.4g}{spread}{''.join(probes)}"

    @drawing
    def draw(self) -> Picture:
        """The figure of now."""
        r = self.record
        if r is None:
            raise ValueError("nothing to draw yet: call update(record) first")
        words = self.words() or " "
        panels = [self._draw_loss]
        panels += [self._draw_spread] if self.spreads else []
        panels += [self._draw_probe] if self.probes or self.probe_name is not None else []
        narrow = len(panels) == 3  # no room above the loss for what the caption can say
        caption = " ".join([self.caption, *([f"{self.status().capitalize()}."] if narrow else []), words]).strip()
        fig, (left, bottom, w, h) = frame(WIDTH, 2.95 if narrow else 2.75, self.title, caption or " ")
        inch_w, inch_h = fig.get_size_inches()
        # Fixed margins: the constrained layout of the other figures would double the time for a redraw.
        low, height = bottom + 0.48 / inch_h, h - (1.0 if narrow else 0.8) / inch_h
        shares = {1: (1.0,), 2: (0.56, 0.44), 3: (0.4, 0.3, 0.3)}[len(panels)]
        for draw, share in zip(panels, shares):
            width = w * share - (1.3 if draw == self._draw_loss and self.chance is not None else 0.8) / inch_w
            ax = fig.add_axes((left + 0.55 / inch_w, low, width, height))
            draw(ax)
            if narrow:
                heading = "" if draw == self._draw_loss else fill(ax.get_title(loc="left"), 27)
                ax.set_title(heading, size=TEXT_SIZE + 1, color=INK, loc="left")
            ax.set_xlim(0, 1.02 * r.steps)  # the last dot is whole
            left += w * share
        what = f"Loss curve, {self.status()}, {self._numbers()}"
        return render(fig, self.title, f"{self.caption} {words}", what, colours=48)

    def _draw_loss(self, ax) -> None:
        plain_axes(ax, "step", "loss", self.status(), grid="y")
        stride = max(1, len(self.losses) // MOST_POINTS)
        draw_losses(ax, {"loss": (self.steps[::stride], self.losses[::stride])}, self.chance, level=self.level)

    def _draw_spread(self, ax) -> None:
        plain_axes(ax, "step", "", f"spread (rank {self.spread.rank:.0f})", grid="y")
        ax.plot(*zip(*self.spreads), color=COLOURS[1], linewidth=1.8)
        ax.set_ylim(0, 1)

    def _draw_probe(self, ax) -> None:
        plain_axes(ax, "step", "", self.probe_name or "probe accuracy", grid="y")
        ax.yaxis.set_major_formatter(Percent())
        for colour, (name, points) in zip(COLOURS[2:] * 4, self.probes.items()):
            last = percent(points[-1][1], 1)
            if name:
                last = f"{name} {last}"
            else:
                head = f"{self.probe_name or 'probe accuracy'}: {last}"
                ax.set_title(head, size=TEXT_SIZE + 1, color=INK, loc="left")
            ax.plot(*zip(*points), color=colour, marker="o", markersize=4, linewidth=1.8, label=last)
        if self.probe_chance is not None:
            ax.axhline(self.probe_chance, **DASHED)
            where = dict(xycoords=("axes fraction", "data"), xytext=(0, 2), textcoords="offset points")
            said = f"chance {self.probe_chance:.0%}"
            ax.annotate(said, (1, self.probe_chance), size=TEXT_SIZE, color=FAINT, ha="right", va="bottom", **where)
        ax.margins(y=0.25)
        lowest, highest = ax.get_ylim()
        spare = max(0.0, 0.06 - (highest - lowest)) / 2  # ticks are whole percents: noise is not to fill the axis
        floor = 0.0 if all(value >= 0 for points in self.probes.values() for _, value in points) else -math.inf
        ax.set_ylim(*self.limits or (max(floor, lowest - spare), highest + spare))
        if any(self.probes):
            name_lines(ax)
        if not self.probes:
            words = "no measurement yet"
            ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", size=TEXT_SIZE, color=FAINT)
            ax.set(yticks=[])
