"""Exercises of chapter 22: a nested label subset, learning rates per layer, FixMatch's loss, labels saved."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from sslkit.checks.exercise import Exercise, draw, draw_labels, generator, mistake


def nested_subset_loop(y: Tensor, per_class: int, order: Tensor) -> Tensor:
    taken, rows = {}, []
    for row in order.tolist():
        kind = int(y[row])
        if taken.get(kind, 0) < per_class:
            taken[kind] = taken.get(kind, 0) + 1
            rows.append(row)
    return torch.tensor(sorted(rows))


def shuffled(seed: int, N: int) -> Tensor:
    return torch.randperm(N, generator=generator(seed))


def subset_trial(seed: int, N: int, classes: int, per_class: int) -> tuple:
    """Classes of different sizes, each large enough."""
    y = torch.cat([torch.arange(classes).repeat(per_class), draw_labels(seed, N - classes * per_class, classes)])
    return y[shuffled(seed + 50, N)], per_class, shuffled(seed, N)


def rows_of_each(y: Tensor, order: Tensor, pick) -> Tensor:
    return torch.cat([pick(order[y[order] == c]) for c in y.unique()]).sort().values


def as_met(y: Tensor, per_class: int, order: Tensor) -> Tensor:
    """The right rows in the order of the walk."""
    kept = nested_subset_loop(y, per_class, order)
    return order[torch.isin(order, kept)]


NESTED = Exercise(
    "nested_subset", nested_subset_loop,
    trials=lambda: [
        (torch.tensor([0, 1, 0, 1, 0, 1]), 1, torch.tensor([4, 2, 5, 0, 3, 1])),
        subset_trial(1, 12, 3, 2),
        subset_trial(2, 40, 4, 5),
        subset_trial(3, 30, 2, 7),
        subset_trial(4, 60, 12, 3),
    ],
    mistakes=(
        mistake("positions instead of rows", "You return places in `order`. The row that stands at a place is `order[place]`.",
                lambda y, n, order: torch.cat([(y[order] == c).nonzero()[:n, 0] for c in y.unique()]).sort().values),
        mistake("labels instead of rows", "You return the labels themselves. Return the numbers of their rows: order[y[order] == c].",
                lambda y, n, order: torch.cat([y[order][y[order] == c][:n] for c in y.unique()]).sort().values),
        mistake("one too many", "You keep `per_class` + 1 of each class: stop as soon as `per_class` are there.",
                lambda y, n, order: rows_of_each(y, order, lambda rows: rows[: n + 1])),
        mistake("order not used", "You take the first rows of each class as they stand in y, whatever the order. A seed would "
                "change nothing.",
                lambda y, n, order: rows_of_each(y, torch.arange(len(y)), lambda rows: rows[:n])),
        mistake("labels not reordered", "You compare `y == c` and index `order` with it. Where row order[i] stands in the walk, "
                "its class is y[order[i]].",
                ("[order]", "")),
        mistake("the last of each class", "You keep the last of each class. Keep the first `per_class` that are met.",
                ("][:", "].flip(0)[:")),
        mistake("not balanced", "You cut once for all classes together. Each class must get exactly `per_class`: cut class by class.",
                lambda y, n, order: order[: n * len(y.unique())].sort().values, lambda y, n, order: order[:n].sort().values,
                lambda y, n, order: torch.cat([order[y[order] == c] for c in y.unique()])[: n * len(y.unique())].sort().values),
        mistake("not sorted", "The rows are the right ones, but not in ascending order. Sort them.",
                lambda y, n, order: torch.cat([order[y[order] == c][:n] for c in y.unique()]), as_met),
        mistake("a mask", "You return True and False for each row. Return the numbers of the rows: mask.nonzero().flatten().",
                lambda y, n, order: torch.isin(torch.arange(len(y)), nested_subset_loop(y, n, order))),
        mistake("classes of the rows", "You return the classes of the rows. Return the numbers of the rows.",
                lambda y, n, order: y[nested_subset_loop(y, n, order)]),
        mistake("order taken for ranks", "You read order[i] as the time at which row i is met. It is the row that is met at time i.",
                lambda y, n, order: nested_subset_loop(y, n, order.argsort())),
        mistake("places of the sort", "sort gives .values and .indices. The rows are the values.", (".values", ".indices")),
        mistake("shared among the classes", "You divide `per_class` by the number of classes. Each class gets `per_class`.",
                ("[:per_class]", "[: per_class // len(y.unique())]")),
        mistake("the last class left out", "range(y.max()) ends before the last class. Take those that there are: y.unique().",
                ("y.unique()", "range(int(y.max()))")),
        mistake("ten classes", "You count on ten classes. Take those that there are: y.unique().", ("y.unique()", "range(10)")),
    ),
)  # fmt: skip


def rates_per_layer_loop(layers: int, lr: float, decay: float) -> Tensor:
    rates, rate = [], float(lr)
    for _ in range(layers):
        rates = [rate, *rates]
        rate = rate * decay
    return torch.tensor(rates, dtype=torch.float64)


def powers(layers: int) -> Tensor:
    return torch.arange(layers, dtype=torch.float64)


RATES = Exercise(
    "rates_per_layer", rates_per_layer_loop, trials=lambda: [(3, 1.0, 0.5), (7, 0.01, 0.7), (1, 0.1, 0.3), (4, 2.0, 1.0)],
    mistakes=(
        mistake("upside down", "Your rates fall towards the output. The layer next to the input learns most slowly.",
                ("torch.arange(layers - 1, -1, -1)", "torch.arange(layers)")),
        mistake("one power too many", "Your last layer gets lr * decay. It learns with lr itself.",
                ("lr *", "lr * decay *")),
        mistake("one power too few", "Your last layer gets lr / decay. Its power must be 0: layers count from 0 to layers - 1.",
                ("lr *", "lr / decay *")),
        mistake("one rate for all", "All layers get one rate. Each has `decay` times the rate of the next.",
                lambda n, lr, d: torch.full((n,), lr * d), lambda n, lr, d: torch.full((n,), lr)),
        mistake("multiplied instead of raised", "You multiply decay by the distance. Each layer multiplies the rate once more: a "
                "power.",
                lambda n, lr, d: lr * d * powers(n).flip(0)),
        mistake("a straight line", "Your rates fall along a straight line. Each is `decay` times the next: a power.",
                lambda n, lr, d: lr * (1 - (1 - d) * powers(n).flip(0)), lambda n, lr, d: lr * torch.linspace(d, 1, n),
                lambda n, lr, d: lr * torch.linspace(d ** (n - 1), 1, n)),
        mistake("lr for the first", "Your first layer gets lr, and the later ones more. The last one learns with lr, all others with less.",
                lambda n, lr, d: lr / d ** powers(n)),
        mistake("subtracted", "You take `decay` off at each step. Each layer has `decay` times the next one's rate: a power.",
                ("* decay **", "- decay *")),
        mistake("twelve layers", "You count on 12 layers. The last one is number `layers` - 1.",
                ("(layers - 1, -1, -1)", "(11, 11 - layers, -1)")),
        mistake("no lr", "These are the shares alone. Multiply by lr.", lambda n, lr, d: d ** powers(n).flip(0)),
        mistake("lr raised too", "You raise lr to the power as well. Only decay is raised: lr * decay ** power.",
                lambda n, lr, d: (lr * d) ** powers(n).flip(0)),
        mistake("1 - decay", "You multiply by 1 - decay. A layer learns with `decay` times the rate of the next: decay is "
                "what is left, not what is lost.",
                lambda n, lr, d: lr * (1 - d) ** powers(n).flip(0)),
        mistake("one rate for all but the last", "All layers before the last get lr * decay. Each is `decay` times the next "
                "one: the further from the output, the higher the power.",
                lambda n, lr, d: lr * d ** powers(n).flip(0).clamp(max=1)),
        mistake("growing", "You divide by decay, so the layers near the input learn fastest. Multiply.",
                lambda n, lr, d: lr / d ** powers(n).flip(0)),
    ),
)  # fmt: skip


def consistency_loss_loop(weak: Tensor, strong: Tensor, threshold: float) -> Tensor:
    total = torch.zeros((), dtype=torch.float64) + 0 * strong.double().sum()
    for i in range(len(weak)):
        row = [math.exp(v) for v in weak[i].double().tolist()]
        guess = row.index(max(row))
        if row[guess] / sum(row) >= threshold:
            s = strong[i].double()
            total = total - torch.log(s[guess].exp() / s.exp().sum())
    return total / len(weak)


def sure(p: Tensor, threshold: float) -> Tensor:
    return p.max(1).values >= threshold


def each(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits, labels, reduction="none")


def divergence(strong: Tensor, weak: Tensor) -> Tensor:
    return F.kl_div(strong.log_softmax(1), weak.detach().softmax(1), reduction="none").sum(1)


FIXMATCH = Exercise(
    "consistency_loss", consistency_loss_loop, grad=True,
    trials=lambda: [
        (torch.tensor([[2.0, 0.0], [0.5, 0.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]]), 0.8),
        (draw(1, 6, 3, spread=2.0), draw(2, 6, 3), 0.7),
        (draw(3, 16, 10, spread=3.0), draw(4, 16, 10, spread=2.0), 0.6),
        (draw(5, 8, 4, spread=2.0), draw(6, 8, 4), 0.5),
        (torch.tensor([[200.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]]), 1.0),  # sure: at least 1
    ],
    mistakes=(
        mistake("mean over the sure ones", "You divide by how many count. FixMatch divides by all N, so few sure guesses weigh little.",
                lambda w, s, t: ( (each(s, w.argmax(1)) * sure(w.softmax(1), t)).sum() / sure(w.softmax(1), t).sum().clamp(min=1) )),
        mistake("views exchanged", "You guess on the strong view and train the weak one. The weak view guesses: it is easier to "
                "be right there.",
                lambda w, s, t: (each(w, s.argmax(1)) * sure(s.softmax(1), t)).mean()),
        mistake("weak view not used", "The strong view guesses and is trained on its own guess. Guess on the weak view, and "
                "ask the strong one to repeat it.",
                lambda w, s, t: (each(s, s.argmax(1)) * sure(s.softmax(1), t)).mean()),
        mistake("labels of the strong view", "You take the strong view's own guess for the label. The weak view gives both, how sure it "
                "is and the label.", lambda w, s, t: (each(s, s.argmax(1)) * sure(w.softmax(1), t)).mean()),
        mistake("both views sure", "You ask that both views be sure. How sure the weak view is decides alone.",
                lambda w, s, t: (each(s, w.argmax(1)) * (sure(w.softmax(1), t) & sure(s.softmax(1), t))).mean()),
        mistake("logits zeroed", "You multiply the logits by 0 where the guess is unsure. Such a row still pays ln K: leave its loss out "
                "instead.",
                (("cross_entropy(strong,", "cross_entropy(strong * (confidence >= threshold)[:, None],"),
                    ("losses * (confidence >= threshold)", "losses"))),
        mistake("mean before the threshold", "You take the mean of the losses first and multiply by the share of sure "
                "guesses. Leave out the unsure images one by one, with reduction='none', then take the mean.",
                lambda w, s, t: F.cross_entropy(s, w.argmax(1)) * sure(w.softmax(1), t).float().mean()),
        mistake("weighted by how sure it is", "You multiply each loss by the probability of its guess. A guess counts fully or not at all.",
                lambda w, s, t: (each(s, w.argmax(1)) * w.detach().softmax(1).amax(1) * sure(w.softmax(1), t)).mean(),
                lambda w, s, t: (each(s, w.argmax(1)) * w.detach().softmax(1).amax(1)).mean()),
        mistake("softmax over the batch", "Your softmax over the weak view runs over the images. It runs over the classes: dim=1.",
                ("softmax(dim=1)", "softmax(dim=0)")),
        mistake("above the threshold only", "A guess that is exactly as sure as the threshold counts too: >=.",
                (">= threshold", "> threshold")),
        mistake("no threshold", "Every guess counts in your loss, sure or not.", ("losses * (confidence >= threshold)", "losses")),
        mistake("the unsure ones", "You keep the guesses below the threshold.", (">= threshold", "< threshold")),
        mistake("threshold on logits", "You compare logits with the threshold. It is one for probabilities: take the softmax first.",
                ("softmax(dim=1).", "")),
        mistake("confidence of the strong view", "You take the strong view's probability for the threshold. How sure the weak "
                "view is decides.",
                lambda w, s, t: (each(s, w.argmax(1)) * sure(s.softmax(1), t)).mean()),
        mistake("trained on the weak view", "You train the weak view on its own guess. The strong view must repeat it.",
                ("strong,", "weak,")),
        mistake("soft labels", "You use the weak view's probabilities as the target. FixMatch takes the most probable class alone.",
                lambda w, s, t: (each(s, w.detach().softmax(1)) * sure(w.softmax(1), t)).mean(),
                lambda w, s, t: (each(s, w.softmax(1)) * sure(w.softmax(1), t)).mean(),
                lambda w, s, t: ((divergence(s, w) * sure(w.softmax(1), t)).mean()),
                lambda w, s, t: ((s.softmax(1) - w.detach().softmax(1)).square().mean(1) * sure(w.softmax(1), t)).mean()),
        mistake("sum", "You add up the images. Take the mean over all N.",
                ('F.cross_entropy(strong, labels, reduction="none")', '(F.cross_entropy(strong, labels, reduction="none")) * len(weak)')),
        mistake("softmax twice", "F.cross_entropy takes logits and applies softmax itself.", ("strong,", "strong.softmax(1),")),
        mistake("no stop-gradient", "The value is right, but a gradient reaches the weak view's logits. The guess is a target: "
                "detach it.",
                lambda w, s, t: ( each(s, w.argmax(1)) * sure(w.softmax(1),
                    t) * (w.softmax(1).amax(1) / w.softmax(1).amax(1).detach()) ).mean()),
    ),
)  # fmt: skip


def labels_saved_loop(counts: Tensor, accuracy: Tensor, target: float) -> Tensor:
    """Walks along the logarithm by bisection on the curve itself."""
    points = [(math.log(c), a) for c, a in zip(counts.double().tolist(), accuracy.double().tolist())]

    def curve(at: float) -> float:
        for (x0, a0), (x1, a1) in zip(points, points[1:]):
            if at <= x1:
                return a0 + (a1 - a0) * (at - x0) / (x1 - x0)
        return points[-1][1]

    if target <= points[0][1]:
        return torch.tensor(math.exp(points[0][0]), dtype=torch.float64)
    if target > points[-1][1]:
        return torch.tensor(math.inf, dtype=torch.float64)
    low, high = points[0][0], points[-1][0]
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if curve(middle) < target else (low, middle)
    return torch.tensor(math.exp(high), dtype=torch.float64)


def saved_by(interpolate, beyond=math.inf):
    """labels_saved with another way between two counts, or another answer where the target is not reached."""

    def form(counts: Tensor, accuracy: Tensor, target: float) -> float:
        if target <= accuracy[0]:
            return float(counts[0])
        if target > accuracy[-1]:
            return beyond if beyond is not None else float(counts[-1])
        i = int((accuracy >= target).nonzero()[0, 0])
        share = float((target - accuracy[i - 1]) / (accuracy[i] - accuracy[i - 1]))
        return float(interpolate(float(counts[i - 1]), float(counts[i]), share))

    return form


def log_straight(a: float, b: float, share: float) -> float:
    """On the way from a to b, in the logarithm."""
    return a * (b / a) ** share


def below(answer):
    """labels_saved with another answer where the first count is enough already."""

    def form(counts: Tensor, accuracy: Tensor, target: float) -> float:
        right = saved_by(log_straight)
        return (answer if target < accuracy[0] else right)(counts, accuracy, target)

    return form


def on_the_line(counts: Tensor, accuracy: Tensor, target: float, one: int, other: int) -> float:
    """Where the straight line through two points of the curve reaches the target."""
    share = float((target - accuracy[one]) / (accuracy[other] - accuracy[one]))
    return log_straight(float(counts[one]), float(counts[other]), share)


def outward(counts: Tensor, accuracy: Tensor, target: float) -> float:
    """Along the first or the last piece where the target lies beyond the curve."""
    after = min(max(int((accuracy < target).sum()), 1), len(counts) - 1)
    return on_the_line(counts, accuracy, target, after - 1, after)


def log_of_accuracy(forth=torch.log, back=math.exp):
    """labels_saved on a curve of log accuracy over `forth` of the labels."""

    def form(counts: Tensor, accuracy: Tensor, target: float) -> float:
        if target <= accuracy[0] or target > accuracy[-1]:
            return saved_by(log_straight)(counts, accuracy, target)
        after = int((accuracy >= target).nonzero()[0, 0])
        (low, high), (a, b) = (
            forth(counts[after - 1 : after + 1]).tolist(),
            accuracy[after - 1 : after + 1].log().tolist(),
        )
        return back(low + (math.log(target) - a) / (b - a) * (high - low))

    return form


def nearest(counts: Tensor, accuracy: Tensor, target: float) -> float:
    return math.inf if target > accuracy[-1] else float(counts[(accuracy - target).abs().argmin()])


CURVE = (torch.tensor([1.0, 10.0, 100.0]), torch.tensor([0.1, 0.3, 0.7]))
LONGER = (torch.tensor([2.0, 3.0, 5.0, 10.0, 50.0]), torch.tensor([0.12, 0.2, 0.26, 0.5, 0.55]))
EXACT = (torch.tensor([1.0, 10.0]), torch.tensor([0.25, 0.75]))  # alike in float32 and float64

SAVED = Exercise(
    "labels_saved", labels_saved_loop, 
    trials=lambda: [(*CURVE, 0.5), (*CURVE, 0.3), (*LONGER, 0.4), (*LONGER, 0.05), (*LONGER, 0.6), (*LONGER, 0.22), (*EXACT, 0.75)],
    mistakes=(
        mistake("straight in the labels", "You interpolate over the labels themselves. Over their logarithm the curve is closer "
                "to a straight line.",
                saved_by(lambda a, b, s: a + s * (b - a))),
        mistake("the next count", "You return the first measured count that reaches the target. Go on between the counts.",
                ("counts[after - 1]", "counts[after]")),
        mistake("the count before", "You return the last count below the target. That many labels are not enough.",
                ("after])", "after - 1])")),
        mistake("share upside down", "You go the remaining share of the way. The share is (target - accuracy before) / (accuracy "
                "after - accuracy before).",
                ("low, high", "high, low")),
        mistake("enough already", "Where the first count reaches the target, there is no count before it: return counts[0].",
                below(lambda c, a, t: on_the_line(c, a, t, -1, 0)), below(lambda c, a, t: on_the_line(c, a, t, 0, 1)),
                below(lambda c, a, t: 0.0), below(lambda c, a, t: math.inf), below(lambda c, a, t: math.nan)),
        mistake("the nearest count", "You return the measured count whose accuracy is nearest to the target. Go on between the counts.",
                nearest),
        mistake("logarithm of the accuracy", "You take the logarithm of the accuracy. Take that of the number of labels; the "
                "accuracy stays as it is.",
                log_of_accuracy(), log_of_accuracy(lambda counts: counts, lambda found: found)),
        mistake("two logarithms", "You take one logarithm and undo another: exp undoes math.log, 10 ** undoes math.log10, 2 ** undoes "
                "math.log2.",
                saved_by(lambda a, b, s: math.exp(math.log10(a) + s * (math.log10(b) - math.log10(a)))),
                saved_by(lambda a, b, s: math.exp(math.log2(a) + s * (math.log2(b) - math.log2(a))))),
        mistake("never reached", "A target that the curve never reaches needs more labels than were measured: return infinity "
                "(math.inf).",
                saved_by(log_straight, beyond=None), saved_by(log_straight, beyond=-1.0), saved_by(log_straight, beyond=0.0),
                saved_by(log_straight, beyond=math.nan),
                lambda c, a, t: on_the_line(c, a, t, -2, -1) if t > a[-1] else saved_by(log_straight)(c, a, t)),
        mistake("the ends not treated", "You go on along the line beyond both ends of the curve. Before the first count return "
                "counts[0], beyond the last one infinity.", outward),
        mistake("whole labels", "You round to a whole number of labels. Return the number as it is.",
                *(saved_by(lambda a, b, s, whole=whole: whole(log_straight(a, b, s))) for whole in (math.ceil, round, int))),
        mistake("relative to the first count", "You divide by the first count, or take it off. Return the number of labels itself.",
                lambda c, a, t: saved_by(log_straight)(c, a, t) / float(c[0]),
                lambda c, a, t: saved_by(log_straight)(c, a, t) - float(c[0])),
        mistake("reached at the end", "The last count reaches the target exactly, and you return infinity. That is for targets above it.",
                ("target > accuracy[-1]", "target >= accuracy[-1]")),
        mistake("an interval too late", "You interpolate after the first count that reaches the target. It lies before it.",
                ("[0, 0])", "[0, 0]) + (target > accuracy[0] and target <= accuracy[-2])")),
        mistake("half of the way", "You go half of the way between the counts. The share is (target - accuracy before) / (accuracy after - "
                "accuracy before).", ("float(share)", "0.5")),
        mistake("one line for all", "You draw one line from the first count to the last. Interpolate between the two counts "
                "around the target.",
                lambda c, a, t: (on_the_line(c, a, t, 0, -1) if a[0] < t <= a[-1] else saved_by(log_straight)(c, a, t))),
        mistake("logarithm not undone", "You return the logarithm of the number of labels: take exp of it.",
                ("math.exp(low + float(share) * (high - low))", "low + float(share) * (high - low)")),
    ),
)  # fmt: skip

EXERCISES = [NESTED, RATES, FIXMATCH, SAVED]
