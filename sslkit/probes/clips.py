"""What a network knows of clips: what is measured in each frame, the kind, and whether it predicts."""

from typing import Any

import torch
from torch import Tensor, nn

from sslkit.datasets import Dataset, Split
from sslkit.nets import device_of, evaluating, to_input
from sslkit.probes.features import features, labels_of, reinitialised
from sslkit.probes.linear import quick_linear_probe
from sslkit.probes.ridge import ridge_probe


def measured(split: Split) -> dict[str, Tensor]:
    """{name: [N]} of what is known of each frame of a split of clips, in their last frame: real factors [N, T]."""
    frames = split.x.shape[1]
    known = {name: v for name, v in split.factors.items() if v.is_floating_point() and v.shape[1:] == (frames,)}
    return {name: values[:, -1] for name, values in known.items()}


@torch.no_grad()
def prediction_error(method: Any, x: Tensor, batch: int = 250) -> float:
    """Squared error over that of copying the last frame, for the last frame of clips x uint8 [N, T, C, H, W] predicted
    from those before, of a method with predict(). nan where nothing moves."""
    above, below = 0.0, 0.0
    with evaluating(method):
        for piece in x.split(batch):
            piece = to_input(piece, device_of(method))
            prediction = method.predict(piece[:, :-1])[0]
            above += (prediction - piece[:, -1]).square().sum().item()
            below += (piece[:, -2] - piece[:, -1]).square().sum().item()
    return above / below if below else float("nan")


def clip_report(method: nn.Module, data: Dataset, name: str = "this run") -> str:
    """A table in words for a method trained on clips, and for the same network untrained, on the test split.

    The R2 of a ridge probe for each number that is known of each frame (in the last one), the accuracy of a linear
    probe for the class where clips have one, the error of the predicted frame over that of copying the last one where
    the method predicts. Settings are chosen on val. A set of which nothing is known gets the last alone.
    """
    names, lines = list(measured(data.test)), []
    networks = {"untrained": reinitialised(method), name: method}
    for label, network in networks.items():
        cells = []
        if names or data.classes:
            h = [features(network, split.x) for split in (data.train, data.val, data.test)]
        if names:
            y = [torch.stack(list(measured(split).values()), 1) for split in (data.train, data.val, data.test)]
            score = ridge_probe(h[0], y[0], h[1], y[1]).score(h[2], y[2])
            cells += [f"R2 of {factor} {value:.3f}" for factor, value in zip(names, score.tolist())]
        if data.classes:
            y_train, y_val, y_test = labels_of(data)
            probe = quick_linear_probe(h[0], y_train, h[1], y_val)
            cells.append(f"class {probe.score(h[2], y_test):.1%}")
        if hasattr(network, "predict"):
            cells.append(f"error / copying {prediction_error(network, data.test.x):.3f}")
        lines.append(f"{label:12} {'   '.join(cells)}")
    caption = f"{data.name}: {len(data.test):,} test clips, probes fitted on {len(data.train):,}; below 1 the prediction beats copying."
    return "\n".join([*lines, caption])
