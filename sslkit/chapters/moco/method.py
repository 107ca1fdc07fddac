# Generated from notebooks/11_moco.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 11 · MoCo: a dictionary that outlives the batch ---
import copy
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.chapters.simclr.method import full_precision, simclr_views
from sslkit.dist import gather, share
from sslkit.nets import at_least_float32, mlp
from sslkit.train import Recipe


# --- Exercise: The queue is a ring ---
def write_keys(queue: Tensor, pointer: Tensor | int, keys: Tensor) -> tuple[Tensor, Tensor | int]:
    """The queue with `keys` written over its oldest rows, and where the next keys go.

    queue [Q, K]: a ring, row `pointer` is its oldest; keys [N, K], N at most Q. The first key goes
    to row pointer, the next below it, and after row Q - 1 comes row 0. Returns a new queue [Q, K]
    and the new pointer, 0 .. Q - 1. Source: He et al. 2020, algorithm 1; there N must divide Q.
    """
    rows = (pointer + torch.arange(len(keys), device=queue.device)) % len(queue)
    return queue.index_copy(0, rows, keys), (pointer + len(keys)) % len(queue)


# --- The loss ---
def unit(z: Tensor) -> Tensor:
    """Rows scaled to length 1, in float32; float64 stays float64."""
    return F.normalize(at_least_float32(z), dim=1)


# --- Exercise: The loss with a queue ---
def moco_loss(q: Tensor, k: Tensor, queue: Tensor, temperature: float) -> Tensor:
    """Which of 1 + Q keys belongs to this query? Cross-entropy, mean over the N queries.

    q, k: projections [N, K] by student and teacher, row i of both from image i; queue [Q, K]: the
    only negatives; rows of any length. Returns a scalar, in float32 (float64 stays float64), with a
    gradient to q alone. Source: He et al. 2020, eq. 1 and algorithm 1, for rows of length 1.
    """
    with full_precision(q):
        q, k, queue = unit(q), unit(k.detach()), unit(queue.detach())
        positive = (q * k).sum(dim=1, keepdim=True)  # [N, 1]
        logits = torch.cat([positive, q @ queue.T], dim=1) / temperature  # [N, 1 + Q]
        first = torch.zeros(len(q), dtype=torch.int64, device=q.device)
        return F.cross_entropy(logits, first)


# --- Exercise: The teacher follows ---
def teacher_weights(student: Tensor, teacher: Tensor, momentum: float) -> Tensor:
    """The teacher's weights after one step: mostly what they were, and a little of the student's.

    student, teacher: weights of one shape; momentum: how much of the teacher stays, 0 .. 1.
    Returns new weights; both inputs stay as they are. Source: He et al. 2020, equation 2.
    """
    return momentum * teacher + (1 - momentum) * student


# --- Exercise: The teacher follows ---
@torch.no_grad()
def momentum_update(student: nn.Module, teacher: nn.Module, momentum: float) -> None:
    """teacher_weights for each weight of two modules of one architecture, in place.

    Running statistics of batch norm are left alone: the teacher measures its own.
    """
    for new, old in zip(student.parameters(), teacher.parameters()):
        old.copy_(teacher_weights(new, old, momentum))


# --- All together ---
class MoCo(nn.Module):
    """A student's query finds the key that a slow teacher gave the other view, among older keys.

    encoder: images [N, C, H, W] to features h [N, encoder.dim], which are what is kept; the
    projector's output [N, projection] is for the loss alone. queue: how many keys are remembered.
    groups: parts of a batch with batch norm statistics of their own; shuffle: whether the teacher
    gets them mixed, over groups and processes. symmetric: both views are query once and key once,
    so a step costs twice as much. crop, jitter: see simclr_views.
    Source: He et al. 2020, algorithm 1; projector and views of version 2; symmetric as in v3.
    """

    def __init__(
        self,
        encoder: nn.Module,
        momentum: float = 0.99,
        queue: int = 4096,
        temperature: float = 0.1,
        projection: int = 128,
        hidden: int = 256,
        groups: int = 1,
        shuffle: bool = True,
        symmetric: bool = False,
        crop: float = 0.2,
        jitter: float = 0.5,
    ):
        super().__init__()
        if not (0 <= momentum <= 1 and temperature > 0 and queue > 0 and groups > 0):
            raise ValueError("momentum must be 0 to 1, temperature, queue and groups above 0")
        self.encoder = encoder
        self.projector = mlp([encoder.dim, hidden, projection])
        student = nn.Sequential(encoder, self.projector)
        self.teacher = copy.deepcopy(student).requires_grad_(False)
        self.momentum, self.temperature = momentum, temperature
        self.groups, self.shuffle, self.symmetric = groups, shuffle, symmetric
        self.view = simclr_views(crop, jitter)
        self.register_buffer("queue", unit(torch.randn(queue, projection)))
        self.register_buffer("pointer", torch.tensor(0))
        self.fresh = None  # keys of this step, between forward and after_step

    def pretext(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, ...]:
        """Images [N, C, H, W] to query views, key views, and the shuffle, [N] in [0, 1]."""
        view1, view2 = self.view(torch.cat([x, x]), generator).chunk(2)
        return view1, view2, torch.rand(len(x), device=x.device, generator=generator)

    def forward(self, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """To (loss, extras): features h [N, D] and q, k [N, K] of this process."""
        view1, view2, noise = batch
        h, q = self.queries(view1)
        k = self.keys(view2, noise)  # [N over all processes, K]
        loss = moco_loss(q, share(k), self.queue, self.temperature)
        if self.symmetric:
            q2, k2 = self.queries(view2)[1], share(self.keys(view1, noise))
            loss = (loss + moco_loss(q2, k2, self.queue, self.temperature)) / 2
        self.fresh = k if self.training else None
        return loss, {"h": h.detach(), "q": q.detach(), "k": share(k)}

    def queries(self, view: Tensor) -> tuple[Tensor, Tensor]:
        """h [N, D] and q [N, K] of the student; batch norm sees one group at a time."""
        h = [self.encoder(part) for part in view.chunk(self.groups)]
        return torch.cat(h), torch.cat([self.projector(part) for part in h])

    @torch.no_grad()
    def keys(self, view: Tensor, noise: Tensor) -> Tensor:
        """Keys of length 1 by the teacher, of all processes' views, in order [N in all, K]."""
        if not self.shuffle:
            return gather(torch.cat([unit(self.teacher(part)) for part in view.chunk(self.groups)]))
        order = gather(noise).argsort()
        mixed = share(gather(view)[order])
        k = gather(torch.cat([unit(self.teacher(part)) for part in mixed.chunk(self.groups)]))
        return k[order.argsort()]  # row i belongs to image i again

    @torch.no_grad()
    def after_step(self, progress: float) -> None:
        """The teacher follows the student; the keys of this step replace the oldest."""
        momentum_update(nn.Sequential(self.encoder, self.projector), self.teacher, self.momentum)
        if self.fresh is not None:
            newest = self.fresh[-len(self.queue) :]
            queue, pointer = write_keys(self.queue, self.pointer, newest)
            self.queue.copy_(queue)  # in place: buffers stay the same tensors
            self.pointer.copy_(pointer)
            self.fresh = None

    def encode(self, x: Tensor) -> Tensor:
        """Images [N, C, H, W] in [0, 1] to the student's features h [N, D]."""
        return self.encoder(x)

    def chance(self, batch_size: int) -> float:
        """The loss of a network that finds all keys equally alike: ln(1 + Q)."""
        return math.log(1 + len(self.queue))


# --- All together ---
METHOD = MoCo
PASSES = 2  # a query and, through the teacher, a key
RECIPES = {
    # small batches: the queue makes them possible
    "laptop": Recipe(
        steps=3600,
        lr=0.02,
        batch=64,
        encoder="small7",
        optimizer="muon",
        weight_decay=0.0,
        small_views=20,
        options={"queue": 2048},
    ),
    # 200 epochs of CIFAR-10, 97 steps each, with the authors' settings for it
    "gpu": Recipe(steps=19_500, lr=0.06, batch=512, encoder="resnet18", options={"hidden": 512}),
}
