"""The pictures of chapter 04: a puzzle, pairs of patches and their places, which of them the network finds."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sslkit import evidence, plots, probes
from sslkit.chapters.patches import figures
from sslkit.chapters.patches.method import cut_patches, pair_corners
from sslkit.chapters.patches.widget import WHERE
from sslkit.datasets.scenes import BACKGROUNDS
from sslkit.nets import evaluating
from sslkit.plots.table import rgb


def as_named(*names: str) -> dict[str, str]:
    """Rows of results/ablations/patches_scenes.json, shown by the names that they have there."""
    return {name: name for name in names}


ABLATIONS = "ablations/patches_scenes"
CAST = as_named("untrained", "as it is", "cast", "colour dropped", "cast, colour dropped")
CAST_LOSSES = as_named("as it is", "cast", "colour dropped", "cast, colour dropped")
PARTS = as_named("untrained", "as it is", "gap 0", "gap 0, jitter 0", "colour dropped", "as they were cut")
WHAT_IF = as_named("untrained", "as it is", "gap 0, jitter 0", "one pair an image", "same image?", "same image?, grey")

FIRST, SECOND = (tuple(rgb(plots.COLOURS[k])) for k in (0, 1))  # frames of the two patches: blue, orange


@dataclass(frozen=True)
class Puzzles:
    """A pair of patches out of each image: x uint8 [N, C, H, W], the place of the second [N], both corners [N, 2]."""

    x: Tensor
    number: Tensor
    at_first: Tensor
    at_second: Tensor
    size: int

    @property
    def first(self) -> Tensor:
        return cut_patches(self.x, self.at_first, self.size)

    @property
    def second(self) -> Tensor:
        return cut_patches(self.x, self.at_second, self.size)

    def framed(self) -> Tensor:
        """The images with both patches marked."""
        pairs = zip(self.x, self.at_first, self.at_second)
        return torch.stack([framed(x, torch.stack([a, b]), self.size) for x, a, b in pairs])

    def __getitem__(self, rows: Tensor) -> "Puzzles":
        return Puzzles(self.x[rows], self.number[rows], self.at_first[rows], self.at_second[rows], self.size)


def puzzles(x: Tensor, n: int | None = None, seed: int = 7, size: int = 8, gap: int = 2, jitter: int = 1) -> Puzzles:
    """One pair of each of n images, drawn at random; of all of them, in their order, without n."""
    generator = torch.Generator().manual_seed(seed)
    if n is not None:
        x = x[torch.randperm(len(x), generator=generator)[:n]]
    number = torch.randint(8, (len(x),), generator=generator)
    height, width = x.shape[2:]
    first, second = pair_corners(number, height, width, size, gap, jitter, generator)
    return Puzzles(x, number, first, second, size)


def framed(x: Tensor, corners: Tensor, size: int, times: int = 3) -> Tensor:
    """x uint8 [3, S, S] enlarged, with squares of `size` pixels at corners [K, 2] marked, the first of them blue."""
    x = x.repeat_interleave(times, 1).repeat_interleave(times, 2)
    for k, (top, left) in enumerate((corners * times).tolist()):
        s = size * times
        inside = x[:, top + 2 : top + s - 2, left + 2 : left + s - 2].clone()
        x[:, top : top + s, left : left + s] = torch.tensor(SECOND if k else FIRST, dtype=torch.uint8)[:, None, None]
        x[:, top + 2 : top + s - 2, left + 2 : left + s - 2] = inside
    return x


@torch.no_grad()
def answers(method: Any, pairs: Puzzles, second: Tensor | None = None) -> Tensor:
    """Probabilities of the answers to each pair: [N, 8], or [N, 2] for two images and one. second: other images, in which
    to cut the second patches."""
    other = pairs.x if second is None else second
    device = probes.device_of(method)
    with evaluating(method):
        views = method.patches(pairs.x, pairs.at_first), method.patches(other, pairs.at_second)
        logits = method.logits(*(view.to(device) for view in views)).float().cpu()
    return logits.softmax(dim=1) if method.task == "where" else torch.stack([-logits, logits], 1).sigmoid()


@torch.no_grad()
def right(method: Any, x: Tensor, seed: int = 0) -> float:
    """The share of right answers to the method's own question on images x."""
    first, second, label = method.pretext(x, torch.Generator().manual_seed(seed))
    with evaluating(method):
        logits = method.logits(*(view.to(probes.device_of(method)) for view in (first, second))).float().cpu()
    return probes.accuracy(logits.argmax(1) if logits.ndim == 2 else (logits > 0).long(), label)


# --- the question -----------------------------------------------------------------------------------------------------------


def opening(split: Any) -> Puzzles:
    """A large thing before a quiet background, and a pair of patches out of it."""
    clear = (split.y == 0) & (split.factors["background"] < 3) & (split.factors["size"] > 25)
    return puzzles(split.x[clear.nonzero()[:1, 0]], seed=3)


def puzzle(one: Puzzles) -> plots.Picture:
    """One patch, eight question marks."""
    title = "Two pieces of one picture: where does the second lie?"
    caption = "Left: the second piece. Right: the first one, and the eight places around it. One of them is right."
    return figures.places(one.first[0], one.second[0], title=title, caption=caption)


def solution(one: Puzzles) -> plots.Picture:
    """The picture that the two pieces were cut out of."""
    return plots.grid(
        [one.x[0].repeat_interleave(3, 1).repeat_interleave(3, 2), one.framed()[0]],
        ["the picture", f"place {one.number[0]}: {WHERE[one.number[0]]}"],
        columns=2,
        title="The whole picture",
        caption=f"Blue: the first piece, orange: the second. Each has {one.size} x {one.size} pixels, of 32 x 32.",
        side=160,
    )


def colours(x: Tensor, changes: dict[str, Any], size: int = 8) -> plots.Picture:
    """What each way with colours makes of patches from the middle of images x."""
    middle = torch.full((len(x), 2), (x.shape[2] - size) // 2)
    patches = cut_patches(x, middle, size).float() / 255
    return plots.rows(
        {name: change(patches, torch.Generator().manual_seed(1)) for name, change in changes.items()},
        title="Colour kept, taken away, and dropped as in the paper",
        caption="Patches from the middle of validation scenes. Dropped: red, green or blue is left, the others are noise about one half.",
        side=68,
    )


def cast(x: Tensor, change: Any) -> plots.Picture:
    """Images, and the same with a colour cast."""
    return plots.pairs(
        x,
        change(x),
        ("scene", "with the cast"),
        title="More red to the right, more blue at the bottom",
        caption="Red and blue are weakened or strengthened by up to 30 %.",
        side=120,
    )


# --- which pairs have an answer ---------------------------------------------------------------------------------------------


def confused(p: Tensor, pairs: Puzzles) -> plots.Picture:
    """Which place is taken for which."""
    return plots.confusion(
        p.argmax(dim=1),
        pairs.number,
        [f"{k} {arrow}" for k, arrow in enumerate(WHERE)],
        title="Which places are taken for which?",
        caption=f"{len(p):,} test scenes, one pair each; chance is 12.5 %.",
    )


@evidence.or_a_note
def alone(title: str) -> plots.Picture:
    """How often networks find the place that saw both patches, and those that only ever saw the second."""
    found, runs = evidence.results(ABLATIONS), evidence.results(ABLATIONS)["runs"]
    shown = {"both patches": "as it is", "the second alone": "second alone"}
    seeds = " and ".join(str(len(runs[row])) for row in shown.values())
    return plots.bars(
        {name: [run["answered"] for run in runs[row].values()] for name, row in shown.items()},
        title=title,
        caption=f"{seeds} seeds, {found['recipe']['steps']} steps each; 2,000 validation scenes. {found['command']}. Dots: single runs.",
        xlabel="places found",
        chance=1 / 8,
        highlight="",
    )


@evidence.or_a_note
def own_scale(title: str) -> plots.Picture:
    """Both judges on whole scenes as they are, and enlarged twofold as the patches were in training."""
    found, runs = evidence.results(ABLATIONS), evidence.results(ABLATIONS)["runs"]
    table = {}
    for name, row in {"untrained": "untrained", "trained": "as it is"}.items():
        for words, key in {"as they are": "scores", "twice as large": "at its own scale"}.items():
            scores = [run[key] for run in runs[row].values()]
            table[f"{name}, scenes {words}"] = {judge: [score[judge] for score in scores] for judge in scores[0]}
    caption = f"{evidence.seeds_of(found).capitalize()}, validation scenes. {found['command']}."
    return plots.scoreboard(table, title=title, caption=caption, highlight="trained, scenes twice as large")


def by_content(p: Tensor, pairs: Puzzles, split: Any) -> list[plots.Picture]:
    """How often the place is found, by how much of the second patch the thing covers, and by the background."""
    ok, scene = (p.argmax(dim=1) == pairs.number).float(), split.factors
    along = torch.arange(pairs.size) + 0.5
    down = (pairs.at_second[:, :1] + along - scene["y"][:, None])[:, :, None]
    across = (pairs.at_second[:, 1:] + along - scene["x"][:, None])[:, None, :]
    # the thing is taken for a disc of its size
    covered = ((down**2 + across**2).sqrt() < scene["size"][:, None, None] / 2).float().mean((1, 2))
    little, corner = covered < 0.1, (pairs.number[:, None] == torch.tensor([0, 2, 5, 7])).any(1)
    cover = {
        "emoji covers under a tenth": little,
        "of these, the corners": little & corner,
        "of these, the sides": little & ~corner,
        "a tenth to a half": ~little & (covered < 0.5),
        "a half to nine tenths": (covered >= 0.5) & (covered < 0.9),
        "nine tenths or more": covered >= 0.9,
    }
    behind = {name: scene["background"] == k for k, name in enumerate(BACKGROUNDS)}
    of_all = f"Share of places found, {len(ok):,} test scenes, one pair each."
    corners = f"Of those under a tenth {corner[little].float().mean():.0%} are corners."
    return [
        plots.bars(
            {name: ok[rows].mean().item() for name, rows in groups.items() if rows.any()},
            title=title,
            caption=caption,
            xlabel="places found",
            chance=1 / 8,
            highlight="",
        )
        for title, caption, groups in (
            (
                "Where the second patch shows hardly any emoji, its place is harder to find",
                f"How much of the second patch the emoji covers, each emoji taken for a disc. {corners} {of_all}",
                cover,
            ),
            ("The same places, by what is behind the emoji", of_all, behind),
        )
    ]


def surest(p: Tensor, pairs: Puzzles, y: Tensor) -> list[plots.Picture]:
    """The surest right answers and the surest mistakes, one of each kind."""
    sure, said = p.max(dim=1)
    found = []
    for title, wanted in {
        "Surest right answers": said == pairs.number,
        "Surest mistakes": said != pairs.number,
    }.items():
        rows = wanted.nonzero()[:, 0]
        rows = rows[sure[rows].argsort(descending=True)]
        rows = torch.stack([rows[y[rows] == kind][0] for kind in y[rows].unique()])
        some = pairs[rows]
        shown = {"first": some.first, "second": some.second, "scene": some.framed()}
        heads = [f"said {WHERE[a]}, is {WHERE[k]}" for a, k in zip(said[rows], some.number)]
        caption = f"Test scenes; blue: first patch, orange: second. Each answer had a probability of {sure[rows].min():.0%} or more."
        found.append(plots.rows(shown, heads, title=f"{title}, one of each kind", caption=caption, side=72))
    return found
