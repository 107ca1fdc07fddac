"""What the benchmarks share: mean and spread, a printed table, settings, the machine, the file that is written."""

import json
import statistics
import time
from functools import lru_cache
from pathlib import Path


def spread(values: list[float], digits: int = 3, width: int = 0) -> str:
    """Mean, right-aligned in `width`, ± standard deviation (0 for one value)."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):{width}.{digits}f} ± {deviation:.{digits}f}"


def percent(values: list[float]) -> str:
    """Mean ± standard deviation of shares, in %; one value alone."""
    more = f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * statistics.mean(values):.1f}{more}"


def print_table(table: dict[str, dict[str, list[float]]], digits: int = 3, width: int = 14) -> None:
    """{title: {row: values}}, a line a row."""
    for title, rows in table.items():
        print(title)
        for row, values in rows.items():
            print(f"  {row:{width}} {spread(values, digits, 8)}   {values}")


def settings(data, seeds: int, recipe) -> dict:
    """The data, the seeds and the length of the runs."""
    return {"data": data.name, "seeds": list(range(seeds)), "steps": recipe.steps, "batch": recipe.batch}


def machine() -> dict:
    """What the numbers depend on besides the code."""
    import torch  # here, because report.py does without

    from sslkit.train import precision

    return {"threads": torch.get_num_threads(), "precision": str(precision("cpu")), "torch": torch.__version__}


def save(path: Path, result: dict) -> None:
    """Write a result as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


def found(name: str) -> dict:
    """A file of results/, {} where it was not made."""
    path = Path(__file__).resolve().parents[2] / "results" / name
    return json.loads(path.read_text()) if path.exists() else {}


def plain(values: list[float]) -> str:
    """Mean ± standard deviation."""
    return f"{statistics.mean(values):.3f}" + (f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else "")


@lru_cache
def scenes(limit: int | None):
    """The set that ablations are made on."""
    from sslkit.datasets import load

    return load("scenes", limit=limit)


def on_val(method, data, bank: int = 5000) -> dict[str, float]:
    """Accuracy on val by kNN and by linear probe, fitted with the labels of `bank` training images, evenly spread: a folder is sorted."""
    from sslkit import probes
    from sslkit.probes.features import evenly

    train, val = data.train[evenly(len(data.train), bank)], data.val
    h, val_h = probes.features(method, train.x), probes.features(method, val.x)
    near = probes.knn_accuracy(h, train.y, val_h, val.y)
    return {"kNN": near, "linear probe": probes.linear_probe(h, train.y, val_h, val.y).val_score}


def cost(fresh, x, recipe, small: bool, steps: int = 9) -> float:
    """Processor seconds of a step of fresh(), a new method; the median, since the first are slow and the machine may be busy."""
    from sslkit.train import train

    recipe = recipe.but(steps=100_000, small_share=1.0 if small else 0.0)
    spent, last = [], time.process_time()
    for record in train(fresh(), x, recipe):
        now = time.process_time()
        spent.append(now - last)
        last = now
        if record.step == steps:
            break
    return statistics.median(spent[2:])
