"""The method as a diagram. What goes in, what learns, what follows, where the gradient stops, what is compared."""

from sslkit.plots import Box

BOXES = {
    "image": Box("data", 0, 0.5),
    "all views": Box("data", 1, 0, text="view 1,\nsmall ones"),
    "view 2": Box("data", 1, 1),
    "student": Box("learns", 2, 0),
    "teacher": Box("fixed", 2, 1),
    "centre": Box("fixed", 3, 1, text="centre,\nsharpen"),
    "same?": Box("compared", 4, 0, rows=2, text="the\nsame\nanswer?"),
}
ARROWS = [
    "image -> all views -> student -> same?",
    "image -> view 2 -> teacher -> centre -|> same?",
    "student ~> teacher",
]
DIAGRAM = (
    BOXES,
    ARROWS,
    "The student learns the answers of its own slow copy",
    "Caron et al. 2021, figure 2. The same with the two large views exchanged.",
)
