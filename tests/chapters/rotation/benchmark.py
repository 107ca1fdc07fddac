"""By what the shelf's network knows which end of a clock is up, and whether emoji of no kind are hard for being drawn otherwise.

    python tests/benchmarks/run.py rotation [--scenes 1200] [--out results/rotation_clocks.json]

Nothing is trained but a linear layer on the features, which is asked for the turn. On the rims of the clocks of the artist it was trained
on there is a gleam, always on the upper left: here it is painted over, or moved to the lower right.
"""

import argparse
import json
from pathlib import Path

import torch
from tables import machine
from torch import Tensor

from sslkit import probes, runs
from sslkit.chapters.rotation.emoji import scenes_of
from sslkit.chapters.rotation.gleam import in_scenes
from sslkit.datasets.emoji import pack
from sslkit.datasets.scenes import generate, members


def in_four_turns(x: Tensor) -> tuple[Tensor, Tensor]:
    """Images [N, 3, S, S] in each of the four turns, [4N, 3, S, S], and the turns [4N]."""
    return torch.cat([x.rot90(k, (2, 3)) for k in range(4)]), torch.arange(4).repeat_interleave(len(x))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=1200, help="whose turns the linear layer learns")
    parser.add_argument("--out", type=Path, default=Path("results/rotation_clocks.json"))
    args = parser.parse_args()
    network = runs.shelf("rotation")

    def asked(x: Tensor) -> tuple[Tensor, Tensor]:
        turned, turns = in_four_turns(x)
        return probes.features(network, turned), turns

    layer = probes.linear_probe(*asked(generate(args.scenes, seed=5).x), *asked(generate(args.scenes // 4, seed=6).x))

    def off_by(x: Tensor) -> list[float]:
        """The share of answers that are right, a quarter, a half and three quarters of a turn off."""
        h, turns = asked(x)
        off = (layer.predict(h) - turns) % 4
        return [round((off == k).float().mean().item(), 4) for k in range(4)]

    table = {name: off_by(x) for name, x in in_scenes(args.scenes).items()}
    of_a_kind = torch.cat(list(members().values()))
    strangers = torch.tensor(sorted(set(range(len(pack().name))) - set(of_a_kind.tolist())))
    table["all kinds"] = off_by(generate(args.scenes, seed=11).x)
    table["all kinds, drawn like the strangers"] = off_by(scenes_of(of_a_kind))
    table["strangers"] = off_by(scenes_of(strangers))
    for name, shares in table.items():
        print(f"{name:36}", *(f"{share:.1%}" for share in shares), flush=True)
    head = {"command": f"python tests/benchmarks/run.py rotation --scenes {args.scenes}", **machine()}
    args.out.write_text(json.dumps(head | {"off by quarter turns": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
