"""The pictures of chapter 15 that stand still: crops, seats shared out, what prototypes stand for, how many are in use."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from sslkit import measures, plots, probes
from sslkit.datasets import Split
from sslkit.nets import device_of
from sslkit.plots.axes import plain_axes
from sslkit.plots.picture import COLOURS, FAINT, INK, TEXT_SIZE, WIDTH, drawing, frame, render
from sslkit.plots.table import draw_table, to_pixels


def crops(images: Tensor, large: Any, small: Any, title: str, seed: int = 1) -> plots.Picture:
    """Two large views and four small ones of each image, as large as they are."""
    generator = torch.Generator().manual_seed(seed)
    table = []
    for image in images:
        views = [large(image[None].repeat(2, 1, 1, 1), generator), small(image[None].repeat(4, 1, 1, 1), generator)]
        side = images.shape[-1]
        pad = side - views[1].shape[-1]
        padded = nn.functional.pad(views[1], (0, pad, 0, pad), value=1.0)
        table.append(to_pixels(torch.cat([image[None].float() / 255, views[0], padded])))
    caption = f"Validation scenes of {side} x {side} pixels; small views have {side - pad} x {side - pad}."
    heads = ["image", "large", "large", *["small"] * 4]
    what = f"{len(images)} images, each with six views of it"
    return draw_table(table, title, caption, what, column_names=heads, split=1)


@drawing
def seats(named: dict[str, Tensor], title: str, caption: str = "") -> plots.Picture:
    """Codes [N, K] side by side, a row for each guest, and above each column how many guests the table holds."""
    named = {name: codes.double() for name, codes in named.items()}
    N, K = next(iter(named.values())).shape
    caption = f"{caption} Rows: {N} images; columns: {K} prototypes; above: what each column adds up to.".strip()
    fig, (left, bottom, w, h) = frame(WIDTH, 3.1, title, caption)
    pitch = w / len(named)
    for i, (name, codes) in enumerate(named.items()):
        ax = fig.add_axes((left + i * pitch + 0.06 * pitch, bottom + 0.02 * h, 0.86 * pitch, 0.84 * h))
        plain_axes(ax)
        ax.set_title(name, size=TEXT_SIZE + 1, color=INK, pad=18)
        ax.imshow(codes, cmap="cividis", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        for (n, k), share in zip([(n, k) for n in range(N) for k in range(K)], codes.flatten().tolist()):
            ax.text(k, n, f"{share:.2f}", ha="center", va="center", size=8, color="white" if share < 0.55 else INK)
        for k, taken in enumerate(codes.sum(0).tolist()):
            ax.text(k, -0.6, f"{taken:.1f}", ha="center", va="bottom", size=TEXT_SIZE, color=FAINT, weight="bold")
        ax.spines[:].set_visible(False)
        ax.set(xticks=[], yticks=[])
    taken = "; ".join(
        f"{name}: columns hold {', '.join(f'{t:.1f}' for t in codes.sum(0))}" for name, codes in named.items()
    )
    return render(fig, title, caption, taken, colours=256)


@torch.no_grad()
def scored(method: Any, x: Tensor) -> Tensor:
    """How much each image likes each prototype, [N, K] on the CPU."""
    z = probes.features(nn.Sequential(method.encoder, method.projector), x)
    return method.scores(nn.functional.normalize(z, dim=1).to(device_of(method))).cpu()


@torch.no_grad()
def agreement(method: Any, x: Tensor, directions: int = 20) -> tuple[float, float]:
    """How well the scores of two views of each image correlate, without what all images share: over all prototypes, and in the one
    direction that the views share most, found on the first half of images x and measured on the second.

    method: SwAV or DINO; directions: among how many of the widest the one is looked for.
    """
    model = copy.deepcopy(method).train()  # batch norm uses the batch's own statistics
    x = x.to(device_of(model))
    extras = model(model.pretext(x, torch.Generator(x.device).manual_seed(0)))[1]
    scores = model.scores(extras["z"]) if hasattr(model, "scores") else extras["z"]
    one, two = (view - view.mean(0) for view in scores.double().chunk(2))
    half = len(x) // 2
    _, widths, axes = torch.linalg.svd(torch.cat([one[:half], two[:half]]), full_matrices=False)
    axes = axes[:directions].T / widths[:directions]
    cross = (one[:half] @ axes).T @ (two[:half] @ axes)
    best = axes @ torch.linalg.eigh(cross + cross.T)[1][:, -1]

    def correlation(a: Tensor, b: Tensor) -> float:
        return ((a * b).sum() / (a.square().sum() * b.square().sum()).sqrt()).item()

    return correlation(one, two), correlation(one[half:] @ best, two[half:] @ best)


def prototypes(methods: dict[str, Any], data: Any, count: int = 6, each: int = 9) -> list[plots.Picture]:
    """For each network the images most like a few of its prototypes, from the most popular to the least popular that some image
    likes best."""
    some, pictures = data.val[:2000], []
    for name, method in methods.items():
        likes = scored(method, some.x)
        fans = torch.bincount(likes.argmax(1), minlength=likes.shape[1])
        last = max(count, int((fans > 0).sum())) - 1  # an untrained network may use one alone
        chosen = fans.argsort(descending=True, stable=True)[torch.linspace(0, last, count).long()]
        best = likes.topk(min(each, len(some)), dim=0).indices.T  # [K, each]
        kinds = some.y[best]
        common = kinds.mode(dim=1).values
        right = kinds == common[:, None]
        title = f"{name}: the images most like {count} of its prototypes"
        caption = (
            f"Validation scenes; prototypes from the most popular of those in use to the least. Blue: the commonest kind of the row. Over "
            f"all {len(likes[0])} prototypes {right.float().mean():.0%} of such images show it."
        )
        frames = [[COLOURS[0] if ok else None for ok in right[k]] for k in chosen]
        table = [to_pixels(some.x[best[k]]) for k in chosen]
        rows = [data.classes[common[k]] for k in chosen]
        what = f"{count} rows of {each} images"
        pictures.append(draw_table(table, title, caption, what, row_names=rows, frames=frames, side=64))
    return pictures


def in_use(methods: dict[str, Any], batch: Split) -> plots.Picture:
    """How many prototypes the wishes of a batch name, how wide z spreads, and how many directions it uses."""
    from sslkit.chapters.swav.method import prototypes_in_use

    table = {}
    for name, method in methods.items():
        model = copy.deepcopy(method).train()  # batch norm uses the batch's own statistics
        with torch.no_grad():
            x = batch.x.to(device_of(model))
            extras = model(model.pretext(x, torch.Generator(x.device).manual_seed(0)))[1]
        wishes = (model.scores(extras["z"]) / model.epsilon).softmax(1).detach()
        table[name] = {
            "prototypes in use": prototypes_in_use(wishes).item(),
            "spread of z": measures.spread(extras["z"]),
            "effective rank of z": measures.effective_rank(extras["z"]),
        }
    title = "Without seats, all images crowd at one prototype"
    caption = f"Two views of {len(batch)} validation scenes. Prototypes in use: counted on wishes, before seats are shared out."
    return plots.scoreboard(table, title=title, caption=caption, highlight="even seats", percent=False)
