"""Write what was measured into README.md and results/README.md, and cut the pictures out of the notebooks: nothing there is typed in.

    python tests/benchmarks/report.py            rewrite
    python tests/benchmarks/report.py --check    only say whether it is up to date (a test does)

Between `<!-- syllabus -->` and `<!-- /syllabus -->` of README.md goes a row per notebook, with the minutes of the run that is
committed and those of a class (`python -m sslkit.notebooks budget`); between the marks of `results`, what an hour of training gives
(results/shelf). results/README.md is made whole, from results/*.json.
"""

import io
import json
import re
import statistics
import sys
from pathlib import Path

from parts import parts
from PIL import Image
from tables import found, percent

from sslkit.chapters import title as title_of
from sslkit.notebooks.address import address, badge
from sslkit.notebooks.budget import minutes_of_one_core, of_course
from sslkit.plots import Picture

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "notebooks" / "pictures"
LIMITS = {
    "supervised, as long": "*with labels for all 20,000 images*",
    "untrained": "*untrained*",
}  # the rows around `hour`
INTRODUCTION = """# What was measured

Each file here says which command made it, on which split, with which seeds; [tests/benchmarks/](../tests/benchmarks/README.md) lists
the commands. Chapters draw their figures from these files, and `tests/claims` holds their sentences to the numbers. This page is
written by `python tests/benchmarks/report.py`.

"""


def picture(nb: dict) -> bytes | None:
    """What is seen of the figure of the cell with the tag `picture`, else of the first one: the window in the cell's metadata ([x, y] of
    its corner, and its width where that is not 220, in pixels of the page). None where there is no figure."""
    cells = sorted(nb["cells"], key=lambda cell: "picture" not in cell["metadata"].get("tags", []))
    for cell in cells:
        for output in cell.get("outputs", []):
            if found := Picture.found("".join(output.get("data", {}).get("text/html", ""))):
                return window(found.png, *cell["metadata"].get("window", (0, 30)))
    return None


def window(png: bytes, left: int, top: int, width: int = 220) -> bytes:
    """A piece of a figure, three quarters as high as wide at the most, in pixels of the page, as a PNG that is seen at 220 pixels."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    right, bottom = min(2 * (left + width), image.width), min(2 * top + round(1.4 * width), image.height)
    image = image.crop((2 * left, 2 * top, right, bottom))
    image = image.resize((440, round(440 * image.height / image.width)), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.quantize(128).save(buffer, "png")
    return buffer.getvalue()


def headline(nb: dict) -> tuple[str, str]:
    """A chapter's title, from its first heading, and what one sees in it, the paragraph in italics below."""
    text = "".join(nb["cells"][0]["source"])
    head = re.match(r"# (?P<title>[^\n]+)\n+\*(?P<about>[^*]+)\*\n", text)
    if not head:
        raise ValueError(f"a chapter begins with '# TITLE' and a paragraph '*what one sees*', not with {text[:60]!r}")
    return head["title"], " ".join(head["about"].split())


def syllabus() -> tuple[str, dict[Path, bytes]]:
    """The table, and the pictures it shows by path."""
    lines, pictures = ["| | chapter | what you see | runs | core path |", "|---|---|---|---|---|"], {}
    minutes_of_class = of_course()
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        nb = json.loads(path.read_text())
        title, about = headline(nb)
        image, at = "", PICTURES / f"{path.stem}.png"
        if png := picture(nb):
            pictures[at] = png
        if png or at.exists():  # of a notebook that waits for its next run, the picture of the last
            image = f'<img src="notebooks/pictures/{path.stem}.png" width="220" alt="{title}">'
        minutes = minutes_of_class[path.stem]
        colab = f" {link}" if (link := badge(address(), path)) else ""
        whole, _ = minutes_of_one_core(nb)
        times = f"{whole:.1f} min | {minutes.core:.0f} min"
        lines.append(f"| {image} | [{title}](notebooks/{path.name}){colab} | {about} | {times} |")
    return "\n".join(lines), pictures


def hour() -> str:
    """What the shelf's runs gave, the best first, between a network that learned nothing and one that saw all labels."""
    judges = ("kNN", "linear probe", "few labels")
    kept = {
        path.stem.rpartition("_")[0]: json.loads(path.read_text()) for path in (ROOT / "results/shelf").glob("*.json")
    }
    scores = {name: {judge: one["rows"][judge][name] for judge in judges} for name, one in kept.items()}
    rows = []
    for name in sorted(kept, key=lambda name: -scores[name]["kNN"][0]):
        one = kept[name]
        steps = f"{one['recipe']['steps']:,} x {one['recipe']['batch']} | {one['core_seconds'][0] / 60:.0f}"
        rows.append((title_of(name), scores[name], steps))
    compared = found("compare.json")
    long, fresh = ({judge: compared["rows"][judge][row][:1] for judge in judges} for row in LIMITS)
    rows = [(LIMITS["supervised, as long"], long, f"{compared['passes'] // 128:,} x 128 | not timed"), *rows]
    rows.append((LIMITS["untrained"], fresh, "– | –"))
    lines = [
        "| | " + " | ".join(judges) + " | steps x images | minutes of one core |",
        "|---" * (len(judges) + 3) + "|",
    ]
    lines += [
        f"| {row} | " + " | ".join(percent(values) for values in by.values()) + f" | {how} |" for row, by, how in rows
    ]
    return "\n".join(lines)


def results() -> str:
    """Tables of what the benchmarks measured."""
    kept = found("compare.json")
    judges = [judge for judge in kept["rows"] if judge not in ("effective rank", "alignment", "uniformity")]
    lines = [
        "**How good are the features?** All ten are ahead of pixels and of their own untrained network, whatever the judge; rotation leads "
        "the ten. Labels for all 20,000 images are worth more: with them and as many passes the same network has 96 % by kNN.\n",
        f"Laptop recipes on `scenes`, with as many steps as send {kept['passes']:,} images through an encoder, test accuracy in %, "
        "mean ± standard "
        f"deviation over {len(kept['seeds'])} seeds (one where there is no ±); in brackets the method's own network "
        f"untrained (fine-tuned: trained from scratch). kNN and probe with {kept['labelled']:,} labels, "
        f"the others with ten a kind. `{kept['command']}`\n",
        "| | " + " | ".join(judges) + " | steps x images |",
        "|---" * (len(judges) + 2) + "|",
    ]
    knn = {name: statistics.mean(values) for name, values in kept["rows"]["kNN"].items()}
    for name, facts in sorted(kept["methods"].items(), key=lambda method: -knn[method[0]]):
        cells = [f"{percent(row[name])} ({percent(row[facts['untrained']])})" for row in map(kept["rows"].get, judges)]
        lines.append(f"| {title_of(name)} | " + " | ".join(cells) + f" | {facts['steps']:,} x {facts['batch']} |")
    for row in (row for row in ("supervised", "supervised, as long", "pixels") if row in knn):
        cells = [percent(values) if (values := kept["rows"][judge].get(row)) else "–" for judge in judges]
        images = {
            "supervised": "500 x 128",
            "supervised, as long": f"{kept['passes'] // 128:,} x 128",
        }  # see run.py compare
        lines.append(f"| {row} | " + " | ".join(cells) + f" | {images.get(row, '–')} |")
    for chapter in parts("report").values():
        lines += chapter.lines()
    speed = json.loads((ROOT / "results/speed.json").read_text())
    lines.append(
        "\n**How much of the time is learning?** Each step makes a new task from new random views; that costs at most 7 % of the time.\n"
        f"\nSpeed of training on {speed['threads']} cores in {speed['precision'].removeprefix('torch.')}: images "
        "(next_frame: clips; bert and gpt: passages of 128 tokens) per second, with a new pretext task each step, and as a "
        "share of the same step on ready inputs. Measured with the recipes of an earlier version. `python tests/benchmarks/speed.py`\n"
    )
    lines += ["| | per second | of the same step on ready inputs |", "|---|---|---|"]
    for name, values in speed["images_per_second"].items():
        mean = {kind: statistics.mean(numbers) for kind, numbers in values.items()}
        beside = (
            f"; {mean['sslkit'] / mean['lightly']:.1f} times lightly's documented pipeline" if "lightly" in mean else ""
        )
        lines.append(f"| {name} | {mean['sslkit']:,.0f} | {100 * mean['sslkit'] / mean['ready']:.0f} %{beside} |")
    return "\n".join(lines)


def put(text: str, mark: str, content: str) -> str:
    """The text with what stands between the marks replaced."""
    pattern = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"README.md has lost its marks <!-- {mark} --> and <!-- /{mark} -->")
    return pattern.sub(lambda match: match[1] + content + "\n" + match[2], text)


def main() -> int:
    readme, measured = ROOT / "README.md", ROOT / "results" / "README.md"
    before = {path: path.read_text() if path.exists() else "" for path in (readme, measured)}
    table, pictures = syllabus()
    after = {
        readme: put(put(before[readme], "syllabus", table), "results", hour()),
        measured: INTRODUCTION + results() + "\n",
    }
    stale = [path.name for path, png in pictures.items() if not path.exists() or path.read_bytes() != png]
    if "--check" in sys.argv[1:]:
        if stale or after != before:
            print("README.md, results/README.md or the pictures are out of date: python tests/benchmarks/report.py")
        return int(bool(stale) or after != before)
    PICTURES.mkdir(exist_ok=True)
    for path, png in pictures.items():
        path.write_bytes(png)
    for path, text in after.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
