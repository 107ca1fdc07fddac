# Generated from notebooks/22_transfer.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 22 · Transfer: what are a few labels worth? ---
import copy
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.nets import at_least_float32
from sslkit.probes import accuracy, features, label_subset
from sslkit.probes.finetuning import measure_batch_norm
from sslkit.train import Recipe, device, train
from sslkit.views import ColorJitter, Compose, RandomResizedCrop, to_float, uniform


# --- Fine-tuning ---
VIEW = RandomResizedCrop(scale=(0.5, 1.0))  # a weak view: crops and mirror images, nothing that could change a label


# --- What to freeze, and learning rates per layer ---
def stages(encoder: nn.Module) -> list[nn.Module]:
    """The parts of an encoder that learn, from input to output: its children, with sequences taken apart.

    A parameter of the encoder itself (a class token) belongs to no part; see layer_groups.
    """
    parts: list[nn.Module] = []
    for child in encoder.children():
        if isinstance(child, nn.Sequential | nn.ModuleList):
            parts += [part for part in child if any(True for _ in part.parameters())]
        elif any(True for _ in child.parameters()):
            parts.append(child)
    return stages(parts[0]) if len(parts) == 1 and len(list(parts[0].children())) > 1 else parts


def layer_rates(layers: int, decay: float) -> list[float]:
    """The share of the learning rate for each of `layers` layers, from input to output: decay ** (layers - 1 - l).

    The last layer gets 1. decay 1: the same for all; 0: the last layer alone learns. Source: Howard & Ruder 2018
    (there decay = 1 / 2.6), Bao et al. 2022.
    """
    if layers < 1 or not 0 <= decay <= 1:
        raise ValueError(f"layer_rates needs a layer or more and a decay in [0, 1], got {layers} and {decay}")
    return [decay ** (layers - 1 - layer) for layer in range(layers)]


# --- What to freeze, and learning rates per layer ---
def layer_groups(network: nn.Sequential, decay: float = 1.0, freeze: int = 0) -> list[dict]:
    """Parameter groups for `finetune(groups=...)`: the stages of network[0], then all that follows it, with rates that
    shrink towards the input by `decay` a stage; the first `freeze` stages do not learn.

    Biases and norms get no weight decay. What the encoder holds outside its stages goes with the first of them.
    ValueError when there are fewer than `freeze` stages.
    """
    parts = stages(network[0])
    if not 0 <= freeze <= len(parts):
        raise ValueError(f"cannot freeze {freeze} of {len(parts)} stages")
    named = {id(p) for part in parts for p in part.parameters()}
    layers = [list(part.parameters()) for part in parts] + [[p for part in network[1:] for p in part.parameters()]]
    layers[0] += [p for p in network[0].parameters() if id(p) not in named]
    groups = []
    for level, (parameters, rate) in enumerate(zip(layers, layer_rates(len(layers), decay))):
        for p in parameters:
            p.requires_grad_(level >= freeze)
        learned = [p for p in parameters if p.requires_grad]
        groups.append({"params": [p for p in learned if p.ndim > 1], "lr": rate})
        groups.append({"params": [p for p in learned if p.ndim <= 1], "lr": rate, "weight_decay": 0.0})
    return [group for group in groups if group["params"]]


# --- FixMatch ---
def pseudo_labels(logits: Tensor) -> tuple[Tensor, Tensor]:
    """What the network thinks: labels int64 [N] and their probabilities [N], of logits [N, K]. No gradient."""
    if logits.ndim != 2 or logits.shape[1] < 2:
        raise ValueError(f"pseudo-labels come from logits [N, K] with K of 2 or more, got {list(logits.shape)}")
    logits = logits.detach()
    confidence, labels = at_least_float32(logits).softmax(dim=1).max(dim=1)
    return labels, confidence


def threshold_mask(confidence: Tensor, threshold: float) -> Tensor:
    """Which pseudo-labels count: bool [N], probability [N] at least `threshold`, a number in [0, 1]."""
    if not 0 <= threshold <= 1:
        raise ValueError(f"a threshold for probabilities lies in [0, 1], got {threshold}")
    return confidence >= threshold


def fixmatch_loss(weak: Tensor, strong: Tensor, threshold: float = 0.95) -> tuple[Tensor, Tensor]:
    """The strong view must repeat what the weak view is sure of: (loss, passed bool [N]).

    weak, strong: logits [N, K] of two views, row i of both from image i. Cross-entropy of `strong` against the
    pseudo-labels of `weak`, 0 where those are below the threshold, mean over all N. No gradient reaches `weak`.
    Computed in float32 (float64 stays). With strong = weak and threshold 0 it is the loss of Lee 2013, eq. 15.
    Source: Sohn et al. 2020, eq. 4.
    """
    if weak.shape != strong.shape:
        raise ValueError(f"both views need logits of one shape [N, K]; got {list(weak.shape)} and {list(strong.shape)}")
    labels, confidence = pseudo_labels(weak)
    passed = threshold_mask(confidence, threshold)
    losses = F.cross_entropy(at_least_float32(strong), labels, reduction="none")
    return losses.masked_fill(~passed, 0).mean(), passed


def ramp(progress: float, start: float, end: float) -> float:
    """Lee's weight of the pseudo-labels: 0 until `start`, 1 from `end` on, a straight line between; all in shares of the
    training. Source: Lee 2013, eq. 16."""
    if progress >= end:
        return 1.0
    return max(0.0, (progress - start) / (end - start))


# --- The strong view ---
@dataclass
class Cutout:
    """A mid-grey square of `size` times the image's shorter side over a random place; its centre lies in the image, so
    it may stick out (DeVries & Taylor 2017)."""

    size: float = 0.25

    def __call__(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        x = to_float(x)
        N, _, H, W = x.shape
        reach = self.size * min(H, W) / 2
        near = []
        for length in (H, W):
            centre = uniform(N, 0, length, x, generator)
            near.append((torch.arange(length, device=x.device) + 0.5 - centre[:, None]).abs() < reach)  # [N, length]
        return x.masked_fill((near[0][:, :, None] & near[1][:, None, :])[:, None], 0.5)


STRONG = Compose([RandomResizedCrop((0.3, 1.0)), ColorJitter(0.5), Cutout()])


# --- The method ---
class FixMatch(nn.Module):
    """A classifier trained on labelled and unlabelled images together.

    encoder: trained further, not copied; x uint8 [L, C, H, W], y int64 [L]: the labelled images; classes: how many.
    For each `ratio` unlabelled images (mu) a labelled one is drawn, with replacement. weight (lambda) multiplies the
    unlabelled part, times `ramp` between the two shares of training given by rise. strong None: the weak view is trained
    on as well. Source: Sohn et al. 2020, algorithm 1; Lee 2013 with threshold=0, strong=None, rise=(0.2, 0.8).
    """

    def __init__(self, encoder: nn.Module, x: Tensor, y: Tensor, classes: int, threshold: float = 0.95, weight: float = 1.0,
                 ratio: int = 4, weak=VIEW, strong=STRONG, rise: tuple[float, float] = (0.0, 0.0)):  # fmt: skip
        super().__init__()
        if len(x) != len(y) or not len(y):
            raise ValueError(f"labelled images and labels must be equally many and at least one: {len(x)}, {len(y)}")
        head = nn.Linear(encoder.dim, classes)
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)
        self.network = nn.Sequential(encoder, nn.BatchNorm1d(encoder.dim, affine=False), head)
        self.threshold, self.weight, self.ratio, self.rise = threshold, weight, ratio, rise
        self.weak, self.strong = weak, strong
        self.register_buffer("x", x, persistent=False)
        self.register_buffer("y", y, persistent=False)
        self.register_buffer("risen", torch.tensor(ramp(0.0, *rise)))

    @property
    def encoder(self) -> nn.Module:
        """The part that pretraining gave."""
        return self.network[0]

    def pretext(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, ...]:
        """Unlabelled images [U, C, H, W] to labelled views [B, C, H, W] and labels [B], B = U / ratio, then the weak and
        the strong views of the unlabelled ones, each [U, C, H, W]."""
        size = max(1, len(x) // self.ratio)
        rows = torch.randint(len(self.y), (size,), generator=generator, device=x.device)
        views = self.weak(torch.cat([self.x[rows], x]), generator).split([size, len(x)])
        strong = [] if self.strong is None else [self.strong(x, generator)]
        return views[0], self.y[rows], views[1], *strong

    def forward(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        """Views to (loss, extras): supervised and unsupervised loss, passed bool [U]."""
        labelled, y, *views = batch
        logits = self.network(torch.cat([labelled, views[-1]])).float()
        weak = strong = logits[len(y) :]
        if len(views) == 2:
            with torch.no_grad():  # a guess needs no gradient, and without one it costs a third
                weak = self.network(views[0]).float()
        supervised = F.cross_entropy(logits[: len(y)], y)
        unsupervised, passed = fixmatch_loss(weak, strong, self.threshold)
        loss = supervised + self.weight * self.risen * unsupervised
        return loss, {"supervised": supervised.detach(), "unsupervised": unsupervised.detach(), "passed": passed}

    def after_step(self, progress: float) -> None:
        """The ramp goes on."""
        self.risen.fill_(ramp(progress, *self.rise))

    def encode(self, x: Tensor) -> Tensor:
        """Images [N, C, H, W] in [0, 1] to features h [N, D]."""
        return self.encoder(x)

    def chance(self, batch_size: int) -> float:
        """The loss of a network that gives each class 1 / K: ln K, and more where so little passes the threshold."""
        K = self.network[2].out_features
        return math.log(K) * (1 + (self.weight if self.threshold <= 1 / K else 0))


# --- The method ---
def semi_supervised(
    encoder: nn.Module, data, per_class: int | None = 10, seed: int = 0, *, steps: int = 300, lr: float = 1e-3,
    batch: int = 128, **options,
) -> float:  # fmt: skip
    """Test accuracy after FixMatch (or its `options`) on `per_class` labels of each class and all training images.

    The encoder is copied. The same label subsets, optimiser and treatment of batch norm as in sslkit.probes.finetune;
    batch counts unlabelled images. One learning rate: nothing is chosen here.
    """
    rows = label_subset(data.train.y, per_class, seed)
    torch.manual_seed(seed)
    method = FixMatch(copy.deepcopy(encoder), data.train.x[rows], data.train.y[rows], len(data.classes), **options)
    method = method.to(device(), memory_format=torch.channels_last)
    recipe = Recipe(steps=steps, lr=lr, batch=batch, optimizer="adamw", weight_decay=0.05)
    for _ in train(method, data.train.x, recipe, seed=seed):
        pass
    measure_batch_norm(method.network, data.train.x)
    return accuracy(features(method.network, data.test.x).argmax(1), data.test.y)
