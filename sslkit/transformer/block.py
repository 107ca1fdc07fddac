"""The block that every transformer here is made of."""

from torch import Tensor, nn

from sslkit.transformer.attention import Attention


class Block(nn.Module):
    """One layer of a transformer: attention, then two linear layers a token, each added to what came in.

    [N, T, dim] -> [N, T, dim]. mlp: the inner width, in multiples of dim; dropout: the share of each addition that is
    left out in training; eps: of the norms; gelu: "none" for the exact one, "tanh" for GPT-2's approximation. Norms
    come first ("pre-norm"), so the way from the last layer to the first is a plain sum: Dosovitskiy et al. 2021, eqs. 2
    and 3, as in GPT-2. post: after each addition instead, as in Vaswani et al. 2017 and BERT. near: see Attention.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        mlp: int = 4,
        causal: bool = False,
        dropout: float = 0.0,
        eps: float = 1e-6,
        gelu: str = "none",
        post: bool = False,
        near: bool = False,
    ):
        super().__init__()
        self.post = post
        self.norm1 = nn.LayerNorm(dim, eps=eps)
        self.attention = Attention(dim, heads, causal, near)
        self.norm2 = nn.LayerNorm(dim, eps=eps)
        self.mlp = nn.Sequential(nn.Linear(dim, mlp * dim), nn.GELU(gelu), nn.Linear(mlp * dim, dim))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, hidden: Tensor | None = None, cache: dict[str, Tensor] | None = None) -> Tensor:
        """hidden and cache: see Attention."""
        if self.post:
            x = self.norm1(x + self.dropout(self.attention(x, hidden, cache)))
            return self.norm2(x + self.dropout(self.mlp(x)))
        x = x + self.dropout(self.attention(self.norm1(x), hidden, cache))
        return x + self.dropout(self.mlp(self.norm2(x)))
