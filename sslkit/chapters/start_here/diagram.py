"""The two stages as a diagram."""

from sslkit.plots import Box

BOXES = {
    "images": Box("data", 0, 0, text="20,000 images,\nno labels"),
    "question": Box("data", 1, 0, text="a question\nabout them"),
    "encoder": Box("learns", 2, 0),
    "answer": Box("compared", 4, 0, text="compare\nwith what\nwas hidden"),
    "labelled": Box("data", 0, 1, text="100 images\nwith labels"),
    "same encoder": Box("learns", 2, 1, text="the same\nencoder"),
    "layer": Box("learns", 3, 1, text="new\nlayer"),
    "kind": Box("compared", 4, 1, text="compare\nwith the\nlabel"),
}
ARROWS = [
    "images -> question -> encoder -> answer",
    "labelled -> same encoder -> layer -> kind",
    "encoder => same encoder",
]
DIAGRAM = (
    BOXES,
    ARROWS,
    "Stage one needs no labels; stage two needs few",
    "Above: pretraining. Below: transfer, which starts with the weights that stage one left.",
)
