"""The method as a diagram. What goes in, what is hidden, what learns."""

from sslkit.plots import Box

BOXES = {
    "film": Box("data", 0, 0.5),
    "past": Box("data", 1, 0, text="three past\nframes"),
    "next frame": Box("hidden", 1, 1, text="the next\nframe"),
    "encoder": Box("learns", 2, 0),
    "decoder": Box("learns", 3, 0, text="moves\nthe last"),
    "same pixels?": Box("compared", 4, 0, rows=2, text="same\npixels?"),
}
ARROWS = ["film -> past -> encoder -> decoder -> same pixels?", "film -> next frame -> same pixels?"]
DIAGRAM = (BOXES, ARROWS, "The film knows what comes next", "After Finn, Goodfellow, Levine 2016.")
