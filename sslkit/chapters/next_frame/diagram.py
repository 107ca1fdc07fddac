"""The method as a diagram. What goes in, what is hidden, what learns."""

from sslkit.plots import Box

BOXES = {
    "past": Box("data", 0, 0, text="three past\nframes"),
    "last frame": Box("data", 0, 1, text="the last\nof them"),
    "next frame": Box("hidden", 0, 2, text="the next\nframe"),
    "encoder": Box("learns", 1, 0, text="encoder:\neach frame\nby itself"),
    "code": Box("learns", 2, 0, text="code:\nwhere to?"),
    "decoder": Box("learns", 3, 0, rows=2, text="decoder\nmoves the\nlast frame"),
    "same pixels?": Box("compared", 4, 0, rows=3, text="same\npixels?"),
}
ARROWS = [
    "past -> encoder -> code -> decoder -> same pixels?",
    "last frame -> decoder",
    "next frame -> same pixels?",
]
DIAGRAM = (BOXES, ARROWS, "The film knows what comes next", "After Finn, Goodfellow, Levine 2016.")
