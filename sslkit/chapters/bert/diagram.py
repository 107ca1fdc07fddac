"""The method as a diagram. What goes in, what is hidden, what learns."""

from sslkit.plots import Box

BOXES = {
    "passage": Box("data", 0, 0.5),
    "shown": Box("data", 1, 0, text="all places,\n<mask> in the gaps"),
    "hidden": Box("hidden", 1, 1, text="the true tokens\nin the gaps, 15 %"),
    "encoder": Box("learns", 2, 0, text="encoder,\nboth ways"),
    "head": Box("learns", 3, 0),
    "which token?": Box("compared", 4, 0, rows=2, text="which\ntoken?"),
}
ARROWS = ["passage -> shown -> encoder -> head -> which token?", "passage -> hidden -> which token?"]
CAPTION = "In one gap of five the network sees a wrong token or the true one (80/10/10). Devlin et al. 2019."
DIAGRAM = (BOXES, ARROWS, "Hide some tokens, name them from both sides", CAPTION)
