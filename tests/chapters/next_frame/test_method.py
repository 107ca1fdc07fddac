"""Next frame, exported from notebooks/08_next_frame.ipynb, against loops over windows, displacements and pixels."""

import math

import pytest
import torch
import torch.nn.functional as F
from changed import changed

from sslkit.__main__ import main
from sslkit.chapters.next_frame.ablations import ABLATIONS
from sslkit.chapters.next_frame.method import (
    METHOD,
    RECIPES,
    Decoder,
    NextFrame,
    clip_features,
    next_frame_loss,
    past_windows,
    shift,
)
from sslkit.datasets import load
from sslkit.nets import build_encoder
from sslkit.probes import reinitialised
from sslkit.probes.clips import prediction_error
from sslkit.train import Recipe, build, train


def clips(n=6, frames=6, channels=3, side=32, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, (n, frames, channels, side, side), dtype=torch.uint8, generator=generator)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


# --- windows ---


def test_windows_are_frames_in_a_row_side_by_side():
    h = torch.randn(2, 7, 3)
    for past in (1, 2, 3, 7):
        got = past_windows(h, past)
        assert got.shape == (2, 8 - past, 3 * past)
        for n in range(2):
            for t in range(8 - past):
                assert got[n, t].tolist() == [v for p in range(past) for v in h[n, t + p].tolist()]


# --- moving pixels ---


def moved_pixel_by_pixel(x, kernel):
    """moved(y, x) = sum of k(dy, dx) last(y - dy, x - dx), in plain loops."""
    (N, _, H, W), K = x.shape, kernel.shape[1]
    out = torch.zeros_like(x)
    for n in range(N):
        for row in range(H):
            for column in range(W):
                for i in range(K):
                    for j in range(K):
                        source = x[n, :, (row - (i - K // 2)) % H, (column - (j - K // 2)) % W]
                        out[n, :, row, column] += kernel[n, i, j] * source
    return out


def shift_agrees(f):
    generator = seeded()
    for H, W, K in [(6, 6, 3), (5, 7, 3), (7, 6, 5)]:
        x = torch.rand(2, 2, H, W, dtype=torch.float64, generator=generator)
        kernel = torch.rand(2, K, K, dtype=torch.float64, generator=generator)
        if not torch.allclose(f(x, kernel), moved_pixel_by_pixel(x, kernel), atol=1e-10):
            return False
    return True


def test_shift_is_the_sum_of_shifted_copies():
    assert shift_agrees(shift)


def test_shift_by_hand():
    x = torch.zeros(1, 1, 5, 5)
    x[0, 0, 2, 1] = 1.0
    kernel = torch.zeros(1, 3, 3)
    kernel[0, 0, 2] = 1.0  # one row up, one column to the right
    moved = shift(x, kernel)
    assert moved[0, 0].argmax().item() == 1 * 5 + 2 and moved.sum().item() == pytest.approx(1.0)


BROKEN_SHIFTS = {
    "the other way": ("(-(K // 2), -(K // 2))", "(K // 2, K // 2)"),
    "not centred": ("placed.roll((-(K // 2), -(K // 2)), dims=(1, 2))", "placed"),
    "correlation": ("torch.fft.rfft2(placed)[:, None]", "torch.fft.rfft2(placed).conj()[:, None]"),
    "rows and columns exchanged": ("F.pad(kernel,", "F.pad(kernel.transpose(1, 2),"),
}


@pytest.mark.parametrize("old, new", BROKEN_SHIFTS.values(), ids=BROKEN_SHIFTS)
def test_a_broken_shift_is_caught(old, new):
    assert not shift_agrees(changed(shift, old, new))


def test_the_gradient_of_shift():
    x = torch.rand(2, 1, 5, 6, dtype=torch.float64)
    kernel = torch.rand(2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda k: shift(x, k), kernel)


# --- the loss ---


def ratio_in_plain_numbers(prediction, target, last):
    above = math.fsum((p - t) ** 2 for p, t in zip(prediction.flatten().tolist(), target.flatten().tolist()))
    below = math.fsum((b - t) ** 2 for b, t in zip(last.flatten().tolist(), target.flatten().tolist()))
    return above / below


def loss_agrees(loss):
    for seed, n in [(0, 5), (1, 2)]:
        generator = seeded(seed)
        three = torch.rand(3, n, 2, 4, 4, dtype=torch.float64, generator=generator)
        three[2] *= torch.linspace(0.2, 1.0, n)[:, None, None, None]  # images differ in how much changes
        prediction = three[0].clone().requires_grad_()
        value = loss(prediction, three[1], three[2])
        if not math.isclose(value.item(), ratio_in_plain_numbers(*three), rel_tol=1e-10):
            return False
        (gradient,) = torch.autograd.grad(value, prediction)
        expected = 2 * (three[0] - three[1]) / (three[2] - three[1]).square().sum()
        if not torch.allclose(gradient, expected):
            return False
    return True


def test_the_loss_is_in_units_of_copying():
    assert loss_agrees(next_frame_loss)
    _, target, last = torch.rand(3, 4, 3, 8, 8)
    assert next_frame_loss(last, target, last).item() == pytest.approx(1.0)
    assert next_frame_loss(target, target, last).item() == 0
    assert next_frame_loss(target + 0.1, target, target).isfinite()  # nothing moves


BROKEN_LOSSES = {
    "upside down": ("return (prediction - target)", "return 1 / (prediction - target)"),
    "not divided": (" / gather(copying[None]).mean().clamp_min(1e-6)", ""),
    "absolute": ("(prediction - target).square()", "(prediction - target).abs()"),
    "against the last frame": ("(prediction - target)", "(prediction - last)"),
}


@pytest.mark.parametrize("old, new", BROKEN_LOSSES.values(), ids=BROKEN_LOSSES)
def test_a_broken_loss_is_caught(old, new):
    assert not loss_agrees(changed(next_frame_loss, old, new))


def test_no_gradient_through_the_copying_baseline():
    prediction, target, last = (torch.rand(2, 1, 4, 4, requires_grad=True) for _ in range(3))
    next_frame_loss(prediction, target.detach(), last).backward()
    assert last.grad is None and prediction.grad.abs().sum() > 0


# --- the method ---


def fresh(**options):
    torch.manual_seed(0)
    return NextFrame(build_encoder("small"), **options)


def forward_is_right(kind, past=3):
    """Whether forward() predicts each frame from the `past` ones before it and no other, and compares with that
    frame."""
    torch.manual_seed(0)
    method = kind(build_encoder("small"), past=past).eval()
    x = clips(3, 6).float() / 255
    with torch.no_grad():
        loss, extras = method(x)
        pairs = []
        for n in range(3):
            for t in range(past, 6):
                guess, _, _ = method.predict(x[n : n + 1, t - past : t])
                pairs.append((guess[0], x[n, t], x[n, t - 1]))
        guess, target, last = (torch.stack(column) for column in zip(*pairs))
    return (
        torch.allclose(extras["prediction"], guess, atol=1e-5)
        and torch.equal(extras["target"], target)
        and torch.equal(extras["last"], last)
        and math.isclose(loss.item(), ratio_in_plain_numbers(guess, target, last), rel_tol=1e-4)
    )


@pytest.mark.parametrize("past", [1, 2, 3])
def test_each_frame_is_predicted_from_those_before_it(past):
    assert forward_is_right(NextFrame, past)


BROKEN_METHODS = {
    "sees the frame it predicts": ("clips[:, self.past - 1 : -1]", "clips[:, self.past :]"),
    "predicts the last frame": ("clips[:, self.past :].flatten(0, 1)", "clips[:, self.past - 1 : -1].flatten(0, 1)"),
}


@pytest.mark.parametrize("old, new", BROKEN_METHODS.values(), ids=BROKEN_METHODS)
def test_a_broken_method_is_caught(old, new):
    assert not forward_is_right(changed(NextFrame, old, new))


def test_the_future_does_not_leak_into_the_prediction():
    method, x = fresh().eval(), clips(2, 6).float() / 255
    other = x.clone()
    other[:, 5] = torch.rand_like(other[:, 5])
    with torch.no_grad():
        one, two = method(x)[1], method(other)[1]
    assert torch.equal(one["prediction"], two["prediction"])
    assert not torch.equal(one["target"], two["target"])


def test_pretext_mirrors_whole_clips():
    method, x = fresh(), clips(40)
    views = method.pretext(x, seeded())
    mirrored = [torch.equal(v, a.flip(-1) / 255) for v, a in zip(views, x.float())]
    kept = [torch.equal(v, a / 255) for v, a in zip(views, x.float())]
    assert all(a != b for a, b in zip(mirrored, kept)) and 8 < sum(mirrored) < 32
    assert views.dtype == torch.float32 and torch.equal(method.pretext(x.float() / 255, seeded()), views)


def test_images_and_short_clips_are_refused_in_words():
    for x in (clips()[:, 0], clips(frames=3)):
        with pytest.raises(ValueError, match="clips.*moving"):
            fresh().pretext(x, None)


def test_a_decoder_of_no_motion_and_open_mask_gives_the_last_frame():
    torch.manual_seed(0)
    decoder, last = Decoder(8, 3, reach=2), torch.rand(4, 3, 16, 16)
    torch.nn.init.zeros_(decoder.kernel.weight)
    decoder.kernel.bias.data = F.one_hot(torch.tensor(12), 25) * 100.0  # all probability on no displacement
    torch.nn.init.zeros_(decoder.paint[-1].weight)
    decoder.paint[-1].bias.data = torch.tensor([0.3, 0.0, 0.0, 0.0])
    prediction, kernel, mask = decoder(torch.randn(4, 8), last)
    torch.testing.assert_close(prediction, last)
    assert kernel.shape == (4, 5, 5) and mask.shape == (4, 1, 16, 16)
    torch.testing.assert_close(kernel.sum((1, 2)), torch.ones(4))


@pytest.mark.parametrize("bias, expected", [(50.0, lambda x: x.roll(1, 3)), (-50.0, lambda x: x + 0.1)])
def test_the_mask_chooses_between_what_moved_and_what_stays(bias, expected):
    torch.manual_seed(0)
    decoder, last = Decoder(8, 3, reach=2), torch.rand(4, 3, 16, 16)
    torch.nn.init.zeros_(decoder.kernel.weight)
    decoder.kernel.bias.data = F.one_hot(torch.tensor(13), 25) * 100.0  # one column to the right
    torch.nn.init.zeros_(decoder.paint[-1].weight)
    decoder.paint[-1].bias.data = torch.tensor([bias, 0.1, 0.1, 0.1])
    torch.testing.assert_close(decoder(torch.randn(4, 8), last)[0], expected(last), atol=1e-5, rtol=1e-5)


def test_the_gradient_reaches_every_parameter():
    method = fresh()
    method(method.pretext(clips(), seeded()))[0].backward()
    assert not [n for n, p in method.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


def test_encode_takes_the_last_frames_and_single_images():
    method, x = fresh().eval(), clips().float() / 255
    one = torch.cat([method.encoder(x[:, t]) for t in (3, 4, 5)], dim=1)
    torch.testing.assert_close(method.encode(x), one)
    assert torch.equal(method.encode(x[:, 0]), method.encoder(x[:, 0]))
    short = torch.cat([method.encoder(x[:, t]) for t in (0, 0, 1)], dim=1)
    torch.testing.assert_close(clip_features(method.encoder, x[:, :2], 3), short)


def test_larger_frames_and_other_encoders():
    for name in ("spatial", "small"):
        method = NextFrame(build_encoder(name))
        loss, extras = method(clips(2, 5, side=48).float() / 255)
        assert extras["prediction"].shape == (4, 3, 48, 48) and loss.isfinite()
    assert reinitialised(method).encoder is not method.encoder


def test_the_spatial_encoder_weighs_each_place_by_itself():
    torch.manual_seed(0)
    encoder, x = build_encoder("spatial").eval(), torch.rand(2, 3, 32, 32)
    cells = encoder.layers(2 * x - 1)
    assert cells.shape == (2, encoder.dim, 4, 4)
    by_hand = torch.einsum("ncyx,dcyx->nd", cells, encoder.flat.weight.view(-1, encoder.dim, 4, 4)) + encoder.flat.bias
    torch.testing.assert_close(encoder(x), by_hand, atol=1e-4, rtol=1e-4)
    assert encoder(torch.rand(2, 3, 64, 64)).shape == (2, encoder.dim)


@pytest.mark.slow
def test_it_learns_to_move_things():
    """In 60 steps on a small set it beats copying, on clips that it has not seen."""
    data = load("moving", train=500, val=2, test=100, frames=6)
    recipe = Recipe(steps=60, lr=2e-3, batch=16, encoder="spatial", optimizer="adamw")
    method = build(METHOD, recipe)
    losses = [record.loss for record in train(method, data.pretrain, recipe)]
    assert losses[0] > 0.9 and sum(losses[-10:]) / 10 < 0.85
    assert prediction_error(method, data.test.x) < 0.9


# --- the command line ---


def test_the_command_line_trains_and_judges_it(tmp_path, capsys):
    assert set(RECIPES) == {"laptop", "gpu"}
    out = str(tmp_path / "run")
    smoke = ["--scale", "smoke", "--limit", "40", "--steps", "2", "--batch", "8"]
    assert main(["pretrain", "next_frame", "--out", out, "--frames", "6", *smoke]) == 0
    assert "next_frame on moving: 40 clips" in capsys.readouterr().out
    assert main(["probe", out, "--limit", "40"]) == 0
    said = capsys.readouterr().out
    assert "untrained" in said and "R2 of x" in said and "error / copying" in said


def test_the_command_line_trains_on_a_film(tmp_path, capsys):
    from PIL import Image

    frames = [Image.effect_noise((40, 40), 60 + k).convert("RGB") for k in range(60)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    film, out = f"video:{tmp_path / 'a.gif'}", str(tmp_path / "run")
    command = [
        "pretrain",
        "next_frame",
        "--data",
        film,
        "--frames",
        "5",
        "--scale",
        "smoke",
        "--steps",
        "2",
        "--batch",
        "4",
    ]
    assert main([*command, "--out", out]) == 0
    assert main(["probe", out, "--frames", "5"]) == 0
    assert "error / copying" in capsys.readouterr().out
    assert (
        main(["pretrain", "next_frame", "--data", "scenes", "--limit", "20", "--scale", "smoke", "--out", out + "2"])
        == 2
    )
    assert "learns from clips" in capsys.readouterr().err
    assert (
        main(["pretrain", "rotation", "--data", "scenes", "--frames", "5", "--scale", "smoke", "--out", out + "3"]) == 2
    )
    assert "has no option frames" in capsys.readouterr().err


# --- ablations ---


def test_fed_back_puts_a_predicted_frame_before_the_one_asked_for():
    method = ABLATIONS["fed back"].build(METHOD, RECIPES["laptop"].smoke(), 3, 0)
    x = clips(n=2, frames=6)
    shapes = set()
    for seed in range(6):
        given = method.pretext(x, seeded(seed))
        shapes.add(tuple(given.shape[:2]))
        if len(given) > len(x):  # windows of four frames: all but the third are the film's, mirrored or not
            film = torch.cat([x, x.flip(-1)]).float() / 255
            kept = [any(torch.equal(frame, true) for true in film.flatten(0, 1)) for frame in given[0]]
            assert kept == [True, True, False, True]
    assert shapes == {(2, 6), (4, 4)}


def test_off_by_one_gives_the_decoder_a_neighbouring_frame():
    for name, shift_by in (("sees the answer", 1), ("moves an old frame", -1)):
        method, seen = ABLATIONS[name].build(METHOD, RECIPES["laptop"].smoke(), 3, 0), []
        method.decoder.paint.register_forward_pre_hook(lambda _, given, seen=seen: seen.append(given[0][:, :3]))
        x = clips(n=2, frames=6).float() / 255
        _, extras = method(x)
        first = method.past - 1 + shift_by
        assert torch.equal(seen[0], x[:, first : first + 3].flatten(0, 1))
        assert torch.equal(extras["last"], x[:, method.past - 1 : -1].flatten(0, 1))
