"""Every exercise: its oracle against known numbers, its solution, its mistakes, its notebook cells."""

import functools
import math

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from answers import table

import sslkit.checks
from sslkit.checks import exercises, find
from sslkit.checks.swaps import body, swapped
from sslkit.notebooks import course

# A loaded machine must not make a right answer late; tests of the deadline set their own.
check = functools.partial(sslkit.checks.check, seconds=60)
judge = functools.partial(sslkit.checks.judge, seconds=60)

ALL = exercises()
MISTAKES = [(name, mistake, form) for name, e in ALL.items() for mistake, form in e.wrong_versions]


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
    assert capsys.readouterr().out == f"{name}: right.\n"


@pytest.mark.parametrize("name", ALL)
@pytest.mark.slow
def test_the_solution_is_right_on_hidden_trials_too(name):
    for seed in (1, 2, 3):
        verdict = sslkit.checks.grade(name, find(name).solution, seed=seed, seconds=60)
        assert verdict.status == "right" and verdict.points == 1, verdict


@pytest.mark.parametrize("name", ALL)
def test_the_stub_of_a_student_edition_is_not_attempted_and_gives_the_solution(name, capsys):
    """Signature, docstring and a raise in the solution's place."""
    exercise = find(name)
    signature = body(exercise.solution).split(":\n")[0]
    namespace = {"math": math, "torch": torch, "F": F, "Tensor": torch.Tensor}
    exec(f"{signature}:\n    raise NotImplementedError", namespace)
    assert check(name, namespace[exercise.name]) is exercise.solution
    assert capsys.readouterr().out.startswith(f"{name}: not attempted yet.")


@pytest.mark.parametrize("name, mistake, form", MISTAKES, ids=[f"{n}: {m.name}" for n, m, _ in MISTAKES])
def test_each_known_mistake_gets_its_own_name(name, mistake, form):
    verdict = judge(find(name), form)
    assert (verdict.status, verdict.mistakes) == ("wrong", (mistake.name,))
    assert mistake.explanation in verdict.text


@pytest.mark.parametrize("name", ALL)
def test_enough_mistakes_with_names_of_their_own(name):
    names = [m.name for m in find(name).mistakes]
    assert len(set(names)) == len(names) >= (6 if name == "simclr.info_nce" else 4)


@pytest.mark.parametrize("name", ALL)
def test_a_wrong_answer_gets_explanation_example_and_reference(name, capsys):
    exercise = find(name)
    mistake, form = exercise.wrong_versions[0]
    assert check(name, form) is exercise.solution
    out = capsys.readouterr().out
    assert f"not right yet ({mistake.name})." in out and mistake.explanation in out
    assert "Example:" in out and "expected" in out and "got" in out
    assert sslkit.checks.yours[name] is form and f'sslkit.checks.yours["{name}"]' in out


def test_the_printed_example_can_be_typed_in_again():
    """The numbers shown are the numbers used: running the printed text gives what is printed."""
    verdict = judge(find("simclr.info_nce"), lambda a, b, t: a.sum() * 0 + 1.5)
    *lines, expected, got = verdict.example.removeprefix("Example:\n").splitlines()
    namespace = {"torch": torch}
    exec("\n".join(line.strip() for line in lines), namespace)
    true = find("simclr.info_nce").oracle(*(namespace[p] for p in ("z1", "z2", "temperature"))).item()
    assert (expected, got) == (f"  result: expected {true:.4g}", "  result: got 1.5")


@pytest.mark.parametrize("name", ALL)
def test_its_task(name):
    task = find(name).task
    assert 1 <= task.difficulty <= 5 and task.minutes > 0 and task.title and len(task.hints) == 3
    for parameter in find(name).parameters:  # the contract is signature, docstring and task: they name every parameter
        assert parameter in (find(name).solution.__doc__ + task.task)


def test_nothing_of_an_exercise_is_written_twice():
    """Solution, task and hints stand in the notebook; no other file that a person writes has them."""
    for path in course().values():
        for cell in nbformat.read(path, as_version=4).cells:
            assert not cell.source.startswith("<details><summary>Solution"), f"{path.name}: a second copy of a solution"
    for exercise in ALL.values():
        text = open(exercise.oracle.__code__.co_filename).read()
        assert f"def {exercise.name}(" not in text and exercise.task.hints[0] not in text


def test_an_unknown_exercise_is_an_error_that_lists_what_exists():
    with pytest.raises(ValueError, match="no exercise 'simclr.infonce'.*simclr.info_nce"):
        check("simclr.infonce", len)


# --- swaps


def halved(x):
    """Twice x / 2, of which this line speaks too."""
    y = x / 2
    return y + 1


def test_a_swap_changes_the_code_and_not_the_docstring():
    assert swapped(halved, ("/ 2", "/ 4"))(8) == 3
    assert swapped(halved, (("/ 2", "/ 4"), ("+ 1", "- 1")))(8) == 1


@pytest.mark.parametrize("old", ["/ 3", "y"])
def test_a_swap_that_does_not_fit_is_an_error_that_shows_the_source(old):
    with pytest.raises(ValueError, match="a swap needs it once\ndef halved"):
        swapped(halved, (old, "z"))


def test_two_swaps_at_once_get_both_names():
    nce = find("simclr.info_nce")
    mistakes = {mistake.name: swap for mistake, swap in nce.swaps}
    first = next(iter(mistakes))
    both = functools.partial(sslkit.checks.explanation.both, nce.solution, mistakes[first])
    second, form = next((name, form) for name in list(mistakes)[1:] if (form := both(mistakes[name])))
    assert set(judge(nce, form).mistakes) == {first, second}
