"""The method as a diagram. What goes in, what learns, what follows, what is compared."""

from sslkit.plots import Box

BOXES = {
    "image": Box("data", 0, 0.5),
    "view 1": Box("data", 1, 0),
    "view 2": Box("data", 1, 1),
    "student": Box("learns", 2, 0),
    "teacher": Box("fixed", 2, 1),
    "query": Box("data", 3, 0),
    "key": Box("data", 3, 1),
    "queue": Box("data", 3, 2, text="queue of\nold keys"),
    "which key?": Box("compared", 4, 0, rows=3, text="which\nkey?"),
}
ARROWS = [
    "image -> view 1 -> student -> query -> which key?",
    "image -> view 2 -> teacher -> key -|> which key?",
    "key -> queue -|> which key?",
    "student ~> teacher",
]
DIAGRAM = (BOXES, ARROWS, "The student learns, the teacher follows, the queue remembers", "He et al. 2020, figure 1.")
