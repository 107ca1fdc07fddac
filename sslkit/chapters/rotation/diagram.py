"""The method as a diagram. What goes in, what is hidden, what learns."""

from sslkit.plots import Box

BOXES = {
    "image": Box("data", 0, 0),
    "turned image": Box("data", 1, 0, text="turned\nimage"),
    "turn": Box("hidden", 1, 1, text="the turn:\n0, 90, 180, 270°"),
    "encoder": Box("learns", 2, 0),
    "linear layer": Box("learns", 3, 0, text="linear\nlayer"),
    "which turn?": Box("compared", 4, 0, rows=2, text="which\nturn?"),
}
ARROWS = [
    "image -> turned image -> encoder -> linear layer -> which turn?",
    "turn -> turned image",
    "turn -> which turn?",
]
DIAGRAM = (BOXES, ARROWS, "The program turns the image, the network says how", "Gidaris, Singh, Komodakis 2018.")
