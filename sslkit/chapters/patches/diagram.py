"""The method as a diagram. What goes in, what is hidden, what learns."""

from sslkit.plots import Box

BOXES = {
    "image": Box("data", 0, 1),
    "first patch": Box("data", 1, 0, text="first\npatch"),
    "second patch": Box("data", 1, 1, text="second\npatch"),
    "place": Box("hidden", 1, 2, text="its place:\none of eight"),
    "encoder": Box("learns", 2, 0, rows=2),
    "head": Box("learns", 3, 0, rows=2),
    "where?": Box("compared", 4, 0, rows=3),
}
ARROWS = [
    "image -> first patch -> encoder -> head -> where?",
    "image -> second patch -> encoder",
    "place -> second patch",
    "place -> where?",
]
DIAGRAM = (BOXES, ARROWS, "Each patch on its own through one encoder; a head sees both", "Doersch, Gupta, Efros 2015.")
