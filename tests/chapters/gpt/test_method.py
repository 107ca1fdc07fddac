"""GPT, exported from notebooks/20_gpt.ipynb: losses, counting, sampling, the cache and GPT-2's weights against loops,
closed forms and the package transformers."""

import copy
import importlib
import itertools
import json
import math
from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from changed import changed

from sslkit.chapters.gpt.method import (
    GPT,
    METHOD,
    RECIPES,
    bigram,
    bits_per_byte,
    generate,
    next_token_loss,
    sample_next,
    shifted,
    token_losses,
    truncate,
    uniform,
    unigram,
)
from sslkit.chapters.gpt.published import from_huggingface, load_gpt2
from sslkit.nets import build_encoder
from sslkit.tokenizer import BytePair, gpt2_characters
from sslkit.tokenizer import train as train_tokenizer
from sslkit.train import Recipe, train
from sslkit.transformer import TextEncoder

V, T, END = 50, 12, 1


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def small(seed=0, context=T, spread=0.5, **options):
    """A GPT whose guesses differ clearly from place to place."""
    torch.manual_seed(seed)
    method = GPT(TextEncoder(V, context, dim=16, depth=2, heads=4, causal=True), **options)
    for parameter in method.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=spread)
    return method.eval()


def passages(n=4, length=T, seed=0):
    return torch.randint(3, V, (n, length), generator=seeded(seed))


# --- the task and its loss ---


def test_what_stands_before_each_token():
    assert shifted(torch.tensor([[5, 6, 7], [8, 9, 0]]), END).tolist() == [[1, 5, 6], [1, 8, 9]]
    inputs, targets = small().pretext(passages())
    assert (
        torch.equal(inputs[:, 1:], targets[:, :-1]) and (inputs[:, 0] == END).all() and torch.equal(targets, passages())
    )
    inputs, targets = small(start=False).pretext(passages())
    assert torch.equal(inputs, passages()[:, :-1]) and torch.equal(targets, passages()[:, 1:])


def loss_oracle(logits, targets, pad):
    """Equation 1 of Radford et al. 2018, token by token; the mean of those that are not padding."""
    losses = []
    for n, t in itertools.product(range(len(targets)), range(targets.shape[1])):
        if targets[n, t] != pad:
            p = logits[n, t].double().exp() / logits[n, t].double().exp().sum()
            losses.append(-p[targets[n, t]].log())
    return torch.stack(losses).mean()


def padded(n=3, length=6):
    targets = passages(n, length)
    for row in range(n):
        targets[row, length - row :] = 0
    return targets


def test_the_loss_is_the_papers():
    logits = torch.randn(3, 6, V, dtype=torch.float64, generator=seeded())
    assert next_token_loss(logits, padded()).item() == pytest.approx(loss_oracle(logits, padded(), 0).item(), abs=1e-12)
    plain = passages(3, 6)
    assert next_token_loss(logits, plain, None).item() == pytest.approx(loss_oracle(logits, plain, None).item())


@pytest.mark.parametrize("old, new", [
    ("ignore_index=ignored, ", ""),
    ("(targets != ignored).sum()", "torch.tensor(targets.numel())"),
    ("total / ", "total / math.log(2) / "),
])  # fmt: skip
def test_a_broken_loss_is_not_the_papers(old, new):
    logits = torch.randn(3, 6, V, generator=seeded())
    wrong = changed(next_token_loss, old, new)(logits, padded())
    assert abs(wrong.item() - loss_oracle(logits, padded(), 0).item()) > 0.05


def test_the_loss_in_half_precision_of_padding_alone_and_of_wrong_shapes():
    logits, targets = torch.randn(3, 6, V, generator=seeded()), padded()
    half = next_token_loss(logits.bfloat16(), targets)
    assert half.dtype == torch.float32 and half.item() == pytest.approx(
        next_token_loss(logits, targets).item(), rel=0.01
    )
    nothing = logits.clone().requires_grad_()
    next_token_loss(nothing, torch.zeros_like(targets)).backward()
    assert nothing.grad.abs().max() == 0
    for bad in (targets[:, 1:], targets.float(), targets[0]):
        with pytest.raises(ValueError, match=r"logits \[N, T, V\]"):
            next_token_loss(logits, bad)


def test_forward_is_the_loss_of_the_next_tokens_and_starts_at_chance():
    method = small(spread=0.02)
    tokens = passages()
    tokens[0, 7:] = 0
    loss, extras = method(method.pretext(tokens))
    assert loss.item() == pytest.approx(loss_oracle(method.logits(shifted(tokens, END)), tokens, 0).item(), rel=1e-5)
    assert extras["tokens"] == (tokens != 0).sum() and not extras["tokens"].requires_grad
    assert loss.item() == pytest.approx(method.chance(4), rel=0.03) == pytest.approx(math.log(V), rel=0.03)


def test_the_head_is_the_token_vectors():
    method = small()
    assert not [name for name, _ in method.named_parameters() if not name.startswith("encoder.")]
    expected = method.encoder.tokens(passages()) @ method.encoder.embed.weight.T
    assert torch.allclose(method.logits(passages()), expected, atol=1e-5)


@pytest.mark.parametrize("encoder", [TextEncoder(V, T, 16, 1, 2), torch.nn.Linear(2, 2)])
def test_an_encoder_that_sees_the_future_is_refused(encoder):
    with pytest.raises(ValueError, match="causal"):
        GPT(encoder)


@pytest.mark.parametrize("place", range(1, T))
def test_the_future_cannot_change_the_past(place):
    method, tokens = small(), passages()
    other = tokens.clone()
    other[:, place:] = passages(seed=9)[:, place:]
    difference = (method.logits(other) - method.logits(tokens)).abs().amax((0, 2))
    assert difference[:place].max() == 0 and difference[place:].min() > 0


def test_the_gradient_of_a_guess_reaches_no_later_token():
    method = small()
    x = method.encoder.embedded(passages(1)).detach().requires_grad_()
    h = x
    for block in method.encoder.blocks:
        h = block(h)
    h[0, 5].square().sum().backward()
    assert x.grad[0, 6:].abs().max() == 0 and x.grad[0, :6].abs().amax(1).min() > 0


def test_it_learns_to_count_in_a_circle():
    """Each token is the one before plus 1, from a random start: only the first cannot be known."""
    start = torch.randint(V - 3, (64, 1), generator=seeded())
    tokens = 3 + (start + torch.arange(T)) % (V - 3)
    torch.manual_seed(0)
    method = GPT(TextEncoder(V, T, dim=32, depth=1, heads=2, causal=True))
    recipe = Recipe(steps=150, lr=1e-2, batch=32, optimizer="adamw", weight_decay=0.0)
    losses = [record.loss for record in train(method, tokens, recipe)]
    assert losses[0] > 3.5 and losses[-1] < 0.6  # ln 47 / 12 = 0.32 is what the first token costs
    out = generate(method, tokens[:8, :3], T - 3, temperature=0)
    assert torch.equal(out, tokens[:8])


def test_recipes_name_causal_encoders_and_the_method():
    assert METHOD is GPT and all("causal" in recipe.encoder for recipe in RECIPES.values())


def test_the_laptop_encoder_starts_with_the_spread_that_its_width_needs():
    """With GPT-2's 0.02 a network of width 128 stays at the unigram's level for a hundred steps."""
    encoder = build_encoder("text_causal", 500)
    for _ in range(2):
        assert encoder.embed.weight.std().item() == pytest.approx(0.06, rel=0.02)
        assert encoder.blocks[0].attention.out.weight.std().item() == pytest.approx(0.06 / 8**0.5, rel=0.05)
        encoder.reset_parameters()
    assert TextEncoder(500, causal=True).embed.weight.std().item() == pytest.approx(0.02, rel=0.02)


# --- counting, and bits per byte ---


def test_counting_models_are_distributions_and_count_right():
    targets = torch.tensor([[3, 4, 3, 4, 3, 0, 0], [4, 4, 4, 3, 1, 0, 0]])
    inputs = shifted(targets, END)
    single, pair = unigram(targets, 6).double().exp(), bigram(inputs, targets, 6, prior=2.0).double().exp()
    assert torch.allclose(uniform(6).exp().sum(), torch.tensor(1.0))
    assert torch.allclose(single.sum(), torch.ones((), dtype=torch.float64))
    assert torch.allclose(pair.sum(1), torch.ones(6, dtype=torch.float64))
    seen = Counter(t for row in targets.tolist() for t in row if t)
    pairs = Counter((a, b) for i, t in zip(inputs.tolist(), targets.tolist()) for a, b in zip(i, t) if b)
    first = Counter()
    for (a, _), n in pairs.items():
        first[a] += n
    for b in range(6):
        p = (seen[b] + 1) / (10 + 6)
        assert single[b].item() == pytest.approx(p)
        for a in range(6):
            assert pair[a, b].item() == pytest.approx((pairs[a, b] + 2.0 * p) / (first[a] + 2.0), rel=1e-5)


def test_bits_per_byte_by_hand():
    lengths = torch.tensor([0, 0, 0, 1, 4])
    targets = torch.tensor([[3, 4, 1, 0]])
    losses = torch.tensor([[1.0, 2.0, 3.0, 100.0]]) * math.log(2)
    assert bits_per_byte(losses, targets, lengths) == pytest.approx((1 + 2 + 3) / (1 + 4))
    with pytest.raises(ValueError, match="no text"):
        bits_per_byte(losses, torch.zeros_like(targets), lengths)


def test_bits_per_byte_of_uniform_guesses_is_known():
    targets = passages()
    lengths = torch.full((V,), 3)
    losses = token_losses(lambda x: uniform(V), shifted(targets, END), targets, batch=3)
    assert bits_per_byte(losses, targets, lengths) == pytest.approx(math.log2(V) / 3)


def test_token_losses_are_those_of_the_loss_and_keep_no_gradient():
    method, tokens = small(), passages(7)
    losses = token_losses(method.logits, shifted(tokens, END), tokens, batch=2)
    assert losses.shape == tokens.shape and not losses.requires_grad
    assert losses.mean().item() == pytest.approx(method(method.pretext(tokens))[0].item(), rel=1e-5)


# --- choosing a token ---


def nucleus_oracle(logits, top_k, top_p):
    """The tokens that stay, row by row: Holtzman et al. 2020, equation 2, after the k likeliest were taken."""
    kept = []
    for row in logits.double():
        order = sorted(range(len(row)), key=lambda i: (-row[i].item(), i))[: top_k or len(row)]
        p = torch.tensor([row[i] for i in order]).softmax(0).tolist()
        total, stay = 0.0, []
        for token, chance in zip(order, p):
            stay.append(token)
            total += chance
            if top_p is not None and total >= top_p:
                break
        kept.append(set(stay))
    return kept


@pytest.mark.parametrize("top_k", [None, 1, 5, 100])
@pytest.mark.parametrize("top_p", [None, 0.01, 0.5, 0.9, 1.0])
def test_truncate_keeps_what_the_paper_keeps(top_k, top_p):
    logits = 2 * torch.randn(6, V, dtype=torch.float64, generator=seeded(2))
    cut = truncate(logits, top_k, top_p)
    kept = [set(row.isfinite().nonzero()[:, 0].tolist()) for row in cut]
    expected = nucleus_oracle(logits, top_k, None if top_p == 1.0 else top_p)
    assert kept == expected
    assert torch.equal(cut[cut.isfinite()], logits[cut.isfinite()])


def test_equally_likely_tokens_are_cut_to_k_and_minus_infinity_stays_out():
    assert truncate(torch.zeros(1, 5), top_k=2).isfinite().sum() == 2
    logits = torch.tensor([[-math.inf, 1.0, 2.0]])
    assert truncate(logits, top_p=1.0).isfinite().tolist() == [[False, True, True]]
    assert {sample_next(logits, seeded(s)).item() for s in range(30)} == {1, 2}


def test_sampling_draws_each_token_as_often_as_its_probability():
    logits = torch.randn(1, 6, generator=seeded(3)).expand(20_000, -1)
    for temperature in (0.5, 1.0, 2.0):
        drawn = sample_next(logits, seeded(), temperature).bincount(minlength=6) / 20_000
        assert (drawn - (logits[0] / temperature).softmax(0)).abs().max() < 0.015
    drawn = sample_next(logits, seeded(), top_k=2).bincount(minlength=6) / 20_000
    best = logits[0].topk(2)
    assert (drawn[best.indices] - best.values.softmax(0)).abs().max() < 0.015 and drawn.count_nonzero() == 2


def test_temperature_0_takes_the_likeliest_and_top_k_1_too():
    logits = torch.randn(9, V, generator=seeded())
    for settings in ({"temperature": 0}, {"top_k": 1}, {"top_p": 1e-9}, {"temperature": 1e-4}):
        assert torch.equal(sample_next(logits, seeded(), **settings), logits.argmax(1))


@pytest.mark.parametrize("settings", [{"temperature": -1}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.5}])
def test_settings_that_mean_nothing(settings):
    with pytest.raises(ValueError, match="temperature"):
        sample_next(torch.zeros(1, 3), **settings)


# --- writing ---


@pytest.mark.parametrize("length", [0, 1, 5, T - 2, T - 1, T, 3 * T])
@pytest.mark.parametrize("start", [True, False])
def test_the_cache_changes_nothing(length, start):
    """Also where the text outgrows the context on the way, and where it is longer from the beginning."""
    method, prompt = small(start=start), passages(3, 3 * T)[:, :length]
    for settings in ({"temperature": 0}, {"top_p": 0.9}):
        runs = [generate(method, prompt, T + 3, seeded(), cache=cache, **settings) for cache in (True, False)]
        assert torch.equal(*runs) and runs[0].shape == (3, length + T + 3) and torch.equal(runs[0][:, :length], prompt)


@pytest.mark.parametrize("pieces", [[1] * T, [5, 1, 1, 5], [T]])
def test_cached_logits_are_the_logits(pieces):
    method, tokens = small(), passages()
    cache = [{} for _ in method.encoder.blocks]
    parts = torch.cat([method.logits(part, cache) for part in tokens.split(pieces, dim=1)], dim=1)
    assert torch.allclose(parts, method.logits(tokens), atol=1e-5)


def greedy_oracle(method, tokens, count):
    """One token at a time, from the definition: <end> in front, then the last tokens that have a place."""
    for _ in range(count):
        rows = []
        for row in tokens.tolist():
            seen = [method.end] + row[-(method.encoder.context - 1) :]
            scores = method.logits(torch.tensor([seen]))[0, -1].tolist()
            rows.append(max((i for i in range(V) if i not in method.never), key=scores.__getitem__))
        tokens = torch.cat([tokens, torch.tensor(rows)[:, None]], dim=1)
    return tokens


@pytest.mark.parametrize("length", [0, 4, 2 * T])
def test_greedy_text_is_the_likeliest_next_token_again_and_again(length):
    method, prompt = small(), passages(2, 2 * T)[:, :length]
    assert torch.equal(generate(method, prompt, 2 * T, temperature=0), greedy_oracle(method, prompt, 2 * T))


def test_a_long_prompt_counts_by_its_last_tokens_alone():
    method, prompt = small(), passages(2, 3 * T)
    other = prompt.clone()
    other[:, : 2 * T + 1] = 7
    written = [generate(method, p, 5, temperature=0)[:, -5:] for p in (prompt, other)]
    assert torch.equal(*written)
    other[:, 2 * T + 1] = 7
    assert not torch.equal(method.next_logits(other), method.next_logits(prompt))


def test_writing_is_deterministic_under_a_seed_and_leaves_the_mode():
    method, prompt = small(), passages(2, 4)
    method.train()
    assert torch.equal(generate(method, prompt, 20, seeded(1)), generate(method, prompt, 20, seeded(1)))
    assert not torch.equal(generate(method, prompt, 20, seeded(1)), generate(method, prompt, 20, seeded(2)))
    assert method.training and generate(method, prompt, 0).shape == (2, 4)
    with pytest.raises(ValueError):
        generate(method, prompt, 3, temperature=-1)
    assert method.training


def test_dropout_is_off_when_it_writes():
    torch.manual_seed(0)
    method = GPT(TextEncoder(V, T, dim=16, depth=1, heads=2, causal=True, dropout=0.5)).train()
    assert torch.equal(*(generate(method, passages(1, 4), 6, temperature=0) for _ in range(2)))


def test_padding_and_mask_are_never_written_and_end_stops_a_row():
    method = small()
    out = generate(method, torch.empty(200, 0, dtype=torch.int64), 8, seeded(), temperature=50.0)
    assert set(out.flatten().tolist()) == set(range(V)) - {0, 2}
    out = generate(method, torch.full((100, 2), END), 30, seeded(), temperature=50.0, end=END)[:, 2:]
    ended = [row.index(END) for row in out.tolist() if END in row]
    assert ended and all(set(row[row.index(END) :]) == {END} for row in out.tolist() if END in row)
    assert any(first > 0 for first in ended), "an <end> in the prompt ends nothing"


@pytest.mark.parametrize(
    "tokens", [torch.zeros(3, dtype=torch.int64), torch.zeros(1, 3), torch.tensor([[V]]), torch.tensor([[-1]])]
)
def test_what_is_no_text_is_refused(tokens):
    with pytest.raises(ValueError, match="int64 tokens"):
        generate(small(), tokens, 1)


def test_window():
    method, text = small(), torch.arange(3, 3 + 2 * T)[None]
    assert method.window(text[:, :0]).tolist() == [[END]]
    assert method.window(text[:, :2]).tolist() == [[END, 3, 4]]
    assert method.window(text).tolist() == [[END, *range(3 + T + 1, 3 + 2 * T)]]
    method = small(start=False)
    assert method.window(text[:, :0]).tolist() == [[END]]
    assert method.window(text).tolist() == [[*range(3 + T, 3 + 2 * T)]]


# --- GPT-2's weights ---


@pytest.fixture(scope="module")
def transformers():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield importlib.import_module("transformers")


def gpt2(transformers, seed=0, **changes):
    """A small random GPT-2 of Hugging Face's; biases and norms random too, or exchanging them would go unseen."""
    torch.manual_seed(seed)
    sizes = dict(vocab_size=V, n_positions=T, n_embd=32, n_layer=3, n_head=4) | changes
    model = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(**sizes, bos_token_id=V - 1, eos_token_id=V - 1)
    ).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model


@pytest.mark.parametrize("changes", [{}, {"n_layer": 1, "n_head": 1}, {"n_embd": 48, "n_head": 3, "n_inner": 96}])
def test_logits_equal_those_of_transformers(transformers, changes):
    theirs = gpt2(transformers, **changes)
    ours = from_huggingface(theirs.state_dict(), heads=theirs.config.n_head).eval()
    for length in (1, 5, T):
        tokens = torch.randint(V, (3, length), generator=seeded(length))
        with torch.no_grad():
            assert torch.allclose(ours.logits(tokens), theirs(tokens).logits, atol=1e-4)


def test_greedy_text_equals_that_of_transformers(transformers):
    theirs = gpt2(transformers, n_positions=40)
    ours = from_huggingface(theirs.state_dict(), heads=4)
    prompt = torch.randint(V - 1, (1, 6), generator=seeded())
    expected = theirs.generate(prompt, max_new_tokens=20, do_sample=False, eos_token_id=None, pad_token_id=V - 1)
    assert torch.equal(generate(ours, prompt, 20, temperature=0), expected)


def test_loss_equals_that_of_transformers(transformers):
    theirs, tokens = gpt2(transformers), passages()
    ours = from_huggingface(theirs.state_dict(), heads=4)
    assert ours(ours.pretext(tokens))[0].item() == pytest.approx(theirs(tokens, labels=tokens).loss.item(), abs=1e-5)


def test_truncation_equals_that_of_transformers(transformers):
    logits = 2 * torch.randn(5, V, generator=seeded())
    process = transformers.generation.logits_process
    for p in (0.3, 0.8, 0.95):
        expected = process.TopPLogitsWarper(p)(None, logits.clone())
        assert torch.equal(truncate(logits, top_p=p), expected)
    assert torch.equal(truncate(logits, top_k=7), process.TopKLogitsWarper(7)(None, logits.clone()))


def test_keys_without_prefix_with_old_masks_and_without_head(transformers):
    theirs = gpt2(transformers)
    state = {key.removeprefix("transformer."): value for key, value in theirs.state_dict().items()}
    del state["lm_head.weight"]
    state |= {"h.0.attn.bias": torch.ones(1, 1, T, T).tril(), "h.1.attn.masked_bias": torch.tensor(-1e4)}
    tokens = passages()
    assert torch.equal(
        from_huggingface(state, 4).logits(tokens), from_huggingface(theirs.state_dict(), 4).logits(tokens)
    )


def test_heads_are_64_wide_unless_said_otherwise(transformers):
    state = gpt2(transformers, n_embd=128, n_head=2, n_layer=1).state_dict()
    assert from_huggingface(state).encoder.blocks[0].attention.heads == 2
    with pytest.raises(ValueError, match="give heads"):
        from_huggingface(gpt2(transformers).state_dict())
    with pytest.raises(ValueError, match="5 heads"):
        from_huggingface(gpt2(transformers).state_dict(), heads=5)


@pytest.mark.parametrize("change, words", [
    (lambda s: s.pop("transformer.h.1.ln_2.bias"), r"1 keys are missing: h.1.ln_2.bias"),
    (lambda s: s.update({"transformer.h.0.extra": torch.zeros(1)}), "no place in GPT-2: h.0.extra"),
    (lambda s: s.update({"lm_head.weight": torch.zeros(V, 32)}), "head is its token vectors"),
    (lambda s: s.clear(), "missing"),
])  # fmt: skip
def test_weights_that_are_not_gpt2s(transformers, change, words):
    state = dict(gpt2(transformers).state_dict())
    change(state)
    with pytest.raises(ValueError, match=words):
        from_huggingface(state, heads=4)


@pytest.fixture
def files(tmp_path):
    """vocab.json and merges.txt of a tokenizer of ours, in GPT-2's way of writing."""
    trained = train_tokenizer(["the cat sat on the mat, the naïve cat's hat\n\n  don't 123 " * 20], 330)
    letters = gpt2_characters()
    shown = ["".join(letters[b] for b in token) for token in trained.vocabulary[3:]] + ["<|endoftext|>"]
    (tmp_path / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(shown)}), encoding="utf-8")
    lines = [f"{shown[a - 3]} {shown[b - 3]}" for a, b in trained.merges]
    (tmp_path / "merges.txt").write_text("#version: 0.2\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


TEXTS = [
    "the cat sat",
    " the mat's  hat\n\n\nx",
    "naïve 😀 12345 don't DON'T",
    "",
    "\t\t a_b __init__ (x)[0] ",
    "日本語 ½ ², \u00a0 x",
]


def test_tokens_equal_those_of_transformers(transformers, files):
    ours = BytePair.from_huggingface(files / "vocab.json", files / "merges.txt")
    theirs = transformers.GPT2TokenizerFast.from_pretrained(str(files))
    assert ours.end == len(ours) - 1 == theirs.convert_tokens_to_ids("<|endoftext|>")
    for text in TEXTS:
        assert ours.encode(text) == theirs.encode(text), text
        assert ours.decode(ours.encode(text)) == text


@pytest.mark.parametrize("kind", ["pytorch_model.bin", "model.safetensors"])
def test_a_folder_with_gpt2_writes(transformers, files, kind):
    theirs = gpt2(transformers, vocab_size=len(json.loads((files / "vocab.json").read_text())))
    state = {key: value.clone().contiguous() for key, value in theirs.state_dict().items()}
    if kind.endswith("bin"):
        torch.save(state, files / kind)
    else:
        importlib.import_module("safetensors.torch").save_file(state, files / kind)
    (files / "config.json").write_text(json.dumps({"n_head": 4}))
    method, tokens = load_gpt2(files)
    given = torch.tensor([tokens.encode("the cat")])
    with torch.no_grad():
        assert torch.allclose(method.logits(given), theirs(given).logits, atol=1e-4)
    out = generate(method, given, 30, seeded(), end=method.end)
    assert tokens.decode(out[0]).startswith("the cat") and method.end == tokens.end


def test_a_folder_that_lacks_something(files):
    with pytest.raises(FileNotFoundError, match="neither"):
        load_gpt2(files)
    (files / "merges.txt").unlink()
    with pytest.raises(FileNotFoundError, match="merges.txt"):
        load_gpt2(files)


def test_features_do_not_hang_on_padding():
    method, tokens = small(), passages()
    tokens[:, 8:] = 0
    assert torch.allclose(method.encode(tokens), method.encode(tokens[:, :8]), atol=1e-6)
    other = copy.deepcopy(method)
    assert F.mse_loss(other.encode(tokens), method.encode(tokens)) == 0
