"""The threshold of pseudo-labels: which unlabelled images pass, and whether the label they would get is right."""

import numpy as np

from sslkit import plots
from sslkit.chapters.transfer.guesses import guesses
from sslkit.widgets import Panel, choice, slider

COLUMNS, ROWS = 8, 3  # images shown at a time
LEVELS = (0.0, 0.5, 0.8, 0.95)  # of the picture without a kernel


def threshold_slider(images, probabilities, y, classes: list[str], threshold: float = 0.95) -> Panel:
    """A panel with a slider for the threshold over images that nobody has labelled for the network.

    images [N, C, H, W]; probabilities: [N, K], or {name: [N, K]} of several networks to choose from; y [N]: the true
    labels, which training never sees; classes: K names. Shown are those of the images that pass which are least sure
    (they go first when the threshold rises), framed blue where the pseudo-label is right, red where it is wrong.
    Without a kernel: the first network at four thresholds.
    """
    networks = probabilities if isinstance(probabilities, dict) else {"network": probabilities}
    networks, y = {name: plots.array(p) for name, p in networks.items()}, plots.array(y)
    for name, p in networks.items():
        if p.shape != (len(images), len(classes)) or y.shape != (len(images),):
            raise ValueError(
                f"{name}: {len(images)} images of {len(classes)} classes need probabilities "
                f"[{len(images)}, {len(classes)}] and {len(images)} labels, got {list(p.shape)} and {list(y.shape)}"
            )
    controls = {"network": choice("labels by", networks), "threshold": slider("threshold", float(threshold), 0.0, 0.99)}

    def least_sure(p: np.ndarray, level: float, start: int = 0) -> tuple:
        """Images that pass `level`, the least sure first, with what they would be called and whether that is right."""
        passed = np.flatnonzero(p.max(1) >= level)
        shown = passed[np.argsort(p[passed].max(1), kind="stable")][start : start + COLUMNS]
        guess = p[shown].argmax(1)
        return images[shown], [f"{p[i, g]:.0%} {classes[g]}" for i, g in zip(shown, guess)], guess == y[shown]

    def draw(network: str, threshold: float) -> plots.Picture:
        p = networks[network]
        words = f"Labels by {network}: {tally(p, y, threshold)}"
        rows = {" " * row: least_sure(p, threshold, row * COLUMNS) for row in range(ROWS)}
        rows = {name: row for name, row in rows.items() if len(row[0])}
        if not rows:
            return plots.note(f"Threshold {threshold:.2f}: no image passes", words)
        caption = f"{words} Below each: pseudo-label and its probability. Blue: right, red: wrong."
        return guesses(rows, f"Threshold {threshold:.2f}: the least sure of those that pass", caption, side=88)

    def still() -> plots.Picture:
        name, p = next(iter(networks.items()))
        rows = {f"{level:.2f}": least_sure(p, level) for level in LEVELS}
        rows = {level: row for level, row in rows.items() if len(row[0])}
        tallies = " ".join(f"{level:.2f}: {tally(p, y, level)}" for level in LEVELS)
        caption = f"Labels by {name}. {tallies} Blue: right, red: wrong. Run the notebook to move the threshold."
        return guesses(rows, "The least sure images that pass a higher and higher threshold", caption, side=88)

    return Panel(controls, draw, still)


def tally(p: np.ndarray, y: np.ndarray, threshold: float) -> str:
    """In words: how many of the images with probabilities p [N, K] pass, and how many of them get the right label."""
    passed = p.max(1) >= threshold
    if not passed.any():
        return f"none of {len(p):,} pass."
    right = (p.argmax(1) == y)[passed].mean()
    return f"{passed.mean():.0%} of {len(p):,} pass, {right:.0%} of them with the right label."
