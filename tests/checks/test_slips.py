"""Slips: small changes of a solution by rule, for what no misconception names."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from sslkit.checks import exercises, find, judge
from sslkit.checks.slips import slips


def shown(function) -> set[tuple[str, str]]:
    return {(slip.before, slip.after) for slip in slips(function)}


def example(x, y, scale=2.0):
    """Not shown: x.sum()."""
    x = F.normalize(x, dim=1)
    if x.shape != y.shape:
        raise ValueError(f"{x.sum()} {1 + 1}")
    return (x - y).square().mean(dim=0) / scale


def endless(x):
    while x.sum() < 1:
        x = x + 1
    return x


def test_the_rules():
    found = shown(example)
    expected = {
        ("x = F.normalize(x, dim=1)", ""),
        ("F.normalize(x, dim=1)", "F.normalize(x, dim=0)"),
        ("F.normalize(x, dim=1)", "F.normalize(x)"),
        ("F.normalize(x, dim=1)", "x"),
        ("x - y", "y - x"),
        ("x - y", "x + y"),
        ("x - y", "x"),
        ("(x - y).square()", "(x - y).abs()"),
        ("(x - y).square()", "x - y"),
        ("(x - y).square().mean(dim=0)", "(x - y).square().sum(dim=0)"),
        ("(x - y).square().mean(dim=0)", "(x - y).square().mean()"),
        ("(x - y).square().mean(dim=0)", "(x - y).mean(dim=0).square()"),
        ("(x - y).square()", "(x - y).square().transpose(-1, -2)"),
        ("x - y", "x - x"),
        ("(x - y).square().mean(dim=0) / scale", "(x - y).square().mean(dim=0) * scale"),
        ("(x - y).square().mean(dim=0) / scale", "((x - y).square().mean(dim=0) / scale).sqrt()"),
    }
    assert expected <= found, expected - found
    assert not any("1 + 1" in before or "Not shown" in before for before, _ in found)


def test_the_forms_are_what_is_said():
    x, y = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    forms = {(slip.before, slip.after): slip.form for slip in slips(example)}
    z = F.normalize(x, dim=1)
    assert torch.equal(forms["x - y", "x + y"](x, y), (z + y).square().mean(0) / 2)
    assert torch.equal(forms["x = F.normalize(x, dim=1)", ""](x, y), (x - y).square().mean(0) / 2)


def test_any_two_arguments_may_be_exchanged_and_a_condition_forgotten():
    def moved(x, kept):
        return x.permute(0, 2, 1) * (kept != 0)

    found = shown(moved)
    assert {("x.permute(0, 2, 1)", f"x.permute({order})") for order in ("2, 0, 1", "1, 2, 0", "0, 1, 2")} <= found
    assert ("kept != 0", "kept") in found


def test_what_may_not_end_has_none():
    assert slips(endless) == ()


@pytest.mark.parametrize("name, exercise", exercises().items(), ids=list(exercises()))
def test_each_solution_can_be_changed(name, exercise):
    """Into programs: a rule that breaks the grammar fails here."""
    assert len(slips(exercise.solution)) > 5


def test_a_reader_hears_of_one_where_no_mistake_has_a_name():
    exercise = replace(find("judging.alignment"), mistakes=())
    verdict = judge(exercise, lambda a, b: (F.normalize(a) + F.normalize(b)).square().sum(1).mean())
    assert verdict.mistakes == ("a slip at F.normalize(z1, dim=1) - F.normalize(z2, dim=1)",)
    assert "with `F.normalize(z1, dim=1) + F.normalize(z2, dim=1)` in place of `F.norm" in verdict.text


def test_one_answer_before_an_error_shows_no_slip_but_the_error():
    calls = []

    def fails(a, b):
        calls.append(1)
        if len(calls) > 1:
            raise KeyError("later")
        return (F.normalize(a) + F.normalize(b)).square().sum(1).mean()

    verdict = judge(replace(find("judging.alignment"), mistakes=()), fails)
    assert verdict.mistakes == () and verdict.text.startswith("With another input: It raises KeyError: 'later'")
