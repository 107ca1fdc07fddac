"""Make a small file of a run's encoder, to ship with the kit.

    python -m sslkit pretrain simclr --data scenes --scale laptop --seed 0 --out runs/ready
    python data/encoders/build.py runs/ready data/encoders/simclr_scenes.pt

Keeps the weights, in half precision, and what is needed to build the method again; leaves out the optimiser. Read it
with sslkit.runs.load_run("data/encoders/simclr_scenes.pt").
"""

import sys
from pathlib import Path

from sslkit import checkpoint


def main(run: Path, target: Path) -> None:
    state = checkpoint.load(run / "checkpoint.pt")
    kept = {
        key: state[key] for key in ("method", "name", "recipe", "channels", "size", "data", "seed", "step", "scale")
    }
    weights = {key: value.half() if value.is_floating_point() else value for key, value in state["model"].items()}
    checkpoint.save(target, {**kept, "model": weights})
    print(target, target.stat().st_size, "bytes")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
