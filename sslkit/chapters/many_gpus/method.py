# Generated from notebooks/25_many_gpus.ipynb by `python -m sslkit.notebooks export`.
# Do not edit: edit the notebook.

# --- 25 · Many GPUs: from one process to many ---
import torch
import torch.distributed as torch_dist
import torch.nn.functional as F
from torch import Tensor


# --- Four ways, simulated in one process ---
def my_anchors(z1: Tensor, z2: Tensor, rank: int, world: int, temperature: float) -> Tensor:
    """InfoNCE of the rows of process `rank` as anchors, against all rows."""
    n, z = len(z1), F.normalize(torch.cat([z1, z2]), dim=1)
    mine = torch.arange(n).chunk(world)[rank]
    mine = torch.cat([mine, mine + n])
    similarity = z[mine] @ z.T / temperature
    similarity = similarity.scatter(1, mine[:, None], -torch.inf)  # not with itself
    return F.cross_entropy(similarity, (mine + n) % (2 * n))


# --- Exercise: The way back through gather ---
def plain_gather(z: Tensor) -> Tensor:
    """The rows z [N, K] of all processes, [W N, K]; those of the others arrive as bare numbers."""
    parts = [torch.empty_like(z) for _ in range(torch_dist.get_world_size())]
    torch_dist.all_gather(parts, z.detach())
    parts[torch_dist.get_rank()] = z
    return torch.cat(parts)


# --- Exercise: The way back through gather ---
class Gather(torch.autograd.Function):
    """The rows z [N, K] of all processes, [W N, K], and the way back to where each came from."""

    @staticmethod
    def forward(ctx, z: Tensor) -> Tensor:
        parts = [torch.empty_like(z) for _ in range(torch_dist.get_world_size())]
        torch_dist.all_gather(parts, z.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        gradient = gradient.clone()  # all_reduce works in place, and others may hold it
        torch_dist.all_reduce(gradient)  # the sum over all processes
        return gradient.chunk(torch_dist.get_world_size())[torch_dist.get_rank()]
