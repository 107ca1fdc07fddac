"""The method as a diagram. What goes in, what is hidden, what learns."""

from sslkit.plots import Box

BOXES = {
    "patches": Box("data", 0, 0, rows=3),
    "visible": Box("data", 1, 0, text="a quarter,\nvisible"),
    "masked": Box("hidden", 1, 2, text="three quarters,\nhidden"),
    "encoder": Box("learns", 2, 0),
    "decoder": Box("learns", 3, 0),
    "mask tokens": Box("learns", 3, 1, text="mask tokens\nin the gaps"),
    "same pixels?": Box("compared", 4, 0, rows=3, text="same\npixels?"),
}
ARROWS = [
    "patches -> visible -> encoder -> decoder -> same pixels?",
    "mask tokens -> decoder",
    "patches -> masked -> same pixels?",
]
DIAGRAM = (BOXES, ARROWS, "The encoder sees a quarter, the decoder paints the rest", "He et al. 2022, figure 1.")
