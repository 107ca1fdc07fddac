"""The command line: python -m sslkit.course student | instructor OUT [CHAPTER ...], grade SUBMISSIONS --out OUT, and book OUT."""

import argparse
import sys
from pathlib import Path

from sslkit.course.editions import HINTS, write
from sslkit.course.grading import grade_all


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0, or 1 after saying in words what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m sslkit.course", description="The course as a class gets it.")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("student", help="stubs in place of the solutions, nothing executed")
    two = commands.add_parser("instructor", help="solutions, and what each check recognises")
    for edition in (one, two):
        edition.add_argument("out", type=Path, metavar="OUT", help="a folder, made if need be")
        edition.add_argument("chapters", nargs="*", metavar="CHAPTER", help="simclr or 10_simclr; all when left out")
    one.add_argument("--hints", choices=HINTS, default="all", help="how many hints of each exercise (default: all)")
    three = commands.add_parser("grade", help="points, feedback, and what the class got wrong")
    three.add_argument("submissions", type=Path, help="a folder of notebooks, of folders with them, of zip archives")
    three.add_argument("--out", type=Path, required=True, help="a folder for grades.csv, class.html and feedback/")
    three.add_argument("--seed", type=int, default=1, help="of the hidden trials")
    three.add_argument("--jobs", type=int, default=2, help="notebooks at a time")
    four = commands.add_parser("book", help="all chapters as a site of plain files")
    four.add_argument("out", type=Path, metavar="OUT", help="a folder, made if need be")
    args = parser.parse_args(argv)
    try:
        if args.command == "book":
            return build_book(args.out)
        if args.command == "grade":
            graded = grade_all(args.submissions, args.out, args.seed, args.jobs)
            print(
                f"{len(graded)} notebooks graded: {args.out / 'grades.csv'}, {args.out / 'class.html'}, {args.out / 'feedback'}"
            )
            return 0
        made = write(args.command, args.out, args.chapters, getattr(args, "hints", "all"))
    except (ValueError, OSError) as error:
        print(f"python -m sslkit.course: {error}", file=sys.stderr)
        return 1
    print(f"{len(made)} notebooks in {args.out}. They need the kit: `pip install` it where they are run.")
    if args.command == "student":
        print(
            "The kit's package holds the solutions (its checks use them): a student who looks for them there finds them."
        )
    return 0


def build_book(out: Path) -> int:
    """Build the site, and pass on what Sphinx complained of."""
    try:
        from sslkit.course.book import book
    except ModuleNotFoundError as error:
        raise ValueError(f"a book needs Sphinx: pip install 'sslkit[book]' ({error})") from None
    complaints = book(out)
    print(*complaints, f"Open {out / 'index.html'}.", sep="\n")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
