"""A chapter's own benchmark: `python tests/benchmarks/run.py CHAPTER [OPTIONS]` runs tests/chapters/CHAPTER/benchmark.py.

Without a chapter it lists those that have one.
"""

import runpy
import sys
from pathlib import Path

CHAPTERS = Path(__file__).parents[1] / "chapters"


def main() -> None:
    """Run the benchmark of the chapter named first; the other arguments are its own."""
    found = {path.parent.name: path for path in sorted(CHAPTERS.glob("*/benchmark.py"))}
    if len(sys.argv) < 2 or sys.argv[1] not in found:
        sys.exit(f"usage: python tests/benchmarks/run.py CHAPTER [OPTIONS], CHAPTER one of {', '.join(found)}")
    sys.argv = [f"run.py {sys.argv[1]}", *sys.argv[2:]]
    runpy.run_path(str(found[sys.argv[0].split()[1]]), run_name="__main__")


if __name__ == "__main__":
    main()
