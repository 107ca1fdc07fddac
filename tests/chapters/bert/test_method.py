"""BERT, exported from notebooks/19_bert.ipynb: masks, loss, baselines, parity with Hugging Face."""

import math
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from changed import changed

from sslkit.chapters.bert.looking import attention_seen, layer_features
from sslkit.chapters.bert.method import (
    BERT,
    METHOD,
    RECIPES,
    Head,
    choose_places,
    follow_table,
    guess_by_neighbours,
    mask_tokens,
    masked_accuracy,
    masked_loss,
)
from sslkit.chapters.bert.published import from_huggingface
from sslkit.chapters.bert.rival import passages_as_text, tf_idf_accuracy
from sslkit.nets import build_encoder
from sslkit.train import Recipe, train
from sslkit.transformer import Attention, TextEncoder, leaning, near_weights

V = 50


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def passages(n=40, T=64, seed=1, vocabulary=V):
    """Tokens 3 .. vocabulary - 1, each passage with <end> at another place and <pad> behind it."""
    tokens = torch.randint(3, vocabulary, (n, T), generator=seeded(seed))
    lengths = 2 + torch.randint(T - 2, (n, 1), generator=seeded(seed + 1))
    lengths[0] = T + 1
    places = torch.arange(T)
    return tokens.masked_fill(places == lengths - 1, 1).masked_fill(places >= lengths, 0)


def small(seed=0, vocabulary=V, **options):
    torch.manual_seed(seed)
    return BERT(TextEncoder(vocabulary, context=64, dim=16, depth=2, heads=2, sines=True), **options)


# --- masks ---


@pytest.mark.parametrize("share", [0.15, 0.4, 0.01, 1.0])
def test_each_passage_hides_its_exact_share_of_real_tokens_and_at_least_one(share):
    tokens = passages()
    mask = choose_places(tokens, share, generator=seeded())
    for row, hidden in zip(tokens, mask):
        real = (row > 2).sum().item()
        assert abs(hidden.sum().item() - max(1, share * real)) <= 0.5
        assert not hidden[row <= 2].any(), "a special token is hidden"


def test_a_passage_without_words_hides_nothing():
    tokens = torch.zeros(2, 8, dtype=torch.int64)
    tokens[1, :2] = torch.tensor([7, 1])
    assert choose_places(tokens, 0.15, generator=seeded()).sum(1).tolist() == [0, 1]


def test_every_place_is_hidden_equally_often():
    tokens = torch.full((4000, 20), 7)
    often = choose_places(tokens, 0.15, generator=seeded()).float().mean(0)
    assert (often - 0.15).abs().max() < 5 * math.sqrt(0.15 * 0.85 / 4000)


def test_the_three_kinds_come_in_the_shares_of_the_rule():
    tokens = torch.randint(3, 2048, (2000, 128), generator=seeded(3))
    shown, targets, mask = mask_tokens(tokens, 2048, seeded())
    assert torch.equal(targets, tokens) and torch.equal(shown[~mask], tokens[~mask])
    n = int(mask.sum())
    assert n == 2000 * 19
    kinds = {
        0.8: (shown == 2)[mask],
        0.1: ((shown != 2) & (shown != tokens))[mask],
    }
    for share, kind in kinds.items():
        assert abs(kind.float().mean().item() - share) < 5 * math.sqrt(share * (1 - share) / n)


@pytest.mark.parametrize(
    "rule, kind",
    [((1, 0, 0), lambda s, t: s == 2), ((0, 1, 0), lambda s, t: s != 2), ((0, 0, 1), lambda s, t: s == t)],
)
def test_pure_rules(rule, kind):
    tokens = passages()
    shown, _, mask = mask_tokens(tokens, V, seeded(), rule=rule)
    assert kind(shown, tokens)[mask].all()


def test_replacements_are_uniform_over_all_tokens_but_special_ones():
    special = (0, 4, 9)  # as in other tokenizers, not the first ones
    tokens = torch.full((500, 100), 5)
    shown, _, mask = mask_tokens(tokens, 12, seeded(), share=0.5, rule=(0, 1, 0), mask_token=9, special=special)
    counts = shown[mask].bincount(minlength=12).float()
    assert counts[list(special)].sum() == 0
    counts = counts[[i for i in range(12) if i not in special]]
    expected = counts.sum() / 9
    assert ((counts - expected).square() / expected).sum() < 26.1  # chi square, 8 degrees of freedom, p = 0.001


def test_masks_are_seeded_and_differ_from_passage_to_passage():
    tokens = torch.full((30, 40), 6)
    one, again, other = (mask_tokens(tokens, V, seeded(s)) for s in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(one, again)) and not torch.equal(one[2], other[2])
    assert len({tuple(row) for row in one[2].long().tolist()}) > 25


@pytest.mark.parametrize(
    "wrong",
    [{"share": 0.0}, {"share": 1.1}, {"rule": (0.8, 0.1)}, {"rule": (0.9, 0.2, -0.1)}, {"rule": (0.8, 0.1, 0.2)}],
)
def test_a_share_or_rule_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="share must lie in"):
        mask_tokens(passages(), V, **wrong)


# --- the loss ---


def loss_oracle(logits, targets, mask):
    """Place by place, from the definition."""
    losses = []
    for n in range(len(mask)):
        for t in range(mask.shape[1]):
            if mask[n, t]:
                p = logits[n, t].double().exp() / logits[n, t].double().exp().sum()
                losses.append(-p[targets[n, t]].log())
    return sum(losses) / len(losses)


def scored(n=5, T=12, seed=0):
    logits = torch.randn(n, T, V, generator=seeded(seed), dtype=torch.float64)
    return (
        logits,
        torch.randint(V, (n, T), generator=seeded(seed + 1)),
        torch.rand(n, T, generator=seeded(seed + 2)) < 0.3,
    )


def test_the_loss_is_its_definition():
    assert masked_loss(*scored()).item() == pytest.approx(loss_oracle(*scored()).item(), abs=1e-12)


def test_what_is_not_hidden_counts_for_nothing_and_gets_no_gradient():
    logits, targets, mask = scored()
    other = torch.where(mask[:, :, None], logits, 9 * torch.randn_like(logits)).requires_grad_()
    loss = masked_loss(other, torch.where(mask, targets, 0), mask)
    assert loss.item() == masked_loss(logits, targets, mask).item()
    loss.backward()
    assert not other.grad[~mask].any() and other.grad[mask].abs().amax(1).min() > 0


def test_a_broken_loss_is_caught():
    broken = changed(masked_loss, "mask.sum().clamp(min=1)", "mask.numel()")
    assert abs(broken(*scored()).item() - loss_oracle(*scored()).item()) > 0.1


def test_precision_and_errors_of_the_loss():
    logits, targets, mask = scored()
    assert masked_loss(logits, targets, mask).dtype == torch.float64
    assert masked_loss(logits.bfloat16(), targets, mask).dtype == torch.float32
    assert masked_loss(logits, targets, torch.zeros_like(mask)).item() == 0
    for wrong in ((logits[:, 1:], targets, mask), (logits, targets, mask[:1]), (logits, targets, mask.long())):
        with pytest.raises(ValueError, match="masked_loss needs"):
            masked_loss(*wrong)


# --- the method ---


def test_forward_scores_the_hidden_places_alone_and_finds_the_loss_of_all_places():
    method = small().double()
    shown, targets, mask = method.pretext(passages(), seeded())
    loss, extras = method((shown, targets, mask))
    assert loss.item() == pytest.approx(loss_oracle(method.logits(shown), targets, mask).item(), abs=1e-9)
    assert extras["logits"].shape == (40, math.ceil(0.15 * 64), V) and extras["mask"].sum() == mask.sum()
    assert not any(value.requires_grad for value in extras.values())


def test_it_looks_at_both_sides_and_not_at_padding():
    method, tokens = small().eval(), passages(4)
    tokens[:, :20] = torch.randint(3, V, (4, 20), generator=seeded(5))
    tokens[:, 20:] = 0
    out = method.encoder.tokens(tokens)
    for place in (3, 15):
        other = tokens.clone()
        other[:, place] = 3 + (other[:, place] - 2) % (V - 3)
        moved = (method.encoder.tokens(other) - out).abs().amax(2)
        assert (moved[:, :20] > 0).all(), "some token does not see that place"
    torch.testing.assert_close(method.encode(tokens), method.encode(tokens[:, :20]), atol=1e-5, rtol=0)


def test_the_head_shares_the_embedding():
    method = small()
    names = dict(method.named_parameters())
    assert sum(p.numel() == V * 16 for p in names.values()) == 1
    x = torch.randn(3, 16)
    head = method.head
    by_hand = F.layer_norm(
        F.gelu(x @ head.linear.weight.T + head.linear.bias), (16,), head.norm.weight, head.norm.bias, 1e-12
    )
    expected = by_hand @ method.encoder.embed.weight.T + head.bias
    torch.testing.assert_close(head(x, method.encoder.embed.weight), expected)
    assert isinstance(head, Head) and METHOD is BERT


@pytest.mark.parametrize("name, words", [("text_causal", "a causal one"), ("vit", "a ViT")])
def test_an_encoder_that_cannot_look_both_ways_is_refused(name, words):
    with pytest.raises(ValueError, match=words):
        BERT(build_encoder(name, 3))


def test_chance_is_a_uniform_guess():
    method = small()
    for p in method.parameters():
        p.data.zero_()
    loss, _ = method(method.pretext(passages(), seeded()))
    assert (
        loss.item() == pytest.approx(method.chance(40), abs=1e-5)
        and RECIPES["laptop"].options.get("share", 0.15) == 0.15
    )


def test_it_learns_an_easy_text():
    """a b a b ... with b given by a: blind guessing knows one of sixteen."""
    first = 3 + torch.randint(8, (400, 1), generator=seeded(2))
    tokens = torch.where(torch.arange(12) % 2 == 0, first, first + 8)
    method = small(vocabulary=19)
    recipe = Recipe(steps=100, lr=5e-3, batch=32, encoder="text", optimizer="adamw")
    losses = [record.loss for record in train(method, tokens, recipe)]
    assert losses[-1] < 0.6 * losses[0]
    task = mask_tokens(tokens[:100], 19, seeded(9), rule=(1.0, 0.0, 0.0))

    @torch.no_grad()
    def guess(shown, mask):
        return method.eval().logits(shown)[mask]

    assert masked_accuracy(guess, task) > 0.5


# --- baselines ---


def test_the_table_counts_what_follows_what():
    tokens = torch.tensor([[3, 4, 3, 4, 5, 0]])
    table = follow_table(tokens, 6, prior=2.0)
    every = torch.tensor([1.0, 0, 0, 2, 2, 1]) + 1
    expected = (torch.tensor([0.0, 0, 0, 1, 0, 1]) + 2 * every / every.sum()) / (2 + 2)
    torch.testing.assert_close(table[4], expected.log())
    torch.testing.assert_close(table.exp().sum(1), torch.ones(6))


def test_neighbours_are_multiplied_and_hidden_ones_say_nothing():
    table = torch.randn(6, 6).log_softmax(1)
    shown = torch.tensor([[3, 2, 4, 2, 2], [2, 5, 3, 3, 2]])
    mask = shown == 2
    found = guess_by_neighbours(table, shown, mask)
    expected = torch.stack([table[3] + table[:, 4], table[4], table[2], table[2] + table[:, 5], table[3]])
    torch.testing.assert_close(found, expected)


def test_masked_accuracy_counts_hidden_places_over_all_batches():
    tokens = passages(30)
    shown, targets, mask = mask_tokens(tokens, V, seeded())
    often = targets[mask].bincount(minlength=V).float()
    found = masked_accuracy(lambda s, m: often.expand(int(m.sum()), -1), (shown, targets, mask), batch=7)
    assert found == pytest.approx((often.max() / often.sum()).item())


# --- looking inside ---


@pytest.mark.parametrize("post", [False, True])
def test_attention_seen_and_layers_follow_the_encoder(post):
    torch.manual_seed(0)
    encoder = TextEncoder(V, context=64, dim=16, depth=3, heads=2, post=post).eval()
    tokens = passages(4, 16)
    seen = attention_seen(encoder, tokens)
    assert seen.shape == (4, 3, 2, 16, 16)
    torch.testing.assert_close(seen.sum(-1), torch.ones(4, 3, 2, 16))
    assert not seen.masked_select((tokens == 0)[:, None, None, None].expand_as(seen)).any()
    layers = layer_features(encoder, tokens, batch=3)
    assert len(layers) == 4 and all(h.shape == (4, 16) for h in layers)
    x = encoder.embedded(tokens)
    for i, block in enumerate(encoder.blocks):
        mixed = block.attention.qkv(x if post else block.norm1(x)).unflatten(-1, (3, 2, 8))
        q, k = mixed[:, :, 0].transpose(1, 2), mixed[:, :, 1].transpose(1, 2)
        scores = (q @ k.transpose(2, 3) / 8**0.5).masked_fill((tokens == 0)[:, None, None], -math.inf)
        torch.testing.assert_close(seen[:, i], scores.softmax(-1), atol=1e-5, rtol=0)
        x = block(x, tokens == 0)
        kept = [row[words != 0].mean(0) for row, words in zip(x, tokens)]
        torch.testing.assert_close(layers[i + 1], torch.stack(kept), atol=1e-5, rtol=0)


# --- tf-idf ---


def toy_data():
    """Two classes told apart by one word each, in a tokenizer of single letters."""
    vocabulary = [b"<pad>", b"<end>", b"<mask>", *(bytes([c]) for c in b"abcdefgh ")]
    tokenizer = SimpleNamespace(
        special={"<pad>": 0, "<end>": 1, "<mask>": 2},
        decode=lambda row: b"".join(vocabulary[t] for t in row).decode(),
    )

    def split(n, seed):
        y = torch.arange(n) % 2
        noise = torch.randint(3, 7, (n, 5), generator=seeded(seed))
        word = torch.where(y[:, None] == 0, torch.tensor([7, 8]), torch.tensor([9, 10]))
        x = torch.cat(
            [
                noise,
                torch.full((n, 1), 11),
                word,
                torch.ones(n, 1, dtype=torch.int64),
                torch.zeros(n, 2, dtype=torch.int64),
            ],
            1,
        )
        return SimpleNamespace(x=x, y=y)

    splits = {"train": split(40, 0), "val": split(20, 1), "test": split(30, 2)}
    return SimpleNamespace(**splits, splits=splits, tokenizer=tokenizer)


def test_text_comes_back_without_special_tokens():
    texts = passages_as_text(toy_data())
    assert texts["train"][0].endswith(" ef") and texts["test"][1].endswith(" gh")


def test_tf_idf_finds_the_word_that_tells_the_class():
    assert tf_idf_accuracy(toy_data(), 3, seed=0) == 1.0


# --- Hugging Face ---


def theirs(**changes):
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    settings = dict(
        vocab_size=60,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=20,
        attn_implementation="eager",
    )
    config = transformers.BertConfig(**settings | changes)
    model = transformers.BertForMaskedLM(config).eval()
    for p in model.parameters():  # biases and norms too, which start at 0 and 1
        p.data.add_(0.1 * torch.randn_like(p))
    return model


@pytest.mark.parametrize("strip", [False, True])
def test_the_scores_are_those_of_hugging_face(strip):
    model = theirs()
    state = {key.removeprefix("bert.") if strip else key: value for key, value in model.state_dict().items()}
    ours = from_huggingface(state, heads=4, mask_token=5, special=(0, 5))
    tokens = torch.randint(1, 60, (3, 20), generator=seeded())
    tokens[1, 14:] = 0
    with torch.no_grad():
        expected = model(input_ids=tokens, attention_mask=(tokens != 0).long()).logits
        found = ours.logits(tokens)
    real = tokens != 0
    torch.testing.assert_close(found[real], expected[real], atol=1e-4, rtol=0)
    assert expected.abs().mean() > 0.1 and (ours.mask_token, ours.special) == (5, (0, 5)) and not ours.training


def test_a_missing_segment_would_be_noticed():
    model = theirs()
    state = model.state_dict()
    tokens = torch.randint(1, 60, (2, 9), generator=seeded())
    state["bert.embeddings.token_type_embeddings.weight"] = torch.zeros(2, 32)
    with torch.no_grad():
        assert (from_huggingface(state, heads=4).logits(tokens) - model(tokens).logits).abs().max() > 1e-3


def test_heads_by_default_and_what_does_not_fit():
    wide = theirs(hidden_size=64, num_attention_heads=1, intermediate_size=128).state_dict()
    assert from_huggingface(wide).encoder.blocks[0].attention.heads == 1
    state = theirs().state_dict()
    with pytest.raises(ValueError, match="give heads="):
        from_huggingface(state)
    with pytest.raises(ValueError, match="give heads="):
        from_huggingface(state, heads=5)
    with pytest.raises(ValueError, match="no state_dict of BertForMaskedLM"):
        from_huggingface({"transformer.wte.weight": torch.zeros(3, 4)})
    with pytest.raises(ValueError, match="multiple of 32, it is 80"):
        from_huggingface(theirs(intermediate_size=80).state_dict(), heads=4)
    with pytest.raises(ValueError, match="weights of its own"):
        from_huggingface(state | {"cls.predictions.decoder.weight": torch.zeros(60, 32)}, heads=4)


# --- heads that lean towards what is near ---


def test_leaning_is_highest_where_a_head_is_sent_and_scores_can_outweigh_it():
    bias = leaning(5, 9, 9)
    for head, towards in enumerate((-1, 1, -2, 2, -1)):
        for i in range(9):
            for j in range(9):
                assert bias[head, i, j].item() == max(-6.0, -1.5 * abs(j - i - towards))
    assert torch.equal(leaning(4, 2, 9), leaning(4, 9, 9)[:, 7:])


def test_leaning_heads_look_where_they_are_sent_and_never_at_padding():
    torch.manual_seed(0)
    layer, x = Attention(16, 4, near=True), torch.zeros(1, 9, 16)
    hidden = torch.arange(9)[None] > 6
    weights = layer.weights(x, hidden)
    assert weights[0, :, 4].argmax(-1).tolist() == [3, 5, 2, 6] and not weights[..., 7:].any()
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 4, 9))
    q, k, v = layer.split(torch.randn(1, 9, 16))
    scores = (q @ k.transpose(2, 3) / 2 + leaning(4, 9, 9)).masked_fill(hidden, -math.inf)
    torch.testing.assert_close(near_weights(q, k, ~hidden[:, None, None]) @ v, scores.softmax(-1) @ v)
