"""Right answers written in other ways are accepted; wrong ones that no table knows are still wrong."""

import functools
from collections import Counter

import pytest
from answers import table

import sslkit.checks
from sslkit.checks import exercises, find

# A loaded machine must not make a right answer late; tests of the deadline set their own.
judge = functools.partial(sslkit.checks.judge, seconds=60)


@pytest.mark.parametrize("name, function", table("RIGHT"))
def test_right_answers_written_differently_are_accepted(name, function):
    verdict = judge(find(name), function)
    assert verdict.status == "right", verdict.text


def test_two_variants_at_least_for_every_exercise():
    count = Counter(name for name, _ in table("RIGHT"))
    assert set(count) == set(exercises()) and min(count.values()) >= 2


@pytest.mark.parametrize("name, function, mistake", table("NAMED"))
def test_mistakes_written_in_other_ways_get_their_name(name, function, mistake):
    verdict = judge(find(name), function)
    assert (verdict.status, verdict.mistake) == ("wrong", mistake), verdict.text


@pytest.mark.parametrize("name, function", table("UNNAMED"))
def test_unknown_mistakes_are_wrong_without_a_name(name, function):
    verdict = judge(find(name), function)
    assert (verdict.status, verdict.mistake) == ("wrong", "")
    assert "expected" in verdict.text and "got" in verdict.text
