# Generated from notebooks/20_gpt.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 20 · GPT: the next word ---
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.dist import gather
from sslkit.nets import at_least_float32
from sslkit.train import Recipe
from sslkit.transformer import TextEncoder


# --- The task ---
def shifted(tokens: Tensor, end: int) -> Tensor:
    """What stands before each of tokens [N, T]: `end` before the first. int64 [N, T]."""
    return torch.cat([tokens.new_full((len(tokens), 1), end), tokens[:, :-1]], dim=1)


# --- Models made by counting ---
def uniform(vocabulary: int) -> Tensor:
    """log p of every token, all alike: [V]."""
    return torch.full((vocabulary,), -math.log(vocabulary))


def unigram(targets: Tensor, vocabulary: int, pad: int | None = 0) -> Tensor:
    """log p of every token by how often it is a target int64 [N, T], each counted once more than
    it was seen: [V]. Padding does not count."""
    counts = torch.bincount(targets.flatten(), minlength=vocabulary).double() + 1
    if pad is not None:
        counts[pad] = 1
    return (counts / counts.sum()).log().float()


def bigram(
    inputs: Tensor,
    targets: Tensor,
    vocabulary: int,
    prior: float,
    pad: int | None = 0,
) -> Tensor:
    """log p of every token after every other one, row a, column b: [V, V]; inputs and targets
    int64 [N, T], see `shifted`. The unigram counts as `prior` more tokens seen after each.
    Source: MacKay & Peto 1995, equation 15."""
    given, answer = inputs.flatten(), targets.flatten()
    if pad is not None:
        given, answer = given[answer != pad], answer[answer != pad]
    pairs = torch.bincount(given * vocabulary + answer, minlength=vocabulary**2)
    counts = pairs.view(vocabulary, vocabulary).float()
    single = unigram(targets, vocabulary, pad).exp()
    return ((counts + prior * single) / (counts.sum(dim=1, keepdim=True) + prior)).log()


# --- Exercise: Bits per byte ---
@torch.no_grad()
def token_losses(predict: Callable, inputs: Tensor, targets: Tensor, batch: int = 64) -> Tensor:
    """-log p of each target int64 [N, T], in nats: [N, T] on the CPU. predict(inputs [n, T])
    gives logits or log p [n, T, V], or [V] for all places."""
    losses = []
    for given, answer in zip(inputs.split(batch), targets.split(batch)):
        logits = predict(given).float().cpu().expand(*answer.shape, -1)
        loss = F.cross_entropy(logits.flatten(0, 1), answer.flatten(), reduction="none")
        losses.append(loss.view_as(answer))
    return torch.cat(losses)


def bits_per_byte(losses: Tensor, targets: Tensor, lengths: Tensor, pad: int | None = 0) -> float:
    """The bits that targets int64 [N, T] cost at -log p = losses [N, T] (nats), for each byte of
    text that they stand for; lengths [V]: bytes of each token, 0 for one that is no text. An
    `<end>` costs bits too; padding does not count. ValueError where there is no text."""
    kept = torch.ones_like(targets, dtype=torch.bool) if pad is None else targets != pad
    size = lengths[targets[kept]].sum().item()
    if not size:
        raise ValueError("bits per byte of no text: all is padding or stands for nothing")
    return losses[kept].double().sum().item() / math.log(2) / size


# --- The loss ---
def next_token_loss(logits: Tensor, targets: Tensor, pad: int | None = 0) -> Tensor:
    """Mean cross-entropy of the targets.

    logits [N, T, V]: what is expected at each place; targets int64 [N, T]: what stands there;
    those that are `pad` do not count. Returns a scalar in nats, computed in float32 (float64
    stays float64); 0 if all is padding. Source: Radford et al. 2018, equation 1.
    """
    if logits.ndim != 3 or logits.shape[:2] != targets.shape or targets.dtype != torch.int64:
        got = f"{list(logits.shape)}, {targets.dtype} {list(targets.shape)}"
        raise ValueError(f"needed: logits [N, T, V] and int64 targets [N, T]; got {got}")
    rows, answers = at_least_float32(logits).flatten(0, 1), targets.flatten()
    ignored = -100 if pad is None else pad
    total = F.cross_entropy(rows, answers, ignore_index=ignored, reduction="sum")
    return total / (targets != ignored).sum().clamp(min=1)


# --- The method ---
class GPT(nn.Module):
    """Guess each token from those before it.

    encoder: a causal TextEncoder, which is what is kept; the head is its token vectors again.
    end: the token that ends a document; never: tokens that no text holds, not to be written;
    start: whether `end` goes before every passage (GPT-2 was trained without).
    Source: Radford et al. 2018 and 2019.
    """

    def __init__(self, encoder: TextEncoder, end: int = 1, never=(0, 2), start: bool = True):
        super().__init__()
        if not isinstance(encoder, TextEncoder) or not encoder.causal:
            kind = type(encoder).__name__
            needed = "a causal TextEncoder (encoder 'text_causal')"
            raise ValueError(f"GPT needs {needed}, not {kind} that sees the future")
        self.encoder, self.end, self.never, self.start = encoder, end, tuple(never), start

    def pretext(self, tokens: Tensor, generator: object = None) -> tuple[Tensor, Tensor]:
        """Passages int64 [N, T] to (inputs, targets): what is given at each place, and what
        stands there. No chance in it, so no generator."""
        if self.start:
            return shifted(tokens, self.end), tokens
        return tokens[:, :-1], tokens[:, 1:]

    def logits(self, tokens: Tensor, cache: list[dict] | None = None) -> Tensor:
        """What is expected after each of tokens [N, T]: [N, T, V]. cache: a dict for each block,
        {} at first; then tokens are only those that are new."""
        return F.linear(self.encoder.tokens(tokens, cache), self.encoder.embed.weight)

    def forward(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """(inputs, targets) to (loss, extras): how many tokens were guessed."""
        (inputs, targets), pad = batch, self.encoder.pad
        loss = next_token_loss(self.logits(inputs), targets, pad)
        kept = torch.ones_like(targets) if pad is None else targets != pad
        count = kept.sum().to(loss.dtype)
        # 1 for one process; of several, each counts by how many tokens it has (chapter 25)
        share = count / gather(count[None]).mean().clamp(min=1)
        return loss * share, {"tokens": count}

    def window(self, tokens: Tensor, start: bool | None = None) -> Tensor:
        """What the network is given of a text int64 [N, T]: the last tokens that have a place,
        `end` in front if `start` (by default as in training, and before nothing)."""
        start = (self.start or not tokens.shape[1]) if start is None else start
        first = tokens.new_full((len(tokens), int(start)), self.end)
        room = self.encoder.context - int(start)
        return torch.cat([first, tokens[:, max(0, tokens.shape[1] - room) :]], dim=1)

    @torch.no_grad()
    def next_logits(self, tokens: Tensor) -> Tensor:
        """What is expected after a text int64 [N, T] of any length, [N, V] float32; in
        evaluation mode as it is."""
        tokens = tokens.to(self.encoder.embed.weight.device)
        return self.logits(self.window(tokens))[:, -1].float()

    def encode(self, tokens: Tensor) -> Tensor:
        """Passages int64 [N, T] to features h [N, D]: the mean over their tokens."""
        return self.encoder(tokens)

    def chance(self, batch_size: int) -> float:
        """The loss of finding all tokens equally likely: ln V."""
        return math.log(self.encoder.vocabulary)


# --- To write: draw, append, repeat ---
def truncate(logits: Tensor, top_k: int | None = None, top_p: float | None = None) -> Tensor:
    """logits [N, V] with minus infinity for all but the top_k likeliest, and of those all but the
    fewest that together have at least top_p of the probability; of equals the first stay.
    Source: Holtzman et al. 2020, section 3.1."""
    ranked, order = logits.sort(dim=-1, descending=True, stable=True)
    if top_k is not None:
        ranked[:, top_k:] = -math.inf
    if top_p is not None:
        probability = ranked.softmax(dim=-1)
        before = probability.cumsum(dim=-1) - probability  # of all that are likelier
        before[:, 0] = 0  # the likeliest always stays
        ranked = ranked.masked_fill(before >= top_p, -math.inf)
    return torch.empty_like(logits).scatter(1, order, ranked)


def sample_next(
    logits: Tensor,
    generator: torch.Generator | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Tensor:
    """A token for each row of logits [N, V], int64 [N]: drawn from the softmax of logits /
    temperature, cut by `truncate`; temperature 0 takes the likeliest. ValueError for settings
    that mean nothing."""
    sensible = (top_k is None or top_k >= 1) and (top_p is None or 0 < top_p <= 1)
    if not (0 <= temperature < math.inf and sensible):
        given = f"temperature {temperature}, top_k {top_k}, top_p {top_p}"
        raise ValueError(f"{given}: needed are finite and at least 0, at least 1, and 0 to 1")
    if temperature == 0:
        return logits.argmax(dim=-1)
    chances = truncate(logits.double() / temperature, top_k, top_p).softmax(dim=-1)
    return torch.multinomial(chances, 1, generator=generator)[:, 0]


# --- To write: draw, append, repeat ---
METHOD = GPT
KIND = "tokens"
ADAMW = {"optimizer": "adamw", "weight_decay": 0.1}
RECIPES = {
    "laptop": Recipe(steps=700, lr=4e-3, batch=32, encoder="text_causal", **ADAMW),
    # 20 passes over the installed Python's text, with dropout: with more it learns it by heart
    "gpu": Recipe(steps=3000, lr=1e-3, batch=128, encoder="text_causal_base", **ADAMW),
}


# --- The cache ---
@torch.no_grad()
def generate(
    method: GPT,
    tokens: Tensor,
    count: int,
    generator: torch.Generator | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    cache: bool = True,
    end: int | None = None,
) -> Tensor:
    """Texts int64 [N, T] and `count` more tokens: [N, T + count]. T may be 0, or more than the
    context: the network sees the last tokens that have a place. See `sample_next`; `generator`
    is one of the network's device. cache: keep keys and values, which gives the same sooner.
    end: a row that has drawn it holds nothing else from there on. ValueError unless tokens are
    int64 [N, T], each in the vocabulary."""
    V, training, given = method.encoder.vocabulary, method.training, tokens.device
    if tokens.ndim != 2 or tokens.dtype != torch.int64 or ((tokens < 0) | (tokens >= V)).any():
        shape = list(tokens.shape)
        raise ValueError(f"generate needs int64 tokens [N, T] of a vocabulary of {V}, got {shape}")
    tokens = tokens.to(method.encoder.embed.weight.device)
    start, length = method.start or not tokens.shape[1], tokens.shape[1]
    kept, done = [{} for _ in method.encoder.blocks], 0
    over = torch.zeros_like(tokens.sum(1), dtype=torch.bool)
    never = torch.tensor(method.never, dtype=torch.int64, device=tokens.device)
    method.eval()
    try:
        for _ in range(count):
            seen = method.window(tokens, start)
            if cache and seen.shape[1] == tokens.shape[1] + start:  # the window has not moved
                logits = method.logits(seen[:, done:], kept)
            else:
                logits = method.logits(seen)
            done = seen.shape[1]
            last = logits[:, -1].float().index_fill(1, never, -math.inf)
            chosen = sample_next(last, generator, temperature, top_k, top_p)
            if end is not None and tokens.shape[1] > length:
                over |= tokens[:, -1] == end
                chosen = chosen.masked_fill(over, end)
            tokens = torch.cat([tokens, chosen[:, None]], dim=1)
    finally:
        method.train(training)
    return tokens.to(given)
