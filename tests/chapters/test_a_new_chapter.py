"""A chapter is one folder: one that nothing knows, put into a copy of the tree, is taken up everywhere, and no other file changes."""

import json
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from sslkit import chapters
from sslkit.notebooks.files import ROOT

METHOD = '''#| export
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslkit.train import Recipe
from sslkit.views import to_float


class Brightness(nn.Module):
    """How bright is this image? A linear layer on the features answers."""

    def __init__(self, encoder: nn.Module):
        super().__init__()
        self.encoder, self.head = encoder, nn.Linear(encoder.dim, 1)

    def pretext(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Images to themselves, a little noisy, and their mean."""
        x = to_float(x)
        noise = torch.rand(x.shape, generator=generator, device=x.device)
        return x + 0.01 * noise, x.mean((1, 2, 3))

    def forward(self, task: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Squared error."""
        h = self.encoder(task[0])
        got = self.head(h)
        return squared(got[:, 0], task[1]), {"h": h.detach(), "z": got.detach()}

    def encode(self, x: Tensor) -> Tensor:
        """Features [N, D]."""
        return self.encoder(x)'''
SETTINGS = """#| export
METHOD = Brightness
PASSES = 3
RECIPES = {"laptop": Recipe(steps=6, lr=0.01, batch=32), "gpu": Recipe(steps=9, lr=0.01, encoder="resnet18")}"""
TASK = """### Exercise: Squared error

●○○○○ about 5 minutes

Write `squared(got, wanted)`: the mean of the squared differences.

<details><summary>Hint 1</summary>

Subtract.

</details>

<details><summary>Hint 2</summary>

Square.

</details>

<details><summary>Hint 3</summary>

Take the mean.

</details>"""
SQUARED = '''#| export
#| exercise
def squared(got: Tensor, wanted: Tensor) -> Tensor:
    """Mean of the squared differences of got and wanted [N]."""
    return F.mse_loss(got.float(), wanted.float())'''
MISTAKES = '''"""What goes wrong in this chapter's exercise."""

import torch
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, mistake


def squared_loop(got: Tensor, wanted: Tensor) -> Tensor:
    return sum((a - b) ** 2 for a, b in zip(got.double(), wanted.double())) / len(got)


EXERCISES = (
    Exercise(
        "squared",
        squared_loop,
        grad=True,
        trials=lambda: [(draw(k, 3 + k), draw(9 + k, 3 + k)) for k in range(3)],
        mistakes=(mistake("absolute", "You take the absolute error: square it.", ("mse_loss", "l1_loss")),),
    ),
)
'''
FIGURES = '''"""What only this chapter draws."""


def question(method, x, generator):
    """What it asks of one image."""
    return "brightness: how bright?", method.pretext(x, generator)[0]
'''


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the kit with chapter 90, "brightness", which exists nowhere else; the text of every other file is kept to compare."""
    root = tmp_path_factory.mktemp("new") / "kit"
    leave = shutil.ignore_patterns("__pycache__", ".*", "runs", "downloads")
    for name in ("sslkit", "tests", "notebooks", "results"):
        shutil.copytree(ROOT / name, root / name, ignore=leave)
    (root / "data").symlink_to(ROOT / "data")
    for name in ("README.md", "pyproject.toml", "environment.yml", "kit.py"):
        shutil.copy(ROOT / name, root)
    v4 = nbformat.v4
    cells = [
        v4.new_markdown_cell(
            "# 90 · Brightness: how bright is it?\n\n*The simplest question of all.*\n\nA mean is asked for."
        ),
        v4.new_code_cell("import torch\nfrom sslkit.checks import check"),
        v4.new_code_cell(METHOD),
        v4.new_markdown_cell(TASK),
        v4.new_code_cell(SQUARED),
        v4.new_code_cell('squared = check("brightness.squared", squared)'),
        v4.new_code_cell(SETTINGS),
    ]
    nbformat.write(v4.new_notebook(cells=cells), root / "notebooks/90_brightness.ipynb")
    folder = root / "sslkit/chapters/brightness"
    folder.mkdir()
    for name, text in {"__init__.py": "", "mistakes.py": MISTAKES, "figures.py": FIGURES}.items():
        (folder / name).write_text(text)
    (root / "tests/chapters/brightness").mkdir()
    before = {path: path.read_bytes() for path in root.rglob("*.py")}
    run(root, "-m", "sslkit.notebooks", "export")
    return root, before


def run(root, *words, **env) -> str:
    """A command of this Python in the copy; what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "SSLKIT_SCALE": "smoke", **env}
    done = subprocess.run([sys.executable, *words], cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_it_is_exported_and_nothing_else_changes(tree):
    root, before = tree
    folder = root / "sslkit/chapters/brightness"
    assert (
        "PASSES = 3" in (folder / "method.py").read_text() and "Squared error" in (folder / "exercises.py").read_text()
    )
    after = {path: path.read_bytes() for path in root.rglob("*.py") if path.parent != folder}
    assert {path: text for path, text in before.items() if path.parent != folder} == after
    assert run(root, "-m", "sslkit.notebooks", "export", "--check") == ""


@pytest.mark.slow
def test_the_command_line_trains_judges_and_exports_it(tree, tmp_path):
    root, _ = tree
    assert "brightness" in run(root, "-m", "sslkit", "pretrain", "--help")
    out = str(tmp_path / "run")
    said = run(root, "-m", "sslkit", "pretrain", "brightness", "--limit", "64", "--out", out)
    assert "   spread " in said and "(chance " not in said  # it has no chance level
    assert "brightness" in run(root, "-m", "sslkit", "probe", out, "--limit", "200", "--seeds", "1")
    run(root, "-m", "sslkit", "export", out, "--to", "safetensors", "--out", str(tmp_path / "encoder.safetensors"))
    code = f"from sslkit.runs import all_runs; runs, _ = all_runs({str(tmp_path)!r}); mine = [r for r in runs if r.name == 'brightness']"
    assert run(root, "-c", f"{code}; print([r.passes // r.images for r in mine])") == "[3]\n"


@pytest.mark.slow
def test_the_tests_of_all_methods_exercises_and_figures_take_it_up(tree):
    root, _ = tree
    said = run(
        root, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/chapters/test_every_method.py", "-k", "brightness"
    )
    assert re.search(r"^(\d+) passed", said, re.MULTILINE) and int(re.search(r"(\d+) passed", said)[1]) > 8
    code = "import sslkit.checks as c; e = c.find('brightness.squared'); print([c.judge(e, f).mistake for _, f in e.wrong_versions])"
    assert run(root, "-c", code) == "['absolute']\n"


@pytest.mark.slow
def test_the_benchmarks_the_syllabus_and_the_comparison_take_it_up(tree, tmp_path):
    root, _ = tree
    out = str(tmp_path / "brightness_scenes.json")
    run(
        root, "tests/benchmarks/pretrain.py", "brightness", "--seeds", "1", "--draws", "1", "--steps", "2", "--out", out
    )
    assert json.loads(open(out).read())["method"] == "Brightness"
    run(root, "tests/benchmarks/report.py")
    row = "[90 · Brightness: how bright is it?](notebooks/90_brightness.ipynb) | The simplest question of all. |"
    assert row in (root / "README.md").read_text()
    for script in ("speed.py", "run.py many_gpus"):
        assert "brightness" in run(
            root,
            *f"tests/benchmarks/{script} --help".replace("tests/benchmarks/run.py", "tests/benchmarks/run.py").split(),
        )
    paths = "import sys; sys.path += ['tests/benchmarks', 'tests/chapters/compare']"
    assert "brightness" in run(root, "-c", f"{paths}; import benchmark; print(benchmark.METHODS)")
    asked = "from sslkit import chapters; print([n for n in chapters.methods() if hasattr(chapters.part(n, 'figures'), 'question')])"
    assert "brightness" in run(root, "-c", asked)


# --- nothing outside a chapter's folders names it ----------------------------------------------------------------------

ELSEWHERE = ("sslkit/chapters/", "tests/")  # chapters may name earlier ones; tests name examples


def test_no_module_of_the_kit_names_a_method():
    """In code: strings and imports. Docstrings may give an example."""
    import ast

    wrong, methods = [], set(chapters.methods())
    for path in sorted((ROOT / "sslkit").rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if name.startswith(ELSEWHERE):
            continue
        tree = ast.parse(path.read_text())
        docs = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)}
        for node in ast.walk(tree):
            said = []
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                said = [node.value]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sslkit.chapters."):
                said = [node.module.split(".")[2]]
            wrong += [f"{name}:{node.lineno} names {word}" for word in said if word in methods]
    assert not wrong, wrong


def test_no_table_of_the_tests_and_benchmarks_is_keyed_by_methods():
    """A dict or tuple of three method names or more would have to be kept by hand. (tests/claims quotes sentences about some methods.)"""
    import ast

    wrong, methods = [], set(chapters.methods())
    for path in sorted((ROOT / "tests").rglob("*.py")):
        if path.parent.name == "claims":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            items = (
                node.keys
                if isinstance(node, ast.Dict)
                else node.elts
                if isinstance(node, ast.Tuple | ast.List | ast.Set)
                else []
            )
            named = {item.value for item in items if isinstance(item, ast.Constant)} & methods
            if len(named) > 2:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} lists {', '.join(sorted(named))}")
    assert not wrong, wrong
