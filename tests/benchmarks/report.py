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

from tables import percent

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "notebooks" / "pictures"
COURSE = {  # notebook: (what it is about, words in the alt text of its picture)
    "00_start_here": ("The two stages in one sitting: pretrain without labels, then ten labels of each kind.", "after pretraining"),
    "02_judging": ("The judges before the methods: kNN, linear probe, few labels, t-SNE and how it misleads, rank, collapse.", "t-SNE"),
    "03_rotation": ("The simplest pretext task: how was the image turned? What it cannot learn, and the shortcuts it takes.", "turn"),
    "04_patches": ("Two pieces of one picture: where does the second lie? Shortcuts, switched on and off.", "eight pieces"),
    "08_next_frame": ("The next frame of a film: motion kernels, roll-outs, blur, the arrow of time.", "dreams up"),
    "10_simclr": ("Contrastive learning, from a loop over pairs to the matrix form; views, projector, temperature.", "views"),
    "11_moco": ("A queue of keys and a slow teacher; how batch norm gives the answer away.", "under different teachers"),
    "17_mae": ("Hide three quarters and paint them: a Vision Transformer that sees what is left.", "a setting to look at"),
    "19_bert": ("Hide words, guess them from both sides; 80/10/10; ten labels against tf-idf.", "hidden twice"),
    "20_gpt": ("The next word: tokens, a causal mask, sampling, a cache, a leak; bits per byte.", "bits than the bigram"),
    "22_transfer": ("What labels are worth after pretraining; other images; FixMatch as the third way.", "as labels grow"),
    "23_compare": ("All methods side by side: who forgot the colour, who the place? CKA.", "how far the features move when one factor"),
    "25_many_gpus": ("The differentiable gather and the ways to get it wrong; a killed run goes on.", "meets 6, 30 and 30 negatives"),
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
    measured = [json.loads(path.read_text()) for path in sorted((ROOT / "results").glob("*_scenes.json"))]
    judges = [judge for judge in measured[0]["rows"] if judge != "effective rank"]
    parts = [
        "Laptop recipes on `scenes`, test accuracy in %, mean ± standard deviation over seeds; in brackets the same judge of the "
        "method's own network untrained (fine-tuning: trained from scratch). `python tests/benchmarks/pretrain.py METHOD`\n",
        "| | " + " | ".join(judges) + " | steps x images | seeds |",
        "|---" * (len(judges) + 3) + "|",
    ]
    for one in measured:
        cells = []
        for judge in judges:
            rows = one["rows"][judge]
            cells.append(f"{percent(rows[one['method']])} ({percent(rows.get('untrained') or rows['from scratch'])})")
        length = f"{one['steps']:,} x {one['batch']}"
        parts.append(f"| {one['method']} | " + " | ".join(cells) + f" | {length} | {len(one['seeds'])} |")
    simclr = next(one for one in measured if one["method"] == "SimCLR")
    for row in ("pixels", "supervised"):
        cells = [percent(values) if (values := simclr["rows"][judge].get(row)) else "" for judge in judges]
        parts.append(f"| {row} | " + " | ".join(cells) + " | | |")
    parts += text_results() + transfer_results()
    speed = json.loads((ROOT / "results/speed.json").read_text())
    parts.append(
        f"\nSpeed of training on {speed['threads']} cores in {speed['precision'].removeprefix('torch.')}: images "
        "(next_frame: clips; bert and gpt: passages of 128 tokens) a second, with a new pretext task each step, and as a "
        "share of the same step on ready inputs. `python tests/benchmarks/speed.py`\n"
    )
    parts += ["| | a second | of the same step on ready inputs |", "|---|---|---|"]
    for name, values in speed["images_per_second"].items():
        mean = {kind: statistics.mean(numbers) for kind, numbers in values.items()}
        beside = (
            f"; {mean['sslkit'] / mean['lightly']:.1f} times lightly's documented pipeline" if "lightly" in mean else ""
        )
        parts.append(f"| {name} | {mean['sslkit']:,.0f} | {100 * mean['sslkit'] / mean['ready']:.0f} %{beside} |")
    return "\n".join(parts)


def found(name: str) -> dict:
    """A results file, {} where it was not made."""
    path = ROOT / "results" / name
    return json.loads(path.read_text()) if path.exists() else {}


def text_results() -> list[str]:
    """Lines for the two chapters on text."""
    gpt, bert, lines = found("gpt.json"), found("bert.json"), []
    if gpt:
        bits = ", ".join(f"{name} {plain(values)}" for name, values in gpt["rows"].items())
        lines.append(
            f"\nText, bits per byte of test documents ({len(gpt['seeds'])} seeds; less is better): {bits}. `{gpt['command']}`"
        )
    if bert:
        named = ", ".join(f"{name} {percent(values)}" for name, values in bert["masked"].items())
        lines.append(f"\nHidden tokens named right in %, validation documents: {named}.")
        lines.append(f"The package of a test passage, accuracy in %, {len(bert['seeds'])} seeds:\n")
        counts = list(bert["labels"]["fine-tuned"])
        lines += ["| labels per class | " + " | ".join(counts) + " |", "|---" * (len(counts) + 1) + "|"]
        lines += [
            f"| {arm} | " + " | ".join(percent(row[k]) for k in counts) + " |" for arm, row in bert["labels"].items()
        ]
        lines.append(f"\n`{bert['command']}`")
    return lines


def transfer_results() -> list[str]:
    """The headline table: accuracy against labels per class."""
    kept = found("transfer.json")
    if not kept:
        return []
    table = kept["curves"][kept["data"]]
    counts = sorted(table["fine-tuned"], key=int)
    lines = [
        f"\nLabels per class on `{kept['data']}`, test accuracy in %, {len(kept['seeds'])} seeds. `{kept['command']}`\n"
    ]
    lines += ["| | " + " | ".join(counts) + " |", "|---" * (len(counts) + 1) + "|"]
    for arm, points in table.items():
        lines.append(f"| {arm} | " + " | ".join(percent(points[k]) if k in points else "" for k in counts) + " |")
    return lines


def plain(values: list[float]) -> str:
    """Mean ± standard deviation."""
    return f"{statistics.mean(values):.3f}" + (f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else "")


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
