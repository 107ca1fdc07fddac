# Generated from notebooks/19_bert.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 19 · BERT: hide words, guess them ---
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.dist import gather
from sslkit.nets import at_least_float32
from sslkit.train import Recipe
from sslkit.transformer import TextEncoder, gather_tokens


# --- Hide some ---
SPECIAL = (0, 1, 2)  # <pad>, <end>, <mask> of the kit's tokenizer


def choose_places(
    tokens: Tensor,
    share: float,
    special: tuple[int, ...] = SPECIAL,
    generator: torch.Generator | None = None,
) -> Tensor:
    """The places to hide, bool [N, T], True = hidden: of each passage [N, T] a share of its
    tokens, rounded, at least one. Special tokens do not count and are never hidden."""
    noise = torch.rand(tokens.shape, generator=generator, device=tokens.device)
    allowed = torch.stack([tokens != token for token in special]).all(dim=0)
    count = (share * allowed.sum(dim=1, keepdim=True)).round().clamp(min=1)
    rank = noise.masked_fill(~allowed, 2.0).argsort(dim=1).argsort(dim=1)
    return allowed & (rank < count)


# --- Both in one ---
def mask_tokens(
    tokens: Tensor,
    vocabulary: int,
    generator: torch.Generator | None = None,
    *,
    share: float = 0.15,
    rule: tuple[float, float, float] = (0.8, 0.1, 0.1),
    mask_token: int = 2,
    special: tuple[int, ...] = SPECIAL,
) -> tuple[Tensor, Tensor, Tensor]:
    """Hide some tokens [N, T]: (shown, targets, mask), each [N, T].

    shown: tokens with the hidden ones replaced by the rule: the share of them that becomes
    `mask_token`, that becomes a random token of `vocabulary`, each but the special ones equally
    likely, and that stays; targets: tokens as they were; mask: bool, True = hidden, also where
    the token stayed. Source: Devlin et al. 2019, section 3.1 and appendix A.1. Its code may draw
    special tokens as replacements; a <pad> amid the text would not be looked at, so not here.
    ValueError for a share outside (0, 1] or a rule that does not add up to 1.
    """
    if not 0 < share <= 1 or len(rule) != 3 or min(rule) < 0 or abs(sum(rule) - 1) > 1e-6:
        raise ValueError(f"share must lie in (0, 1], the rule add up to 1; got {share}, {rule}")
    mask = choose_places(tokens, share, special, generator)
    like = {"generator": generator, "device": tokens.device}
    other = torch.randint(vocabulary - len(special), tokens.shape, **like)
    for token in sorted(special):
        other = other + (other >= token)  # skips the special ones
    die = torch.rand(tokens.shape, **like)
    shown = torch.where(mask & (die < rule[0]), mask_token, tokens)
    wrong = mask & (die >= rule[0]) & (die < rule[0] + rule[1])
    return torch.where(wrong, other, shown), tokens, mask


# --- What can be guessed without a network? ---
def follow_table(tokens: Tensor, vocabulary: int, prior: float = 3.0) -> Tensor:
    """log P(b | a), [vocabulary, vocabulary]: how likely b stands right after a, counted in
    passages [N, T]. Rare tokens lean on the frequencies of all: `prior` counts are shared out by
    them (a Dirichlet prior, MacKay & Peto 1995), plus one count for each token, so that nothing
    is impossible."""
    pairs = (tokens[:, :-1] * vocabulary + tokens[:, 1:]).flatten()
    counts = pairs.bincount(minlength=vocabulary**2).view(vocabulary, vocabulary).float()
    every = tokens.flatten().bincount(minlength=vocabulary).float() + 1
    return ((counts + prior * every / every.sum()) / (counts.sum(1, keepdim=True) + prior)).log()


def guess_by_neighbours(table: Tensor, shown: Tensor, mask: Tensor, mask_token: int = 2) -> Tensor:
    """Scores [M, vocabulary] of each token for the M hidden places of mask [N, T], row by row,
    from the two neighbours in shown [N, T]; a neighbour that is hidden itself, or lies outside,
    says nothing."""
    unknown = torch.full_like(shown[:, :1], mask_token)
    left = torch.cat([unknown, shown[:, :-1]], dim=1)[mask]
    right = torch.cat([shown[:, 1:], unknown], dim=1)[mask]
    after = table[:, right].T.masked_fill((right == mask_token)[:, None], 0.0)
    return table[left] + after


def masked_accuracy(guess, task: tuple[Tensor, Tensor, Tensor], batch: int = 64) -> float:
    """How often guess(shown, mask) -> scores [M, vocabulary] puts the true token first, over all
    hidden places of the task (shown, targets, mask) that mask_tokens made."""
    right = 0
    for shown, targets, mask in zip(*(part.split(batch) for part in task)):
        right += (guess(shown, mask).argmax(dim=1).cpu() == targets[mask]).sum().item()
    return right / task[2].sum().item()


# --- From vectors back to words ---
class Head(nn.Module):
    """From the encoder's vectors [..., dim] to a score for each token [..., vocabulary]: linear,
    GELU, norm, then the token embeddings themselves and a bias. Source: Devlin et al. 2019, and
    their code."""

    def __init__(self, dim: int, vocabulary: int, std: float = 0.02, eps: float = 1e-12):
        super().__init__()
        self.std = std  # of fresh weights
        self.linear = nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim, eps=eps)
        self.bias = nn.Parameter(torch.empty(vocabulary))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Fresh weights, like those of the encoder."""
        nn.init.normal_(self.linear.weight, std=self.std)
        nn.init.zeros_(self.linear.bias)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """x [..., dim], embedding [vocabulary, dim]."""
        return F.linear(self.norm(F.gelu(self.linear(x))), embedding, self.bias)


# --- The loss that trains ---
def masked_loss(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Mean cross-entropy over the hidden places, and only them.

    logits [N, T, vocabulary]; targets int64 [N, T]; mask bool [N, T], True = hidden. Returns a
    scalar, computed in float32 (float64 stays float64); 0 if nothing is hidden.
    Source: Devlin et al. 2019, section 3.1, task 1.
    """
    if not logits.shape[:2] == targets.shape == mask.shape or mask.dtype != torch.bool:
        got = f"{list(logits.shape)}, {list(targets.shape)} and {mask.dtype} {list(mask.shape)}"
        raise ValueError(f"masked_loss needs [N, T, V], [N, T], bool mask [N, T]; got {got}")
    rows = at_least_float32(logits).flatten(0, 1)
    losses = F.cross_entropy(rows, targets.flatten(), reduction="none").view_as(targets)
    return (losses * mask).sum() / mask.sum().clamp(min=1)


# --- The method ---
class BERT(nn.Module):
    """Guess the hidden tokens of a passage from those on both sides.

    encoder: a TextEncoder that is not causal; share, rule, mask_token, special: see mask_tokens.
    Source: Devlin et al. 2019, without the next-sentence task; the feature is the mean over the
    tokens.
    """

    def __init__(
        self,
        encoder: TextEncoder,
        share: float = 0.15,
        rule: tuple[float, float, float] = (0.8, 0.1, 0.1),
        mask_token: int = 2,
        special: tuple[int, ...] = SPECIAL,
    ):
        super().__init__()
        if not isinstance(encoder, TextEncoder) or encoder.causal:
            name = type(encoder).__name__
            kind = "a causal one" if name == "TextEncoder" else f"a {name}"
            raise ValueError(f"BERT looks both ways: encoder 'text' or 'text_base', not {kind}")
        self.encoder, self.share, self.rule = encoder, share, tuple(rule)
        self.mask_token, self.special = mask_token, tuple(special)
        self.head = Head(encoder.dim, encoder.vocabulary, encoder.std)

    def pretext(self, tokens: Tensor, generator: torch.Generator | None) -> tuple[Tensor, ...]:
        """Passages [N, T] to (shown, targets, mask), see mask_tokens."""
        V, options = self.encoder.vocabulary, {"share": self.share, "rule": self.rule}
        options |= {"mask_token": self.mask_token, "special": self.special}
        return mask_tokens(tokens, V, generator, **options)

    def forward(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        """(shown, targets, mask), each [N, T], to (loss, extras): logits [N, K, vocabulary],
        targets and mask [N, K] at the hidden places, K = the most that a passage has; mask is
        False where one has fewer."""
        shown, targets, mask = batch
        most = min(mask.shape[1], max(1, math.ceil(self.share * mask.shape[1])))
        places = mask.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :most]
        x = gather_tokens(self.encoder.tokens(shown), places)  # hidden ones came first
        logits = self.head(x, self.encoder.embed.weight)
        targets, mask = targets.gather(1, places), mask.gather(1, places)
        loss = masked_loss(logits, targets, mask)
        # short passages hide less, so a process that got more of them counts less
        count = mask.sum()[None].to(loss.dtype)
        loss = loss * (count / gather(count).mean()).squeeze()
        return loss, {"logits": logits.detach(), "targets": targets, "mask": mask}

    def logits(self, tokens: Tensor) -> Tensor:
        """A score for each token at every place: [N, T] -> [N, T, vocabulary]."""
        return self.head(self.encoder.tokens(tokens), self.encoder.embed.weight)

    def encode(self, tokens: Tensor) -> Tensor:
        """Passages [N, T] to features h [N, D], nothing hidden."""
        return self.encoder(tokens)

    def chance(self, batch_size: int) -> float:
        """The loss of finding every token equally likely: the log of how many there are."""
        return math.log(self.encoder.vocabulary)


# --- The method ---
METHOD = BERT
KIND = "tokens"
ADAMW = {"optimizer": "adamw", "weight_decay": 0.01}
RECIPES = {
    "laptop": Recipe(steps=1200, lr=3e-3, batch=32, encoder="text", **ADAMW),
    # 80 passes over the text; the paper's rate of 1e-4 is for a network ten times as large
    "gpu": Recipe(steps=6000, lr=5e-4, batch=256, encoder="text_base", **ADAMW),
}


# --- Fine-tuned, from scratch, and tf-idf ---
# on val better than rates of 3e-4, 1e-3 and 8e-3, for both networks
FINE_TUNING = {"steps": 60, "batch": 32, "lrs": (2e-3, 4e-3)}
