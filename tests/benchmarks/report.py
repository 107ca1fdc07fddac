"""Write what was measured into README.md, and cut its pictures out of the notebooks: nothing there is typed in by hand.

    python tests/benchmarks/report.py            rewrite
    python tests/benchmarks/report.py --check    only say whether it is up to date (a test does)

Between `<!-- syllabus -->` and `<!-- /syllabus -->` goes a row per notebook, with the minutes and memory of its
committed run; between the marks of `results`, the tables of results/*.json.
"""

import base64
import json
import re
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "notebooks" / "pictures"
COURSE = {  # notebook: (what it is about, words in the alt text of its picture)
    "00_start_here": ("The two stages in one sitting: pretrain without labels, then ten labels of each kind.", "after pretraining"),
    "02_judging": ("The judges before the methods: kNN, linear probe, few labels, t-SNE and how it misleads, rank, collapse.", "t-SNE"),
    "03_rotation": ("The simplest pretext task: how was the image turned? What it cannot learn, and the shortcuts it takes.", "turn"),
    "10_simclr": ("Contrastive learning, from a loop over pairs to the matrix form; views, projector, temperature.", "views"),
}  # fmt: skip


def picture(nb: dict, words: str) -> bytes:
    """The first figure whose alt text has these words, else the first."""
    found = [
        (output["metadata"]["image/png"]["alt"], "".join(output["data"]["image/png"]))
        for cell in nb["cells"]
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    chosen = next((png for alt, png in found if words.lower() in alt.lower()), found[0][1])
    return base64.b64decode(chosen)


def syllabus() -> tuple[str, dict[Path, bytes]]:
    """The table, and the pictures it shows by path."""
    lines, pictures = ["| | chapter | what you see | minutes |", "|---|---|---|---|"], {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        nb, (about, words) = json.loads(path.read_text()), COURSE[path.stem]
        pictures[PICTURES / f"{path.stem}.png"] = picture(nb, words)
        title = next(
            line for cell in nb["cells"] for line in "".join(cell["source"]).splitlines() if line.startswith("# ")
        ).removeprefix("# ")
        minutes = nb["metadata"].get("sslkit", {}).get("seconds", 0) / 60
        image = f'<img src="notebooks/pictures/{path.stem}.png" width="220" alt="{title}">'
        lines.append(f"| {image} | [{path.stem}](notebooks/{path.name}): {title} | {about} | {minutes:.1f} |")
    return "\n".join(lines), pictures


def results() -> str:
    """Tables of what the benchmarks measured."""
    parts = []
    measured = json.loads((ROOT / "results/simclr_scenes.json").read_text())
    parts.append(
        f"SimCLR's laptop recipe on `{measured['data']}` ({measured['steps']} steps of {measured['batch']} images, "
        f"{statistics.mean(measured['training_seconds']):.0f} s of training), test accuracy in %, "
        f"mean ± standard deviation over {len(measured['seeds'])} seeds. `{measured['command']}`\n"
    )
    columns = [judge for judge in measured["rows"] if judge != "effective rank"]
    names = dict.fromkeys(name for judge in columns for name in measured["rows"][judge])
    parts += ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name in names:
        cells = []
        for judge in columns:
            values = measured["rows"][judge].get(name)
            cells.append(
                f"{100 * statistics.mean(values):.1f} ± {100 * statistics.stdev(values):.1f}" if values else ""
            )
        parts.append(f"| {name} | " + " | ".join(cells) + " |")
    speed = json.loads((ROOT / "results/speed.json").read_text())
    mean = {name: statistics.mean(values) for name, values in speed["images_per_second"].items()}
    parts.append(
        f"\nSpeed of its training, two views of each image, on {speed['threads']} cores in {speed['precision'].removeprefix('torch.')}: "
        f"{mean['sslkit']:,.0f} images/s; with ready views {mean['ready']:,.0f}"
        + (
            f"; lightly's documented pipeline with the same encoder and batch {mean['lightly']:,.0f}"
            if "lightly" in mean
            else ""
        )
        + f". `{speed['command']}`"
    )
    return "\n".join(parts)


def put(text: str, mark: str, content: str) -> str:
    """The text with what stands between the marks replaced."""
    pattern = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"README.md has lost its marks <!-- {mark} --> and <!-- /{mark} -->")
    return pattern.sub(lambda match: match[1] + content + "\n" + match[2], text)


def main() -> int:
    readme = ROOT / "README.md"
    before = readme.read_text()
    table, pictures = syllabus()
    after = put(put(before, "syllabus", table), "results", results())
    stale = [path.name for path, png in pictures.items() if not path.exists() or path.read_bytes() != png]
    if "--check" in sys.argv[1:]:
        if stale or after != before:
            print("README.md or its pictures are out of date: python tests/benchmarks/report.py")
        return int(bool(stale) or after != before)
    PICTURES.mkdir(exist_ok=True)
    for path, png in pictures.items():
        path.write_bytes(png)
    readme.write_text(after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
