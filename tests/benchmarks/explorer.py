"""How fast the explorer moves 20,000 points, in Chromium without a graphics card.

    python tests/benchmarks/explorer.py [--points 20000] [--out results/explorer.json]

A page as `explorer.save` writes it, with two linked maps of which one forms over 12 moments. Frames a second while the map plays, while
it is zoomed by the wheel, and while the mouse moves over it: from the time between animation frames, the median and the slowest of twenty.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright
from tables import machine, save

from sslkit import widgets

ROOT = Path(__file__).resolve().parents[2]
WATCH = """async (act) => {
    const gaps = [];
    let last = performance.now();
    for (let k = 0; k < 60; k++) {
        act(k);
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        gaps.push(now - last);
        last = now;
    }
    gaps.sort((a, b) => a - b);
    return [1000 / gaps[30], 1000 / gaps[57]];
}"""
ACTS = {
    "time": "(k) => { const c = document.querySelector('.sslkit-time'); c.value = k / 60; c.dispatchEvent(new Event('input')); }",
    "zoom": "(k) => { const c = document.querySelector('canvas'); c.dispatchEvent(new WheelEvent('wheel',"
    " { deltaY: k < 30 ? -30 : 30, ctrlKey: true, clientX: 300, clientY: 300 })); }",
    "hover": "(k) => { const c = document.querySelector('canvas'); const b = c.getBoundingClientRect();"
    " c.dispatchEvent(new PointerEvent('pointermove', { clientX: b.left + 4 * k, clientY: b.top + 4 * k })); }",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "explorer.json")
    args = parser.parse_args()
    rng, n = np.random.default_rng(0), args.points
    y = rng.integers(0, 10, n)
    centres = rng.normal(size=(10, 2))
    still = centres[y] + 0.3 * rng.normal(size=(n, 2))
    forming = np.stack([share * still + (1 - share) * rng.normal(size=(n, 2)) for share in np.linspace(0, 1, 12)])
    images = rng.integers(0, 255, (n, 3, 8, 8), dtype=np.uint8)
    explorer = widgets.embedding_explorer(
        {"still": still, "forming": still}, images, y, xy={"still": still, "forming": forming}
    )
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(explorer.save(Path(folder) / "map.html").as_uri())
        page.wait_for_timeout(2000)
        found = {name: page.evaluate(f"() => ({WATCH})({act})") for name, act in ACTS.items()}
        browser.close()
    rows = {
        name: {"median": round(median, 1), "slowest twentieth": round(slow, 1)}
        for name, (median, slow) in found.items()
    }
    for name, row in rows.items():
        print(f"{name:6} {row['median']:6.1f} frames a second, slowest twentieth {row['slowest twentieth']:.1f}")
    command = f"python tests/benchmarks/explorer.py --points {n}"
    save(args.out, {"command": command, "points": n, "maps": 2, "frames_per_second": rows, **machine()})


if __name__ == "__main__":
    main()
