# Generated from notebooks/19_bert.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- Hide some ---
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.dist import gather
from sslkit.nets import at_least_float32
from sslkit.probes import label_subset
from sslkit.train import Recipe
from sslkit.transformer import TextEncoder, gather_tokens, mean_of_tokens

SPECIAL = (0, 1, 2)  # <pad>, <end>, <mask> of the kit's tokenizer


def choose_places(
    tokens: Tensor, share: float, special: tuple[int, ...] = SPECIAL, generator: torch.Generator | None = None
) -> Tensor:
    """The places to hide, bool [N, T], True = hidden: of each passage [N, T] a share of its tokens, at least one.

    The number is share times the tokens that are not special, rounded; special ones are never hidden.
    """
    noise = torch.rand(tokens.shape, generator=generator, device=tokens.device)
    allowed = torch.stack([tokens != token for token in special]).all(dim=0)
    count = (share * allowed.sum(dim=1, keepdim=True)).round().clamp(min=1)
    rank = noise.masked_fill(~allowed, 2.0).argsort(dim=1).argsort(dim=1)
    return allowed & (rank < count)


# --- Hide some ---
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

    shown: tokens with the hidden ones replaced by the rule: the share of them that becomes `mask_token`, that becomes a
    random token of `vocabulary`, each but the special ones equally likely, and that stays; targets: tokens as they
    were; mask: bool, True = hidden, also where the token stayed. Source: Devlin et al. 2019, section 3.1 and appendix
    A.1. Its code may draw special tokens as replacements; a <pad> amid the text would not be looked at, so not here.
    ValueError for a share outside (0, 1] or a rule that does not add up to 1.
    """
    if not 0 < share <= 1 or len(rule) != 3 or min(rule) < 0 or abs(sum(rule) - 1) > 1e-6:
        raise ValueError(f"share must lie in (0, 1] and rule be three shares that add up to 1, got {share} and {rule}")
    mask = choose_places(tokens, share, special, generator)
    other = torch.randint(vocabulary - len(special), tokens.shape, generator=generator, device=tokens.device)
    for token in sorted(special):
        other = other + (other >= token)  # skips the special token: 0, 1, 2, ... become what is left
    die = torch.rand(tokens.shape, generator=generator, device=tokens.device)
    shown = torch.where(mask & (die < rule[0]), mask_token, tokens)
    shown = torch.where(mask & (die >= rule[0]) & (die < rule[0] + rule[1]), other, shown)
    return shown, tokens, mask


# --- What can be guessed without a network? ---
def follow_table(tokens: Tensor, vocabulary: int, prior: float = 3.0) -> Tensor:
    """log P(b | a), [vocabulary, vocabulary]: how likely b stands right behind a, counted in passages [N, T].

    Rare tokens lean on the frequencies of all: `prior` counts are shared out by them (a Dirichlet prior, MacKay & Peto
    1995), plus one count for each token, so that nothing is impossible.
    """
    pairs = (tokens[:, :-1] * vocabulary + tokens[:, 1:]).flatten()
    counts = pairs.bincount(minlength=vocabulary**2).view(vocabulary, vocabulary).float()
    every = tokens.flatten().bincount(minlength=vocabulary).float() + 1
    return ((counts + prior * every / every.sum()) / (counts.sum(dim=1, keepdim=True) + prior)).log()


def guess_by_neighbours(table: Tensor, shown: Tensor, mask: Tensor, mask_token: int = 2) -> Tensor:
    """Scores [M, vocabulary] of each token for the M hidden places of mask [N, T], row by row, from the two neighbours
    in shown [N, T]; a neighbour that is hidden itself, or lies outside, says nothing."""
    unknown = torch.full_like(shown[:, :1], mask_token)
    left = torch.cat([unknown, shown[:, :-1]], dim=1)[mask]
    right = torch.cat([shown[:, 1:], unknown], dim=1)[mask]
    behind = table[:, right].T.masked_fill((right == mask_token)[:, None], 0.0)
    return table[left] + behind


def masked_accuracy(guess, task: tuple[Tensor, Tensor, Tensor], batch: int = 64) -> float:
    """How often guess(shown, mask) -> scores [M, vocabulary] puts the true token first, over all hidden places of the
    task (shown, targets, mask) that mask_tokens made."""
    right = 0
    for shown, targets, mask in zip(*(part.split(batch) for part in task)):
        right += (guess(shown, mask).argmax(dim=1).cpu() == targets[mask]).sum().item()
    return right / task[2].sum().item()


# --- From vectors back to words ---
class Head(nn.Module):
    """From the encoder's vectors [..., dim] to a score for each token [..., vocabulary]: linear, GELU, norm, then the
    token embeddings themselves and a bias. Source: Devlin et al. 2019, and their code."""

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


# --- The loss ---
def masked_loss(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Mean cross-entropy over the hidden places, and them alone.

    logits [N, T, vocabulary]; targets int64 [N, T]; mask bool [N, T], True = hidden. Returns a scalar, computed in
    float32 (float64 stays float64); 0 if nothing is hidden. Source: Devlin et al. 2019, section 3.1, task 1.
    """
    if logits.shape[:2] != targets.shape or mask.shape != targets.shape or mask.dtype != torch.bool:
        shapes = f"{list(logits.shape)}, {list(targets.shape)} and {mask.dtype} {list(mask.shape)}"
        raise ValueError(f"masked_loss needs logits [N, T, V], targets [N, T] and a bool mask [N, T]; got {shapes}")
    logits = at_least_float32(logits)
    losses = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view_as(targets)
    return (losses * mask).sum() / mask.sum().clamp(min=1)


# --- All of it ---
class BERT(nn.Module):
    """Guess the hidden tokens of a passage from those on both sides.

    encoder: a TextEncoder that is not causal; share, rule, mask_token, special: see mask_tokens.
    Source: Devlin et al. 2019, without the next-sentence task; the feature is the mean over the tokens.
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
            kind = "a causal one" if isinstance(encoder, TextEncoder) else f"a {type(encoder).__name__}"
            raise ValueError(f"BERT looks both ways at tokens: encoder 'text' or 'text_base', not {kind}")
        self.encoder, self.share, self.rule = encoder, share, tuple(rule)
        self.mask_token, self.special = mask_token, tuple(special)
        self.head = Head(encoder.dim, encoder.vocabulary, encoder.std)

    def pretext(self, tokens: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
        """Passages [N, T] to (shown, targets, mask), see mask_tokens."""
        options = dict(share=self.share, rule=self.rule, mask_token=self.mask_token, special=self.special)
        return mask_tokens(tokens, self.encoder.vocabulary, generator, **options)

    def forward(self, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """(shown, targets, mask), each [N, T], to (loss, extras): logits [N, K, vocabulary], targets and mask [N, K] at the
        hidden places, K = the most that a passage has; mask is False where one has fewer."""
        shown, targets, mask = batch
        most = min(mask.shape[1], max(1, math.ceil(self.share * mask.shape[1])))
        places = mask.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :most]  # hidden ones first
        logits = self.head(gather_tokens(self.encoder.tokens(shown), places), self.encoder.embed.weight)
        targets, mask = targets.gather(1, places), mask.gather(1, places)
        loss = masked_loss(logits, targets, mask)
        count = mask.sum()[None].to(
            loss.dtype
        )  # short passages hide less, so a process that got more of them counts less
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


# --- All of it ---
METHOD = BERT
KIND = "tokens"
RECIPES = {
    "laptop": Recipe(steps=1200, lr=3e-3, batch=32, encoder="text", optimizer="adamw", weight_decay=0.01),
    # 80 passes over the bundled text; the paper's learning rate of 1e-4 is for a network thirty times as large
    "gpu": Recipe(steps=6000, lr=5e-4, batch=256, encoder="text_base", optimizer="adamw", weight_decay=0.01),
}


# --- Where does it look? ---
@torch.no_grad()
def attention_seen(encoder: TextEncoder, tokens: Tensor) -> Tensor:
    """Where each token looks in each head of each block: [N, depth, heads, T, T] for tokens [N, T]; rows add up to 1."""
    hidden = None if encoder.pad is None else tokens == encoder.pad
    x, weights = encoder.embedded(tokens), []
    for block in encoder.blocks:
        weights.append(block.attention.weights(x if block.post else block.norm1(x), hidden))
        x = block(x, hidden)
    return torch.stack(weights, dim=1)


# --- Frozen, and which layer ---
@torch.no_grad()
def layer_features(encoder: TextEncoder, tokens: Tensor, batch: int = 256) -> list[Tensor]:
    """The mean over the tokens of each passage [N, T] after the embeddings and after each block: depth + 1 tensors
    [N, D] on the CPU. The last is before the encoder's final norm."""
    device, parts = encoder.embed.weight.device, []
    for rows in tokens.split(batch):
        rows = rows.to(device)
        hidden = None if encoder.pad is None else rows == encoder.pad
        x = encoder.embedded(rows)
        layers = [mean_of_tokens(x, rows, encoder.pad)]
        for block in encoder.blocks:
            x = block(x, hidden)
            layers.append(mean_of_tokens(x, rows, encoder.pad))
        parts.append(torch.stack(layers).float().cpu())
    return list(torch.cat(parts, dim=1))


# --- Fine-tuned, from scratch, and tf-idf ---
def passages_as_text(data) -> dict[str, list[str]]:
    """The passages of each split as text again, without <pad> and <end>."""
    special = set(data.tokenizer.special.values())
    return {
        part: [data.tokenizer.decode([t for t in row if t not in special]) for row in split.x.tolist()]
        for part, split in data.splits.items()
    }


def tf_idf_accuracy(data, per_class: int, seed: int = 0, texts: dict[str, list[str]] | None = None) -> float:
    """Test accuracy of logistic regression on the tf-idf of words, with `per_class` labels of each class.

    The words and how rare they are come from all training passages, which needs no labels; the labelled ones are those
    that `finetune` gets for this seed. C is chosen on val. texts: passages_as_text(data), to make them once.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer  # takes a second to import: only who compares pays
    from sklearn.linear_model import LogisticRegression

    texts = texts or passages_as_text(data)
    counter = TfidfVectorizer(sublinear_tf=True, min_df=2).fit(texts["train"])
    rows = label_subset(data.train.y, per_class, seed)
    x, y = counter.transform([texts["train"][i] for i in rows.tolist()]), data.train.y[rows].numpy()
    fits = [LogisticRegression(C=C, max_iter=1000).fit(x, y) for C in (1.0, 10.0, 100.0, 1000.0)]
    val = counter.transform(texts["val"])
    best = max(fits, key=lambda fit: fit.score(val, data.val.y.numpy()))
    return best.score(counter.transform(texts["test"]), data.test.y.numpy())


# --- Fine-tuned, from scratch, and tf-idf ---
FINE_TUNING = {
    "steps": 60,
    "batch": 32,
    "lrs": (2e-3, 4e-3),
}  # on val better than 3e-4, 1e-3 and 8e-3, for both networks


# --- 9 The real BERT in your own code ---
def from_huggingface(state: dict[str, Tensor], heads: int | None = None, pad: int = 0, **options) -> BERT:
    """A BERT with the weights of Hugging Face's BertForMaskedLM, from its state_dict (keys with or without "bert.").

    heads: of the attention, dim / 64 by default as in all sizes of BERT; pad: the token of padding; options: of BERT,
    for bert-base-uncased mask_token=103, special=(0, 101, 102, 103). Their segments are dropped: segment 0, which every
    plain text has, is added to the positions. Returned in evaluation mode. ValueError where the state does not fit.
    """
    state = {key.removeprefix("bert."): value for key, value in state.items()}
    lacking = [key for key in ("embeddings.word_embeddings.weight", "cls.predictions.bias") if key not in state]
    if lacking:
        raise ValueError(f"this is no state_dict of BertForMaskedLM: it has no {' and no '.join(lacking)}")
    table, places = (state[f"embeddings.{kind}_embeddings.weight"] for kind in ("word", "position"))
    dim = table.shape[1]
    heads = heads or dim // 64
    if heads < 1 or dim % heads:
        raise ValueError(f"{dim} dimensions cannot be shared by {heads} heads (dim / 64 by default): give heads=")
    if not torch.equal(state.get("cls.predictions.decoder.weight", table), table):
        raise ValueError("the decoder has weights of its own; this BERT shares those of the embedding")
    depth = 1 + max(int(key.split(".")[2]) for key in state if key.startswith("encoder.layer."))
    wide, rest = divmod(len(state["encoder.layer.0.intermediate.dense.weight"]), dim)
    if rest:
        raise ValueError(f"the inner width must be a multiple of {dim}, it is {wide * dim + rest}")
    shape = dict(context=len(places), dim=dim, depth=depth, heads=heads, mlp=wide, norm_first=True, pad=pad)
    model = BERT(TextEncoder(len(table), post=True, eps=1e-12, **shape), **options)
    model.load_state_dict(renamed(state, depth))
    return model.eval()


# --- 9 The real BERT in your own code ---
def renamed(state: dict[str, Tensor], depth: int) -> dict[str, Tensor]:
    """The state_dict of BertForMaskedLM (without "bert.") under the names of this chapter's BERT."""
    theirs = {
        "encoder.first": "embeddings.LayerNorm",
        "head.linear": "cls.predictions.transform.dense",
        "head.norm": "cls.predictions.transform.LayerNorm",
    }
    for i in range(depth):
        block, layer = f"encoder.blocks.{i}", f"encoder.layer.{i}"
        theirs |= {
            f"{block}.attention.out": f"{layer}.attention.output.dense",
            f"{block}.norm1": f"{layer}.attention.output.LayerNorm",
            f"{block}.mlp.0": f"{layer}.intermediate.dense",
            f"{block}.mlp.2": f"{layer}.output.dense",
            f"{block}.norm2": f"{layer}.output.LayerNorm",
        }
    ours = {f"{to}.{kind}": state[f"{of}.{kind}"] for to, of in theirs.items() for kind in ("weight", "bias")}
    for i in range(depth):
        for kind in ("weight", "bias"):
            parts = [state[f"encoder.layer.{i}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            ours[f"encoder.blocks.{i}.attention.qkv.{kind}"] = torch.cat(parts)
    ours["encoder.embed.weight"] = state["embeddings.word_embeddings.weight"]
    segment = state["embeddings.token_type_embeddings.weight"][0]
    ours["encoder.places.weight"] = state["embeddings.position_embeddings.weight"] + segment
    ours["head.bias"] = state["cls.predictions.bias"]
    return ours
