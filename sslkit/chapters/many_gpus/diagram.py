"""One step of data-parallel training as a diagram: plain, in four processes, and with a gather, in two."""

from sslkit.plots import Box

RANKS = range(4)
BOXES = {
    "batch": Box("data", 0, 0, rows=4),
    **{f"part {r}": Box("data", 1, r, text=f"part {r}") for r in RANKS},
    **{f"network {r}": Box("learns", 2, r, text="same network") for r in RANKS},
    **{f"loss {r}": Box("compared", 3, r, text="its loss") for r in RANKS},
    "mean": Box("data", 4, 0, rows=4, text="mean of\nthe four\ngradients,\nback to all\nnetworks"),
}
ARROWS = [f"batch -> part {r} -> network {r} -> loss {r} -> mean" for r in RANKS]
DIAGRAM = (
    BOXES,
    ARROWS,
    "Four processes, one network: the mean of their gradients moves all four",
    "Plain data-parallel training: only gradients travel, neither images nor weights. What a contrastive loss needs besides comes in "
    "section 2. Li et al. 2020.",
)

PAIR = range(2)
GATHER = (
    {
        **{f"part {r}": Box("data", 0, r) for r in PAIR},
        **{f"network {r}": Box("learns", 1, r, text="same network") for r in PAIR},
        **{f"rows {r}": Box("data", 2, r) for r in PAIR},
        "gather": Box("data", 3, 0, rows=2, text="gather:\nall rows"),
        **{f"loss {r}": Box("compared", 4, r, text="loss of\nall rows") for r in PAIR},
    },
    [f"part {r} -> network {r} -> rows {r} -> gather -> loss {r}" for r in PAIR],
    "With a gather each loss sees all rows, and its gradient reaches all of them",
    "Two processes. On the way back the gather adds up what both losses say of a row, and sends it to where the row came from.",
)
