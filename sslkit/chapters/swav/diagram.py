"""The method as a diagram. What goes in, what learns, where the gradient stops, what is compared."""

from sslkit.plots import Box

BOXES = {
    "image": Box("data", 0, 0.5),
    "view 1": Box("data", 1, 0),
    "view 2": Box("data", 1, 1),
    "network": Box("learns", 2, 0, rows=2, text="encoder,\nprojector,\nprototypes"),
    "scores 1": Box("data", 3, 0),
    "scores 2": Box("data", 3, 1),
    "seats": Box("fixed", 4, 1, text="codes:\nequal\nshares"),
    "same?": Box("compared", 5, 0, rows=2, text="the\nsame\nproto-\ntypes?"),
}
ARROWS = [
    "image -> view 1 -> network -> scores 1 -> same?",
    "image -> view 2 -> network -> scores 2 -|> seats -|> same?",
]
DIAGRAM = (
    BOXES,
    ARROWS,
    "One view's seats, shared out evenly, are the label of the other",
    "Caron et al. 2020, figure 1. The same with the two views exchanged.",
)
