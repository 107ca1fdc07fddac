"""The method as a diagram. What goes in, what is hidden, what learns."""

from sslkit.plots import Box

BOXES = {
    "text": Box("data", 0, 0.5),
    "tokens so far": Box("data", 1, 0, text="tokens\nso far"),
    "next token": Box("hidden", 1, 1, text="the next\ntoken"),
    "network": Box("learns", 2, 0, text="network,\nlooks back"),
    "probabilities": Box("data", 3, 0, text="a probability\nfor every token"),
    "how likely?": Box("compared", 4, 0, rows=2, text="how\nlikely?"),
}
ARROWS = ["text -> tokens so far -> network -> probabilities -> how likely?", "text -> next token -> how likely?"]
DIAGRAM = (BOXES, ARROWS, "At every place: what comes next?", "Radford et al. 2018.")
