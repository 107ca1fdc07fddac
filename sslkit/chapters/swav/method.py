# Generated from notebooks/15_swav.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 15 · SwAV: clusters that must share the images evenly ---
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.chapters.moco.method import write_keys
from sslkit.chapters.simclr.method import simclr_views
from sslkit.dist import gather, share
from sslkit.nets import at_least_float32, full_precision, mlp
from sslkit.train import Recipe
from sslkit.views import ColorJitter, Compose, Grayscale, RandomResizedCrop


# --- 2 Look at the data and at the views ---
def small_views(crop: float = 0.2, jitter: float = 0.5, size: int = 16) -> Compose:
    """SwAV's small view: a crop of a tenth to twice `crop` of the area, at `size` x `size` pixels,
    with the mirror and the colours of simclr_views.

    Source: Caron et al. 2020, section 3.2 (there 0.05 to 0.14 of the area, 96 pixels beside 224; of
    32 x 32 pixels that leaves too little to see).
    """
    area = RandomResizedCrop(scale=(0.1, 2 * crop), size=size)
    return Compose([area, ColorJitter(jitter), Grayscale()])


# --- Exercise: Sinkhorn-Knopp ---
def sinkhorn(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    """Share N images out evenly among K prototypes, each image to those that it likes best.

    scores [N, K]: how much image n likes prototype k, a cosine; epsilon > 0: the larger, the more
    images are split. Returns codes [N, K]: rows sum to 1, columns nearly to N / K. Computed in
    float32 (float64 stays float64). Source: Caron et al. 2020, eqs. 3 to 5.
    """
    with full_precision(scores):
        scores = at_least_float32(scores)
        N, K = scores.shape
        Q = ((scores - scores.max()) / epsilon).exp()
        for _ in range(iterations):
            Q = Q / Q.sum(dim=0, keepdim=True) * (N / K)  # a table has N / K seats
            Q = Q / Q.sum(dim=1, keepdim=True)  # a guest sits once
        return Q


# --- Exercise: Swapped prediction ---
def swapped_loss(scores: Tensor, codes: Tensor, temperature: float) -> Tensor:
    """Each view predicts the codes of the other views of its image.

    scores [V, N, K]: of all V views; codes [A, N, K]: of the first A of them, labels that get no
    gradient; temperature > 0. Returns a scalar, the mean over all pairs of a code and another view,
    in float32 (float64 stays float64). Source: Caron et al. 2020, eqs. 1, 2 and 6.
    """
    with full_precision(scores):
        logits, codes = at_least_float32(scores) / temperature, codes.detach()
        pairs = [(a, v) for a in range(len(codes)) for v in range(len(scores)) if a != v]
        losses = [F.cross_entropy(logits[v], codes[a]) for a, v in pairs]
        return torch.stack(losses).mean()


# --- Exercise: Prototypes in use ---
def prototypes_in_use(codes: Tensor) -> Tensor:
    """How many prototypes N images sit at: exp of the entropy of their mean code, 1 .. K.

    codes [N, K] >= 0, rows sum to 1. Returns one number.
    """
    mean = codes.mean(dim=0)
    return torch.special.entr(mean).sum().exp()


# --- The method ---
class SwAV(nn.Module):
    """Two views of an image must take the same seats at prototypes that all images share evenly.

    encoder: images [N, C, H, W] to features h [N, encoder.dim], which are what is kept; projector
    and prototypes, directions of `projection` numbers, are for the loss alone. crops: small views
    of each image, of `size` pixels a side, beside the two large ones. queue: older projections of
    each large view that take seats too. epsilon, iterations: see sinkhorn.
    Source: Caron et al. 2020, algorithm 1.
    """

    def __init__(
        self,
        encoder: nn.Module,
        prototypes: int = 256,
        temperature: float = 0.1,
        epsilon: float = 0.05,
        iterations: int = 3,
        crops: int = 0,
        size: int = 16,
        queue: int = 0,
        projection: int = 128,
        hidden: int = 256,
        crop: float = 0.2,
        jitter: float = 0.5,
    ):
        super().__init__()
        self.encoder = encoder
        self.projector = mlp([encoder.dim, hidden, projection])
        self.prototypes = nn.Linear(projection, prototypes, bias=False)
        self.temperature, self.epsilon, self.iterations = temperature, epsilon, iterations
        self.view, self.crops = simclr_views(crop, jitter), crops
        self.small_view = small_views(crop, jitter, size)
        self.register_buffer("queue", F.normalize(torch.randn(2, queue, projection), dim=2))
        self.register_buffer("pointer", torch.tensor(0))
        self.fresh = None  # what the queue takes in, between forward and after_step

    def pretext(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, ...]:
        """Images [N, C, H, W] to two large views of each, then the small ones."""
        views = self.view(torch.cat([x, x]), generator).chunk(2)
        if self.crops:
            views += self.small_view(torch.cat([x] * self.crops), generator).chunk(self.crops)
        return views

    def forward(self, views: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        """Views to (loss, extras): of the large ones h, z and codes, 2N rows each."""
        h = self.encoder(torch.cat(views[:2]))
        small = [self.encoder(torch.cat(views[2:]))] if self.crops else []
        z = F.normalize(at_least_float32(self.projector(torch.cat([h, *small]))), dim=1)
        z = z.unflatten(0, (len(views), -1))  # [V, N, projection]
        scores = self.scores(z)
        codes = torch.stack([self.codes(scores[a], self.queue[a]) for a in range(2)])
        self.fresh = [gather(z[a].detach()) for a in range(2)] if self.training else None
        loss = swapped_loss(scores, codes, self.temperature)
        extras = {"h": h, "z": z[:2].flatten(0, 1), "codes": codes.flatten(0, 1)}
        return loss, {name: value.detach() for name, value in extras.items()}

    def scores(self, z: Tensor) -> Tensor:
        """Cosines of projections of length 1 [..., projection] with all prototypes, [..., K]."""
        with full_precision(z):
            return z @ F.normalize(self.prototypes.weight, dim=1).T

    @torch.no_grad()
    def codes(self, scores: Tensor, queue: Tensor) -> Tensor:
        """The seats of these images [N, K], shared with all processes' images and the queue's."""
        everyone = gather(scores)
        guests = torch.cat([everyone, self.scores(queue)])
        return share(sinkhorn(guests, self.epsilon, self.iterations)[: len(everyone)])

    @torch.no_grad()
    def after_step(self, progress: float) -> None:
        """The projections of this step's large views take the place of the oldest in the queue."""
        if self.fresh is not None and self.queue.shape[1]:
            for queue, z in zip(self.queue, self.fresh):
                kept, pointer = write_keys(queue, self.pointer, z[-len(queue) :])
                queue.copy_(kept)
            self.pointer.copy_(pointer)
        self.fresh = None

    def encode(self, x: Tensor) -> Tensor:
        """Images [N, C, H, W] in [0, 1] to features h [N, D]."""
        return self.encoder(x)

    def chance(self, batch_size: int) -> float:
        """The loss of a network that takes all images for the same, whatever the batch: ln K."""
        return math.log(self.prototypes.out_features)


# --- The method ---
METHOD = SwAV
PASSES = 2  # two large views of each image
LAPTOP = Recipe(
    steps=3600,
    lr=0.02,
    batch=64,
    encoder="small7",
    optimizer="muon",
    weight_decay=0.0,
    small_views=20,
    options={"epsilon": 0.025},
)
RECIPES = {
    "laptop": LAPTOP,
    "shelf": LAPTOP.but(steps=36_000),  # ten times as many steps: 61 minutes of one core
    # 200 epochs of CIFAR-10, 97 steps each
    "gpu": Recipe(
        steps=19_500,
        lr=0.24,
        batch=512,
        encoder="resnet18",
        options={"crops": 4, "hidden": 512},
    ),
}
