"""Right answers written in other ways are accepted; wrong ones that no table knows are still wrong."""

import functools
import json
import math
from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from answers import table

import sslkit.checks
from sslkit.checks import exercises, find
from sslkit.checks.answer import Answer
from sslkit.checks.diagnose import describe_remaining
from sslkit.checks.explanation import best_partial_match

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
def test_unknown_mistakes_are_wrong_and_shown(name, function):
    """No mistake of the exercise is named; one that can be made anywhere may be."""
    verdict = judge(find(name), function)
    assert verdict.status == "wrong" and not {m.name for m in find(name).mistakes} & set(verdict.mistakes)
    assert "expected" in verdict.example and "got" in verdict.example


# --- what goes wrong with any result ----------------------------------------------------------------------------------


def nce_terms(z1, z2, temperature):
    z = F.normalize(torch.cat([z1, z2]))
    logits = (z @ z.T / temperature).fill_diagonal_(-torch.inf)
    return F.cross_entropy(logits, torch.arange(len(z)).roll(len(z1)), reduction="none")


nce = find("simclr.info_nce").solution
views = find("rotation.rotation_batch").solution
table_of = find("simclr.similarity_matrix").solution
whole = find("barlow_twins.whole_correlation").solution
GENERIC = [
    ("simclr.info_nce", nce_terms, "not averaged"),
    ("start_here.accuracy", lambda p, y: (p == y).float().mean() / len(y), "averaged twice"),
    ("start_here.accuracy", lambda p, y: (p == y).sum() / 10, "a length written as a number"),
    ("next_frame.past_windows", lambda h, past: torch.cat([h[:, :-1], h[:, 1:]], 2), "past not used"),
    ("patches.cut_patches", lambda x, c, n: find("patches.cut_patches").solution(x, c, n).flip(2), "reversed"),
    ("barlow_twins.whole_correlation", lambda n, s, q, p: whole(n, s, q + 0.01 * n[:, None, None], p), "nearly right"),
    ("byol.pull_on", lambda w, p, noise: find("byol.pull_on").solution(w, p, noise) / 2, "a constant factor"),
    ("start_here.accuracy", lambda p, y: -(p == y).float().mean(), "another sign"),
    ("simclr.info_nce", lambda a, b, t: nce(a, b, t) * 1.7, "a constant factor"),
    ("simclr.info_nce", lambda a, b, t: nce(a, b, t) + 0.5, "a constant added"),
    ("simclr.info_nce", lambda a, b, t: nce(a, b, t) / math.log(2), "another logarithm"),
    ("simclr.info_nce", lambda a, b, t: nce(a, b, t)[None], "an axis of length 1"),
    ("simclr.info_nce", lambda a, b, t: nce(a, b, t).exp(), "exponential"),
    ("simclr.info_nce", lambda a, b, t: nce(a, b, t) * torch.nan, "not a number"),
    ("simclr.info_nce", lambda a, b, t: nce(a, b, t) * 0 + 1.25, "always the same"),
    (
        "simclr.info_nce",
        lambda a, b, t: nce(a, b, t) if len(a) == 2 and t == 0.5 else a.mean() * 9,
        "right for the first example only",
    ),
    ("simclr.similarity_matrix", lambda z: list(table_of(z)), "not stacked"),
    ("simclr.similarity_matrix", lambda z: print(table_of(z)), "no return"),
    ("simclr.similarity_matrix", lambda z: table_of(z).flatten(), "another shape, the right numbers"),
    ("rotation.rotation_batch", lambda x: views(x)[::-1], "outputs exchanged"),
    ("mae.patchify", lambda x, size: find("mae.patchify").solution(x, size).transpose(1, 2), "transposed"),
    ("simclr.positive_index", lambda n: torch.arange(2 * n).roll(n) + 0.0, "another dtype"),
    ("start_here.accuracy", lambda p, y: (p == y).mean(), "mean of whole numbers"),
    ("start_here.chance_level", lambda y: 100 * find("start_here.chance_level").solution(y), "percent"),
]


@pytest.mark.parametrize("name, function, mistake", GENERIC, ids=[f"{n}: {m}" for n, _, m in GENERIC])
def test_what_can_go_wrong_with_any_result_has_a_name(name, function, mistake):
    verdict = judge(find(name), function)
    assert (verdict.status, verdict.mistake) == ("wrong", mistake), verdict


def test_a_shape_that_is_wrong_for_some_inputs_only_is_shown_where_it_is_wrong():
    first_three = lambda y, n, order: torch.cat([order[y[order] == c][:n] for c in range(3)]).sort().values  # noqa: E731
    verdict = judge(find("transfer.nested_subset"), first_three)
    assert verdict.mistake == "another shape" and "[15] where [20] is expected, for some inputs only" in verdict.text


def test_an_operation_that_torch_lacks_is_an_attempt():
    """torch raises NotImplementedError for the mean of booleans: that is no stub."""
    verdict = judge(find("start_here.accuracy"), lambda p, y: (p == y).mean())
    assert verdict.status == "wrong" and "raises" in verdict.text


def test_large_logits_overflow_by_name():
    """A loss of logits of any size is tried with large ones."""

    def naive(logits, same):
        p = logits.sigmoid()
        return -(same * p.log() + (1 - same) * (1 - p).log()).mean()

    assert judge(find("patches.same_image_loss"), naive).mistake in ("not a number", "overflow")


def test_a_known_mistake_and_another_on_top_get_both_names():
    nce_of = find("simclr.info_nce")
    form = next(form for mistake, form in nce_of.wrong_versions if mistake.name == "no normalisation")
    assert judge(nce_of, lambda a, b, t: form(a, b, t)[None]).mistakes == ("no normalisation", "an axis of length 1")


def test_the_check_works_in_float64_and_leaves_it_so():
    torch.set_default_dtype(torch.float64)
    try:
        for name, exercise in exercises().items():
            assert judge(exercise, exercise.solution).status == "right", name
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_what_it_prints_on_the_first_example_is_shown(capsys):
    def chatty(z1, z2, temperature):
        print("shapes", list(z1.shape), list(z2.shape))
        return z1.sum()

    sslkit.checks.check("simclr.info_nce", chatty, seconds=60)
    out = capsys.readouterr().out
    assert "It printed:\nshapes [2, 2] [2, 2]\n" in out and out.count("shapes") == 1


def test_a_grade_is_plain_values_and_replaces_nothing():
    verdict = sslkit.checks.grade("simclr.info_nce", lambda a, b, t: nce(a, b, t).detach(), seed=3, seconds=60)
    assert json.loads(json.dumps(verdict.as_dict()))["mistakes"] == ["no gradient"] and verdict.points == 0.5


def test_html_is_coloured_and_escaped():
    exercise = find("simclr.info_nce")
    words = sslkit.checks.verdict_text("simclr.info_nce", judge(exercise, lambda a, b, t: "<script>"))
    page = words._repr_html_()
    assert "<b style=" in page and "<script>" not in page and "color: #d0504b" in page


def test_of_two_results_the_one_in_another_order_is_said():
    expected = [(torch.randn(4), torch.randn(5)) for _ in range(3)]
    same = lambda one, other: all(torch.equal(a, b) for x, y in zip(one, other) for a, b in zip(x, y))  # noqa: E731
    found = describe_remaining([(a, b.flip(0)) for a, b in expected], expected, same)
    assert found == ("another order", "Result 2 alone is wrong: these are the right numbers, but not in their places.")
    _, words = describe_remaining([(a.flip(0), b.flip(0)) for a, b in expected], expected, same)
    assert words == "These are the right numbers, but not in their places."


def test_zeros_everywhere_are_explained_by_nothing():
    """Too much gives them: a product rounded down, an empty slice, a sum over what cancels."""
    verdict = judge(find("barlow_twins.cross_correlation"), lambda z1, z2: 0 * (z1.T @ z2))
    assert verdict.status == "wrong" and verdict.mistakes == ()
    exercise = find("simclr.positive_index")
    answer = lambda *values: [Answer((torch.tensor([v]),), (), None, None) for v in values]  # noqa: E731
    known = [(exercise.mistakes[0], answer(0.0, 0.0, 5.0))]
    assert best_partial_match(exercise, answer(0.0, 0.0, 3.0), answer(1.0, 2.0, 3.0), known) == ((), "")
    known = [(exercise.mistakes[0], answer(7.0, 8.0, 5.0))]
    found, _ = best_partial_match(exercise, answer(7.0, 8.0, 3.0), answer(1.0, 2.0, 3.0), known)
    assert found == (exercise.mistakes[0].name,)


def test_a_mistake_that_raises_is_known_by_its_error():
    def by_a_slice(queue, pointer, keys):
        new = queue.clone()
        new[pointer : pointer + len(keys)] = keys
        return new, (pointer + len(keys)) % len(queue)

    verdict = judge(find("moco.write_keys"), by_a_slice)
    assert verdict.mistakes == ("no wrap-around",) and "It raises RuntimeError" in verdict.text
    other = judge(find("moco.write_keys"), lambda queue, pointer, keys: queue @ keys)
    assert other.mistakes != ("no wrap-around",)
