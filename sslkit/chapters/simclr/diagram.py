"""The method as a diagram. What goes in, what learns, what is compared."""

from sslkit.plots import Box

BOXES = {
    "image": Box("data", 0, 0.5),
    "view 1": Box("data", 1, 0),
    "view 2": Box("data", 1, 1),
    "views of all other images": Box("data", 1, 2, text="views of all\nother images"),
    "encoder": Box("learns", 2, 0, rows=3, text="encoder:\nh, which\nis kept"),
    "projector": Box("learns", 3, 0, rows=3, text="projector:\nz, for the\nloss alone"),
    "which of all is my partner?": Box("compared", 4, 0, rows=3, text="which of all\nis my partner?"),
}
ARROWS = [
    "image -> view 1 -> encoder -> projector -> which of all is my partner?",
    "image -> view 2 -> encoder",
    "views of all other images -> encoder",
]
DIAGRAM = (
    BOXES,
    ARROWS,
    "All views go through one network; each looks for its partner among all others",
    "Chen et al. 2020, figure 2.",
)
