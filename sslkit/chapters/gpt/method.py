# Generated from notebooks/20_gpt.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- The task ---
import json
import math
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.dist import gather
from sslkit.nets import at_least_float32
from sslkit.tokenizer import BytePair
from sslkit.train import Recipe
from sslkit.transformer import TextEncoder


def shifted(tokens: Tensor, end: int) -> Tensor:
    """What stands before each of tokens [N, T]: `end` before the first. int64 [N, T]."""
    return torch.cat([tokens.new_full((len(tokens), 1), end), tokens[:, :-1]], dim=1)


# --- Two models made by counting ---
def uniform(vocabulary: int) -> Tensor:
    """log p of every token, all alike: [V]."""
    return torch.full((vocabulary,), -math.log(vocabulary))


def unigram(targets: Tensor, vocabulary: int, pad: int | None = 0) -> Tensor:
    """log p of every token by how often it is a target int64 [N, T], each counted once more than it was seen: [V].
    Padding does not count."""
    counts = torch.bincount(targets.flatten(), minlength=vocabulary).double() + 1
    if pad is not None:
        counts[pad] = 1
    return (counts / counts.sum()).log().float()


def bigram(inputs: Tensor, targets: Tensor, vocabulary: int, prior: float, pad: int | None = 0) -> Tensor:
    """log p of every token after every other one, row a, column b: [V, V]; inputs and targets int64 [N, T], see
    `shifted`. The unigram counts as `prior` more tokens seen after each. Source: MacKay & Peto 1995, equation 15."""
    given, answer = inputs.flatten(), targets.flatten()
    if pad is not None:
        given, answer = given[answer != pad], answer[answer != pad]
    counts = torch.bincount(given * vocabulary + answer, minlength=vocabulary**2).view(vocabulary, vocabulary).float()
    single = unigram(targets, vocabulary, pad).exp()
    return ((counts + prior * single) / (counts.sum(dim=1, keepdim=True) + prior)).log()


# --- Two models made by counting ---
@torch.no_grad()
def token_losses(predict: Callable, inputs: Tensor, targets: Tensor, batch: int = 64) -> Tensor:
    """-log p of each target int64 [N, T], in nats: [N, T] on the CPU. predict(inputs [n, T]) gives logits or log p
    [n, T, V], or [V] for all places."""
    losses = []
    for given, answer in zip(inputs.split(batch), targets.split(batch)):
        logits = predict(given).float().cpu().expand(*answer.shape, -1)
        losses.append(F.cross_entropy(logits.flatten(0, 1), answer.flatten(), reduction="none").view_as(answer))
    return torch.cat(losses)


def bits_per_byte(losses: Tensor, targets: Tensor, lengths: Tensor, pad: int | None = 0) -> float:
    """The bits that targets int64 [N, T] cost at -log p = losses [N, T] (nats), for each byte of text that they stand for;
    lengths [V]: bytes of each token, 0 for one that is no text. An `<end>` costs bits too; padding does not count.
    ValueError where there is no text."""
    kept = torch.ones_like(targets, dtype=torch.bool) if pad is None else targets != pad
    size = lengths[targets[kept]].sum().item()
    if not size:
        raise ValueError("bits per byte of no text: all targets are padding or stand for nothing")
    return losses[kept].double().sum().item() / math.log(2) / size


# --- The loss ---
def next_token_loss(logits: Tensor, targets: Tensor, pad: int | None = 0) -> Tensor:
    """Mean cross-entropy of the targets.

    logits [N, T, V]: what is expected at each place; targets int64 [N, T]: what stands there; those that are `pad` do
    not count. Returns a scalar in nats, computed in float32 (float64 stays float64); 0 if all is padding.
    Source: Radford et al. 2018, equation 1.
    """
    if logits.ndim != 3 or logits.shape[:2] != targets.shape or targets.dtype != torch.int64:
        shapes = f"{list(logits.shape)}, {targets.dtype} {list(targets.shape)}"
        raise ValueError(f"next_token_loss needs logits [N, T, V] and int64 targets [N, T]; got {shapes}")
    logits = at_least_float32(logits)
    ignored = -100 if pad is None else pad
    total = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=ignored, reduction="sum")
    return total / (targets != ignored).sum().clamp(min=1)


# --- The method ---
class GPT(nn.Module):
    """Guess each token from those before it.

    encoder: a causal TextEncoder, which is what is kept; the head is its token vectors again. end: the token that ends a
    document; never: tokens that no text holds, not to be written; start: whether `end` goes before every passage (GPT-2
    was trained without). Source: Radford et al. 2018 and 2019.
    """

    def __init__(self, encoder: TextEncoder, end: int = 1, never: tuple[int, ...] = (0, 2), start: bool = True):
        super().__init__()
        if not isinstance(encoder, TextEncoder) or not encoder.causal:
            kind = type(encoder).__name__
            raise ValueError(f"GPT needs a causal TextEncoder (encoder 'text_causal'), not {kind} that sees the future")
        self.encoder, self.end, self.never, self.start = encoder, end, tuple(never), start

    def pretext(self, tokens: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Passages int64 [N, T] to (inputs, targets), what is given at each place and what stands there. No chance in it."""
        return (shifted(tokens, self.end), tokens) if self.start else (tokens[:, :-1], tokens[:, 1:])

    def logits(self, tokens: Tensor, cache: list[dict] | None = None) -> Tensor:
        """What is expected after each of tokens [N, T]: [N, T, V]. cache: a dict for each block, {} at first; then tokens
        are only those that are new."""
        return F.linear(self.encoder.tokens(tokens, cache), self.encoder.embed.weight)

    def forward(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """(inputs, targets) to (loss, extras): how many tokens were guessed."""
        inputs, targets = batch
        loss = next_token_loss(self.logits(inputs), targets, self.encoder.pad)
        kept = torch.ones_like(targets) if self.encoder.pad is None else targets != self.encoder.pad
        count = kept.sum().to(loss.dtype)
        share = count / gather(count[None]).mean().clamp(min=1)  # of the tokens of all processes; 1 for one process
        return loss * share, {"tokens": count}

    def window(self, tokens: Tensor, start: bool | None = None) -> Tensor:
        """What the network is given of a text int64 [N, T]: the last tokens that have a place, `end` in front if `start`
        (by default as in training, and before nothing)."""
        start = (self.start or not tokens.shape[1]) if start is None else start
        first = tokens.new_full((len(tokens), int(start)), self.end)
        room = self.encoder.context - int(start)
        return torch.cat([first, tokens[:, max(0, tokens.shape[1] - room) :]], dim=1)

    @torch.no_grad()
    def next_logits(self, tokens: Tensor) -> Tensor:
        """What is expected after a text int64 [N, T] of any length, [N, V] float32; in evaluation mode as it is."""
        return self.logits(self.window(tokens.to(self.encoder.embed.weight.device)))[:, -1].float()

    def encode(self, tokens: Tensor) -> Tensor:
        """Passages int64 [N, T] to features h [N, D]: the mean over their tokens."""
        return self.encoder(tokens)

    def chance(self, batch_size: int) -> float:
        """The loss of holding all tokens for equally likely: ln V."""
        return math.log(self.encoder.vocabulary)


# --- To write: draw, append, repeat ---
def truncate(logits: Tensor, top_k: int | None = None, top_p: float | None = None) -> Tensor:
    """logits [N, V] with minus infinity for all but the top_k likeliest, and of those all but the fewest that together
    have at least top_p of the probability; of equals the first stay. Source: Holtzman et al. 2020, section 3.1."""
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
    """A token for each row of logits [N, V], int64 [N]: drawn from the softmax of logits / temperature, cut by `truncate`;
    temperature 0 takes the likeliest. ValueError for settings that mean nothing."""
    if not 0 <= temperature < math.inf or top_k is not None and top_k < 1 or top_p is not None and not 0 < top_p <= 1:
        raise ValueError(
            f"temperature {temperature}, top_k {top_k}, top_p {top_p}: needed are finite and at least 0, at least 1, and 0 to 1"
        )
    if temperature == 0:
        return logits.argmax(dim=-1)
    chances = truncate(logits.double() / temperature, top_k, top_p).softmax(dim=-1)
    return torch.multinomial(chances, 1, generator=generator)[:, 0]


# --- A cache that changes nothing ---
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
    """Texts int64 [N, T] and `count` more tokens: [N, T + count]. T may be 0, or more than the context: the network sees
    the last tokens that have a place. See `sample_next`; `generator` is one of the network's device. cache: keep keys and
    values, which gives the same sooner. end: a row that has drawn it holds nothing else from there on. ValueError
    unless tokens are int64 [N, T], each in the vocabulary."""
    if tokens.ndim != 2 or tokens.dtype != torch.int64 or ((tokens < 0) | (tokens >= method.encoder.vocabulary)).any():
        raise ValueError(
            f"generate needs int64 tokens [N, T] of a vocabulary of {method.encoder.vocabulary}, got {list(tokens.shape)}"
        )
    given, training = tokens.device, method.training
    tokens = tokens.to(method.encoder.embed.weight.device)
    start, length = method.start or not tokens.shape[1], tokens.shape[1]
    kept, done, over = [{} for _ in method.encoder.blocks], 0, torch.zeros_like(tokens.sum(1), dtype=torch.bool)
    never = torch.tensor(method.never, dtype=torch.int64, device=tokens.device)
    method.eval()
    try:
        for _ in range(count):
            seen = method.window(tokens, start)
            fits = seen.shape[1] == tokens.shape[1] + start
            logits = method.logits(seen[:, done:], kept) if cache and fits else method.logits(seen)
            done = seen.shape[1]
            chosen = sample_next(
                logits[:, -1].float().index_fill(1, never, -math.inf), generator, temperature, top_k, top_p
            )
            if end is not None and tokens.shape[1] > length:
                over |= tokens[:, -1] == end
                chosen = chosen.masked_fill(over, end)
            tokens = torch.cat([tokens, chosen[:, None]], dim=1)
    finally:
        method.train(training)
    return tokens.to(given)


# --- A cache that changes nothing ---
METHOD = GPT
KIND = "tokens"
RECIPES = {
    "laptop": Recipe(steps=700, lr=4e-3, batch=32, encoder="text_causal", optimizer="adamw", weight_decay=0.1),
    # 20 passes over the installed Python's text, with dropout: more of the same text would be learned by heart
    "gpu": Recipe(steps=3000, lr=1e-3, batch=128, encoder="text_causal_base", optimizer="adamw", weight_decay=0.1),
}


# --- GPT-2 in your own code ---
def from_huggingface(state_dict: dict[str, Tensor], heads: int | None = None) -> GPT:
    """The GPT of a GPT2LMHeadModel's (or GPT2Model's) state_dict; heads: of attention, by default one for each 64
    dimensions, as in all of GPT-2's sizes. ValueError names what is missing, left over, or does not fit."""
    state = {key.removeprefix("transformer."): value for key, value in state_dict.items()}
    state = {
        k: v for k, v in state.items() if not k.endswith((".attn.bias", ".attn.masked_bias"))
    }  # old files keep masks
    depth = len({key.split(".")[1] for key in state if key.startswith("h.")})
    names = huggingface_names(depth)
    head = state.pop("lm_head.weight", None)
    if missing := sorted(set(names) - set(state)) or ([] if depth else ["h.0.ln_1.weight"]):
        raise ValueError(
            f"these are not GPT-2's weights: {len(missing)} keys are missing: {', '.join(missing[:5])} ..."
        )
    if left := sorted(set(state) - set(names)):
        raise ValueError(f"{len(left)} keys have no place in GPT-2: {', '.join(left[:5])} ...")
    if head is not None and not torch.equal(head, state["wte.weight"]):
        raise ValueError("lm_head.weight is not wte.weight: GPT-2's head is its token vectors")
    (vocabulary, dim), context = state["wte.weight"].shape, len(state["wpe.weight"])
    heads = heads or dim // 64
    if heads < 1 or dim % heads:
        raise ValueError(f"{dim} dimensions cannot be shared by {heads} heads: give heads=")
    mlp = state["h.0.mlp.c_fc.weight"].shape[1] // dim
    look = dict(causal=True, eps=1e-5, gelu="tanh", pad=None, mlp=mlp)
    method = GPT(TextEncoder(vocabulary, context, dim, depth, heads, **look), end=vocabulary - 1, never=(), start=False)
    turned = {k: v.T if ".c_" in k and k.endswith(".weight") else v for k, v in state.items()}  # Conv1D keeps [in, out]
    method.encoder.load_state_dict({ours: turned[theirs].float() for theirs, ours in names.items()})
    return method


def huggingface_names(depth: int) -> dict[str, str]:
    """Hugging Face's name of each of GPT-2's parameters, to that in a TextEncoder."""
    modules = {"wte": "embed", "wpe": "places", "ln_f": "norm"}
    inside = {
        "ln_1": "norm1",
        "attn.c_attn": "attention.qkv",
        "attn.c_proj": "attention.out",
        "ln_2": "norm2",
        "mlp.c_fc": "mlp.0",
    }
    for i in range(depth):
        modules |= {
            f"h.{i}.{theirs}": f"blocks.{i}.{ours}" for theirs, ours in (inside | {"mlp.c_proj": "mlp.2"}).items()
        }
    parts = {name: ("weight",) if name in ("wte", "wpe") else ("weight", "bias") for name in modules}
    return {f"{theirs}.{part}": f"{ours}.{part}" for theirs, ours in modules.items() for part in parts[theirs]}


# --- GPT-2 in your own code ---
def load_gpt2(folder: str | Path) -> tuple[GPT, BytePair]:
    """GPT-2 and its tokenizer from a folder with vocab.json, merges.txt and the weights, model.safetensors (where the
    package safetensors is installed) or pytorch_model.bin; config.json, where it is there, says how many heads.
    FileNotFoundError names what is missing."""
    folder = Path(folder).expanduser()
    if missing := [name for name in ("vocab.json", "merges.txt") if not (folder / name).is_file()]:
        raise FileNotFoundError(f"{folder.resolve()} lacks {' and '.join(missing)}")
    if (folder / "model.safetensors").is_file():
        from safetensors.torch import load_file

        state = load_file(folder / "model.safetensors")
    elif (folder / "pytorch_model.bin").is_file():
        state = torch.load(folder / "pytorch_model.bin", map_location="cpu", weights_only=True)
    else:
        raise FileNotFoundError(f"{folder.resolve()} holds neither model.safetensors nor pytorch_model.bin")
    config = folder / "config.json"
    heads = json.loads(config.read_text(encoding="utf-8")).get("n_head") if config.is_file() else None
    return from_huggingface(state, heads), BytePair.from_huggingface(folder / "vocab.json", folder / "merges.txt")
