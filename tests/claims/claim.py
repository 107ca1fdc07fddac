"""Sentences with numbers are written by a person and held by a test: quote the sentence, and say what must be true for it to stand."""

import json
import re
from collections.abc import Iterable
from statistics import mean

from sslkit.notebooks import files

ROOT = files.ROOT


def said(where: str) -> str:
    """All text of a page ("README.md"), or of a notebook by its name ("10_simclr"), titles of figures included, with single blanks."""
    if where.endswith(".md"):
        text = (ROOT / where).read_text(encoding="utf-8")
    else:
        nb = files.read(ROOT / "notebooks" / f"{where}.ipynb")
        text = "\n".join(cell.source for cell in nb.cells)
    return " ".join(text.split())


def claim(where: str, sentence: str, holds: bool) -> None:
    """Fail, naming the sentence, when it is not written there as quoted, or when the results no longer carry it."""
    assert " ".join(sentence.split()) in said(where), f"{where} no longer says: {sentence}"
    assert holds, f"the results no longer carry what {where} says: {sentence}"


def shown(where: str) -> str:
    """What the committed outputs of a notebook say, as plain text: what it printed, tables, and the descriptions of its figures."""
    nb = files.read(ROOT / "notebooks" / f"{where}.ipynb")
    outputs = [output for cell in nb.cells for output in cell.get("outputs", [])]
    found = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    return "\n".join(found)


def board(where: str, row: str) -> list[float]:
    """The numbers in a row of a notebook's scoreboard, in %: kNN, linear probe, ..."""
    (line,) = [line for line in shown(where).splitlines() if re.match(rf"{re.escape(row)}  +\d", line)]
    return numbers(line.removeprefix(row))


def panels(where: str, title: str) -> dict[str, list[float]]:
    """The numbers of a scoreboard that a notebook shows, row by row in each panel, by how its title begins."""
    (line,) = {line for line in shown(where).splitlines() if line.startswith("Scoreboard. ") and f". {title}" in line}
    described = line.removeprefix("Scoreboard. ").split(". ")[0].split("; ")
    halves = [panel.split(": ", 1) for panel in described]
    return {head: [float(n) for n in re.findall(r" (-?[\d.]+)(?=, |$)", bars)] for head, bars in halves}


def results(name: str) -> dict:
    """A file of results/ by its name."""
    return json.loads((ROOT / "results" / f"{name}.json").read_text())


def rows() -> dict[str, dict[str, float]]:
    """{judge: {row: mean over seeds}} of all methods for images, side by side on scenes."""
    return {judge: {row: mean(v) for row, v in named.items()} for judge, named in results("compare")["rows"].items()}


def rows_of_seed(seed: int) -> dict[str, dict[str, float]]:
    """{judge: {method: accuracy}} of the comparison's runs of one seed, by kNN and linear probe."""
    kept = results("compare")["rows"]
    return {j: {row: v[seed] for row, v in kept[j].items() if len(v) > seed} for j in ("kNN", "linear probe")}


def in_other_batches() -> dict[str, dict[str, float]]:
    """The same of results/batches.json: as many image passes, but SimCLR in batches of 64, and of 256 those that have 64."""
    return _judged(run for run in results("batches")["runs"] if run["data"] == "scenes")


def beside_simclr(method: str) -> str:
    """The table that a chapter shows of these: kNN / linear probe of its method, which has batches of 64, and of SimCLR, which has 256."""
    other, usual = in_other_batches(), rows_of_seed(0)
    cells = [
        " / ".join(f"{100 * table[judge][name] + 1e-6:.1f}" for judge in ("kNN", "linear probe"))
        for table, name in ((usual, method), (other, "simclr"), (other, method), (usual, "simclr"))
    ]
    large = f"| batches of 256, a quarter of the steps | {cells[2]} | {cells[3]} |"
    return f"| batches of 64 | {cells[0]} | {cells[1]} | {large}"


def on_photographs() -> dict[str, dict[str, float]]:
    """The same of CIFAR-10's photographs, each method in batches of its own recipe's size."""
    return _judged(run for run in results("batches")["runs"] if run["data"] == "folder:cifar10")


def after_an_hour(*methods: str) -> dict[str, list[int]]:
    """Of results/shelf, a number for each method: "val", kNN at the end of the way, in %; the judges on test, in %; minutes of one
    core. Of one seed, which those who quote them say."""
    kept = {name: results(f"shelf/{name}_scenes") for name in methods}
    assert all(one["seeds"] == [0] for one in kept.values())
    judges = ("kNN", "linear probe", "few labels")
    found = {judge: [one["rows"][judge][name][0] for name, one in kept.items()] for judge in judges}
    found["val"] = [one["along the way (val, kNN)"]["knn"][-1] for one in kept.values()]
    in_percent = {judge: [round(100 * value) for value in values] for judge, values in found.items()}
    return in_percent | {"minutes": [round(one["core_seconds"][0] / 60) for one in kept.values()]}


def along_the_hour(method: str) -> tuple[list[int], list[float]]:
    """Of the same run: images seen and kNN on validation images, in %, at each moment kept."""
    kept = results(f"shelf/{method}_scenes")
    way = kept["along the way (val, kNN)"]
    return [step * kept["recipe"]["batch"] for step in way["step"]], [100 * knn for knn in way["knn"]]


def _judged(runs: Iterable[dict]) -> dict[str, dict[str, float]]:
    kept = list(runs)
    return {judge: {run["method"]: run[judge] for run in kept} for judge in ("kNN", "linear probe")}


def numbers(sentence: str) -> list[float]:
    """The numbers that a sentence names, for claims that quote them."""
    return [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?:\.\d+)?", sentence)]
