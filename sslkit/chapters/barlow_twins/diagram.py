"""The method as a diagram. What goes in, what learns, what is compared."""

from sslkit.plots import Box

BOXES = {
    "image": Box("data", 0, 0.5),
    "view 1": Box("data", 1, 0),
    "view 2": Box("data", 1, 1),
    "encoder": Box("learns", 2, 0, rows=2),
    "projector": Box("learns", 3, 0, rows=2),
    "identity?": Box("compared", 4, 0, rows=2, text="correlations\nof all numbers:\nthe identity?"),
}
ARROWS = ["image -> view 1 -> encoder -> projector -> identity?", "image -> view 2 -> encoder"]
DIAGRAM = (
    BOXES,
    ARROWS,
    "Both views through one network; output numbers are compared, not images",
    "Zbontar et al. 2021, figure 1.",
)
