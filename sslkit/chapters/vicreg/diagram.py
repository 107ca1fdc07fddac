"""The method as a diagram. What goes in, what learns, what is compared."""

from sslkit.plots import Box

BOXES = {
    "image": Box("data", 0, 1),
    "view 1": Box("data", 1, 0),
    "view 2": Box("data", 1, 2),
    "network 1": Box("learns", 2, 0, text="encoder,\nprojector"),
    "network 2": Box("learns", 2, 2, text="encoder,\nprojector"),
    "varies? 1": Box("compared", 3, 0, text="varies?\nno copies?"),
    "same?": Box("compared", 3, 1, text="same?"),
    "varies? 2": Box("compared", 3, 2, text="varies?\nno copies?"),
}
ARROWS = [
    "image -> view 1 -> network 1 -> varies? 1",
    "image -> view 2 -> network 2 -> varies? 2",
    "network 1 -> same?",
    "network 2 -> same?",
]
DIAGRAM = (
    BOXES,
    ARROWS,
    "Each branch is judged by itself; only one question takes both",
    "Bardes et al. 2022, figure 1. Here the two networks are one and the same.",
)
