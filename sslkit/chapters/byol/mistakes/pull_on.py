"""Exercise of chapter 12: the pull on one number."""

from __future__ import annotations

from sslkit.checks.exercise import Exercise, mistake


def pull_on_loop(w: float, p: float, noise: float) -> float:
    """The mean over all cases: x is -1 or 1, the noise of each view -noise or noise."""
    total, v = 0.0, w  # v is a constant for the gradient
    for x in (-1, 1):
        for n1 in (-noise, noise):
            for n2 in (-noise, noise):
                x1, x2 = x + n1, x + n2
                total += (p * w * x1 - v * x2) * p * x1
    return total / 8


PULL = Exercise(
    "pull_on",
    pull_on_loop,
    trials=lambda: [(2.0, 1.0, 0.5), (1.0, 0.8, 0.5), (1.5, 0.5, 0.3), (0.7, 1.2, 0.9), (2.0, 0.9, 0.0)],
    mistakes=(
        mistake(
            "no stop-gradient",
            "You have differentiated through the target too. First hold v constant, then set it to w.",
            ("p * w * (p * (1 + noise**2) - 1)", "w * (p**2 * (1 + noise**2) - 2 * p + 1 + noise**2)"),
            lambda w, p, noise: w * (p**2 * (1 + noise**2) - 2 * p + 1),
        ),
        mistake(
            "noise forgotten",
            "Without noise, x1 = x2. A view's square is 1 + noise**2 on average.",
            (" * (1 + noise**2)", ""),
        ),
        mistake(
            "noise not squared",
            "`noise` is a standard deviation; what adds to the mean square is the variance.",
            ("noise**2", "noise"),
        ),
        mistake(
            "noise shared by the views",
            "The noise of two views has nothing in common: the mean of x1 x2 is 1, not 1 + noise**2.",
            ("(p * (1 + noise**2) - 1)", "(p - 1) * (1 + noise**2)"),
        ),
        mistake(
            "gradient of the predictor",
            "That is the gradient by p: the inner derivative by w is p x1, not w x1.",
            ("p * w * (", "w * w * ("),
        ),
        mistake(
            "inner derivative forgotten",
            "The chain rule gives another factor p: the prediction is p w x1.",
            ("p * w * (", "w * ("),
        ),
        mistake("sign", "That is the step, not the gradient: the gradient points uphill.", ("return p", "return -p")),
        mistake("factor 2", "The half in front of the square takes the 2 away.", ("return p", "return 2 * p")),
        mistake("divided by w", "A factor w is missing: the pull is in proportion to w.", ("p * w * (", "p * (")),
        mistake(
            "1 forgotten",
            "noise**2 is what the noise adds. x1^2 without it is 1, so its mean is 1 + noise**2.",
            ("(1 + noise**2)", "noise**2"),
        ),
        mistake(
            "added before squaring",
            "x and noise have nothing in common, so the mixed term of (1 + noise)^2 is 0 on average: 1 + noise**2.",
            ("(1 + noise**2)", "(1 + noise) ** 2"),
        ),
        mistake(
            "v = 1",
            "The target is v x2 with v = w. You have set v to 1.",
            ("w * (p * (1 + noise**2) - 1)", "(p * w * (1 + noise**2) - 1)"),
        ),
        mistake(
            "v = p w",
            "The target is v x2 with v = w: only the prediction goes through the predictor p.",
            ("(p * (1 + noise**2) - 1)", "(p * (1 + noise**2) - p)"),
        ),
        mistake(
            "brackets",
            "Your 1 stands outside the brackets, so p w does not multiply it: the target's part is p w.",
            ("(p * (1 + noise**2) - 1)", "p * (1 + noise**2) - 1"),
        ),
        mistake(
            "the loss itself",
            "That is the mean of the loss. Its gradient by w is asked for, with v constant.",
            lambda w, p, noise: w * w * ((p * p + 1) * (1 + noise**2) - 2 * p) / 2,
        ),
        mistake(
            "p squared too often",
            "You have a p too many in the first part: it is p w x1 times p x1.",
            ("(p * (1", "(p * p * (1"),
        ),
        mistake(
            "the target added", "You add the target's part. The error is prediction minus target.", (") - 1)", ") + 1)")
        ),
    ),
)
