"""The method as a diagram. What goes in, what is hidden, what learns."""

from sslkit.plots import Box

BOXES = {
    "passage": Box("data", 0, 0.5),
    "shown": Box("data", 1, 0, text="the rest,\nin place"),
    "hidden": Box("hidden", 1, 1, text="15 % of\nthe tokens"),
    "encoder": Box("learns", 2, 0, text="encoder,\nboth ways"),
    "head": Box("learns", 3, 0),
    "which token?": Box("compared", 4, 0, rows=2, text="which\ntoken?"),
}
ARROWS = ["passage -> shown -> encoder -> head -> which token?", "passage -> hidden -> which token?"]
DIAGRAM = (BOXES, ARROWS, "Hide some tokens, name them from both sides", "Devlin et al. 2019.")
