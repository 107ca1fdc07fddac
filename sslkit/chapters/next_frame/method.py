# Generated from notebooks/08_next_frame.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- Windows ---
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.dist import gather
from sslkit.nets import at_least_float32
from sslkit.train import Recipe


# --- Exercise: A window that slides ---
def past_windows(h: Tensor, past: int) -> Tensor:
    """Features h [N, T, D] of frames to [N, T - past + 1, past * D]: those of `past` frames in a
    row, side by side, oldest first, a window for each frame that has enough before it."""
    return h.unfold(1, past, 1).transpose(2, 3).flatten(2)


# --- Moving pixels ---
def shift(x: Tensor, kernel: Tensor) -> Tensor:
    """Each image moved by its own distribution over displacements.

    x [N, C, H, W]; kernel [N, K, K], K odd and at most H and W: entry (i, j) weighs a displacement
    by i - K // 2 rows down and j - K // 2 columns to the right. What leaves on one side comes back
    on the other. Source: Finn, Goodfellow, Levine 2016, section 3, CDNA's convolution, here with
    one kernel, circular, by Fourier transform.
    """
    (H, W), (_, K, _) = x.shape[2:], kernel.shape
    placed = F.pad(kernel, (0, W - K, 0, H - K))
    placed = placed.roll((-(K // 2), -(K // 2)), dims=(1, 2))  # no displacement: entry 0, 0
    return torch.fft.irfft2(torch.fft.rfft2(x) * torch.fft.rfft2(placed)[:, None], s=(H, W))


# --- The decoder ---
class Decoder(nn.Module):
    """The code of the past and the last frame, to the next frame.

    dim: size of the code; reach: the greatest displacement in pixels; width: of the convolutions.
    """

    def __init__(self, dim: int, channels: int, reach: int = 4, width: int = 32, places: int = 8):
        super().__init__()
        self.reach, self.places = reach, places
        self.kernel = nn.Linear(dim, (2 * reach + 1) ** 2)
        self.map = nn.Linear(dim, places * 8 * 8)
        layers: list[nn.Module] = []
        for wide in (2 * channels + places, width):
            layers += [nn.Conv2d(wide, width, 3, padding=1), nn.ReLU(inplace=True)]
        self.paint = nn.Sequential(*layers, nn.Conv2d(width, 1 + channels, 3, padding=1))

    def forward(self, code: Tensor, last: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """code [M, dim], last [M, C, H, W] in [0, 1] to (next [M, C, H, W], kernel [M, K, K],
        mask [M, 1, H, W])."""
        side, size = 2 * self.reach + 1, last.shape[2:]
        kernel = at_least_float32(self.kernel(code)).softmax(dim=1).unflatten(1, (side, side))
        moved = shift(last, kernel)
        places = self.map(code).unflatten(1, (self.places, 8, 8))
        places = F.interpolate(places, size=size, mode="bilinear")
        seen = torch.cat([last, moved, places.to(last.dtype)], dim=1)
        painted = self.paint(seen.contiguous(memory_format=torch.channels_last))
        painted = at_least_float32(painted)
        mask, correction = painted[:, :1].sigmoid(), painted[:, 1:]
        return mask * moved + (1 - mask) * (last + correction), kernel, mask


# --- The loss that trains ---
def next_frame_loss(prediction: Tensor, target: Tensor, last: Tensor) -> Tensor:
    """Mean squared error of the prediction over that of repeating the last frame: 1 is as good as
    copying.

    All three [M, C, H, W]. The lower part is the mean over all processes and gets no gradient;
    where nothing moves at all it is held at 1e-6, so that the loss stays finite.
    """
    copying = (target - last).square().mean().detach()
    return (prediction - target).square().mean() / gather(copying[None]).mean().clamp_min(1e-6)


# --- Encoder, code, method ---
def clip_features(encoder: nn.Module, x: Tensor, past: int) -> Tensor:
    """Features of clips x [N, T, C, H, W] in [0, 1]: those of the last `past` frames side by
    side, [N, past * D], the first frame repeated where there are fewer. Images [N, C, H, W] give
    [N, D]."""
    if x.ndim == 4:
        return encoder(x)
    x = x[:, -past:]
    x = torch.cat([x[:, :1].expand(-1, past - x.shape[1], -1, -1, -1), x], dim=1)
    return encoder(x.flatten(0, 1)).unflatten(0, (len(x), past)).flatten(1)


# --- Encoder, code, method ---
class NextFrame(nn.Module):
    """Frames `past` and before are given, the next is predicted: encoder, code, decoder.

    encoder: frames [N, C, H, W] to features h [N, encoder.dim], which are what is kept; it should
    keep places, as "spatial" does. past: frames that are seen; reach: the greatest displacement in
    pixels; width: of the code.
    """

    def __init__(self, encoder: nn.Module, past: int = 3, reach: int = 4, width: int = 256):
        super().__init__()
        self.encoder, self.past = encoder, past
        channels = next((m.in_channels for m in encoder.modules() if isinstance(m, nn.Conv2d)), 3)
        self.code = nn.Sequential(nn.Linear(past * encoder.dim, width), nn.ReLU(inplace=True))
        self.decoder = Decoder(width, channels, reach)

    def pretext(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """Clips [N, T, C, H, W], uint8 or float, to float clips in [0, 1], each mirrored or not."""
        if x.ndim != 5 or x.shape[1] <= self.past:
            raise ValueError(
                f"predicting a frame from {self.past} needs clips [N, T > {self.past}, C, H, W], "
                f"got shape {list(x.shape)}; "
                'load("moving") gives some, load("video:PATH") cuts them from a film'
            )
        mirrored = torch.rand(len(x), device=x.device, generator=generator) < 0.5
        x = torch.where(mirrored[:, None, None, None, None], x.flip(-1), x)
        return x.float().div_(255) if x.dtype == torch.uint8 else x

    def forward(self, clips: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Clips [N, T, C, H, W] to (loss, extras), of M = N (T - past) windows: prediction, target,
        last [M, C, H, W]."""
        h = self.encoder(clips[:, :-1].flatten(0, 1)).unflatten(0, (len(clips), -1))
        code = self.code(past_windows(h, self.past).flatten(0, 1))
        last = clips[:, self.past - 1 : -1].flatten(0, 1)
        target = clips[:, self.past :].flatten(0, 1)
        prediction, kernel, _ = self.decoder(code, last)
        extras = {"prediction": prediction.detach(), "target": target, "last": last}
        return next_frame_loss(prediction, target, last), extras | {"kernel": kernel.detach()}

    def predict(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What comes after clips x [N, T, C, H, W] in [0, 1]: (next frame, kernel, mask)."""
        return self.decoder(self.code(self.encode(x)), x[:, -1])

    def encode(self, x: Tensor) -> Tensor:
        """Clips [N, T, C, H, W] in [0, 1] to features [N, past * D] of their last frames; images to
        [N, D]."""
        return clip_features(self.encoder, x, self.past)

    def chance(self, batch_size: int) -> float:
        """The loss of repeating the last frame, whatever the film."""
        return 1.0


# --- Encoder, code, method ---
METHOD = NextFrame
KIND = "clips"
RECIPES = {
    "laptop": Recipe(
        steps=400,
        lr=1e-3,
        batch=32,
        encoder="spatial",
        optimizer="adamw",
        weight_decay=0.01,
    ),
    # not measured: the same network for longer, on larger batches
    "gpu": Recipe(
        steps=10_000,
        lr=1e-3,
        batch=128,
        encoder="spatial",
        optimizer="adamw",
        weight_decay=0.01,
    ),
}
