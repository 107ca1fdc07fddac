"""The command line: python -m sslkit.course makes a class its editions, assignments, slides and pages, and grades what comes back."""

import argparse
import sys
from collections.abc import Sized
from pathlib import Path

from sslkit.course import demo, nbgrader, otter, points, sealing, slides
from sslkit.course.editions import HINTS, write
from sslkit.course.grading import grade_all

HOW_MANY = (
    "hints of each exercise (default: all); asked: a cell shows as many as a student asks for, and `grade` counts them"
)


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0, or 1 after saying in words what is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m sslkit.course",
        description="The course for a class: editions of its notebooks, assignments, slides, pages, and grading.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("student", help="notebooks with stubs in place of the solutions, not executed")
    two = commands.add_parser(
        "instructor", help="notebooks with solutions, teaching notes, and the mistakes that each check recognises"
    )
    for edition in (one, two):
        edition.add_argument("out", type=Path, metavar="OUT", help="a folder, made if need be")
        edition.add_argument("chapters", nargs="*", metavar="CHAPTER", help="simclr or 10_simclr; all when left out")
    one.add_argument("--hints", choices=HINTS, default="all", help=HOW_MANY)
    one.add_argument("--executed", action="store_true", help="keep the outputs of the cells above the first exercise")
    one.add_argument(
        "--sealed",
        action="store_true",
        help="also write OUT/kit, a kit to install that hides the solutions from a glance and a search",
    )
    five = commands.add_parser("nbgrader", help="chapters as assignments for nbgrader")
    nine = commands.add_parser("otter", help="chapters as assignments for Otter-Grader")
    for assigned in (five, nine):
        assigned.add_argument("out", type=Path, metavar="COURSE", help="a folder for all assignments, made if need be")
        assigned.add_argument("chapters", nargs="*", metavar="CHAPTER", help="simclr or 10_simclr; all when left out")
        assigned.add_argument("--hints", choices=HINTS, default="all", help=HOW_MANY)
    seven = commands.add_parser("slides", help="chapters as slides, an HTML file each")
    seven.add_argument("out", type=Path, metavar="OUT", help="a folder, made if need be")
    seven.add_argument("chapters", nargs="*", metavar="CHAPTER", help="simclr or 10_simclr; all when left out")
    eight = commands.add_parser("demo", help="chapter 00 as a demo of twenty minutes")
    eight.add_argument("out", type=Path, metavar="FILE", help="the notebook to write")
    six = commands.add_parser("points", help="a file to edit that says what each exercise is worth")
    six.add_argument("out", type=Path, metavar="FILE", help="the file to write, for --points of grade, nbgrader, otter")
    three = commands.add_parser("grade", help="submissions to points, feedback, and what the class got wrong")
    three.add_argument(
        "submissions", type=Path, help="a folder that holds notebooks, folders of notebooks, or zip archives"
    )
    three.add_argument("--out", type=Path, help="write grades.csv, class.html and feedback/ into this folder")
    three.add_argument(
        "--csv", type=Path, help="write the grades to this file; without --out, all else goes into its folder"
    )
    three.add_argument(
        "--seed", type=int, default=1, help="draws the hidden inputs; the same seed, the same inputs (default: 1)"
    )
    three.add_argument("--jobs", type=int, default=2, help="how many notebooks to grade at a time (default: 2)")
    for command in (three, five, nine):
        command.add_argument("--points", type=Path, help="a file as `points FILE` writes it (default: one point each)")
    four = commands.add_parser("book", help="all chapters as web pages, in plain files")
    four.add_argument("out", type=Path, metavar="OUT", help="a folder, made if need be")
    args = parser.parse_args(argv)
    try:
        if args.command == "book":
            return build_book(args.out)
        if args.command == "demo":
            demo.write(args.out)
            print(f"The demo is {args.out}: open it in JupyterLab, where the kit is installed.")
            return 0
        if args.command == "slides":
            made = slides.write(args.out, args.chapters)
            print(f"{counted(made, 'file')} in {args.out}: arrow keys turn, F fills the screen, ?print-pdf prints.")
            return 0
        if args.command == "points":
            points.write(args.out)
            print(f"All exercises with a point each: edit {args.out}, then `grade ... --points {args.out}`.")
            return 0
        if args.command in ("nbgrader", "otter"):
            tool = nbgrader if args.command == "nbgrader" else otter
            made = tool.write(args.out, args.chapters, points.read(args.points), args.hints)
            print(f"{counted(made, 'assignment')} in {args.out}; sslkit/course/{args.command}.py says what comes next.")
            return 0
        if args.command == "grade":
            if not (args.out or args.csv):
                raise ValueError("say where the grades go: --out FOLDER, or --csv FILE")
            out = args.out or args.csv.parent
            graded = grade_all(args.submissions, out, args.seed, args.jobs, points_file=args.points, csv_file=args.csv)
            csv = args.csv or out / "grades.csv"
            print(f"{counted(graded, 'notebook')} graded: {csv}, {out / 'class.html'}, {out / 'feedback'}")
            return 0
        sealed = args.command == "student" and args.sealed
        if sealed and (args.out / "kit").exists():  # before anything is written
            raise ValueError(f"there is {args.out / 'kit'} already: choose another folder, or move what is there")
        hints, executed = getattr(args, "hints", "all"), getattr(args, "executed", False)
        made = write(args.command, args.out, args.chapters, hints, executed)
        if sealed:
            kit = sealing.sealed(args.out)
    except (ValueError, OSError) as error:
        print(f"python -m sslkit.course: {error}", file=sys.stderr)
        return 1
    if sealed:
        print(f"{counted(made, 'notebook')} in {args.out}. They need the kit: `pip install {kit}` where they are run.")
        print(
            "Its solutions are packed: no glance and no search finds them. Whoever unpacks them (a line of Python) has them."
        )
    else:
        print(f"{counted(made, 'notebook')} in {args.out}. They need the kit: `pip install` it where they are run.")
        if args.command == "student":
            print("Its package holds the solutions, which the checks use; --sealed hides them from a glance.")
    return 0


def counted(things: Sized, noun: str) -> str:
    """ "1 file", "2 files"."""
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


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
