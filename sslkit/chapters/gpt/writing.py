"""Ask a trained GPT, and let it write."""

import torch
from torch import Tensor

from sslkit.chapters.gpt.method import GPT, generate, shifted
from sslkit.nets import evaluating
from sslkit.tokenizer import BytePair
from sslkit.train import autocast


@torch.no_grad()
def logits_of(method: GPT, inputs: Tensor) -> Tensor:
    """What is expected after each of inputs [N, T]: [N, T, V], in evaluation mode and in the precision of the training."""
    where = method.encoder.embed.weight.device
    with evaluating(method), autocast(where):
        return method.logits(inputs.to(where))


def share_right(method: GPT, x: Tensor) -> float:
    """The share of the tokens of passages x [N, T] that are the likeliest after those before them."""
    hits = count = 0
    for part in x.split(64):
        guessed = logits_of(method, shifted(part, method.end)).argmax(-1).cpu()
        real = part != method.encoder.pad
        hits, count = hits + int(((guessed == part) & real).sum()), count + int(real.sum())
    return hits / count


def write(
    method: GPT, tokenizer: BytePair, prompt: str = "", count: int = 60, seed: int = 0, n: int = 1, **knobs
) -> list[str]:
    """n continuations of a prompt of at most `count` tokens, each up to where the network ends its text. knobs: of
    `generate`."""
    given = torch.tensor(tokenizer.encode(prompt), dtype=torch.int64).repeat(n, 1)
    dice = torch.Generator(method.encoder.embed.weight.device).manual_seed(seed)
    knobs = {"cache": method.encoder.causal} | knobs
    drawn = generate(method, given, count, dice, end=tokenizer.end, **knobs)[:, given.shape[1] :].tolist()
    return [tokenizer.decode(row[: row.index(tokenizer.end)] if tokenizer.end in row else row) for row in drawn]


def chain(table: Tensor, tokenizer: BytePair, prompt: str = "", count: int = 60, seed: int = 0) -> str:
    """A continuation drawn from a table of pairs, log p [V, V]: each token by the one before it alone."""
    no_text = torch.tensor([t for t in tokenizer.special.values() if t != tokenizer.end])
    dice, text = torch.Generator().manual_seed(seed), tokenizer.encode(prompt) or [int(tokenizer.end or 0)]
    start: int = len(text)
    for _ in range(count):
        chances = table[text[-1]].exp().index_fill(0, no_text, 0)
        text.append(int(torch.multinomial(chances, 1, generator=dice)))
        if text[-1] == tokenizer.end:
            break
    return tokenizer.decode([token for token in text[start:] if token != tokenizer.end])
