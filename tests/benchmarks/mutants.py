"""Would the quick tests notice? Small changes made by rule, one at a time, and which of them no test catches.

    python tests/benchmarks/mutants.py [AREA ...] [--each 14] [--seed 0] [--jobs 1] [--out results/mutants.json]   (needs pytest-cov)

An area is some modules of the package (AREAS). Every place of them that a rule fits (see `changes`) is a possible mutant; `--each` of
them are drawn for each area by the seed. A mutant is written into a copy of the tree, never into this one. Which quick tests run through
its line is known from one run of all of them under coverage (made on first use, a quarter of an hour, kept in --map); these run, those of
files that name its module first, and a failure, an error or a hang catches it. A line that no test runs through is run when its module is
imported: then all tests of files that name the module run. What survives is listed with its reason in tests/benchmarks/survivors.json,
{mutant: reason}; one without a reason makes this command fail. Results are kept as they come: a second call goes on where the first one
stopped.
"""

import argparse
import ast
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tables import save

ROOT = Path(__file__).resolve().parents[2]
REASONS = Path(__file__).with_name("survivors.json")
AREAS = {  # globs inside sslkit/
    "views": ["views/*.py"],
    "train": ["train/*.py"],
    "probes": ["probes/*.py"],
    "measures": ["measures.py"],
    "datasets": ["datasets/*.py"],
    "losses": ["chapters/*/method.py"],
    "dist": ["dist.py", "checkpoint.py"],
}
QUICK = ["-m", "not notebook and not browser and not slow"]
SECONDS = 600  # a mutant that takes longer hangs

SWAPPED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """path: of the module, inside sslkit/; line, last: its numbers; rule; before, after: that place as code; start, end: where in
    the text."""

    path: str
    line: int
    last: int
    rule: str
    before: str
    after: str
    start: int
    end: int

    @property
    def name(self) -> str:
        """What identifies it when lines move."""
        return f"{self.path}: {' '.join(self.before.split())} -> {' '.join(self.after.split())}"


def changes(node: ast.AST) -> list[tuple[str, ast.AST]]:
    """What the rules make of one node: (rule, the node in its place)."""
    if isinstance(node, ast.BinOp) and type(node.op) in SWAPPED:
        return [("operator", ast.BinOp(node.left, SWAPPED[type(node.op)](), node.right))]
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        return [("comparison", ast.Compare(node.left, [SWAPPED[type(node.ops[0])](), *node.ops[1:]], node.comparators))]
    if isinstance(node, ast.BoolOp):
        return [("and, or", ast.BoolOp(SWAPPED[type(node.op)](), node.values))]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        return [("sign or not", node.operand)]
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return [("constant", ast.Constant(not node.value))]
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return [("constant", ast.Constant(node.value + 1))]
    if isinstance(node, ast.Constant) and isinstance(node.value, float):
        return [("constant", ast.Constant(2 * node.value or 1.0))]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return [("left out", ast.Pass())]
    if isinstance(node, ast.AugAssign):
        return [("left out", ast.Pass())]
    return []


def hidden(node: ast.AST) -> bool:
    """Whether what stands below a node is only said, and computes nothing: messages, annotations, docstrings, prints."""
    if isinstance(node, ast.Raise | ast.JoinedStr | ast.Assert):
        return True
    if isinstance(node, ast.FunctionDef) and node.name in ("__repr__", "__str__", "_repr_html_"):
        return True
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", "") in ("print", "say")
    )


def mutants(path: Path) -> list[Mutant]:
    """All possible ones of a module, in the order of the text."""
    text = path.read_text(encoding="utf-8")
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    raw, found = text.encode(), []

    def visit(node: ast.AST) -> None:
        if hidden(node):
            return
        if hasattr(node, "lineno"):
            start, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
            for rule, new in changes(node):
                after = ast.unparse(ast.fix_missing_locations(new))
                after = f"({after})" if isinstance(node, ast.expr) else after
                before = raw[start:end].decode()
                found.append(
                    Mutant(
                        str(path.relative_to(ROOT / "sslkit")),
                        node.lineno,
                        node.end_lineno or node.lineno,
                        rule,
                        before,
                        after,
                        start,
                        end,
                    )
                )
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    visit(child)

    visit(ast.parse(text))
    return found


def drawn(area: str, each: int, seed: int) -> list[Mutant]:
    """`each` mutants of an area, by the seed."""
    paths = sorted({path for glob in AREAS[area] for path in (ROOT / "sslkit").glob(glob)})
    everything = [mutant for path in paths for mutant in mutants(path)]
    return random.Random(f"{area} {seed}").sample(everything, min(each, len(everything)))


def nearest_tests(path: str) -> list[str]:
    """The test files that import a module or its package by name."""
    module = "sslkit." + path.removesuffix(".py").replace("/", ".")
    package = module.rpartition(".")[0]
    words = [
        rf"from {module} import",
        rf"import {module}\b",
        rf"from {package} import [^\n]*\b{module.rpartition('.')[2]}\b",
    ]
    if package != "sslkit":
        words.append(rf"from {package} import")
    tests = [
        test
        for test in sorted((ROOT / "tests").rglob("test_*.py"))
        if test.name not in ("test_committed.py", "test_browser.py")
    ]
    near = [test for test in tests if any(re.search(word, test.read_text(encoding="utf-8")) for word in words)]
    if path.startswith("chapters/"):
        near = sorted((ROOT / "tests" / path).parent.glob("test_*.py")) + [ROOT / "tests/chapters/test_every_method.py"]
    return [str(test.relative_to(ROOT)) for test in near]


def copied(folder: Path) -> Path:
    """The tree in `folder`: package and tests as copies, the rest as links."""
    tree = folder / "kit"
    tree.mkdir()
    for path in ROOT.iterdir():
        if path.name in ("tests", "sslkit"):
            shutil.copytree(path, tree / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif path.name not in (".git", ".venv", "runs", "work"):
            (tree / path.name).symlink_to(path)
    return tree


def pytest_in(tree: Path, *options: str, seconds: float | None = None) -> subprocess.CompletedProcess[str]:
    """The quick tests that `options` name, in a copy of the tree; those that compare texts are left out."""
    env = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", *QUICK, *options]
    for texts in ("tests/notebooks/test_committed.py", "tests/test_style.py", "tests/test_export.py"):
        command += ["--deselect", texts]
    return subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, timeout=seconds)


class Tests:
    """Which quick tests run through which line, and how long each takes."""

    def __init__(self, folder: Path):
        self.data, self.times = folder / "coverage.sqlite", folder / "seconds.json"
        if not self.times.exists():
            folder.mkdir(parents=True, exist_ok=True)
            self._measure()
        self.seconds: dict[str, float] = json.loads(self.times.read_text())
        self.near: dict[tuple[str, int], list[str]] = {}
        query = "select path, context, numbits from line_bits join file on file.id = file_id join context on context.id = context_id"
        for path, context, bits in sqlite3.connect(self.data).execute(query):
            test = context.rpartition("|")[0]
            name = path.rpartition("/sslkit/")[2]
            for byte, value in enumerate(bits):
                for bit in range(8):
                    if test in self.seconds and value >> bit & 1:
                        self.near.setdefault((name, 8 * byte + bit), []).append(test)

    def _measure(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            tree = copied(Path(folder))
            # All else runs at full speed; and the checks of exercises, half of all tests, are about those.
            traced = "\n    ".join(f"*/sslkit/{glob}" for globs in AREAS.values() for glob in globs)
            (tree / ".coveragerc").write_text(f"[run]\ndata_file = {self.data}\ninclude =\n    {traced}\n")
            asked = (
                "--cov",
                "--cov-context=test",
                "--cov-report=",
                "--durations=0",
                "-vvv",
                "tests",
            )  # -vvv shows the shortest, too
            done = pytest_in(tree, *asked, "--ignore", "tests/checks")
        rows = re.findall(r"^\s*([\d.]+)s (?:call|setup)\s+(\S.*)$", done.stdout, re.MULTILINE)
        failed = set(re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", done.stdout, re.MULTILINE))
        seconds: dict[str, float] = {}
        for time, test in rows:
            seconds[test] = seconds.get(test, 0) + float(time)
        self.times.write_text(
            json.dumps({test: time for test, time in seconds.items() if test not in failed}, indent=1)
        )

    def through(self, mutant: Mutant) -> list[str]:
        """Tests that run through its line: first those of the file with the module's name, then of files that name it, the
        shortest of them first; where none does, all tests of those files."""
        near, own = nearest_tests(mutant.path), f"test_{Path(mutant.path).stem}.py"

        def far(test: str) -> bool:
            return test.partition("::")[0] not in near

        found = {
            test for line in range(mutant.line, mutant.last + 1) for test in self.near.get((mutant.path, line), [])
        } or {test for test in self.seconds if not far(test)}
        return sorted(found, key=lambda test: (own not in test, far(test), self.seconds[test]))


def caught_by(mutant: Mutant, tests: Tests) -> str:
    """The first test that fails with the mutant in place, "" when none does."""
    with tempfile.TemporaryDirectory() as folder:
        tree = copied(Path(folder))
        target = tree / "sslkit" / mutant.path
        raw = target.read_bytes()
        target.write_bytes(raw[: mutant.start] + mutant.after.encode() + raw[mutant.end :])
        through = tests.through(mutant)
        for some in (through[:40], through[40:400]):  # most are caught at once
            if not some:
                continue
            try:
                done = pytest_in(tree, "-x", *some, seconds=SECONDS)
            except subprocess.TimeoutExpired:
                return "a hang"
            if "ERROR: not found: " in done.stdout + done.stderr:
                raise SystemExit(f"a test that the map names is gone: delete {tests.times.parent} and start again")
            if done.returncode not in (0, 5):
                failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
                return failed[1] if failed else (done.stdout.strip().splitlines() or ["an error"])[-1][:200]
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"of {', '.join(AREAS)}; default all")
    parser.add_argument("--each", type=int, default=14, help="mutants of each area")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument(
        "--map", type=Path, default=ROOT / "runs" / "mutants", help="where the coverage of the tests is kept"
    )
    parser.add_argument("--list", action="store_true", help="only say which ones are drawn")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "mutants.json")
    args = parser.parse_args()
    if unknown := set(args.areas) - set(AREAS):
        parser.error(f"no area {', '.join(sorted(unknown))}; there are {', '.join(AREAS)}")
    chosen = {area: drawn(area, args.each, args.seed) for area in args.areas or AREAS}
    reasons = json.loads(REASONS.read_text()) if REASONS.exists() else {}
    kept = json.loads(args.out.read_text())["mutants"] if args.out.exists() else {}
    todo = [
        (area, mutant)
        for area, some in chosen.items()
        for mutant in some
        if not kept.get(mutant.name, {}).get("caught by") and not (mutant.name in kept and mutant.name in reasons)
    ]
    if args.list:
        for area, mutant in todo:
            print(f"{area:9} {mutant.path}:{mutant.line}  {mutant.rule}: {mutant.before}  ->  {mutant.after}")
        return 0

    tests = Tests(args.map)

    def one(item: tuple[str, Mutant]) -> None:
        area, mutant = item
        by = caught_by(mutant, tests)
        kept[mutant.name] = {"area": area, "line": mutant.line, "rule": mutant.rule, "caught by": by}
        print(
            f"{area:9} {mutant.path}:{mutant.line}  {mutant.before}  ->  {mutant.after}   {by or 'SURVIVES'}",
            flush=True,
        )
        write(args, kept, chosen, reasons)

    with ThreadPoolExecutor(args.jobs) as pool:
        list(pool.map(one, todo))
    result = write(args, kept, chosen, reasons)
    for area, (caught, n) in result["caught"].items():
        print(f"{area:9} {caught} of {n}")
    print(f"all       {result['share']:.1%} caught; {len(result['survivors'])} survive")
    return 1 if any(reason is None for reason in result["survivors"].values()) else 0


def write(args: argparse.Namespace, kept: dict, chosen: dict[str, list[Mutant]], reasons: dict) -> dict:
    """Count and save what is known so far of the mutants drawn."""
    known = {area: [kept[m.name] for m in some if m.name in kept] for area, some in chosen.items()}
    caught = {area: [sum(bool(row["caught by"]) for row in rows), len(rows)] for area, rows in known.items()}
    total = sum(n for _, n in caught.values())
    drawn_names = {m.name for some in chosen.values() for m in some}
    mine = {name: row for name, row in kept.items() if name in drawn_names}
    result = {
        "command": f"python tests/benchmarks/mutants.py --each {args.each} --seed {args.seed}",
        "caught": caught,
        "share": sum(c for c, _ in caught.values()) / max(1, total),
        "survivors": {name: reasons.get(name) for name, row in mine.items() if not row["caught by"]},
        "mutants": mine,
    }
    save(args.out, result)
    return result


if __name__ == "__main__":
    sys.exit(main())
