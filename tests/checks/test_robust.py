"""A check never raises, never hangs, prints nothing but its words, and leaves the process as it was."""

import functools
import os
import random
import signal
import sys
import threading
import time

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import sslkit.checks
from sslkit.checks import find

# An error that leaves the reader's thread would be printed by Python in the notebook.
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")

# A loaded machine must not make a right answer late; tests of the deadline set their own.
check = functools.partial(sslkit.checks.check, seconds=60)
judge = functools.partial(sslkit.checks.judge, seconds=60)

NCE = find("simclr.info_nce")
right = NCE.solution


def raises(error):
    def function(*args):
        raise error

    return function


def forever(*args):
    while True:
        pass


def endless_recursion(*args):
    return endless_recursion(*args)


over = threading.Event()


def catches_everything(*args):
    while not over.is_set():
        try:
            time.sleep(0.001)
        except BaseException:
            pass


def hangs_in_backward(z1, z2, temperature):
    class Hang(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            forever()

    return Hang.apply(right(z1, z2, temperature))


class SlowNumber(torch.Tensor):
    """Hangs when somebody looks at it."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        forever()


class Unprintable(Exception):
    def __str__(self):
        raise SystemExit("never shown")


class Evil:
    def __call__(self, *args):
        raise ValueError("from an object")

    def __getattr__(self, name):
        raise KeyboardInterrupt(name)


def no_return(z1, z2, temperature):
    loss = right(z1, z2, temperature)
    loss.sum()


def half_a_stub(z1, z2, temperature):
    logits = ...
    return logits.mean()


def no_brackets(z1, z2, temperature):  # a function: the line that fails is shown, too
    return (z1 > 0) & z2 < temperature


def logits_for_probabilities(z1, z2, temperature):
    return torch.nn.functional.binary_cross_entropy(100 * z1, torch.ones_like(z1))


def turned_by_a_tensor(z1, z2, temperature):
    return torch.rot90(z1, torch.tensor([1, 2]))


def pass_only(z1, z2, temperature):
    """Docstring."""


WORDS = [
    (raises(ValueError("boom")), "raises ValueError: boom"),
    (raises(SystemExit(3)), "raises SystemExit: 3"),
    (raises(KeyboardInterrupt()), "raises KeyboardInterrupt"),
    (raises(GeneratorExit()), "raises GeneratorExit"),
    (raises(BaseException("base")), "raises BaseException: base"),
    (raises(Unprintable()), "raises Unprintable"),
    (raises(MemoryError()), "raises MemoryError"),
    (raises(StopIteration()), "raises StopIteration"),
    (endless_recursion, "raises RecursionError"),
    (lambda z1, z2: z1.sum(), "cannot be called as info_nce(z1, z2, temperature)"),
    (lambda *, z1, z2, temperature: 0, "cannot be called as info_nce(z1, z2, temperature)"),
    (len, "cannot be called"),
    (Evil(), "raises ValueError"),
    (lambda a, b, t: a.view(7), "(in the line `(lambda a, b, t: a.view(7)"),
    (no_return, "returns None: is a `return` missing?"),
    (lambda *args: "text", "returns a str"),
    (lambda *args: {"loss": 1}, "returns a dict"),
    (lambda *args: [torch.zeros(2), torch.zeros(3)], "returns a list that is not a tensor"),
    (lambda *args: [None], "returns a list that is not a tensor"),
    (lambda *args: np.array(["a"]), "that is not a tensor"),
    (lambda *args: (x for x in args), "returns a generator"),
    (lambda *args: torch.tensor(1 + 2j), "ordinary real numbers"),
    (lambda *args: torch.zeros(3).to_sparse(), "ordinary real numbers"),
    (lambda *args: torch.zeros((), device="meta"), "ordinary real numbers"),
    (lambda *args: torch.zeros(1).expand(10**7, 10**7), "far too large"),
    (lambda a, b, t: right(a, b, t) * float("nan"), "NaN"),
    (lambda a, b, t: right(a, b, t)[None], "an axis of length 1"),
    (lambda a, b, t: a, "You never use `z2` and `temperature`. The result has dimensions too many"),
    (lambda *args: torch.tensor([]), "another shape"),
    (lambda a, b, t: right(a, b, t) > 0, "got 1"),
    (lambda a, b, t: float("inf"), "got inf"),
    (no_brackets, "put each comparison in brackets"),
    (logits_for_probabilities, "_with_logits"),
    (turned_by_a_tensor, "go over them one by one"),
    (lambda a, b, t: torch.nn.Parameter(torch.ones(())), "got 1"),
    (None, "is None, not a function"),
    (3, "is an int, not a function"),
    (torch.zeros(2), "is a Tensor, not a function"),
]


@pytest.mark.parametrize("number", range(len(WORDS)), ids=[words for _, words in WORDS])
def test_whatever_it_does_is_said_in_words(number, capsys):
    function, words = WORDS[number]  # not a parameter itself: pytest would look into it
    assert check("simclr.info_nce", function) is right
    out, err = capsys.readouterr()
    assert out.startswith("simclr.info_nce: not right yet") and words in out and err == ""
    assert "Traceback" not in out and len(out) < 1500


@pytest.mark.parametrize(
    "function",
    [
        raises(NotImplementedError),
        pass_only,
        half_a_stub,
        lambda z1, z2, temperature: None,
        lambda z1, z2, temperature: ...,
        lambda *args: (..., ...),
    ],
)
def test_a_stub_is_not_attempted(function, capsys):
    assert check("simclr.info_nce", function) is right
    out = capsys.readouterr().out
    assert out.startswith("simclr.info_nce: not attempted yet.\n") and out.count("\n") == 2


def test_what_torch_has_not_implemented_is_an_attempt():
    torch_says = NotImplementedError("\"svd\" not implemented for 'Long'")
    assert judge(NCE, raises(torch_says)).status == "wrong"


@pytest.mark.parametrize(
    "function",
    [
        forever,
        lambda *args: time.sleep(1000),
        catches_everything,
        hangs_in_backward,
        lambda *args: threading.Event().wait(),
        lambda a, b, t: right(a, b, t).as_subclass(SlowNumber),
    ],
    ids=["loop", "sleep", "catches", "backward", "lock", "subclass"],
)
def test_a_hanging_function_ends_with_the_deadline(function, capsys):
    over.clear()
    start = time.monotonic()
    assert check("simclr.info_nce", function, seconds=0.3) is right
    assert time.monotonic() - start < 300
    out, err = capsys.readouterr()
    over.set()
    assert (
        "had not finished after 0.3 seconds" in out and "It was called with\n  z1 = torch.tensor(" in out and err == ""
    )


def threads_settle_at(count: int) -> bool:
    deadline = time.monotonic() + 20
    while threading.active_count() > count and time.monotonic() < deadline:
        time.sleep(0.01)
    return threading.active_count() <= count


def test_an_endless_loop_is_really_stopped():
    before = threading.active_count()
    judge(NCE, forever, seconds=0.2)
    assert threads_settle_at(before)


def test_slow_on_a_later_trial_is_late_too():
    calls = []

    def slower(z1, z2, temperature):
        calls.append(1)
        return right(z1, z2, temperature) if len(calls) < 3 else forever()

    verdict = judge(NCE, slower, seconds=0.5)
    assert verdict.status == "wrong" and "had not finished" in verdict.text


def test_the_stop_button_still_works():
    """KeyboardInterrupt in the waiting main thread goes through, and the reader's thread is stopped."""

    def interrupts_then_hangs(*args):
        os.kill(os.getpid(), signal.SIGINT)
        forever()

    before = set(threading.enumerate())
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background may ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            check("simclr.info_nce", interrupts_then_hangs, seconds=60)
    finally:
        signal.signal(signal.SIGINT, handler)
    deadline = time.monotonic() + 20
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not set(threading.enumerate()) - before


def test_nothing_that_it_prints_is_shown(capsys):
    def chatty(z1, z2, temperature):
        for _ in range(1000):
            print("noise", z1.shape)
        print("noise", file=sys.stderr)
        return right(z1, z2, temperature)

    stdout, stderr = sys.stdout, sys.stderr
    assert check("simclr.info_nce", chatty) is chatty
    out, err = capsys.readouterr()
    assert out == "simclr.info_nce: right.\n" and err == ""
    assert (sys.stdout, sys.stderr) == (stdout, stderr)


@pytest.mark.parametrize("seed", [None, 5])
def test_the_global_generators_are_left_alone(seed):
    def draws(z1, z2, temperature):
        if seed is not None:
            torch.manual_seed(seed)
        torch.rand(3), np.random.rand(), random.random()
        return right(z1, z2, temperature)

    torch.manual_seed(1), np.random.seed(1), random.seed(1)
    expected = torch.rand(()).item(), np.random.rand(), random.random()
    torch.manual_seed(1), np.random.seed(1), random.seed(1)
    assert judge(NCE, draws).status == "right"
    judge(NCE, raises(ValueError()))
    assert (torch.rand(()).item(), np.random.rand(), random.random()) == expected


def test_random_answers_are_wrong():
    assert judge(NCE, lambda a, b, t: right(a, b, t) + torch.randn(())).status == "wrong"


def test_a_mistake_is_found_in_any_mode_of_the_notebook():
    """no_grad, inference mode, autocast and a default device of the notebook do not reach the check."""
    autocast, meta = torch.autocast("cpu", torch.bfloat16), torch.device("meta")
    for mode in (torch.no_grad(), torch.inference_mode(), autocast, meta):
        with mode:
            assert judge(NCE, right).status == "right"
            assert judge(NCE, NCE.wrong_versions[0][1]).mistake == NCE.wrong_versions[0][0].name


def test_any_callable_will_do():
    class Loss(torch.nn.Module):
        def forward(self, z1, z2, temperature):
            return right(z1, z2, temperature)

    assert judge(NCE, Loss()).status == "right"
    assert judge(NCE, functools.partial(lambda extra, a, b, t: right(a, b, t), 0)).status == "right"
    assert judge(NCE, lambda a, b, t=None: right(a, b, t)).status == "right"


def test_changed_inputs_are_named_and_do_not_mislead_later_trials(capsys):
    def in_place(z1, z2, temperature):
        with torch.no_grad():
            z1 /= z1.norm(dim=1, keepdim=True)
        return right(z1, z2, temperature)

    def in_place_with_gradient(z1, z2, temperature):
        z1 /= z1.norm(dim=1, keepdim=True).detach()
        return right(z1, z2, temperature)

    def on_data(z1, z2, temperature):
        loss = right(z1, z2, temperature)
        z2.data.zero_()
        return loss

    assert check("simclr.info_nce", in_place) is right
    alignment = find("judging.alignment")
    in_out = judge(alignment, lambda a, b: (F.normalize(a, out=a) - F.normalize(b)).square().sum(1).mean())
    assert in_out.mistake == "changes its input"
    assert judge(NCE, in_place_with_gradient).mistake == "changes its input"
    assert judge(NCE, on_data).mistake == "changes its input"
    assert "z1 is written on" in capsys.readouterr().out


def test_a_result_that_needs_grad_is_fine_where_no_gradient_is_asked():
    verdict = judge(
        find("judging.alignment"),
        lambda a, b: find("judging.alignment").solution(a, b) * torch.nn.Parameter(torch.ones(())),
    )
    assert verdict.status == "right"


@pytest.mark.parametrize(
    "result, words",
    [
        (None, "returns None"),
        (torch.zeros(8), "returns a Tensor where 2 values are expected"),
        ((torch.zeros(2),), "returns a tuple where 2 values"),
        ((torch.zeros(2), None), "returns None"),
    ],
)
def test_two_results(result, words):
    assert words in judge(find("rotation.rotation_batch"), lambda x: (x, result)[1]).text


def test_many_checks_leave_no_threads():
    before = threading.active_count()
    exercise = find("simclr.positive_index")
    for _ in range(20):
        judge(exercise, exercise.solution)
    assert threads_settle_at(before)
