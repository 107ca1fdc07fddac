"""What the benchmarks measured, as the chapters show it. `results/` holds a file for each, with the command that made it."""

import json
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

from sslkit import plots
from sslkit.chapters import names, part
from sslkit.datasets.root import RESULTS


class NotMeasured(LookupError):
    """What no benchmark has put into results/ yet."""


class Measured(dict):
    """A part of a file of results/, which says what it lacks."""

    def __missing__(self, key: str) -> Any:
        raise NotMeasured(f"there is no {key!r} in it")


def results(name: str) -> Measured:
    """results/NAME.json of the kit; NotMeasured where there is none, or later, for what is not in it."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        raise NotMeasured(f"there is no {path}")
    return json.loads(path.read_text(encoding="utf-8"), object_hook=Measured)


def by_row(table: dict[str, dict], rows: dict[str, str] | None = None) -> dict[str, dict]:
    """{judge: {row: values}} turned round, as plots.scoreboard wants it: {row: {judge: values}}. rows: those to keep, in
    this order, each with the name it is shown by."""
    names = rows or {name: name for values in table.values() for name in values}
    return {
        shown: {judge: values[name] for judge, values in table.items() if name in values}
        for name, shown in names.items()
    }


def seeds_of(found: dict[str, Any], shown: dict[str, dict] | None = None) -> str:
    """How many seeds a result has, in words for a caption; shown: the rows that it speaks of, since some may have one alone."""
    made = {len(values) for row in (shown or {}).values() for values in row.values() if isinstance(values, list)}
    n = max(made or {len(found["seeds"])})
    if n == 1:
        return "one seed"
    fewer = made - {n}
    if not fewer:
        return f"{n} seeds"
    return (
        f"{n} seeds ({'one where a bar has no dots' if fewer == {1} else 'fewer where a bar has fewer dots or none'})"
    )


def or_a_note(draw: Callable[..., plots.Picture]) -> Callable[..., plots.Picture]:
    """A note in place of a picture whose results were not made yet, or not all of them."""

    @wraps(draw)
    def drawn(*args: Any, **options: Any) -> plots.Picture:
        try:
            return draw(*args, **options)
        except NotMeasured as error:
            title = signature(draw).bind(*args, **options).arguments.get("title", "Still to come")
            how = "tests/benchmarks/README.md says which command does it."
            return plots.note(title, f"Not measured yet: {error}. {how}")

    return drawn


@or_a_note
def scoreboard(
    name: str,
    rows: dict[str, str] | None = None,
    title: str = "",
    highlight: str | None = None,
    also: dict[str, str] | None = None,
    things: str = "images",
) -> plots.Picture:
    """A table of results/NAME.json: rows by judges, a dot for each seed; which split, how many seeds and the command are
    said below, and beside a row how many steps it had where it had others. rows: as in by_row; without, the broken runs that
    `bugs` asks about stay out. also: {shown as: what else the
    runs of an ablation keep}, such as {"rank of h": "rank of h"}; things: what a batch holds."""
    found = results(name)
    for shown, key in (also or {}).items():
        kept = {row: [run[key] for run in runs.values() if key in run] for row, runs in found["runs"].items()}
        found["rows"][shown] = {row: values for row, values in kept.items() if values}
    recipe = found.get("recipe", found)
    split = found.get("split", "test")
    if rows is None:
        secret = secrets(name)
        rows = {row: row for row in by_row(found["rows"]) if row not in secret}
    labels = {label: label + of_other_length(found, row) for row, label in rows.items()}
    table = by_row(found["rows"], {row: labels[label] for row, label in rows.items()})
    highlight = labels.get(highlight, highlight) if highlight else highlight
    seeds = seeds_of(found, table).capitalize()
    caption = f"{seeds}, {recipe['steps']:,} steps of {recipe['batch']} {things}; {split} split."
    return plots.scoreboard(table, title=title, caption=f"{caption} {found['command']}.", highlight=highlight)


def of_other_length(found: dict[str, Any], row: str) -> str:
    """How many steps a row of ablations had, " (630 steps)", where the recipe has others; else nothing."""
    runs = list(found.get("runs", {}).get(row, {}).values())
    if not runs or not runs[0].get("curve"):
        return ""
    steps = runs[0]["curve"][-1][0]
    return "" if steps == found.get("recipe", found).get("steps") else f" ({steps:,} steps)"


def secrets(name: str) -> set[str]:
    """Of results/NAME.json, the runs of a chapter's ablations that were made for `bugs` alone."""
    chapter = name.removeprefix("ablations/").rpartition("_")[0]
    module = part(chapter, "ablations") if chapter in names() else None
    if module is None:
        return set()
    return {run for run in getattr(module, "BUGS", {}).values() if module.ABLATIONS[run].once}


@or_a_note
def losses(
    name: str,
    runs: dict[str, str],
    title: str = "",
    caption: str = "",
    chance: float | None = None,
    level: str = "chance",
) -> plots.Picture:
    """Loss curves of runs in results/NAME.json (seed 0), {shown as: run}, against the chance level, or another of that name."""
    found = results(name)["runs"]
    curves = {shown: tuple(zip(*found[run]["0"]["curve"])) for shown, run in runs.items()}
    return plots.losses(curves, chance=chance, title=title, caption=caption, level=level)


@or_a_note
def along(methods: dict[str, str], title: str, data: str = "scenes") -> plots.Picture:
    """How kNN rises with the images that the shelf's runs have seen, {method: shown as}: of results/shelf/METHOD_DATA.json."""
    found = {shown: results(f"shelf/{method}_{data}") for method, shown in methods.items()}
    curves = {}
    for shown, kept in found.items():
        path, batch = kept["along the way (val, kNN)"], kept["recipe"]["batch"]
        curves[shown] = ([step * batch / 1e6 for step in path["step"]], [100 * knn for knn in path["knn"]])
    ends = ", ".join(f"{shown} {kept['core_seconds'][0] / 60:.0f}" for shown, kept in found.items())
    shelf = sorted(
        path.stem for path in (RESULTS / "shelf").glob(f"*_{data}.json")
    )  # a method has one colour in all chapters
    colours = [plots.COLOURS[shelf.index(f"{method}_{data}") % len(plots.COLOURS)] for method in methods]
    caption = f"All validation images, labels of 5,000 training images; seed 0, tests/benchmarks/shelf.py. Minutes of one core: {ends}."
    axes = {"ylabel": "kNN (%)", "xlabel": "million images seen"}
    return plots.losses(curves, window=1, title=title, caption=caption, colours=colours, **axes)


def bugs(chapter: str, data: str = "scenes", chance: float | None = None, level: str = "chance") -> plots.Picture:
    """Loss curves of a chapter's run as it is and of its broken ones, A, B, C. Which is which stands in its ablations, as
    BUGS, and not above the figure."""
    named = part(chapter, "ablations").BUGS  # type: ignore[union-attr]  # whoever asks has declared them
    runs = {"as it should be": "as it is", **named}
    title = "Three bugs, three curves: what went wrong?"
    return losses(f"ablations/{chapter}_{data}", runs, title=title, chance=chance, level=level)
