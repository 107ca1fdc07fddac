"""SimCLR's laptop recipe before it learned with Muon and small views. The comparison, the transfer curves and the encoder that ships
rest on it until the other methods are tuned in the same way, and all are made again."""

from sslkit.chapters import get
from sslkit.train import Recipe

SIMCLR = Recipe(steps=900, lr=0.2, batch=256, encoder="small", options={"temperature": 0.1})


def laptop(name: str) -> Recipe:
    """A method's laptop recipe as results/compare.json was made with."""
    return SIMCLR if name == "simclr" else get(name).RECIPES["laptop"]
