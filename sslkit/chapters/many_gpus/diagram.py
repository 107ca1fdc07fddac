"""Four processes and one step of data-parallel training, as a diagram."""

from sslkit.plots import Box

RANKS = range(4)
BOXES = {
    "batch": Box("data", 0, 0, rows=4),
    **{f"part {r}": Box("data", 1, r, text=f"part {r}") for r in RANKS},
    **{f"network {r}": Box("learns", 2, r, text="same network") for r in RANKS},
    **{f"loss {r}": Box("compared", 3, r, text="its loss") for r in RANKS},
    "mean": Box("data", 4, 0, rows=4, text="mean of\nthe four\ngradients:\none step\nfor all"),
}
ARROWS = [f"batch -> part {r} -> network {r} -> loss {r} -> mean" for r in RANKS]
DIAGRAM = (
    BOXES,
    ARROWS,
    "Four processes, one network: the mean of their gradients moves all four",
    "Only gradients travel between the processes, neither images nor weights. Li et al. 2020.",
)
