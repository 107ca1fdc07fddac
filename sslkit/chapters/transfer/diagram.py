"""FixMatch as a diagram: labelled images teach as ever; of the others the weak view guesses, and the strong view must agree."""

from sslkit.plots import Box

BOXES = {
    "labelled": Box("data", 0, 0, text="few labelled\nimages"),
    "unlabelled": Box("data", 0, 1.5, text="many\nunlabelled"),
    "strong": Box("data", 1, 1, text="strong view"),
    "weak": Box("data", 1, 2, text="weak view"),
    "network": Box("learns", 2, 0, rows=3, text="pretrained\nencoder,\nnew layer"),
    "right label?": Box("compared", 3, 0, text="right\nlabel?"),
    "guess": Box("data", 3, 2, text="guess,\nif sure"),
    "same guess?": Box("compared", 4, 1, rows=2, text="same\nguess?"),
}
ARROWS = [
    "labelled -> network -> right label?",
    "unlabelled -> strong -> network -> same guess?",
    "unlabelled -> weak -> network -> guess -|> same guess?",
]
TITLE = "Fine-tuning is the upper path; FixMatch adds the lower ones"
DIAGRAM = (BOXES, ARROWS, TITLE, "Sohn et al. 2020, figure 1.")
