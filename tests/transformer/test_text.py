"""The transformer for text: what it sees, its cache, padding, and the post-norm block against PyTorch's own."""

import copy

import pytest
import torch
from torch import nn

from sslkit.nets import ENCODERS, build_encoder
from sslkit.probes import features, reinitialised
from sslkit.transformer import Block, TextEncoder, mean_of_tokens


def encoder(**options):
    torch.manual_seed(0)
    return (
        TextEncoder(**({"vocabulary": 30, "context": 12, "dim": 16, "depth": 2, "heads": 2} | options)).double().eval()
    )


def passages(N=3, T=12, seed=0):
    return torch.randint(3, 30, (N, T), generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def test_a_causal_network_never_sees_the_future_and_another_does():
    tokens = passages()
    for place in range(12):
        changed = tokens.clone()
        changed[:, place:] = (changed[:, place:] - 3 + 5) % 27 + 3
        for causal in (True, False):
            network = encoder(causal=causal)
            difference = (network.tokens(changed) - network.tokens(tokens)).abs().amax((0, 2))
            assert (difference[:place] == 0).all() == (causal or place == 0)
            assert (difference[place:] > 0).all()


@torch.no_grad()
@pytest.mark.parametrize("post", [False, True])
@pytest.mark.parametrize("cuts", [[1] * 12, [5, 1, 6], [12], [11, 1]])
def test_the_cache_changes_nothing_but_the_work(cuts, post):
    network, tokens = encoder(causal=True, post=post), passages()
    cache = [{} for _ in network.blocks]
    parts = [network.tokens(part, cache) for part in tokens.split(cuts, dim=1)]
    torch.testing.assert_close(torch.cat(parts, 1), network.tokens(tokens), atol=1e-12, rtol=0)
    assert cache[1]["v"].shape == (3, 2, 12, 8)
    with pytest.raises(ValueError, match="13 tokens are more than the 12"):
        network.tokens(tokens[:, :1], cache)


@torch.no_grad()
def test_padding_is_not_looked_at_and_does_not_count():
    tokens = passages(T=8)
    padded = torch.cat([tokens, torch.zeros(3, 4, dtype=torch.int64)], dim=1)
    for causal in (False, True):
        network = encoder(causal=causal)
        torch.testing.assert_close(network(padded), network(tokens), atol=1e-12, rtol=0)
        torch.testing.assert_close(network.tokens(padded)[:, :8], network.tokens(tokens), atol=1e-12, rtol=0)
    blind = encoder(pad=None)
    assert (blind(padded) - blind(tokens)).abs().max() > 1e-3, "without a pad token all count"


def test_the_mean_of_tokens_by_hand():
    x = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [50.0, 50.0]], [[1.0, 1.0]] * 3])
    tokens = torch.tensor([[5, 6, 0], [0, 0, 0]])
    assert mean_of_tokens(x, tokens, 0).tolist() == [[2.0, 4.0], [0.0, 0.0]]
    assert mean_of_tokens(x, tokens, None)[0].tolist() == pytest.approx([18.0, 58 / 3])


@torch.no_grad()
def test_order_matters_through_the_places_alone():
    network, tokens = encoder(), passages()
    assert (network(tokens) - network(tokens.flip(1))).abs().max() > 1e-3
    nn.init.zeros_(network.places.weight)
    torch.testing.assert_close(network(tokens), network(tokens.flip(1)), atol=1e-12, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("post", [False, True])
def test_the_block_is_pytorchs_encoder_layer_on_equal_weights(post):
    torch.manual_seed(0)
    block = Block(16, 2, post=post, eps=1e-5).eval()
    theirs = nn.TransformerEncoderLayer(
        16, 2, 64, dropout=0.0, activation="gelu", batch_first=True, norm_first=not post
    )
    names = {"self_attn.in_proj_weight": block.attention.qkv.weight, "self_attn.in_proj_bias": block.attention.qkv.bias,
             "self_attn.out_proj.weight": block.attention.out.weight, "self_attn.out_proj.bias": block.attention.out.bias,
             "linear1.weight": block.mlp[0].weight, "linear1.bias": block.mlp[0].bias,
             "linear2.weight": block.mlp[2].weight, "linear2.bias": block.mlp[2].bias,
             "norm1.weight": block.norm1.weight, "norm1.bias": block.norm1.bias,
             "norm2.weight": block.norm2.weight, "norm2.bias": block.norm2.bias}  # fmt: skip
    for weight in names.values():
        weight.add_(0.1 * torch.randn_like(weight))
    theirs.load_state_dict(names)
    x = torch.randn(3, 7, 16)
    torch.testing.assert_close(block(x), theirs.train()(x), atol=1e-5, rtol=1e-5)
    other = Block(16, 2, post=not post, eps=1e-5).eval()
    other.load_state_dict(block.state_dict())
    assert (other(x) - block(x)).abs().max() > 0.1, "the order of norms must matter, or this compares nothing"


def test_dropout_works_in_training_alone():
    network, tokens = encoder(dropout=0.5), passages()
    assert torch.equal(network(tokens), network(tokens))
    network.train()
    assert not torch.equal(network(tokens), network(tokens))


@pytest.mark.parametrize("name", [name for name, kind in ENCODERS.items() if kind.reads == "tokens"])
def test_those_by_name_give_features_and_can_be_started_afresh(name):
    network = build_encoder(name, 50)
    h = features(network, passages())
    assert h.shape == (3, network.dim) and h.isfinite().all() and network.causal == ("causal" in name)
    trained = copy.deepcopy(network)
    for parameter in trained.parameters():
        nn.init.constant_(parameter, 7.0)
    fresh = reinitialised(trained)
    for (key, a), b in zip(fresh.named_parameters(), network.parameters()):
        assert a.std().item() == pytest.approx(b.std().item(), rel=0.3, abs=1e-6), key


def test_the_sum_does_not_grow_with_depth():
    """What all blocks add together is as large as the embeddings', however many there are."""
    torch.manual_seed(0)
    shallow, deep = (TextEncoder(30, 12, 64, depth, 2).blocks[0].mlp[-1].weight.std().item() for depth in (2, 32))
    assert shallow / deep == pytest.approx(4, rel=0.05)
