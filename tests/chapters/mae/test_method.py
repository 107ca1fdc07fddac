"""MAE, exported from notebooks/17_mae.ipynb: patches, masks, loss and painters against plain loops."""

import math

import pytest
import torch
from changed import changed

from sslkit.chapters.mae.method import (
    MAE,
    METHOD,
    RECIPES,
    Decoder,
    copy_nearest,
    hidden_mse,
    mae_loss,
    mean_colour,
    normalise,
    patchify,
    unpatchify,
    visible_patches,
)
from sslkit.chapters.mae.pictures import blend
from sslkit.nets import build_encoder
from sslkit.train import Recipe, build, train
from sslkit.transformer import ViT, sincos


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def masking(N, L, ratio, generator):
    """The visible patches, of noise drawn as pretext draws it."""
    return visible_patches(torch.rand(N, L, generator=generator), ratio)[0]


def hidden_patches(visible, L):
    """True where no visible patch is, place by place."""
    return torch.tensor([[place not in row for place in range(L)] for row in visible.tolist()])


def images(n=6, channels=3, height=16, width=16, seed=3):
    return torch.randint(256, (n, channels, height, width), dtype=torch.uint8, generator=seeded(seed))


# --- patches ---

SIZES = [(2, 3, 4, 4, 2), (1, 1, 6, 9, 3), (3, 2, 4, 12, 4), (2, 5, 3, 2, 1)]


def cut(x, size):
    """Pixel by pixel."""
    N, C, H, W = x.shape
    out = torch.zeros(N, H * W // size**2, C * size**2, dtype=x.dtype)
    for n in range(N):
        for c in range(C):
            for i in range(H):
                for j in range(W):
                    out[n, (i // size) * (W // size) + j // size, c * size**2 + (i % size) * size + j % size] = x[
                        n, c, i, j
                    ]
    return out


@pytest.mark.parametrize("N, C, H, W, size", SIZES)
def test_patchify_cuts_squares_row_by_row_and_unpatchify_puts_them_back(N, C, H, W, size):
    x = torch.arange(N * C * H * W).view(N, C, H, W)
    patches = patchify(x, size)
    assert torch.equal(patches, cut(x, size))
    assert torch.equal(unpatchify(patches, size, (H // size, W // size)), x)


def test_a_square_image_needs_no_grid():
    x = torch.rand(2, 3, 8, 8)
    assert torch.equal(unpatchify(patchify(x, 4), 4), x)


# --- masks ---


@pytest.mark.parametrize("L, ratio, keep", [(64, 0.75, 16), (64, 0.0, 64), (49, 0.75, 12), (10, 0.9, 1), (4, 0.5, 2)])
def test_each_image_keeps_its_own_random_patches(L, ratio, keep):
    visible = masking(200, L, ratio, seeded())
    assert visible.shape == (200, keep) and visible.dtype == torch.int64
    assert all(len(set(row)) == keep for row in visible.tolist())
    if 1 < keep < L:
        assert len({tuple(sorted(row)) for row in visible.tolist()}) > 5, "all images have the same mask"
    kept = visible.flatten().bincount(minlength=L) / 200
    spread = (keep / L * (1 - keep / L) / 200) ** 0.5
    assert (kept - keep / L).abs().max() <= 5 * spread + 1e-6, "some patches are kept more often than others"


def test_masks_of_one_seed_are_nested_and_of_another_different():
    quarter, half = (masking(9, 64, ratio, seeded(5)) for ratio in (0.75, 0.5))
    assert torch.equal(half[:, :16], quarter)
    assert not torch.equal(masking(9, 64, 0.75, seeded(6)), quarter)


@pytest.mark.parametrize("ratio", [1.0, 0.999, 0.0, 0.01, -0.1, 1.5])
def test_a_ratio_that_leaves_none_or_all_visible_is_refused(ratio):
    with pytest.raises(ValueError, match="leaves none, or all, visible"):
        fresh(ratio=ratio).pretext(images(), seeded())


def test_the_mask_is_true_where_a_patch_is_hidden():
    noise = torch.rand(9, 10, generator=seeded())
    visible, mask = visible_patches(noise, 0.7)
    assert mask.dtype == torch.bool and torch.equal(mask, hidden_patches(visible, 10))
    for row, ids in zip(noise.tolist(), visible.tolist()):
        assert ids == sorted(range(10), key=row.__getitem__)[:3]


# --- the loss ---


def loop(prediction, target, mask, normalised):
    """He et al. 2022, section 3: mean squared error over hidden patches, each by its own mean and deviation."""
    errors = []
    for n in range(len(target)):
        for i in range(target.shape[1]):
            if not mask[n, i]:
                continue
            t = target[n, i].double().tolist()
            if normalised:
                mean = sum(t) / len(t)
                deviation = math.sqrt(sum((v - mean) ** 2 for v in t) / len(t) + 1e-6)
                t = [(v - mean) / deviation for v in t]
            errors += [(p - v) ** 2 for p, v in zip(prediction[n, i].double().tolist(), t)]
    return sum(errors) / len(errors)


def guesses(N=3, L=8, D=12, dtype=torch.float64):
    prediction, target = torch.rand(2, N, L, D, generator=seeded(), dtype=dtype)
    mask = torch.rand(N, L, generator=seeded(1)) < 0.6
    mask[0] = False  # images with different numbers of hidden patches, one with none
    return prediction * 2, target * torch.linspace(0.1, 3, L, dtype=dtype)[:, None], mask


def loss_agrees(loss):
    for normalised in (False, True):
        p, t, mask = guesses()
        if not math.isclose(loss(p, t, mask, normalised).item(), loop(p, t, mask, normalised), rel_tol=1e-9):
            return False
    return True


def test_the_loss_is_the_papers():
    assert loss_agrees(mae_loss)
    p, t, mask = guesses(dtype=torch.float32)
    assert mae_loss(p, t, mask, True).item() == pytest.approx(loop(p, t, mask, True), rel=1e-5)
    assert mae_loss(p, t, mask, True).dtype == torch.float32


BROKEN_LOSSES = {
    "visible patches too": ("(error * mask).sum() / mask.sum()", "error.mean()"),
    "visible ones instead": ("(error * mask).sum() / mask.sum()", "(error * ~mask).sum() / (~mask).sum()"),
    "divided by all": ("(error * mask).sum() / mask.sum()", "(error * mask).mean()"),
    "summed over a patch": (".mean(dim=2)", ".sum(dim=2)"),
    "absolute": (".square()", ".abs()"),
}


@pytest.mark.parametrize("old, new", BROKEN_LOSSES.values(), ids=BROKEN_LOSSES)
def test_a_broken_mean_is_caught(old, new):
    broken = changed(hidden_mse, old, new)
    assert not loss_agrees(lambda p, t, mask, normalised: broken(p, normalise(t) if normalised else t, mask))


@pytest.mark.parametrize(
    "old, new",
    [("if normalised", "if not normalised"), ("hidden_mse(prediction, ", "hidden_mse(normalise(prediction), ")],
)
def test_a_broken_loss_is_caught(old, new):
    assert not loss_agrees(changed(mae_loss, old, new))


def test_the_gradient_reaches_hidden_patches_alone():
    p, t, mask = guesses()
    p.requires_grad_()
    mae_loss(p, t, mask, False).backward()
    assert torch.equal(p.grad.abs().sum(-1) > 0, mask)
    torch.testing.assert_close(p.grad, 2 * (p.detach() - t) * mask[:, :, None] / (mask.sum() * 12))


def test_normalised_patches_have_mean_0_and_variance_1_and_flat_ones_are_0():
    patches = torch.rand(4, 9, 48, generator=seeded(), dtype=torch.float64)
    found = normalise(patches)
    torch.testing.assert_close(found.mean(-1), torch.zeros(4, 9, dtype=torch.float64))
    torch.testing.assert_close(found.var(-1, correction=0), torch.ones(4, 9, dtype=torch.float64), atol=1e-4, rtol=0)
    torch.testing.assert_close(normalise(0.3 * patches + 0.2), found, atol=1e-3, rtol=0)
    assert normalise(torch.full((1, 1, 48), 0.7)).abs().max() < 1e-3


# --- painters without learning ---


def test_mean_colour_is_that_of_the_visible_patches():
    x = images().double() / 255
    patches, visible = patchify(x, 4), masking(6, 16, 0.75, seeded())
    painted = unpatchify(mean_colour(patches, visible), 4)
    for n in range(6):
        for c in range(3):
            seen = [
                x[n, c, 4 * (i // 4) : 4 * (i // 4) + 4, 4 * (i % 4) : 4 * (i % 4) + 4].mean()
                for i in visible[n].tolist()
            ]
            torch.testing.assert_close(painted[n, c], torch.full((16, 16), sum(seen) / 4, dtype=torch.float64))


def test_copy_nearest_copies_a_visible_patch_at_the_least_distance():
    grid = (3, 5)
    patches = torch.rand(4, 15, 12, generator=seeded())
    visible = masking(4, 15, 0.8, seeded(1))
    painted = copy_nearest(patches, visible, grid)
    for n in range(4):
        for i in range(15):
            distance = {j: math.dist((i // 5, i % 5), (j // 5, j % 5)) for j in visible[n].tolist()}
            best = [j for j in distance if math.isclose(distance[j], min(distance.values()))]
            assert any(torch.equal(painted[n, i], patches[n, j]) for j in best)
    assert torch.equal(
        painted.gather(1, visible[:, :, None].expand(-1, -1, 12)),
        patches.gather(1, visible[:, :, None].expand(-1, -1, 12)),
    )


def test_blend_weighs_visible_pixels_by_their_distance():
    x, visible = images() / 255, masking(6, 16, 0.75, seeded())
    painted = unpatchify(blend(x, visible), 4)
    for n, row, column in ((0, 0, 0), (3, 7, 9), (5, 15, 4)):
        above = below = 0.0
        for patch in visible[n].tolist():
            for k in range(16):
                at = (4 * (patch // 4) + k // 4, 4 * (patch % 4) + k % 4)
                weight = max(math.dist(at, (row, column)), 0.5) ** -4
                above, below = above + weight * x[n, :, at[0], at[1]], below + weight
        torch.testing.assert_close(painted[n, :, row, column], above / below)


# --- the method ---


def fresh(**options):
    torch.manual_seed(0)
    encoder = options.pop("encoder", None) or ViT(patch=4, dim=16, depth=2, heads=2)
    return MAE(encoder, **({"decoder_dim": 16, "decoder_depth": 1} | options))


def test_pretext_gives_a_view_and_its_visible_patches():
    method = fresh()
    x, visible, mask = method.pretext(images(), seeded())
    assert x.shape == (6, 3, 16, 16) and x.dtype == torch.float32 and 0 <= x.min() and x.max() <= 1
    assert visible.shape == (6, 4) and visible.max() < 16
    whole = fresh(crop=1.0)
    whole.view.flip = 0.0
    whole.view.ratio = (1.0, 1.0)
    torch.testing.assert_close(whole.pretext(images(), seeded())[0], images() / 255, atol=1e-5, rtol=0)


@torch.no_grad()
def test_what_is_hidden_can_not_be_seen():
    """Other pixels in the hidden patches: what is painted stays the same to the bit."""
    method = fresh().eval()
    x, visible, mask = method.pretext(images(), seeded())
    noise = torch.rand(6, 16, 48, generator=seeded(9))
    other = unpatchify(torch.where(mask[:, :, None], noise, patchify(x, 4)), 4)
    assert not torch.equal(other, x)
    assert torch.equal(method.paint(other, visible), method.paint(x, visible))
    seen = unpatchify(torch.where(mask[:, :, None], patchify(x, 4), noise), 4)
    assert not torch.allclose(method.paint(seen, visible), method.paint(x, visible))


@torch.no_grad()
@pytest.mark.parametrize("class_token", [False, True])
def test_the_order_of_the_visible_patches_does_not_matter(class_token):
    method = fresh(encoder=ViT(patch=4, dim=16, depth=2, heads=2, class_token=class_token)).eval()
    x, visible, mask = method.pretext(images(), seeded())
    torch.testing.assert_close(method.paint(x, visible.flip(1)), method.paint(x, visible), atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_decoder_puts_each_token_where_it_belongs():
    """Against the paper's description: a list of encoded tokens and mask tokens, unshuffled, plus positions."""
    torch.manual_seed(0)
    decoder = Decoder(10, 12, dim=8, depth=1, heads=2)
    tokens, visible = torch.randn(2, 3, 10), masking(2, 6, 0.5, seeded())
    rows = []
    for n in range(2):
        row = [decoder.mask_token[0, 0]] * 6
        for k, place in enumerate(visible[n].tolist()):
            row[place] = decoder.enter.weight @ tokens[n, k] + decoder.enter.bias
        rows.append(torch.stack(row) + sincos((2, 3), 8))
    expected = decoder.leave(decoder.norm(decoder.blocks[0](torch.stack(rows))))
    torch.testing.assert_close(decoder(tokens, visible, (2, 3)), expected)


def test_forward_is_the_oracles_loss_of_what_it_painted():
    for normalised in (False, True):
        method = fresh(normalised=normalised)
        x, visible, mask = method.pretext(images(), seeded())
        loss, extras = method((x, visible, mask))
        assert set(extras) == {"prediction", "mask"} and not any(v.requires_grad for v in extras.values())
        assert torch.equal(extras["mask"], hidden_patches(visible, 16)) and extras["mask"].float().mean() == 0.75
        expected = loop(extras["prediction"], patchify(x, 4), extras["mask"], normalised)
        assert loss.item() == pytest.approx(expected, rel=1e-4)


def test_the_gradient_reaches_every_parameter():
    method = fresh()
    method(method.pretext(images(), seeded()))[0].backward()
    assert not [n for n, p in method.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


@torch.no_grad()
def test_encode_hides_nothing():
    method, x = fresh().eval(), torch.rand(3, 3, 16, 16)
    assert torch.equal(method.encode(x), method.encoder(x)) and method.encode(x).shape == (3, 16)


def test_chance_is_the_loss_of_answering_the_mean():
    noise = torch.rand(400, 16, 48, generator=seeded())  # every brightness equally likely
    mask = torch.ones(400, 16, dtype=torch.bool)
    answers = {True: torch.zeros_like(noise), False: torch.full_like(noise, 0.5)}
    for normalised, answer in answers.items():
        chance = fresh(normalised=normalised).chance(8)
        assert mae_loss(answer, noise, mask, normalised).item() == pytest.approx(chance, rel=5e-3)


def test_another_encoder_than_a_vit_is_refused():
    with pytest.raises(ValueError, match="takes a ViT .*, not a SmallEncoder"):
        MAE(build_encoder("small"))


def test_images_of_other_sizes_and_not_square():
    method = fresh()
    for height, width in ((8, 8), (28, 28), (8, 20)):
        loss, extras = method(method.pretext(images(height=height, width=width), seeded()))
        assert loss.isfinite() and extras["mask"].shape == (6, height * width // 16)
    with pytest.raises(ValueError, match="do not fill images of 8 x 10"):
        method(method.pretext(images(height=8, width=10), seeded()))


def test_the_laptop_recipe_trains_a_vit():
    recipe = RECIPES["laptop"].smoke()
    assert isinstance(build(METHOD, recipe).encoder, ViT) and recipe.steps <= 8


def test_it_learns_to_paint_what_follows_from_the_rest():
    """Plain colours: after a few steps hidden patches are painted far better than mid-grey, and than at the start."""
    colour = torch.randint(256, (256, 3, 1, 1), dtype=torch.uint8, generator=seeded())
    x = colour.expand(-1, -1, 16, 16).contiguous()
    recipe = Recipe(steps=200, lr=1e-2, batch=32, optimizer="adamw", options={"normalised": False})
    method = fresh(normalised=False)
    losses = [record.loss for record in train(method, x, recipe)]
    assert sum(losses[-10:]) / 10 < 0.25 * method.chance(32)
