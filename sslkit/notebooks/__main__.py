"""The command line: python -m sslkit.notebooks export | run | check | address | budget."""

import argparse
import sys
from pathlib import Path

from sslkit.notebooks import address, files
from sslkit.notebooks.budget import table
from sslkit.notebooks.checks import check
from sslkit.notebooks.modules import export
from sslkit.notebooks.runner import SCALES, NotebookFailed, run


def main(argv: list[str] | None = None, root: Path = files.ROOT) -> int:
    """Run one command; returns the exit code: 0, or 1 where something is wrong, with a message for each problem."""
    args = _parser().parse_args(argv)
    try:
        problems = {"export": _export, "run": _run, "check": _check, "address": _address, "budget": _budget}[
            args.command
        ](args, root)
    except (ValueError, OSError) as error:
        problems = [str(error)]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sslkit.notebooks", description="The course's notebooks.")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("export", help="write sslkit/chapters from the cells marked #| export")
    one.add_argument("names", nargs="*", metavar="NAME", help="simclr or 10_simclr; all when left out")
    one.add_argument("--check", action="store_true", help="write nothing, fail when something is stale")
    one = commands.add_parser("check", help="is what is committed executed, fresh and whole?")
    one.add_argument("names", nargs="*", metavar="NAME", help="simclr or 10_simclr; all when left out")
    one = commands.add_parser(
        "address", help="bring Colab cells, badges and README to where the repository is published"
    )
    one.add_argument("url", nargs="?", help="https://github.com/you/sslkit; the one in kit.py when left out")
    one.add_argument("--check", action="store_true", help="write nothing, fail when something is stale")
    commands.add_parser("budget", help="how many minutes a class needs for each chapter")
    one = commands.add_parser("run", help="execute notebooks from a fresh kernel")
    one.add_argument("notebooks", nargs="+", metavar="NOTEBOOK", help="a path, 10_simclr or simclr")
    one.add_argument("--scale", choices=SCALES, default="laptop")
    where = one.add_mutually_exclusive_group()
    where.add_argument("--in-place", action="store_true", help="write back (default of a plain laptop run)")
    where.add_argument("--to", type=Path, metavar="PATH", help="write the result to a file or folder")
    one.add_argument("--html", type=Path, metavar="PATH", help="write a page to look at, to a file or folder")
    return parser


def _chosen(names: list[str], root: Path) -> list[str] | None:
    """Module names from what a reader typed; None for all."""
    return list(files.chosen(names, root)) if names else None


def _export(args: argparse.Namespace, root: Path) -> list[str]:
    return export(root, _chosen(args.names, root), check=args.check)


def _address(args: argparse.Namespace, root: Path) -> list[str]:
    stale = address.write(args.url, root, args.check)
    return stale if args.check else []


def _budget(args: argparse.Namespace, root: Path) -> list[str]:
    print(table(root))
    return []


def _check(args: argparse.Namespace, root: Path) -> list[str]:
    names = _chosen(args.names, root)
    notebooks = files.course(root)
    problems = [problem for name in names or notebooks for problem in check(notebooks[name])]
    return problems + export(root, names, check=True)


def _run(args: argparse.Namespace, root: Path) -> list[str]:
    paths = [files.locate(text, root) for text in args.notebooks]
    write_back = args.in_place or (args.scale == "laptop" and not args.to and not args.html)
    problems = []
    for path in paths:
        to = path if write_back else _target(args.to, path, ".ipynb")
        try:
            run(path, args.scale, to=to, html=_target(args.html, path, ".html"))
        except NotebookFailed as error:
            problems.append(f"{error}\nNothing was written.")
            continue
        if to is None:
            print(f"{path.name}: the file itself is left as it was (--in-place would write it)")
    return problems


def _target(given: Path | None, path: Path, suffix: str) -> Path | None:
    """A file as given, or the notebook's name in a folder as given."""
    if given is None or given.suffix == suffix:
        return given
    return given / (path.stem + suffix)


if __name__ == "__main__":
    sys.exit(main())
