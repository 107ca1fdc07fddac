"""Exercises of chapter 20: attention to the past, the shifted loss, top-p, bits per byte."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.chapters.gpt.exercises import nucleus, shifted_loss
from sslkit.checks.exercise import Exercise, draw, draw_labels, generator, mistake


def causal_attention_loop(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    q, k, v = q.double(), k.double(), v.double()
    passages = []
    for n in range(len(q)):
        rows = []
        for i in range(q.shape[1]):
            weights = [((q[n, i] * k[n, j]).sum() / math.sqrt(q.shape[2])).exp() for j in range(i + 1)]
            rows.append(sum(w * v[n, j] for j, w in enumerate(weights)) / sum(weights))
        passages.append(torch.stack(rows))
    return torch.stack(passages)


def attended(q: Tensor, k: Tensor, v: Tensor, diagonal: int = 1, scale: float | None = None, dim: int = -1) -> Tensor:
    """Attention with the mask above a diagonal; those who may see nobody see everybody alike."""
    scores = q @ k.transpose(1, 2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    hidden = torch.ones_like(scores, dtype=torch.bool).triu(diagonal)
    return scores.masked_fill(hidden, -1e9).softmax(dim) @ v


def raw(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.transpose(1, 2) / q.shape[-1] ** 0.5


def zeroed_before(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return (q @ k.transpose(1, 2) * q.shape[-1] ** -0.5).tril().softmax(-1) @ v


ATTENTION = Exercise(
    "causal_attention", causal_attention_loop, grad=True,
    trials=lambda: [
        (draw(1, 1, 2, 2, spread=2.0), draw(2, 1, 2, 2, spread=2.0), draw(3, 1, 2, 2)),
        (draw(4, 2, 4, 4, spread=2.0), draw(5, 2, 4, 4, spread=2.0), draw(6, 2, 4, 4)),
        (draw(7, 3, 7, 3, spread=2.0), draw(8, 3, 7, 3, spread=2.0), draw(9, 3, 7, 3)),
        (draw(10, 2, 1, 4), draw(11, 2, 1, 4), draw(12, 2, 1, 4)),
    ],
    mistakes=(
        mistake("no mask", "Every token sees the whole passage, the future too: this is the leak of section 8.", ("ones", "zeros")),
        mistake("looks ahead", "Your mask hides the past and shows the future. Row i asks, column j is asked: hide j > i, which "
                "is `triu(1)`.",
                ("(1)", "(1).T"),
                lambda q, k, v: raw(q, k).masked_fill(torch.ones_like(raw(q, k)).tril() == 1, -1e9).softmax(-1) @ v),
        mistake("not itself", "Your mask hides the token itself as well. It may look at 0 .. i, and the first one has nobody else.",
                ("(1)", "(0)"), lambda q, k, v: attended(q, k, v, diagonal=0),
                (("(1)", "(0)"), ("softmax(dim=-1)", "softmax(dim=-1).nan_to_num()"))),
        mistake("sees the next", "Your mask is one place too generous: token i still sees token i + 1. That one place is the answer.",
                ("(1)", "(2)")),
        mistake("zero in place of minus infinity", "You set the scores of the future to 0, and exp(0) = 1 is a good share. Set "
                "them to minus infinity.",
                zeroed_before),
        mistake("masked after the softmax", "You take the softmax first and hide the future then, so the weights that are left "
                "do not add up to 1.",
                ("masked_fill(future, -torch.inf).softmax(dim=-1)", "softmax(dim=-1).masked_fill(future, 0)")),
        mistake("not scaled", "The scores are not divided by sqrt(D).", (") / q.shape[-1] ** 0.5", ")")),
        mistake("divided by D", "You divide by D. Divide by its root: so much does a product of D random numbers spread.",
                ("] ** 0.5", "]")),
        mistake("softmax over the queries", "Your softmax runs over those who ask. It runs over those who are asked, the last "
                "dimension.",
                ("=-1", "=1")),
        mistake("axes of k reshaped", "reshape moves no axis, it only counts the numbers off anew. Exchange the axes: k.transpose(1, 2).",
                ("k.transpose(1, 2)", "k.reshape(len(k), k.shape[2], -1)")),
        mistake("axes of k reversed", ".T turns all the axes of a tensor of three round. Exchange the last two: k.transpose(1, 2), or "
                "k.mT.",
                ("k.transpose(1, 2)", "k.permute(2, 1, 0)")),
        mistake("queries and keys exchanged", "Your row i asks with the key of token i. Rows are queries, columns are keys: q @ "
                "k.transpose(1, 2).",
                ("q @ k.transpose(1, 2)", "k @ q.transpose(1, 2)")),
        mistake("0 times infinity", "0 times minus infinity is no number. Do not multiply the mask by it: masked_fill, or torch.where.",
                ("masked_fill(future, -torch.inf)", "add(future * -torch.inf)")),
        mistake("no softmax", "You multiply the values by the scores themselves. Make weights of them: softmax.",
                (".masked_fill(future, -torch.inf).softmax(dim=-1)", ".masked_fill(future, 0)")),
        mistake("scaled after the softmax", "You divide the weights by sqrt(D), so that they do not add up to 1. Divide the scores, "
                "before the softmax.", ((") / q.shape[-1] ** 0.5", ")"), ("softmax(dim=-1)", "softmax(dim=-1) / q.shape[-1] ** 0.5"))),
        mistake("weights returned", "These are the weights [N, T, T]. Multiply them by v.", (" @ v", "")),
        mistake("divided by the root of T", "You divide by the root of the number of tokens. It is the root of D, the length of a query.",
                ("q.shape[-1] **", "q.shape[1] **")),
    ),
)  # fmt: skip


def shifted_loss_loop(logits: Tensor, tokens: Tensor, pad: int) -> Tensor:
    total, count = torch.zeros((), dtype=torch.float64), 0
    for n in range(len(tokens)):
        for i in range(tokens.shape[1] - 1):
            target = tokens[n, i + 1].item()
            if target != pad:
                row = logits[n, i].double()
                total = total - (row[target].exp() / row.exp().sum()).log()
                count += 1
    return total / count


def nll(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view_as(targets)


def averaged(losses: Tensor, counted: Tensor) -> Tensor:
    return (losses * counted).sum() / counted.sum()


def passages(seed: int, N: int, T: int, V: int, ends: tuple[int, ...] = (), pad: int = 0) -> tuple[Tensor, Tensor, int]:
    """Logits, tokens of which passage n is padded from place ends[n] on, and the padding."""
    tokens = draw_labels(seed, N * T, V - 1).view(N, T) + 1
    for n, end in enumerate(ends):
        tokens[n, end:] = 0
    return draw(seed, N, T, V, spread=2.0), (tokens + pad) % V, pad


def per_passage(logits: Tensor, tokens: Tensor, pad: int) -> Tensor:
    losses, real = nll(logits[:, :-1], tokens[:, 1:]), tokens[:, 1:] != pad
    return ((losses * real).sum(1) / real.sum(1)).mean()


SHIFTED = Exercise(
    "shifted_loss", shifted_loss_loop, grad=True,
    trials=lambda: [
        passages(1, 1, 3, 4),
        passages(2, 2, 5, 6, ends=(5, 3)),
        passages(3, 4, 8, 10, ends=(2, 8, 4, 7)),
        passages(4, 3, 6, 5, ends=(4, 6, 6)),
        passages(5, 3, 6, 7, ends=(4, 6, 5), pad=3),
        (draw(6, 1, 4, 5, spread=2.0), torch.tensor([[0, 0, 2, 3]]), 0),  # padded in front
    ],
    mistakes=(
        mistake("not shifted", "You compare the logits of place i with token i, which the network has just been given. It is to "
                "guess token i + 1.",
                lambda x, t, pad: averaged(nll(x, t), t != pad),
                lambda x, t, pad: averaged(nll(x[:, :-1], t[:, :-1]), t[:, :-1] != pad),
                lambda x, t, pad: averaged(nll(x[:, 1:], t[:, 1:]), t[:, 1:] != pad)),
        mistake("shifted the wrong way", "You compare the logits of place i with token i - 1. The answer lies to the right: "
                "token i + 1.",
                lambda x, t, pad: averaged(nll(x[:, 1:], t[:, :-1]), t[:, :-1] != pad)),
        mistake("padding counts", "You take the mean over the padding too. Nothing is to be learned from it.",
                (', reduction="none"', "")),
        mistake("divided by all places", "You leave the padding out of the sum but divide by all places. Divide by how many "
                "targets count.",
                lambda x, t, pad: (nll(x[:, :-1], t[:, 1:]) * (t[:, 1:] != pad)).mean()),
        mistake("padded inputs left out", "You leave out the places where padding is given. Leave out those where padding is to "
                "be guessed.",
                lambda x, t, pad: averaged(nll(x[:, :-1], t[:, 1:]), t[:, :-1] != pad)),
        mistake("what padding guesses left out", "You leave out what is guessed at a padded place too. Leave out the targets that are "
                "padding, and them alone.",
                ("real = answers != pad", "real = (answers != pad) & (tokens[:, :-1].flatten() != pad)")),
        mistake("divided by all tokens", "You divide by the tokens that are no padding, the first ones too, which nobody guesses. Count "
                "the targets.", ("/ real.sum()", "/ (tokens != pad).sum()")),
        mistake("two places on", "You compare the logits of place i with token i + 2. They are a guess of token i + 1.",
                (("logits[:, :-1]", "logits[:, :-2]"), ("tokens[:, 1:]", "tokens[:, 2:]"))),
        mistake("shifted along the batch", "You leave out a passage. Leave out a place of each: the second axis, [:, 1:].",
                (("logits[:, :-1]", "logits[:-1]"), ("tokens[:, 1:]", "tokens[1:]"))),
        mistake("mean of the passages' means", "You take each passage's mean first: a token of a short passage counts more. All "
                "targets count the same.",
                per_passage),
        mistake("sum", "You add the losses up. Take their mean, or the loss grows with the batch.", ("() / real.sum()", "()")),
        mistake("bits", "You take the logarithm to base 2. The loss is in nats, with the natural one.",
                lambda x, t, pad: shifted_loss(x, t, pad) / math.log(2)),
        mistake("shifted across passages", "You flatten first and shift then, so that the end of each passage guesses the start "
                "of the next. Shift "
                "first: logits[:, :-1], tokens[:, 1:].",
                lambda x, t, pad: F.cross_entropy(x.flatten(0, 1)[:-1], t.flatten()[1:], ignore_index=pad),
                lambda x, t, pad: F.cross_entropy(x[t != pad][:-1], t[t != pad][1:])),
        mistake("the padding alone", "You take the loss where padding is to be guessed: the condition is the wrong way round.",
                ("!= pad", "== pad")),
        mistake("divided by the passages", "You divide by the number of passages. Divide by how many targets count.",
                ("/ real.sum()", "/ len(tokens)")),
        mistake("no logarithm", "You take minus the probability. Take minus its log.",
                ('F.cross_entropy(guesses, answers, reduction="none")', "-guesses.softmax(1).gather(1, answers[:, None])[:, 0]"),
                ('F.cross_entropy(guesses, answers, reduction="none")', "F.nll_loss(guesses.softmax(1), answers, reduction='none') + 1")),
        mistake("softmax twice", "F.cross_entropy takes logits and applies softmax itself. Do not apply it before.",
                ("logits[:", "logits.softmax(2)[:")),
        mistake("rolled round", "You roll the tokens, so that the last logits are compared with the first token. They have nothing to "
                "guess: leave them out.",
                lambda logits, tokens, pad: F.cross_entropy(logits.flatten(0, 1), tokens.roll(-1, 1).flatten(), ignore_index=pad)),
    ),
)  # fmt: skip


def nucleus_loop(p: Tensor, top_p: float) -> Tensor:
    result = torch.zeros(p.shape, dtype=torch.float64)
    for n in range(len(p)):
        total = 0.0
        for token in sorted(range(p.shape[1]), key=lambda i: -p[n, i].item()):
            result[n, token] = p[n, token].item()
            total += p[n, token].item()
            if total >= top_p:
                break
        result[n] /= result[n].sum()
    return result


def chances(seed: int, N: int, V: int, spread: float = 1.5) -> Tensor:
    """Rows that sum to 1, no two entries alike, no partial sum on the edge of a round top_p."""
    dice = generator(seed)
    return (torch.randn(N, V, generator=dice) * spread).softmax(dim=1)


def cut(keep) -> tuple:
    """Two forms that keep the tokens of which keep(ranked, cumulated, top_p) is True: as most write it, 0 / 0 where none
    stays, and guarded."""

    def form(p: Tensor, top_p: float, least: float) -> Tensor:
        ranked, order = p.sort(dim=1, descending=True)
        kept = torch.zeros_like(p).scatter(1, order, ranked * keep(ranked, ranked.cumsum(1), top_p))
        return kept / kept.sum(1, keepdim=True).clamp(min=least)

    return tuple(lambda p, top_p, least=least: form(p, top_p, least) for least in (0.0, 1e-12))


def by_number(p: Tensor, keep: Tensor) -> Tensor:
    return p * keep / (p * keep).sum(1, keepdim=True)


NUCLEUS = Exercise(
    "nucleus", nucleus_loop,
    trials=lambda: [
        (torch.tensor([[0.15, 0.5, 0.05, 0.3]]), 0.7),
        (torch.tensor([[0.9, 0.04, 0.06], [0.2, 0.37, 0.43]]), 0.6),
        (chances(1, 4, 10), 0.9),
        (chances(2, 3, 30, 2.5), 0.5),
        (chances(3, 3, 6), 1.0),
        (torch.tensor([[0.125, 0.5, 0.25, 0.0625, 0.0625]]), 0.75),  # reached exactly: that is enough
    ],
    mistakes=(
        mistake("one too few", "You stop before top_p is reached. The token that reaches it belongs to the nucleus, and the "
                "likeliest always does.",
                ("cumsum(dim=1) - ranked", "cumsum(dim=1)"), (("cumsum(dim=1) - ranked", "cumsum(dim=1)"), ("< top_p", "<= top_p")),
                *cut(lambda r, c, top_p: c <= top_p), *cut(lambda r, c, top_p: c < top_p),
                *cut(lambda r, c, top_p: (c <= top_p) | (c == r)),
                *cut(lambda r, c, top_p: ~torch.cat([c[:, :1], c[:, :-1]], 1).ge(top_p))),
        mistake("one too many", "You keep a token too many. One stays only if the likelier ones together have less than top_p.",
                *cut(lambda r, c, top_p: F.pad((c - r)[:, :-1], (1, 0)) < top_p), *cut(lambda r, c, top_p: c - r <= top_p)),
        mistake("one number for all rows", "You keep as many tokens in each row as in the first. Each row has a nucleus of its own.",
                *cut(lambda r, c, top_p: torch.arange(r.shape[1]) < ((c - r)[0] < top_p).sum())),
        mistake("not sorted", "You go through the tokens by number. The likeliest come first: sort.",
                lambda p, top_p: by_number(p, p.cumsum(1) - p < top_p), lambda p, top_p: by_number(p, p.cumsum(1) <= top_p)),
        mistake("sorted along the rows", "You sort each column. Each row is a distribution of its own: dim=1.",
                (("p.sort(dim=1", "p.sort(dim=0"), ("cumsum(dim=1)", "cumsum(dim=0)"), ("scatter(1", "scatter(0"))),
        mistake("one sum for all rows", "You divide by the sum of all rows. Each row sums to 1 by itself: dim=1, keepdim=True.",
                ("kept.sum(dim=1, keepdim=True)", "kept.sum()"), ("kept.sum(dim=1, keepdim=True)", "kept.sum(dim=0, keepdim=True)")),
        mistake("the likeliest alone", "You keep the likeliest token alone. Go on until the tokens together have top_p.",
                lambda p, top_p: F.one_hot(p.argmax(1), p.shape[1]).to(p)),
        mistake("mask not put back", "Your mask goes by rank, but you lay it on the tokens by number. Put it back in their order first: "
                "scatter.", lambda p, top_p: by_number(p, (r := p.sort(1, descending=True).values).cumsum(1) - r < top_p)),
        mistake("what is beyond kept", "You keep the unlikely rest and throw the nucleus away. The condition is the wrong way round.",
                *cut(lambda r, c, top_p: c > top_p), *cut(lambda r, c, top_p: c - r >= top_p), *cut(lambda r, c, top_p: c >= top_p)),
        mistake("1 for each token that stays", "You return 1 for each token that stays, or equal shares. Keep its probability.",
                ("ranked * (before < top_p)", "(before < top_p).to(p)"),
                (("ranked * (before < top_p)", "(before < top_p).to(p)"), ("kept / kept.sum(dim=1, keepdim=True)", "kept"))),
        mistake("softmax of what stays", "A softmax gives the tokens with 0 a share again. Divide by the sum.",
                ("kept / kept.sum(dim=1, keepdim=True)", "kept.softmax(dim=1)")),
        mistake("softmax among what stays", "A softmax of probabilities evens them out. Divide what stays by its sum.",
                ("kept / kept.sum(dim=1, keepdim=True)", "kept.masked_fill(kept == 0, -torch.inf).softmax(dim=1)")),
        mistake("a share of the vocabulary", "You keep top_p times V tokens. top_p is a share of the probability, not of the tokens.",
                *cut(lambda r, c, top_p: torch.arange(r.shape[1]) < int(top_p * r.shape[1])),
                *cut(lambda r, c, top_p: torch.arange(r.shape[1]) < round(top_p * r.shape[1]))),
        mistake("sums in place of probabilities", "You keep the running sums. Keep the probabilities where the sum allows it.",
                ("ranked * (before", "ranked.cumsum(dim=1) * (before")),
        mistake("not made to sum to 1", "You cut, but the row no longer sums to 1: divide by what is left.",
                ("kept / kept.sum(dim=1, keepdim=True)", "kept")),
        mistake("divided by top_p", "You divide by top_p. What stays adds up to more, since the last token goes beyond it: divide by the "
                "sum of what stays.", ("kept.sum(dim=1, keepdim=True)", "top_p")),
        mistake("a threshold for each token", "You keep the tokens whose own probability is above a threshold. It is their sum, "
                "likeliest first, that counts.",
                *cut(lambda r, c, top_p: r >= 1 - top_p), *cut(lambda r, c, top_p: r >= top_p),
                *cut(lambda r, c, top_p: r >= top_p * r[:, :1])),
        mistake("the unlikeliest first", "You sort the wrong way round and keep the unlikeliest tokens: descending=True.",
                (", descending=True", "")),
        mistake("not put back", "You return the probabilities in sorted order. Put each back in its token's place with scatter.",
                ("torch.zeros_like(p).scatter(1, order, ranked * (before < top_p))", "ranked * (before < top_p)")),
        mistake("gathered in place of scattered", "gather with the order sorts once more. To undo a sort, scatter with it.",
                lambda p, top_p: ( nucleus(p, top_p).sort(dim=1, descending=True).values.gather(1, p.argsort(1, descending=True)) )),
        mistake("nothing cut", "You return the row as it is: nothing is cut.", lambda p, top_p: p.clone()),
    ),
)  # fmt: skip


def text_bits_per_byte_loop(nats: Tensor, lengths: Tensor) -> Tensor:
    bits, size = 0.0, 0
    for cost, length in zip(nats.tolist(), lengths.tolist()):
        bits += math.log2(math.exp(cost))
        size += length
    return torch.tensor(bits / size, dtype=torch.float64)


def costs(seed: int, M: int, ends: tuple[int, ...] = ()) -> tuple[Tensor, Tensor]:
    lengths = draw_labels(seed, M, 6) + 1
    lengths[list(ends)] = 0
    return draw(seed, M, spread=2.0).abs() + 0.25, lengths


def text_only(nats: Tensor, lengths: Tensor) -> Tensor:
    return nats * (lengths > 0)


BITS = Exercise(
    "text_bits_per_byte", text_bits_per_byte_loop,
    trials=lambda: [
        (torch.tensor([1.0, 3.0]), torch.tensor([1, 4])),
        costs(1, 5),
        costs(2, 12, ends=(11,)),
        costs(3, 30, ends=(4, 29)),
    ],
    mistakes=(
        mistake("nats", "You count nats. One nat is 1 / ln 2 = 1.44 bits.", ("math.log(2) / lengths", "lengths")),
        mistake("multiplied by ln 2", "You multiply by ln 2. A bit is less than a nat, so there are more of them: divide.",
                ("/ math", "* math")),
        mistake("bits per token", "You divide by the number of tokens. That depends on the tokenizer; divide by the bytes.",
                lambda nats, lengths: nats.mean() / math.log(2)),
        mistake("mean of the tokens' bits per byte", "You take the bits per byte of each token and then their mean, so that "
                "short tokens count as much as long ones. Sum the bits, sum the bytes, then divide.",
                lambda nats, lengths: (nats / lengths).mean() / math.log(2),
                lambda nats, lengths: (nats / lengths.clamp(min=1)).mean() / math.log(2),
                lambda nats, lengths: (nats / lengths.clamp(min=1))[lengths > 0].mean() / math.log(2)),
        mistake("the end is free", "You leave out the tokens that stand for no byte. They have to be guessed too: their bits count.",
                lambda nats, lengths: text_only(nats, lengths).sum() / math.log(2) / lengths.sum()),
        mistake("the end is a byte", "You count a byte for tokens that stand for none.",
                lambda nats, lengths: nats.sum() / math.log(2) / lengths.clamp(min=1).sum()),
        mistake("a second logarithm", "The nats are minus a logarithm already. To get bits, divide by ln 2.",
                lambda nats, lengths: nats.log2().sum() / lengths.sum()),
        mistake("weighted by the length", "You multiply each token's nats by its bytes. A token costs its nats once.",
                lambda nats, lengths: (nats * lengths).sum() / math.log(2) / lengths.sum()),
        mistake("perplexity", "You take exp, as a perplexity does. Bits are a logarithm: divide by ln 2.",
                ("nats.sum() / math.log(2) / lengths.sum()", "(nats.sum() / lengths.sum()).exp()"),
                ("nats.sum() / math.log(2) / lengths.sum()", "2 ** (nats.sum() / math.log(2) / lengths.sum())")),
        mistake("bytes per bit", "You divide the bytes by the bits. Bits per byte is the other way round.",
                lambda nats, lengths: lengths.sum() * math.log(2) / nats.sum()),
        mistake("eight bits to a byte", "You put in the 8 bits that a byte takes up in a file. What counts is what it costs to guess: all "
                "the bits over all the bytes.", ("return nats", "return 8 * nats"), ("lengths.sum()", "(8 * lengths.sum())"),
                lambda nats, lengths: 8 * lengths.sum() * math.log(2) / nats.sum()),
    ),
)  # fmt: skip

EXERCISES = [ATTENTION, SHIFTED, NUCLEUS, BITS]
