"""The two stages as a diagram."""

from sslkit.plots import Box

BOXES = {
    "images": Box("data", 0, 0, rows=2, text="20,000 images,\nno labels"),
    "right answer": Box("hidden", 1, 0, text="the answer,\nkept back"),
    "question": Box("data", 1, 1, text="a question\nabout them"),
    "encoder": Box("learns", 2, 1),
    "answer": Box("compared", 4, 0, rows=2, text="compare"),
    "labelled": Box("data", 0, 2, text="100 images\nwith labels"),
    "same encoder": Box("learns", 2, 2, text="the same\nencoder"),
    "layer": Box("learns", 3, 2, text="new\nlayer"),
    "kind": Box("compared", 4, 2, text="compare\nwith the\nlabel"),
}
ARROWS = [
    "images -> right answer -> answer",
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
