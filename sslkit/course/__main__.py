"""The command line: python -m sslkit.course makes a class its editions, assignments, slides and pages, and grades what comes back."""

import argparse
import sys
from collections.abc import Callable, Sized
from pathlib import Path
from typing import Any

from sslkit.course import demo, nbgrader, otter, points, sealing, slides
from sslkit.course.editions import HINTS, write
from sslkit.course.grading import grade_all

HOW_MANY = (
    "hints of each exercise (default: all); asked: a cell shows as many as a student asks for, and `grade` counts them"
)


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0, or 1 with a message."""
    args = parser().parse_args(argv)
    try:
        return args.run(args)
    except (ValueError, OSError) as error:
        print(f"python -m sslkit.course: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """All commands and their options; each sets `run`, the function that does it."""
    top = argparse.ArgumentParser(
        prog="python -m sslkit.course",
        description="The course for a class: editions of its notebooks, assignments, slides, pages, and grading.",
    )
    commands = top.add_subparsers(dest="command", required=True)

    def command(name: str, run: Callable, help: str, out: str = "OUT", of_chapters: bool = False) -> Any:
        made = commands.add_parser(name, help=help)
        made.set_defaults(run=run)
        words = "the file to write" if out == "FILE" else "a folder, made if need be"
        made.add_argument("out", type=Path, metavar=out, help=words)
        if of_chapters:
            made.add_argument("chapters", nargs="*", metavar="CHAPTER", help="simclr or 10_simclr; all when left out")
        return made

    student = command(
        "student", make_student, "notebooks with stubs in place of the solutions, not executed", of_chapters=True
    )
    student.add_argument(
        "--executed", action="store_true", help="keep the outputs of the cells above the first exercise"
    )
    student.add_argument(
        "--sealed",
        action="store_true",
        help="also write OUT/kit, a kit to install that hides the solutions from a glance and a search",
    )
    command(
        "instructor",
        make_instructor,
        "notebooks with solutions, teaching notes, and the mistakes that each check recognises",
        of_chapters=True,
    )
    assigned = [
        command(name, make_assignments, f"chapters as assignments for {tool}", "COURSE", of_chapters=True)
        for name, tool in {"nbgrader": "nbgrader", "otter": "Otter-Grader"}.items()
    ]
    for made in (student, *assigned):
        made.add_argument("--hints", choices=HINTS, default="all", help=HOW_MANY)
    command("slides", make_slides, "chapters as slides, an HTML file each", of_chapters=True)
    command("demo", make_demo, "chapter 00 as a demo of twenty minutes", "FILE")
    command("points", write_points, "a file to edit that says what each exercise is worth", "FILE")
    command("book", build_book, "all chapters as web pages, in plain files")
    grade = commands.add_parser("grade", help="submissions to points, feedback, and what the class got wrong")
    grade.set_defaults(run=grade_submissions)
    grade.add_argument(
        "submissions", type=Path, help="a folder that holds notebooks, folders of notebooks, or zip archives"
    )
    grade.add_argument("--out", type=Path, help="write grades.csv, class.html and feedback/ into this folder")
    grade.add_argument(
        "--csv", type=Path, help="write the grades to this file; without --out, all else goes into its folder"
    )
    grade.add_argument(
        "--seed", type=int, default=1, help="draws the hidden inputs; the same seed, the same inputs (default: 1)"
    )
    grade.add_argument("--jobs", type=int, default=2, help="how many notebooks to grade at a time (default: 2)")
    for made in (grade, *assigned):
        made.add_argument("--points", type=Path, help="a file as `points FILE` writes it (default: one point each)")
    return top


def make_student(args: argparse.Namespace) -> int:
    """Notebooks to solve, and with --sealed a kit that hides the solutions."""
    if args.sealed and (args.out / "kit").exists():  # before anything is written
        raise ValueError(f"there is {args.out / 'kit'} already: choose another folder, or move what is there")
    made = write("student", args.out, args.chapters, args.hints, args.executed)
    if args.sealed:
        kit = sealing.sealed(args.out)
        print(f"{counted(made, 'notebook')} in {args.out}. They need the kit: `pip install {kit}` where they are run.")
        print(
            "Its solutions are packed: no glance and no search finds them. Whoever unpacks them (a line of Python) has them."
        )
    else:
        print(f"{counted(made, 'notebook')} in {args.out}. They need the kit: `pip install` it where they are run.")
        print("Its package holds the solutions, which the checks use; --sealed hides them from a glance.")
    return 0


def make_instructor(args: argparse.Namespace) -> int:
    """Notebooks with solutions and notes."""
    made = write("instructor", args.out, args.chapters, "all", False)
    print(f"{counted(made, 'notebook')} in {args.out}. They need the kit: `pip install` it where they are run.")
    return 0


def make_assignments(args: argparse.Namespace) -> int:
    """Assignments for the tool that the command is named after."""
    tool = {"nbgrader": nbgrader, "otter": otter}[args.command]
    made = tool.write(args.out, args.chapters, points.read(args.points), args.hints)
    print(f"{counted(made, 'assignment')} in {args.out}; sslkit/course/{args.command}.py says what comes next.")
    return 0


def make_slides(args: argparse.Namespace) -> int:
    """Slides of chapters."""
    made = slides.write(args.out, args.chapters)
    print(f"{counted(made, 'file')} in {args.out}: arrow keys turn, F fills the screen, ?print-pdf prints.")
    return 0


def make_demo(args: argparse.Namespace) -> int:
    """The demo of twenty minutes."""
    demo.write(args.out)
    print(f"The demo is {args.out}: open it in JupyterLab, where the kit is installed.")
    return 0


def write_points(args: argparse.Namespace) -> int:
    """What each exercise is worth, to be edited."""
    points.write(args.out)
    print(f"All exercises with a point each: edit {args.out}, then `grade ... --points {args.out}`.")
    return 0


def grade_submissions(args: argparse.Namespace) -> int:
    """Grades, feedback and a page on the class."""
    if not (args.out or args.csv):
        raise ValueError("say where the grades go: --out FOLDER, or --csv FILE")
    out = args.out or args.csv.parent
    graded = grade_all(args.submissions, out, args.seed, args.jobs, points_file=args.points, csv_file=args.csv)
    csv = args.csv or out / "grades.csv"
    print(f"{counted(graded, 'notebook')} graded: {csv}, {out / 'class.html'}, {out / 'feedback'}")
    return 0


def build_book(args: argparse.Namespace) -> int:
    """Build the site, and pass on what Sphinx complained of."""
    try:
        from sslkit.course.book import book
    except ModuleNotFoundError as error:
        raise ValueError(f"a book needs Sphinx: pip install 'sslkit[book]' ({error})") from None
    complaints = book(args.out)
    print(*complaints, f"Open {args.out / 'index.html'}.", sep="\n")
    return 1 if complaints else 0


def counted(things: Sized, noun: str) -> str:
    """ "1 file", "2 files"."""
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


if __name__ == "__main__":
    sys.exit(main())
