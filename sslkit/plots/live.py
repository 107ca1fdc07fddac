"""The loss while it falls: one figure that is redrawn in place, or lines of text where there is no
Jupyter."""

import sys
import time
from typing import Any

from .curves import draw_losses, verdict
from .picture import COLOURS, FAINT, INK, TEXT_SIZE, WIDTH, Picture, drawing, frame, name_lines, plain_axes, render
from .text import describe

MOST_POINTS = 1500  # drawn a curve: more would cost time and show nothing


def in_jupyter() -> bool:
    """Whether pictures can be shown: a kernel is running this process."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


def duration(seconds: float) -> str:
    """43 s, 5 min 20 s, 3 h 05 min."""
    s = round(seconds)
    if s < 60:
        return f"{s} s"
    return f"{s // 60} min {s % 60:02d} s" if s < 3600 else f"{s // 3600} h {s % 3600 // 60:02d} min"


class Live:
    """Live loss figure with its chance level, and the accuracy of a probe beside it.

    live = Live(chance=method.chance(256), title="...", probe="kNN accuracy, validation split")
    for record in train(method, x, recipe):
        live.update(record, probe=accuracy if due else None)

    Redrawn at most every `every` seconds, and so rarely that drawing takes under 3 % of the time, whatever the machine;
    the last picture stays in the notebook. things: what the speed counts ("passages" of text). After an interrupt call
    finish(), so that it shows the last step.
    """

    def __init__(
        self,
        chance: float | None = None,
        title: str = "Training",
        probe: str | None = None,
        caption: str = "",
        every: float = 2.0,
        things: str = "images",
    ):
        self.chance, self.title, self.probe_name, self.caption = chance, title, probe, caption
        self.every, self.things = every, things
        self.steps: list[int] = []
        self.losses: list[float] = []
        self.probes: dict[str, list[tuple[int, float]]] = {}
        self.record: Any = None  # the last sslkit.train.Record, and the first
        self.first: Any = None
        self.next_draw, self.handle = 0.0, None

    def update(self, record, probe: float | dict | None = None):
        """Take in one training record, and a probe's accuracy if there is a new one ({name: accuracy} for
        several)."""
        self.first = self.first or record
        self.record = record
        self.steps.append(record.step)
        self.losses.append(record.loss)
        if probe is not None:
            for name, value in (probe if isinstance(probe, dict) else {"": probe}).items():
                self.probes.setdefault(name, []).append((record.step, float(value)))
        if record.step >= record.steps:
            self.finish()
        elif time.monotonic() >= self.next_draw:
            self._show()

    def finish(self):
        """Show the state after the last step taken."""
        if self.record is not None:
            self._show()

    def _show(self):
        start = time.monotonic()
        if in_jupyter():
            from IPython.display import display

            picture = self.draw()
            if self.handle is None:
                self.handle = display(picture, display_id=True)
            else:
                self.handle.update(picture)
        else:
            words = f". {self.words()}" if self.record.step >= self.record.steps else ""
            print(f"{self.status()}, loss {self.losses[-1]:.4g}{self._probe_words()}{words}", flush=True)
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
        """What the losses say, compared with the chance level."""
        return verdict(self.losses, self.chance, done=self.record.step >= self.record.steps)

    def _probe_words(self) -> str:
        return "".join(
            f", {name or self.probe_name or 'probe'} {points[-1][1]:.1%}" for name, points in self.probes.items()
        )

    @drawing
    def draw(self) -> Picture:
        """The figure of now."""
        r = self.record
        if r is None:
            raise ValueError("nothing to draw yet: call update(record) first")
        words = self.words() or " "
        fig, (left, bottom, w, h) = frame(WIDTH, 2.75, self.title, f"{self.caption} {words}".strip() or " ")
        inch_w, inch_h = fig.get_size_inches()
        two = bool(self.probes) or self.probe_name is not None
        # Fixed margins: the constrained layout of the other figures would double the time for a redraw.
        low, height, width = bottom + 0.48 / inch_h, h - 0.8 / inch_h, w * (0.56 if two else 1) - 0.8 / inch_w
        ax = fig.add_axes((left + 0.55 / inch_w, low, width, height))
        plain_axes(ax, "step", "loss", self.status(), grid="y")
        stride = max(1, len(self.losses) // MOST_POINTS)
        draw_losses(ax, {"loss": (self.steps[::stride], self.losses[::stride])}, self.chance)
        ax.set_xlim(0, r.steps)
        if two:
            start = left + w * 0.56 + 0.6 / inch_w
            ax = fig.add_axes((start, low, left + w - start - 0.25 / inch_w, height))
            plain_axes(ax, "step", "", self.probe_name or "probe accuracy", grid="y")
            ax.set_xlim(0, r.steps)
            ax.yaxis.set_major_formatter(lambda v, _: f"{v:.0%}")
            for colour, (name, points) in zip(COLOURS[2:] * 4, self.probes.items()):
                ax.plot(*zip(*points), color=colour, marker="o", markersize=4, linewidth=1.8, label=name or None)
                ax.annotate(
                    f"{points[-1][1]:.1%}",
                    points[-1],
                    (-4, 6),
                    textcoords="offset points",
                    ha="right",
                    size=TEXT_SIZE,
                    color=INK,
                )
            ax.margins(y=0.25)
            lowest, highest = ax.get_ylim()
            spare = max(0.0, 0.06 - (highest - lowest)) / 2  # ticks are whole percents: noise is not to fill the axis
            ax.set_ylim(lowest - spare, highest + spare)
            if any(self.probes):
                name_lines(ax)
            if not self.probes:
                ax.text(
                    0.5,
                    0.5,
                    "no measurement yet",
                    transform=ax.transAxes,
                    ha="center",
                    size=TEXT_SIZE,
                    color=FAINT,
                )
                ax.set(yticks=[])
        alt = describe(
            f"Loss curve, {self.status()}, loss {self.losses[-1]:.4g}{self._probe_words()}",
            self.title,
            f"{self.caption} {words}",
        )
        return render(fig, alt, colours=48)
