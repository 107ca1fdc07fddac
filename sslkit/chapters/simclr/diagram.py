"""The method as a diagram. What goes in, what learns, what is compared."""

from sslkit.plots import Box

BOXES = {
    "image": Box("data", 0, 0.5),
    "view 1": Box("data", 1, 0),
    "view 2": Box("data", 1, 1),
    "encoder": Box("learns", 2, 0, rows=2),
    "projector": Box("learns", 3, 0, rows=2),
    "which is mine?": Box("compared", 4, 0, rows=2, text="which is\nmy partner?"),
}
ARROWS = ["image -> view 1 -> encoder -> projector -> which is mine?", "image -> view 2 -> encoder"]
DIAGRAM = (
    BOXES,
    ARROWS,
    "Both views through the same network; each looks for its partner",
    "Chen et al. 2020, figure 2.",
)
