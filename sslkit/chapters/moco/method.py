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


# --- The queue ---
def enqueue(queue: Tensor, pointer: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """The queue with `keys` in place of its oldest rows, and the new pointer; the inputs stay as they are.

    queue [Q, K]: a ring whose oldest row is `pointer` (int64, no dimension, 0 .. Q - 1); keys [N, K], any N:
    after row Q - 1 comes row 0, and of more than Q keys only the last Q are kept.
    Source: He et al. 2020, algorithm 1 (enqueue, dequeue); there N must divide Q.
    """
    if keys.ndim != 2 or keys.shape[1] != queue.shape[1]:
        raise ValueError(f"keys must be [N, {queue.shape[1]}] like the queue's rows, got {list(keys.shape)}")
    kept = keys[-len(queue) :].to(queue)
    first = pointer + len(keys) - len(kept)
    rows = (first + torch.arange(len(kept), device=queue.device)) % len(queue)
    return queue.index_copy(0, rows, kept), (pointer + len(keys)) % len(queue)


# --- The loss as the paper writes it ---
def unit(z: Tensor) -> Tensor:
    """Rows scaled to length 1, in float32; float64 stays float64."""
    return F.normalize(at_least_float32(z), dim=1)


# --- Exercise: The loss with a queue ---
def moco_loss(q: Tensor, k: Tensor, queue: Tensor, temperature: float) -> Tensor:
    """Which of 1 + Q keys belongs to this query? Cross-entropy, mean over the N queries; gradient to q alone.

    q, k: projections [N, K] by student and teacher, row i of both from image i; queue [Q, K]: the only negatives.
    Rows may have any length: similarity is the cosine over temperature > 0.
    Returns a scalar, computed in float32 (float64 stays float64). ValueError for anything else.
    Source: He et al. 2020, eq. 1 and algorithm 1, which take rows of length 1.
    """
    if q.ndim != 2 or q.shape != k.shape or len(q) < 1:
        shapes = f"{list(q.shape)} and {list(k.shape)}"
        raise ValueError(f"moco_loss needs q and k of one shape [N, K], N at least 1; got {shapes}")
    if queue.ndim != 2 or queue.shape[1] != q.shape[1] or len(queue) < 1:
        raise ValueError(f"the queue must be [Q, {q.shape[1]}] with a row at the least, got {list(queue.shape)}")
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0, got {temperature}")
    with full_precision(q):
        q, k, queue = unit(q), unit(k.detach()), unit(queue.detach())
        positive = (q * k).sum(dim=1, keepdim=True)  # [N, 1]
        logits = torch.cat([positive, q @ queue.T], dim=1) / temperature  # [N, 1 + Q]
        return F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.int64, device=q.device))


# --- The teacher ---
@torch.no_grad()
def momentum_update(student: nn.Module, teacher: nn.Module, momentum: float) -> None:
    """Move the teacher's weights towards the student's, in place: momentum of the old, the rest of the new.

    Two modules of one architecture; momentum 0 .. 1. Running statistics of batch norm are left alone: the
    teacher measures its own. Source: He et al. 2020, eq. 2.
    """
    for new, old in zip(student.parameters(), teacher.parameters()):
        old.lerp_(new, 1 - momentum)


# --- All together ---
class MoCo(nn.Module):
    """A student's query finds the key that a slow teacher gave the other view, among a queue of older keys.

    encoder: images [N, C, H, W] to features h [N, encoder.dim], which are what is kept; the projector's output
    [N, projection] is for the loss alone. queue: how many keys are remembered. groups: parts of a batch with batch
    norm statistics of their own; shuffle: whether the teacher gets them mixed (over groups and processes).
    symmetric: both views are query once and key once, so a step costs twice as much. crop, jitter: see simclr_views.
    Source: He et al. 2020, algorithm 1; projector and views of Chen et al. 2020 (v2); symmetric as in v3.
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
        if not 0 <= momentum <= 1 or queue < 1 or groups < 1:
            got = f"{momentum}, {queue}, {groups}"
            raise ValueError(f"momentum must be 0 to 1, queue and groups 1 at the least; got {got}")
        self.encoder = encoder
        self.projector = mlp([encoder.dim, hidden, projection])
        self.teacher = copy.deepcopy(nn.Sequential(encoder, self.projector)).requires_grad_(False)
        self.momentum, self.temperature = momentum, temperature
        self.groups, self.shuffle, self.symmetric = groups, shuffle, symmetric
        self.view = simclr_views(crop, jitter)
        self.register_buffer("queue", unit(torch.randn(queue, projection)))
        self.register_buffer("pointer", torch.tensor(0))
        self.fresh = None  # keys of this step, between forward and after_step

    def pretext(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
        """Images [N, C, H, W] to query views and key views, float [N, C, H, W], and the shuffle, [N] in [0, 1]."""
        view1, view2 = self.view(torch.cat([x, x]), generator).chunk(2)
        return view1, view2, torch.rand(len(x), device=x.device, generator=generator)

    def forward(self, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """To (loss, extras): features h [N, D] and q, k [N, K] of this process."""
        view1, view2, noise = batch
        h, q = self.queries(view1)
        k = self.keys(view2, noise)  # [N over all processes, K]
        loss = moco_loss(q, share(k), self.queue, self.temperature)
        if self.symmetric:
            other = moco_loss(self.queries(view2)[1], share(self.keys(view1, noise)), self.queue, self.temperature)
            loss = (loss + other) / 2
        self.fresh = k if self.training else None
        return loss, {"h": h.detach(), "q": q.detach(), "k": share(k)}

    def queries(self, view: Tensor) -> tuple[Tensor, Tensor]:
        """h [N, D] and q [N, K] of the student; batch norm sees one group at a time."""
        h = [self.encoder(part) for part in view.chunk(self.groups)]
        return torch.cat(h), torch.cat([self.projector(part) for part in h])

    @torch.no_grad()
    def keys(self, view: Tensor, noise: Tensor) -> Tensor:
        """Keys of length 1 by the teacher, of all processes' views, in order [N over all processes, K]."""
        if not self.shuffle:
            return gather(torch.cat([unit(self.teacher(part)) for part in view.chunk(self.groups)]))
        order = gather(noise).argsort()
        mixed = share(gather(view)[order])
        k = gather(torch.cat([unit(self.teacher(part)) for part in mixed.chunk(self.groups)]))
        return k[order.argsort()]  # row i belongs to image i again

    @torch.no_grad()
    def after_step(self, progress: float) -> None:
        """The teacher follows the student; the keys of this step's batch replace the oldest of the queue."""
        momentum_update(nn.Sequential(self.encoder, self.projector), self.teacher, self.momentum)
        if self.fresh is not None:
            queue, pointer = enqueue(self.queue, self.pointer, self.fresh)
            self.queue.copy_(queue)  # in place: buffers stay the same tensors
            self.pointer.copy_(pointer)
            self.fresh = None

    def encode(self, x: Tensor) -> Tensor:
        """Images [N, C, H, W] in [0, 1] to the student's features h [N, D]."""
        return self.encoder(x)

    def chance(self, batch_size: int) -> float:
        """The loss of a network that finds all keys equally alike, whatever the batch: ln(1 + Q)."""
        return math.log(1 + len(self.queue))


# --- All together ---
@torch.no_grad()
def found(q: Tensor, k: Tensor, queue: Tensor) -> Tensor:
    """Whether each query is more similar to its own key than to all keys of the queue: bool [N].

    q, k [N, K], queue [Q, K], rows of any length.
    """
    q = unit(q)
    return (q * unit(k)).sum(dim=1) > (q @ unit(queue).T).amax(dim=1)


# --- All together ---
METHOD = MoCo
PASSES = 2  # a query and, through the teacher, a key
RECIPES = {
    # a quarter of the batch of SimCLR's recipe and four times the steps: the queue makes it possible;
    # AdamW learns sooner here than SGD, and the run is short
    "laptop": Recipe(
        steps=3600, lr=1e-3, batch=64, encoder="small", optimizer="adamw", weight_decay=0.01, options={"queue": 2048}
    ),
    # 200 epochs of CIFAR-10, 97 steps each, with the authors' settings for it
    "gpu": Recipe(steps=19_500, lr=0.06, batch=512, encoder="resnet18", options={"hidden": 512}),
}
