"""Attention, block and ViT: against loops written from the papers, and against torchvision's ViT on equal weights."""

import copy
import math

import pytest
import torch
from torch import nn
from torchvision.models.vision_transformer import VisionTransformer

from sslkit.probes import reinitialised
from sslkit.transformer import Attention, Block, ViT, attend, attention_maps, attention_weights, gather_tokens, sincos


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def tokens(N=2, T=7, dim=12, seed=0):
    return torch.randn(N, T, dim, generator=seeded(seed), dtype=torch.float64)


def layer(dim=12, heads=3, **options):
    torch.manual_seed(0)
    return Attention(dim, heads, **options).double()


def loop(module, x, allowed=lambda n, i, j: True):
    """Vaswani et al. 2017, section 3.2: token by token, in plain numbers."""
    D = x.shape[2] // module.heads
    mixed, weights = torch.zeros_like(x), torch.zeros(len(x), module.heads, x.shape[1], x.shape[1], dtype=x.dtype)
    for n in range(len(x)):
        rows = [(module.qkv.weight @ t + module.qkv.bias).split(x.shape[2]) for t in x[n]]
        for head in range(module.heads):
            part = slice(head * D, (head + 1) * D)
            for i in range(x.shape[1]):
                e = [
                    math.exp(sum(a * b for a, b in zip(rows[i][0][part].tolist(), rows[j][1][part].tolist())) / D**0.5)
                    if allowed(n, i, j)
                    else 0.0
                    for j in range(x.shape[1])
                ]
                for j in range(x.shape[1]):
                    weights[n, head, i, j] = e[j] / sum(e)
                    mixed[n, i, part] += e[j] / sum(e) * rows[j][2][part]
    return mixed @ module.out.weight.T + module.out.bias, weights


# --- attention ---


@torch.no_grad()
@pytest.mark.parametrize("heads", [1, 3])
def test_attention_is_the_loop(heads):
    module, x = layer(heads=heads), tokens()
    expected, weights = loop(module, x)
    torch.testing.assert_close(module(x), expected)
    torch.testing.assert_close(module.weights(x), weights)


@torch.no_grad()
def test_hidden_tokens_are_looked_at_by_nobody():
    module, x = layer(), tokens()
    hidden = torch.rand(2, 7, generator=seeded()) < 0.5
    hidden[:, 0] = False
    expected, weights = loop(module, x, lambda n, i, j: not hidden[n, j])
    torch.testing.assert_close(module(x, hidden), expected)
    torch.testing.assert_close(module.weights(x, hidden), weights)
    other = torch.where(hidden[:, :, None], 100 * torch.rand_like(x), x)
    assert torch.equal(module(other, hidden)[~hidden], module(x, hidden)[~hidden])


@torch.no_grad()
def test_hidden_can_be_said_for_each_query():
    module, x = layer(), tokens()
    hidden = torch.rand(2, 7, 7, generator=seeded()) < 0.5
    hidden.diagonal(dim1=1, dim2=2).fill_(False)
    torch.testing.assert_close(module(x, hidden), loop(module, x, lambda n, i, j: not hidden[n, i, j])[0])


@torch.no_grad()
def test_causal_attention_sees_nothing_that_comes_later():
    module, x = layer(causal=True), tokens()
    expected, weights = loop(module, x, lambda n, i, j: j <= i)
    torch.testing.assert_close(module(x), expected)
    torch.testing.assert_close(module.weights(x), weights)
    later = x.clone()
    later[:, 4:] += 1
    assert torch.equal(module(later)[:, :4], module(x)[:, :4])
    hidden = torch.zeros(2, 7, dtype=torch.bool)
    hidden[:, 2] = True
    torch.testing.assert_close(module(x, hidden), loop(module, x, lambda n, i, j: j <= i and j != 2)[0])


@pytest.mark.parametrize("masked", [False, True])
def test_the_written_out_form_is_pytorchs_own_with_its_gradients(masked):
    seen = torch.rand(2, 1, 5, 5, generator=seeded(4)) < 0.6
    seen.diagonal(dim1=2, dim2=3).fill_(True)
    seen = seen if masked else None
    found = []
    for form in (attend, lambda q, k, v, s: nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=s)):
        qkv = torch.randn(3, 2, 4, 5, 8, generator=seeded(), dtype=torch.float64, requires_grad=True)
        out = form(*qkv, seen)
        out.square().sum().backward()
        found.append((out, qkv.grad))
    torch.testing.assert_close(found[0], found[1])


def test_weights_of_a_row_sum_to_one_in_bfloat16_too():
    q, k = torch.randn(2, 1, 2, 9, 8, generator=seeded()).bfloat16()
    torch.testing.assert_close(attention_weights(q, k).float().sum(-1), torch.ones(1, 2, 9), atol=0.02, rtol=0)


@pytest.mark.parametrize("hidden", [torch.zeros(2, 7), torch.zeros(2, 6, dtype=torch.bool), torch.zeros(7, 7).bool()])
def test_a_mask_of_another_kind_or_shape_is_refused(hidden):
    with pytest.raises(ValueError, match=r"bool \[2, 7\] or \[2, 7, 7\]"):
        layer()(tokens(), hidden)


def test_heads_must_share_evenly():
    with pytest.raises(ValueError, match="5 heads cannot share 12"):
        Attention(12, 5)


# --- block ---


@torch.no_grad()
def test_a_block_adds_attention_and_then_two_layers_each_after_its_norm():
    torch.manual_seed(0)
    block, x = Block(12, 3, mlp=2).double(), tokens()

    def norm(t, module):
        t = (t - t.mean(-1, keepdim=True)) / (t.var(-1, keepdim=True, correction=0) + 1e-6).sqrt()
        return t * module.weight + module.bias

    for module in (block.norm1, block.norm2):
        nn.init.normal_(module.weight), nn.init.normal_(module.bias)
    expected = x + loop(block.attention, norm(x, block.norm1))[0]
    inner = norm(expected, block.norm2) @ block.mlp[0].weight.T + block.mlp[0].bias
    inner = inner * 0.5 * (1 + torch.erf(inner / 2**0.5))  # GELU (Hendrycks & Gimpel 2016)
    expected = expected + inner @ block.mlp[2].weight.T + block.mlp[2].bias
    torch.testing.assert_close(block(x), expected)
    assert block.mlp[0].out_features == 24


# --- positions ---


@pytest.mark.parametrize("base", [100, 10_000])
@pytest.mark.parametrize("grid, dim", [((2, 3), 8), ((7, 7), 32), ((1, 4), 4)])
def test_positions_are_the_papers_sines_and_cosines_of_row_and_column(grid, dim, base):
    found = sincos(grid, dim, base=base)
    assert base != 100 or torch.equal(found, sincos(grid, dim))
    assert found.shape == (grid[0] * grid[1], dim)
    for n, position in enumerate(found):
        numbers = []
        for at in (n // grid[1], n % grid[1]):
            angles = [at / base ** (k / (dim / 4)) for k in range(dim // 4)]
            numbers += [math.sin(a) for a in angles] + [math.cos(a) for a in angles]
        torch.testing.assert_close(position, torch.tensor(numbers), atol=1e-6, rtol=0)


def test_every_place_has_its_own_position():
    found = sincos((8, 8), 128)
    assert (torch.cdist(found, found) + 9 * torch.eye(64)).min() > 0.5
    with pytest.raises(ValueError, match="4 divides, not 10"):
        sincos((2, 2), 10)


# --- ViT ---


def like_torchvision(depth=3, dim=24, heads=4, patch=4, side=16):
    """A ViT of ours in torchvision's layout, and torchvision's own with the same weights."""
    torch.manual_seed(0)
    theirs = VisionTransformer(side, patch, depth, heads, dim, 4 * dim, num_classes=5)
    for parameter in theirs.parameters():  # torchvision starts some at zero, which would hide a mistake
        nn.init.normal_(parameter, std=0.3)
    ours = ViT(3, patch, dim, depth, heads, class_token=True, positions="learned", grid=(side // patch,) * 2)
    t = theirs.state_dict()
    state = {
        "embed.weight": t["conv_proj.weight"],
        "embed.bias": t["conv_proj.bias"],
        # torchvision adds the first position to the class token; here a class token carries its own
        "class_token": t["class_token"] + t["encoder.pos_embedding"][:, :1],
        "learned": t["encoder.pos_embedding"][0, 1:],
        "norm.weight": t["encoder.ln.weight"],
        "norm.bias": t["encoder.ln.bias"],
    }
    for i in range(depth):
        before, after = f"encoder.layers.encoder_layer_{i}.", f"blocks.{i}."
        for a, b in {
            "ln_1.": "norm1.",
            "self_attention.in_proj_": "attention.qkv.",
            "self_attention.out_proj.": "attention.out.",
            "ln_2.": "norm2.",
            "mlp.0.": "mlp.0.",
            "mlp.3.": "mlp.2.",
        }.items():
            for kind in ("weight", "bias"):
                state[after + b + kind] = t[before + a + kind]
    ours.load_state_dict(state)
    theirs.heads = nn.Identity()
    return ours.eval(), theirs.eval()


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_vit_is_torchvisions_on_equal_weights(dtype):
    ours, theirs = like_torchvision()
    x = torch.rand(3, 3, 16, 16, generator=seeded(1), dtype=dtype)
    expected = theirs.to(dtype)(2 * x - 1)
    assert expected.std() > 0.1
    torch.testing.assert_close(ours.to(dtype)(x), expected, atol=1e-5, rtol=0)


def test_its_gradients_are_torchvisions_too():
    ours, theirs = (model.double() for model in like_torchvision(depth=2))
    x = torch.rand(3, 3, 16, 16, generator=seeded(1), dtype=torch.float64)
    ours(x).square().sum().backward()
    theirs(2 * x - 1).square().sum().backward()
    torch.testing.assert_close(ours.embed.weight.grad, theirs.conv_proj.weight.grad)
    torch.testing.assert_close(ours.learned.grad, theirs.encoder.pos_embedding.grad[0, 1:])
    block = theirs.encoder.layers.encoder_layer_0
    torch.testing.assert_close(ours.blocks[0].attention.qkv.weight.grad, block.self_attention.in_proj_weight.grad)


def small(**options):
    torch.manual_seed(0)
    return ViT(**({"patch": 4, "dim": 16, "depth": 2, "heads": 2} | options)).eval()


@torch.no_grad()
@pytest.mark.parametrize("class_token", [False, True])
def test_visible_patches_alone_give_what_masked_attention_over_all_gives(class_token):
    vit, x = small(class_token=class_token), torch.rand(3, 3, 16, 24, generator=seeded())
    visible = torch.rand(3, 24, generator=seeded(2)).argsort(1)[:, :7]
    alone = vit.mix(vit.tokens(x, visible))
    hidden = torch.ones(3, 24, dtype=torch.bool).scatter(1, visible, False)
    if class_token:
        hidden = torch.cat([torch.zeros(3, 1, dtype=torch.bool), hidden], 1)
    everything = vit.mix(vit.tokens(x), hidden)
    places = torch.cat([torch.zeros(3, 1, dtype=torch.int64), visible + 1], 1) if class_token else visible
    torch.testing.assert_close(alone, gather_tokens(everything, places), atol=1e-5, rtol=0)


@torch.no_grad()
def test_any_size_that_the_patch_divides_and_the_order_of_patches_does_not_matter_without_positions():
    vit = small(channels=1)
    for side in ((8, 8), (28, 28), (12, 20)):
        h = vit(torch.rand(2, 1, *side))
        assert h.shape == (2, 16) and h.isfinite().all()
    x = torch.rand(2, 1, 8, 8, generator=seeded())
    swapped = torch.cat([x[..., 4:], x[..., :4]], dim=-1)
    assert (vit(x) - vit(swapped)).abs().max() > 1e-4, "positions must tell where a patch is"
    vit.positions = lambda grid, device: torch.zeros(1, 1)
    torch.testing.assert_close(vit(x), vit(swapped), atol=1e-6, rtol=0)


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match="4 x 4 do not fill images of 8 x 10"):
        small()(torch.rand(1, 3, 8, 10))
    with pytest.raises(ValueError, match=r"learned for a grid of \(8, 8\).*\(4, 4\)"):
        small(positions="learned")(torch.rand(1, 3, 16, 16))
    with pytest.raises(ValueError, match="sincos or learned"):
        small(positions="rotary")


@torch.no_grad()
@pytest.mark.parametrize("class_token", [False, True])
def test_attention_maps_are_those_of_the_forward_pass(class_token):
    vit, x = small(class_token=class_token), torch.rand(2, 3, 16, 16, generator=seeded())
    inputs = []
    vit.blocks[1].attention.register_forward_hook(lambda module, args, out: inputs.append(args[0]))
    vit(x)
    expected = vit.blocks[1].attention.weights(inputs[0])
    for layer_number in (1, -1):
        torch.testing.assert_close(attention_maps(vit, x, layer_number), expected)
    assert expected.shape == (2, 2, 16 + class_token, 16 + class_token)


@pytest.mark.parametrize("options", [{}, {"class_token": True, "positions": "learned", "grid": (4, 4)}])
def test_it_can_be_started_afresh(options):
    vit = small(**options)
    trained = copy.deepcopy(vit)
    for parameter in trained.parameters():
        nn.init.constant_(parameter, 7.0)
    fresh = reinitialised(trained, seed=1)
    assert all((p != 7).any() for p in fresh.parameters())
    for (name, a), b in zip(fresh.named_parameters(), vit.parameters()):
        assert a.std().item() == pytest.approx(b.std().item(), rel=0.3, abs=1e-6), name
    again = reinitialised(trained, seed=1)
    assert all(torch.equal(a, b) for a, b in zip(fresh.parameters(), again.parameters()))
