# Generated from notebooks/22_transfer.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 22 · Transfer: what are a few labels worth? ---
import copy
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.probes import accuracy, features, label_subset
from sslkit.probes.finetuning import measure_batch_norm
from sslkit.train import Recipe, device, train
from sslkit.views import ColorJitter, Compose, RandomResizedCrop, to_float, uniform


# --- 3 Fine-tune ---
VIEW = RandomResizedCrop(scale=(0.5, 1.0))  # weak: nothing that could change a label


# --- Exercise: How many labels does it take from scratch? ---
def labels_saved(counts: Tensor, accuracy: Tensor, target: float) -> float:
    """How many labels per class a learning curve needs to reach the accuracy `target`.

    counts: [M] labels per class, ascending; accuracy: [M], ascending. Between two counts the
    curve is a straight line over the logarithm of the labels. The first count if it is reached
    there; infinity if it is never reached.
    """
    if target <= accuracy[0]:
        return float(counts[0])
    if target > accuracy[-1]:
        return math.inf
    after = int((accuracy >= target).nonzero()[0, 0])
    low, high = math.log(counts[after - 1]), math.log(counts[after])
    share = (target - accuracy[after - 1]) / (accuracy[after] - accuracy[after - 1])
    return math.exp(low + float(share) * (high - low))


# --- Exercise: A learning rate for each layer ---
def rates_per_layer(layers: int, lr: float, decay: float) -> Tensor:
    """The last layer learns with lr, each layer before it with `decay` times the next one's rate.

    layers: 1 or more, counted from the input; 0 < decay <= 1. Returns [layers], input first.
    Source: Howard & Ruder 2018 (there decay = 1 / 2.6), Bao et al. 2022.
    """
    return lr * decay ** torch.arange(layers - 1, -1, -1)


# --- Exercise: A learning rate for each layer ---
def stages(encoder: nn.Module) -> list[nn.Module]:
    """The parts of an encoder that learn, input first: its children, sequences taken apart.

    A parameter of the encoder itself (a class token) belongs to no part; see layer_groups.
    """
    parts: list[nn.Module] = []
    for child in encoder.children():
        if isinstance(child, nn.Sequential | nn.ModuleList):
            parts += [part for part in child if any(True for _ in part.parameters())]
        elif any(True for _ in child.parameters()):
            parts.append(child)
    return stages(parts[0]) if len(parts) == 1 and len(list(parts[0].children())) > 1 else parts


# --- Exercise: A learning rate for each layer ---
def layer_groups(network: nn.Sequential, decay: float = 1.0, freeze: int = 0) -> list[dict]:
    """Parameter groups for `finetune(groups=...)`: the stages of network[0], then what follows.

    Rates shrink towards the input by `decay` a stage; the first `freeze` stages do not learn.
    Biases and norms get no weight decay. What the encoder holds outside its stages goes with the
    first of them. ValueError when there are fewer than `freeze` stages.
    """
    parts = stages(network[0])
    if not 0 <= freeze <= len(parts):
        raise ValueError(f"cannot freeze {freeze} of {len(parts)} stages")
    layers = [list(part.parameters()) for part in [*parts, *network[1:]]]
    layers[len(parts) :] = [[p for layer in layers[len(parts) :] for p in layer]]
    named = {id(p) for layer in layers for p in layer}
    layers[0] += [p for p in network[0].parameters() if id(p) not in named]
    groups = []
    rates = [float(rate) for rate in rates_per_layer(len(layers), 1.0, decay)]
    for level, (parameters, rate) in enumerate(zip(layers, rates)):
        for p in parameters:
            p.requires_grad_(level >= freeze)
        learned = [p for p in parameters if p.requires_grad]
        flat = [p for p in learned if p.ndim <= 1]
        groups.append({"params": [p for p in learned if p.ndim > 1], "lr": rate})
        groups.append({"params": flat, "lr": rate, "weight_decay": 0.0})
    return [group for group in groups if group["params"]]


# --- Exercise: FixMatch's loss ---
def consistency_loss(weak: Tensor, strong: Tensor, threshold: float) -> Tensor:
    """FixMatch's loss on unlabelled images: the strong view repeats what the weak view is sure of.

    weak, strong: logits [N, K] of two views of the same N images. The pseudo-label of image i is
    the class of the highest softmax probability of weak[i]; it counts if that probability is at
    least `threshold`. Returns the cross-entropy of strong against the pseudo-labels that count,
    divided by N. No gradient reaches weak. Source: Sohn et al. 2020, eq. 4; with strong = weak and
    threshold 0 it is Lee 2013, eq. 15.
    """
    confidence, labels = weak.detach().softmax(dim=1).max(dim=1)
    losses = F.cross_entropy(strong, labels, reduction="none")
    return (losses * (confidence >= threshold)).mean()


# --- The strong view ---
@dataclass
class Cutout:
    """A mid-grey square of `size` times the image's shorter side over a random place.

    Its centre lies in the image, so it may stick out (DeVries & Taylor 2017).
    """

    size: float = 0.25

    def __call__(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        x = to_float(x)
        reach, near = self.size * min(x.shape[2:]) / 2, []
        for length in x.shape[2:]:
            centre = uniform(len(x), 0, length, x, generator)
            places = torch.arange(length, device=x.device) + 0.5
            near.append((places - centre[:, None]).abs() < reach)  # [N, length]
        return x.masked_fill((near[0][:, :, None] & near[1][:, None, :])[:, None], 0.5)


STRONG = Compose([RandomResizedCrop((0.3, 1.0)), ColorJitter(0.5), Cutout()])


# --- The method ---
def ramp(progress: float, start: float, end: float) -> float:
    """Lee's weight of the pseudo-labels: 0 until `start`, 1 from `end` on, a line in between.

    All in shares of the training. Source: Lee 2013, eq. 16.
    """
    return 1.0 if progress >= end else max(0.0, (progress - start) / (end - start))


# --- The method ---
class FixMatch(nn.Module):
    """A classifier trained on labelled and unlabelled images together.

    encoder: trained further, not copied; x uint8 [L, C, H, W], y int64 [L]: the labelled images;
    classes: how many. For each `ratio` unlabelled images (mu) a labelled one is drawn, with
    replacement. weight (lambda) multiplies the unlabelled part, times `ramp` between the two shares
    of training in rise. strong None: the weak view is trained on as well.
    Source: Sohn et al. 2020, algorithm 1; Lee 2013 with threshold=0, strong=None, rise=(0.2, 0.8).
    """

    def __init__(
        self, encoder: nn.Module, x: Tensor, y: Tensor, classes: int, threshold: float = 0.95,
        weight: float = 1.0, ratio: int = 4, weak=VIEW, strong=STRONG, rise=(0.0, 0.0),
    ):  # fmt: skip
        super().__init__()
        if len(x) != len(y) or not len(y):
            raise ValueError(f"as many labels as images, at least one: {len(x)}, {len(y)}")
        if not 0 <= threshold <= 1:
            raise ValueError(f"a threshold for probabilities lies in [0, 1], got {threshold}")
        head = nn.Linear(encoder.dim, classes)
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)
        norm = nn.BatchNorm1d(encoder.dim, affine=False)
        self.network = nn.Sequential(encoder, norm, head)
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
        """Unlabelled images [U, C, H, W] to labelled views [U / ratio, ...] and their labels,
        then the weak and the strong views of the unlabelled ones, each [U, C, H, W]."""
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
        unsupervised = consistency_loss(weak, strong, self.threshold)
        passed = weak.detach().softmax(dim=1).amax(dim=1) >= self.threshold
        loss = supervised + self.weight * self.risen * unsupervised
        parts = {"supervised": supervised.detach(), "unsupervised": unsupervised.detach()}
        return loss, parts | {"passed": passed}

    def after_step(self, progress: float) -> None:
        """The ramp goes on."""
        self.risen.fill_(ramp(progress, *self.rise))

    def encode(self, x: Tensor) -> Tensor:
        """Images [N, C, H, W] in [0, 1] to features h [N, D]."""
        return self.encoder(x)

    def chance(self, batch_size: int) -> float:
        """Each class gets 1 / K: ln K, and more where so little passes the threshold."""
        K = self.network[2].out_features
        return math.log(K) * (1 + (self.weight if self.threshold <= 1 / K else 0))


# --- The method ---
def semi_supervised(
    encoder: nn.Module, data, per_class: int | None = 10, seed: int = 0, *,
    steps: int = 300, lr: float = 1e-3, batch: int = 128, **options,
) -> float:  # fmt: skip
    """Test accuracy after FixMatch (or its `options`) on `per_class` labels of each class and all
    training images.

    The encoder is copied. The same label subsets, optimiser and treatment of batch norm as in
    sslkit.probes.finetune; batch counts unlabelled images. One learning rate: none is chosen here.
    """
    few = data.train[label_subset(data.train.y, per_class, seed)]
    torch.manual_seed(seed)
    method = FixMatch(copy.deepcopy(encoder), few.x, few.y, len(data.classes), **options)
    method = method.to(device(), memory_format=torch.channels_last)
    recipe = Recipe(steps=steps, lr=lr, batch=batch, optimizer="adamw", weight_decay=0.05)
    for _ in train(method, data.train.x, recipe, seed=seed):
        pass
    measure_batch_norm(method.network, data.train.x)
    return accuracy(features(method.network, data.test.x).argmax(1), data.test.y)
