"""What the benchmarks share: mean and spread, a printed table, settings, the machine, the file that is written."""

import json
import statistics
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
