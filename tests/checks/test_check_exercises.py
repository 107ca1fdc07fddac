"""Every exercise: its oracle against known numbers, its solution, its mistakes, its notebook cells."""

import ast
import functools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from answers import table

import sslkit.checks
from sslkit.checks import exercises, find
from sslkit.checks.markdown import exercise_markdown, exercise_stub, main, solution_code, solution_markdown

# A loaded machine must not make a right answer late; tests of the deadline set their own.
check = functools.partial(sslkit.checks.check, seconds=60)
judge = functools.partial(sslkit.checks.judge, seconds=60)

ALL = exercises()
MISTAKES = [(name, m.name, form) for name, e in ALL.items() for m in e.mistakes for form in m.forms]


def tensors(args):
    return [torch.tensor(a) if isinstance(a, list) else a for a in args]


@pytest.mark.parametrize("name, args, expected", table("KNOWN"))
@pytest.mark.parametrize("which", ["oracle", "solution"])
def test_known_numbers(name, args, expected, which):
    got = getattr(find(name), which)(*tensors(args))
    for one, true in zip(*[(r if isinstance(r, tuple) else (r,)) for r in (got, expected)], strict=True):
        one, true = (torch.as_tensor(r, dtype=torch.float64) for r in (one, true))
        torch.testing.assert_close(one, true, rtol=1e-5, atol=1e-6)


def test_every_exercise_has_a_known_number():
    assert {name for name, *_ in table("KNOWN")} == set(ALL)


def test_rotation_oracles_are_numpy_rot90():
    x = torch.randn(3, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    views, labels = find("rotation.rotation_batch").oracle(x)
    turned = find("rotation.rotate_batch").oracle(x, torch.tensor([3, 1, 2]))
    for turns in range(4):
        assert labels[3 * turns : 3 * turns + 3].tolist() == [turns] * 3
        for i in range(3):
            assert np.array_equal(views[3 * turns + i], np.rot90(x[i].numpy(), turns, axes=(1, 2)))
    for i, turns in enumerate([3, 1, 2]):
        assert np.array_equal(turned[i], np.rot90(x[i].numpy(), turns, axes=(1, 2)))


@pytest.mark.parametrize("name", ALL)
def test_the_solution_passes_its_check_and_is_returned(name, capsys):
    solution = find(name).solution
    assert check(name, solution) is solution
    assert capsys.readouterr().out == f"{name}: right. Your function is used from here on.\n"


@pytest.mark.parametrize("name", ALL)
def test_the_shown_solution_passes_as_it_stands_in_a_notebook(name):
    assert judge(find(name), from_notebook(solution_code(name), name)).status == "right"


@pytest.mark.parametrize("name", ALL)
def test_the_stub_is_not_attempted_and_gives_the_solution(name, capsys):
    assert from_notebook(exercise_stub(name), name) is find(name).solution
    assert capsys.readouterr().out.startswith(f"{name}: not attempted yet.")


def from_notebook(code: str, name: str):
    """What a cell defines in a notebook that has imported math, torch, F and check, and nothing else."""
    namespace = {"math": math, "torch": torch, "F": F, "check": check, "Tensor": torch.Tensor}
    exec(code, namespace)
    return namespace[name.split(".")[1]]


@pytest.mark.parametrize("name, mistake, form", MISTAKES)
def test_each_known_mistake_is_told_by_its_own_name(name, mistake, form):
    verdict = judge(find(name), form)
    assert (verdict.status, verdict.mistake) == ("wrong", mistake)
    explanation = next(m.explanation for m in find(name).mistakes if m.name == mistake)
    assert explanation in verdict.text


@pytest.mark.parametrize("name", ALL)
def test_enough_mistakes_with_names_of_their_own(name):
    names = [m.name for m in find(name).mistakes]
    assert len(set(names)) == len(names) >= (6 if name == "simclr.info_nce" else 4)


@pytest.mark.parametrize("name", ALL)
def test_a_wrong_answer_gets_explanation_example_and_reference(name, capsys):
    exercise = find(name)
    mistake = exercise.mistakes[0]
    assert check(name, mistake.forms[0]) is exercise.solution
    out = capsys.readouterr().out
    assert f"not right yet ({mistake.name})." in out and mistake.explanation in out
    assert "Example: " in out and "expected" in out and "got" in out
    assert out.count("\n") <= 7


def test_the_printed_example_can_be_typed_in_again():
    """The numbers shown are the numbers used: recomputing from the printed text gives what is printed."""
    text = judge(find("simclr.info_nce"), lambda a, b, t: a.sum() * 0 + 1.5).text
    inputs, result = text.split("Example: ")[1].split("\n")
    parts = inputs.replace(" (shape [2, 2])", "").split(", z2 = ")
    z1 = ast.literal_eval(parts[0].removeprefix("z1 = "))
    z2, temperature = parts[1].split(", temperature = ")
    true = (
        find("simclr.info_nce").oracle(torch.tensor(z1), torch.tensor(ast.literal_eval(z2)), float(temperature)).item()
    )
    assert result == f"  result: expected {true:.4g}, got 1.5"


@pytest.mark.parametrize("name", ALL)
def test_markdown(name):
    exercise, text = find(name), exercise_markdown(name)
    assert 1 <= exercise.difficulty <= 5 and text.count("●") == exercise.difficulty
    assert text.count("●") + text.count("○") == 5 and f"{exercise.minutes} minutes" in text
    assert exercise.title in text and exercise.task in text
    assert len(exercise.hints) == 3
    for i, hint in enumerate(exercise.hints, 1):
        assert f"<details><summary>Hint {i}</summary>\n\n{hint}\n\n</details>" in text
    solution = solution_markdown(name)
    assert solution.startswith("<details><summary>Solution</summary>\n\n```python\ndef ")
    assert solution.endswith("```\n\n</details>\n") and '"""' not in solution
    stub = exercise_stub(name)
    assert exercise.solution.__doc__ in stub and stub.count("raise NotImplementedError\n") == 1


def test_the_command_prints_the_named_exercises(capsys):
    main(["simclr.info_nce"])
    out = capsys.readouterr().out
    assert exercise_markdown("simclr.info_nce") in out and exercise_stub("simclr.info_nce") in out
    assert solution_markdown("simclr.info_nce") in out and "knn" not in out


def test_an_unknown_exercise_is_an_error_that_lists_what_exists():
    with pytest.raises(ValueError, match="no exercise 'simclr.infonce'.*simclr.info_nce"):
        check("simclr.infonce", len)


def test_the_task_is_enough_to_call_it():
    """The contract is the signature and docstring of the stub: both name every parameter."""
    for exercise in ALL.values():
        for parameter in exercise.parameters:
            assert parameter in exercise.solution.__doc__ or parameter in exercise.task
