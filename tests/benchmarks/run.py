"""A chapter's own benchmark: `python tests/benchmarks/run.py CHAPTER [OPTIONS]` runs tests/chapters/CHAPTER/benchmark.py.

Without a chapter it lists those that have one.
"""

import importlib
import sys

from parts import CHAPTERS


def main() -> None:
    """Run the benchmark of the chapter named first; the other arguments are its own."""
    found = {path.parent.name: path for path in sorted(CHAPTERS.glob("*/benchmark.py"))}
    if len(sys.argv) < 2 or sys.argv[1] not in found:
        sys.exit(f"usage: python tests/benchmarks/run.py CHAPTER [OPTIONS], CHAPTER one of {', '.join(found)}")
    name = sys.argv.pop(1)
    sys.argv[0] += f" {name}"
    sys.path.append(str(found[name].parent))  # processes that it starts find it there too
    importlib.import_module("benchmark").main()


if __name__ == "__main__":
    main()
