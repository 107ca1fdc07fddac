"""Who takes part: the encoders that ship with the kit, a reader's own runs in their place, untrained networks and a supervised one
beside them. Methods are found by looking, so a new chapter's encoder takes part as soon as there is one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sslkit import chapters, evidence, measures, probes
from sslkit.chapters.simclr.method import RECIPES
from sslkit.nets import build_encoder, parameter_count
from sslkit.runs import Run, all_runs, load_encoder

SUPERVISED = "supervised"
USUAL = RECIPES["laptop"].encoder  # the network that most methods share


@dataclass(frozen=True)
class Lineup:
    """networks: encoders by title, untrained ones first, the supervised one last; runs: by title; absent: methods without a run;
    left_out: files that could not be used, and why. Prints as a table."""

    networks: dict[str, nn.Module]
    runs: dict[str, Run]
    absent: list[str]
    left_out: list[str]

    @property
    def trained(self) -> list[str]:
        """The titles of those that learned without labels."""
        return [title for title in self.runs if title != SUPERVISED]

    def __repr__(self) -> str:
        head = f"{'':14}{'encoder':>9}{'parameters':>12}{'steps':>8}{'batch':>7}{'passes':>9}{'core s':>9}  from"
        lines = [head]
        for title, run in self.runs.items():
            numbers = (
                f"{run.encoder:>9}{parameter_count(self.networks[title]):12,}{run.steps:8,}{run.batch:7}{run.passes:9,}"
            )
            spent = seconds(run)
            origin = "the kit" if run.shipped else run.path.name
            lines.append(f"{title:14}{numbers}{f'{spent:.0f}' if spent else '':>9}  {origin}")
        lines.append(
            "Passes: images through an encoder in training. Core s: seconds of one core, by results/compare.json."
        )
        lines += [f"There is no run of {', '.join(self.absent)} yet."] * bool(self.absent)
        return "\n".join(lines + [f"Left out: {reason}" for reason in self.left_out])


def untrained(encoder: str) -> tuple[str, nn.Module]:
    """What the row of an untrained network of a kind is called, and the network."""
    return "untrained" if encoder == USUAL else f"untrained {encoder}", build_encoder(encoder).eval()


def seconds(run: Run) -> float | None:
    """Seconds of one core that such a run takes, by results/compare.json; None where nothing like it was measured."""
    facts = evidence.results("compare")["methods"].get(run.name)
    if not facts or (run.batch, run.encoder) != (facts["batch"], facts["encoder"]):
        return None
    return facts["core seconds"] * run.steps / facts["steps"]


def gather(folder: str | Path | None = None, seed: int = 0) -> Lineup:
    """All finished runs on scenes: of each method the newest in `folder` (the kit's runs/), else the one that ships."""
    runs, left_out = all_runs(folder)
    shipped = {(run.name, run.seed, run.steps, run.batch) for run in runs if run.shipped}
    taken: dict[str, Run] = {}
    for run in runs:  # shipped ones first, then the reader's, oldest first: the last one stays
        if run.shipped or (run.name, run.seed, run.steps, run.batch) not in shipped:
            taken[run.name] = run
    order = sorted(taken, key=lambda name: (name == SUPERVISED, name))
    by_title = {chapters.title(name): taken[name] for name in order}
    torch.manual_seed(seed)
    kinds = dict.fromkeys([USUAL, *(run.encoder for run in by_title.values())])
    networks = dict(untrained(kind) for kind in kinds)
    networks |= {title: load_encoder(run.path)[0] for title, run in by_title.items()}
    images = [name for name in chapters.methods() if chapters.kind_of(name) == "images"]
    return Lineup(networks, by_title, [chapters.title(name) for name in images if name not in taken], left_out)


def judge(h: Sequence[Tensor], splits: Sequence[Any]) -> dict[str, float]:
    """kNN, linear probe and effective rank of features of three splits: to fit, to choose, to judge."""
    (fit, choose, judged), (y, y_choose, y_judged) = h, [split.y for split in splits]
    probe = probes.linear_probe(fit, y, choose, y_choose, steps=60, tolerance=1e-4)
    return {
        "kNN": probes.knn_accuracy(fit, y, judged, y_judged),
        "linear probe": probe.score(judged, y_judged),
        "effective rank": measures.effective_rank(judged),
    }
