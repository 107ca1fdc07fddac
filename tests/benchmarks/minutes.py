"""How long each chapter takes to run, alone on a machine, and the memory it needs: the minutes in README.md.

    python tests/benchmarks/minutes.py [NOTEBOOK ...] [--out results/minutes.json]

Each notebook runs from a fresh kernel at laptop scale and is written back, as `python -m sslkit.notebooks run` does. Nothing else may
run on the machine. What a chapter promises is in PROMISED; this command fails where one takes longer. (The test of the committed
notebooks asks for no time: they may have been executed on another machine, or beside other work.)
"""

import argparse
import json
import sys
from pathlib import Path

from tables import machine, save

from sslkit.notebooks import course, run
from sslkit.notebooks.files import locate

PROMISED = 300  # seconds on two cores


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="a path, 10_simclr or simclr; default all")
    parser.add_argument("--out", type=Path, default=Path("results/minutes.json"))
    args = parser.parse_args()
    paths = [locate(name) for name in args.notebooks] or list(course().values())
    chapters = json.loads(args.out.read_text())["chapters"] if args.out.exists() else {}
    for path in paths:
        stamp = run(path, to=path).metadata.sslkit
        chapters[path.stem] = {"seconds": stamp.seconds, "peak_mb": stamp.peak_mb, "cpus": stamp.cpus, **machine()}
        save(args.out, {"command": "python tests/benchmarks/minutes.py", "chapters": chapters})
    late = [f"{name}: {row['seconds']} s" for name, row in chapters.items() if row["seconds"] > PROMISED]
    print("\n".join(late) or f"all within {PROMISED} s")
    return int(bool(late))


if __name__ == "__main__":
    sys.exit(main())
