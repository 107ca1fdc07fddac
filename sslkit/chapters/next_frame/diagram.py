"""The method as a diagram. What goes in, what is hidden, what learns."""

from sslkit.plots import Box

BOXES = {
    "film": Box("data", 0, 1),
    "past": Box("data", 1, 0, text="three past\nframes"),
    "last frame": Box("data", 1, 1, text="the last\nof them"),
    "next frame": Box("hidden", 1, 2, text="the next\nframe"),
    "encoder": Box("learns", 2, 0, text="encoder:\nwhere to?"),
    "decoder": Box("learns", 3, 0, rows=2, text="decoder\nmoves the\nlast frame"),
    "same pixels?": Box("compared", 4, 0, rows=3, text="same\npixels?"),
}
ARROWS = [
    "film -> past -> encoder -> decoder -> same pixels?",
    "film -> last frame -> decoder",
    "film -> next frame -> same pixels?",
]
DIAGRAM = (BOXES, ARROWS, "The film knows what comes next", "After Finn, Goodfellow, Levine 2016.")
