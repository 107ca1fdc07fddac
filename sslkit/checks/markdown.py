"""The notebook cells of an exercise: `python -m sslkit.checks.markdown simclr.info_nce` prints them."""

from __future__ import annotations

import ast
import inspect
import sys

from . import exercises, find


def exercise_markdown(name: str) -> str:
    """The Markdown cell above the stub: title, difficulty, minutes, task, and three folded hints."""
    exercise = find(name)
    dots = "●" * exercise.difficulty + "○" * (5 - exercise.difficulty)
    hints = [folded(f"Hint {i}", hint) for i, hint in enumerate(exercise.hints, 1)]
    head = f"### Exercise: {exercise.title}\n\n{dots} about {exercise.minutes} minutes\n\n{exercise.task}"
    return "\n\n".join([head, *hints]) + "\n"


def solution_markdown(name: str) -> str:
    """The Markdown cell below the stub: the folded solution."""
    return folded("Solution", f"```python\n{solution_code(name)}```") + "\n"


def exercise_stub(name: str) -> str:
    """The code cell: signature and docstring of the solution, nothing inside, and the check."""
    exercise = find(name)
    lines, docstring = source(name)
    stub = "".join(lines[: docstring.end_lineno])
    return f'{stub}    raise NotImplementedError\n\n\n{exercise.name} = check("{name}", {exercise.name})\n'


def solution_code(name: str) -> str:
    """The solution without its docstring, which the stub has."""
    lines, docstring = source(name)
    return "".join(lines[: docstring.lineno - 1] + lines[docstring.end_lineno :])


def source(name: str) -> tuple[list[str], ast.stmt]:
    """The solution's source lines, and the syntax node of its docstring."""
    text = inspect.getsource(find(name).solution)
    return text.splitlines(keepends=True), ast.parse(text).body[0].body[0]


def folded(summary: str, text: str) -> str:
    """A <details> block; the blank lines let Jupyter and GitHub read Markdown inside it."""
    return f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"


def main(names: list[str]) -> None:
    for name in names or list(exercises()):
        print(exercise_markdown(name))
        print(f"```python\n{exercise_stub(name)}```\n")
        print(solution_markdown(name))


if __name__ == "__main__":
    main(sys.argv[1:])
