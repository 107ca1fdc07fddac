"""The method as a diagram. What goes in, what learns, what follows, where the gradient stops."""

from sslkit.plots import Box

BOXES = {
    "image": Box("data", 0, 0.5),
    "view 1": Box("data", 1, 0),
    "view 2": Box("data", 1, 1),
    "student": Box("learns", 2, 0, text="student:\nencoder,\nprojector"),
    "teacher": Box("fixed", 2, 1, text="teacher:\nencoder,\nprojector"),
    "predictor": Box("learns", 3, 0),
    "target": Box("data", 3, 1),
    "same direction?": Box("compared", 4, 0, rows=2, text="same\ndirection?"),
}
ARROWS = [
    "image -> view 1 -> student -> predictor -> same direction?",
    "image -> view 2 -> teacher -> target -|> same direction?",
    "student ~> teacher",
]
DIAGRAM = (
    BOXES,
    ARROWS,
    "One predicts, the other follows: no other image takes part",
    "Grill et al. 2020, figure 2. Views change places: each is predicted from the other. SimSiam: teacher and student are one.",
)
