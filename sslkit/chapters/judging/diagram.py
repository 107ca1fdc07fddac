"""How an encoder is judged, as a diagram: it stays as it is, a weak judge learns."""

from sslkit.plots import Box

BOXES = {
    "image": Box("data", 0, 0),
    "encoder": Box("fixed", 1, 0, text="encoder,\nfrozen"),
    "features": Box("data", 2, 0),
    "judge": Box("learns", 3, 0, text="weak\njudge"),
    "right?": Box("compared", 4, 0, rows=2),
    "label": Box("data", 3, 1),
}
ARROWS = ["image -> encoder -> features -> judge -> right?", "label -> right?"]
DIAGRAM = (
    BOXES,
    ARROWS,
    "The encoder is frozen. Only the judge may learn, and it is kept weak",
    "Linear probe: Alain and Bengio 2016. kNN has nothing to learn at all.",
)
