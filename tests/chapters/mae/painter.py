"""Does a longer run paint better than the blend of near pixels? Chapter 17's painter of raw pixels, trained for as long as the encoder
that ships.

    python tests/chapters/mae/painter.py [--steps 7200] [--out results/mae_painter.json]

Seed 0; the typical error of a pixel on the 2,000 test scenes of the chapter's figure, with its masks. About fifteen core minutes.
"""

import argparse
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
from tables import machine, save, settings  # noqa: E402

from sslkit.chapters.mae.method import METHOD, RECIPES  # noqa: E402
from sslkit.chapters.mae.pictures import typical_errors  # noqa: E402
from sslkit.datasets import load  # noqa: E402
from sslkit.train import build, train  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=7200)
    parser.add_argument("--out", type=Path, default=Path("results/mae_painter.json"))
    args = parser.parse_args()
    recipe, data = RECIPES["laptop"], load("scenes")
    recipe = recipe.but(steps=args.steps, options=recipe.options | {"normalised": False})
    painter = build(METHOD, recipe, data.channels, seed=0)
    for record in train(painter, data.pretrain, recipe, seed=0):
        if record.due(20):
            print(f"{record.step} of {recipe.steps}: {record.loss:.4f}", flush=True)
    found = typical_errors(data.test.x[:2000] / 255, {f"{recipe.steps:,} steps": painter})
    errors = {name: round(error, 2) for name, error in found.items()}
    print(errors)
    command = f"python tests/chapters/mae/painter.py --steps {args.steps}"
    save(
        args.out, {"command": command, **settings(data, 1, recipe), **machine(), "typical error, levels of 255": errors}
    )


if __name__ == "__main__":
    main()
