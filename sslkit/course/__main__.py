"""The command line: python -m sslkit.course student | instructor OUT [CHAPTER ...]."""

import argparse
import sys
from pathlib import Path

from sslkit.course.editions import HINTS, write


def main(argv: list[str] | None = None) -> int:
    """Write an edition; 0, or 1 after saying in words what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m sslkit.course", description="Editions of the course's notebooks.")
    commands = parser.add_subparsers(dest="edition", required=True)
    one = commands.add_parser("student", help="stubs in place of the solutions, nothing executed")
    two = commands.add_parser("instructor", help="solutions, and what each check recognises")
    for command in (one, two):
        command.add_argument("out", type=Path, metavar="OUT", help="a folder, made if need be")
        command.add_argument("chapters", nargs="*", metavar="CHAPTER", help="simclr or 10_simclr; all when left out")
    one.add_argument("--hints", choices=HINTS, default="all", help="how many hints of each exercise (default: all)")
    args = parser.parse_args(argv)
    try:
        made = write(args.edition, args.out, args.chapters, getattr(args, "hints", "all"))
    except (ValueError, OSError) as error:
        print(f"python -m sslkit.course: {error}", file=sys.stderr)
        return 1
    print(f"{len(made)} notebooks in {args.out}. They need the kit: `pip install` it where they are run.")
    if args.edition == "student":
        print(
            "The kit's package holds the solutions (its checks use them): a student who looks for them there finds them."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
