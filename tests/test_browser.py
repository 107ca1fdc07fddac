"""The widgets in a real JupyterLab in a real Chromium: run all, move a slider, hover the explorer.

The first notebook and each chapter with the kit's Lab settings, and a small notebook made here with Lab's own
settings, where widget callbacks run in a second thread.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest
from running import free_port

ROOT = Path(__file__).resolve().parents[1]
FIRST = ROOT / "notebooks" / "00_start_here.ipynb"
CHAPTERS = [path for path in sorted(FIRST.parent.glob("*.ipynb")) if path != FIRST]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
FLAGS = "--no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --disable-background-networking"
TOKEN = "t"
CONTROL = ".sslkit-range, .sslkit-choice"

SMALL = [
    """import torch
from sslkit import plots, widgets
from sslkit.views import ColorJitter, Compose, RandomResizedCrop
from types import SimpleNamespace
generator = torch.Generator().manual_seed(0)
x = torch.randint(256, (60, 3, 16, 16), dtype=torch.uint8, generator=generator)
y = torch.arange(60) % 3
plots.grid(x[:8], title="noise")""",
    "widgets.views_playground(x, Compose([RandomResizedCrop(), ColorJitter()]))",
    """live = plots.Live(chance=1.1)
for step in range(1, 4):
    live.update(SimpleNamespace(step=step, steps=3, loss=1 / step, images_per_second=9, seconds=step))""",
    """import ipywidgets
xy = torch.randn(60, 2, generator=generator)
explorer = widgets.embedding_explorer(xy, x, y, classes=["a", "b", "c"])
heard = ipywidgets.Label("nothing")
explorer.observe(lambda change: setattr(heard, "value", f"Python has {len(change.new)}"), names="selected")
display(explorer, heard)""",
]


def missing() -> str:
    """Why the browser tests cannot run here, or nothing."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "playwright is not installed: pip install playwright"
    return "" if CHROMIUM else "no Chromium on this machine: apt-get install chromium"


pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()) and os.environ.get("CI") != "true", reason=missing()),
]


def small_notebook(path: Path) -> None:
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in SMALL])
    nb.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, path)


def serve(root: Path, settings: Path | None):
    """A JupyterLab of this interpreter on a free port, freshly configured: its process and address."""
    port = free_port()
    own = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    own += ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR")
    env = os.environ | {name: str(root / "jupyter" / name) for name in own}
    env |= {"SSLKIT_SCALE": "smoke", "JUPYTER_CONFIG_PATH": str(settings or root / "jupyter" / "none")}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"]
    log = open(root / "lab.log", "w")
    process = subprocess.Popen([*command, f"--ServerApp.root_dir={root}"], env=env, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{address}/api/status?token={TOKEN}", timeout=2)
            return process, address
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    process.terminate()
    raise RuntimeError("JupyterLab did not start:\n" + (root / "lab.log").read_text()[-2000:])


def stop(process) -> None:
    """End a JupyterLab: it asks its kernels first, which takes a while on a busy machine."""
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture
def page():
    """A page of a fresh Chromium; `page.foreign` and `page.complaints` collect what it must not do."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(300_000)  # waits end with what they wait for; a busy machine is slow
        page.foreign, page.complaints = [], []
        page.on("request", lambda request: page.foreign.append(request.url))
        page.on("console", lambda message: message.type == "error" and page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        yield page
        browser.close()


def run_all(page, address: str, notebook: str) -> None:
    """Open the notebook, run every cell, and wait until all have run without an error."""
    page.goto(f"{address}/doc/tree/{notebook}?reset&token={TOKEN}")
    page.locator("#jp-main-statusbar", has_text="| Idle").wait_for()
    page.locator('li.lm-MenuBar-item:has-text("Run")').click()
    page.locator('li[data-command="runmenu:run-all"]').click()
    done = r"""() => {
        const nodes = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")];
        const prompts = nodes.map((node) => node.textContent.trim()).filter((text) => text !== "");
        return prompts.length && prompts.every((text) => /^\[\d+\]:$/.test(text))
            || document.querySelector('[data-mime-type="application/vnd.jupyter.error"]') !== null;
    }"""
    # Once a second: a look at each frame would take the page as long as the notebook takes the kernel.
    page.wait_for_function(done, timeout=600_000, polling=1000)
    errors = page.locator('[data-mime-type="application/vnd.jupyter.error"]').all_inner_texts()
    assert not errors, errors[0]


def move_slider(page, panel=None) -> None:
    """A step of a panel's first slider, or the next entry of its first drop-down, changes the picture below it."""
    panel = panel or page.locator(".sslkit-panel", has=page.locator(CONTROL)).first
    panel.scroll_into_view_if_needed()
    picture, control = panel.locator(".sslkit-picture"), panel.locator(CONTROL).first
    before = picture.get_attribute("src")
    control.focus()
    at_its_end = control.evaluate("node => node.value === node.max")
    key = "ArrowLeft" if at_its_end else "ArrowRight"
    page.keyboard.press(key)
    page.wait_for_function("([img, old]) => img.src !== old", arg=[picture.element_handle(), before])
    assert panel.locator("[role=alert]").count() == 0


def inside(canvas, u: float, v: float) -> tuple[float, float]:
    """The point of the page at shares u across and v down a canvas, where that is now: pictures that load move it."""
    box = canvas.bounding_box()
    return box["x"] + u * box["width"], box["y"] + v * box["height"]


def hover(page, canvas, tip) -> None:
    """Move the mouse over a canvas until a point shows its picture: on a busy machine it comes late, so wait longer each round."""
    for patience in (20, 40, 80, 160, 320, 640):
        canvas.scroll_into_view_if_needed()
        for place in range(11 * 11):
            page.mouse.move(*inside(canvas, (place % 11 + 1) / 12, (place // 11 + 1) / 12))
            page.wait_for_timeout(patience)
            if tip.count():
                return
    raise AssertionError("no point answers")


def explore(page, screenshot: Path, small: bool) -> None:
    """Hovering shows a thumbnail of the sprite sheet and its neighbours; a lasso selects; keys pin and clear."""
    explorer = page.locator(".sslkit-explorer").first
    canvas = explorer.locator("canvas").first
    tip = explorer.locator(".sslkit-tip:visible .sslkit-thumb")
    hover(page, canvas, tip)
    assert tip.count() == 1 and tip.is_visible()
    assert "blob:" in tip.evaluate("node => getComputedStyle(node).backgroundImage")
    assert explorer.locator(".sslkit-near .sslkit-thumb").count() >= 2
    explorer.screenshot(path=screenshot)
    canvas.scroll_into_view_if_needed()  # all of it, not only the top of the explorer
    page.keyboard.down("Shift")
    page.mouse.move(*inside(canvas, 0.005, 0.005))
    page.mouse.down()
    for corner in ((0.995, 0.005), (0.995, 0.995), (0.005, 0.995)):
        page.mouse.move(*inside(canvas, *corner), steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    explorer.locator(".sslkit-chosen .sslkit-thumb").first.wait_for()
    if small:
        page.locator(".widget-label", has_text="Python has 60").wait_for()
    canvas.press("Escape")
    assert explorer.locator(".sslkit-chosen .sslkit-thumb").count() == 0
    canvas.press("ArrowRight")
    canvas.press("Enter")
    explorer.locator(".sslkit-pin", has_text="pinned").wait_for()


def press_button(page, panel) -> None:
    """A panel of buttons draws another picture when its last one is pressed."""
    panel.scroll_into_view_if_needed()
    picture = panel.locator("img").first
    picture.wait_for()
    before = picture.get_attribute("src")
    panel.locator("button").last.click()
    deadline = time.monotonic() + 60
    while picture.get_attribute("src") == before:
        assert time.monotonic() < deadline, "the picture stayed as it was"
        page.wait_for_timeout(50)


def assert_quiet(page, address: str) -> None:
    """Nothing was fetched from elsewhere, and the page had nothing to complain about."""
    local = (address, address.replace("http", "ws"), "data:", "blob:", "about:")
    assert not [url for url in page.foreign if not url.startswith(local)]
    assert not page.complaints, json.dumps(page.complaints[:5])


@pytest.mark.parametrize("settings", ["the kit's settings", "Lab's own settings"])
def test_run_all_move_a_slider_hover_the_explorer(page, tmp_path, settings):
    kit = settings == "the kit's settings"
    notebook = f"notebooks/{FIRST.name}" if kit else "notebooks/small.ipynb"
    if kit:
        shutil.copytree(FIRST.parent, tmp_path / "notebooks")
    else:
        small_notebook(tmp_path / notebook)
    shots = Path(os.environ.get("SSLKIT_SCREENSHOTS", tmp_path))
    process, address = serve(tmp_path, ROOT / ".jupyter" if kit else None)
    try:
        run_all(page, address, notebook)
        move_slider(page)
        explore(page, shots / f"explorer-{'kit' if kit else 'lab'}.png", not kit)
        page.screenshot(path=shots / f"page-{'kit' if kit else 'lab'}.png")
    finally:
        stop(process)
    assert_quiet(page, address)


def call(address: str, path: str, method: str = "GET"):
    """What the server's own interface answers."""
    request = urllib.request.Request(
        f"{address}/api/{path}", method=method, headers={"Authorization": f"token {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read() or "null")


def test_saved_work_stays_readable(page, tmp_path):
    """Run, save, shut the kernel down, open again: a picture stands where each widget was."""
    small_notebook(tmp_path / "small.ipynb")
    process, address = serve(tmp_path, ROOT / ".jupyter")
    try:
        run_all(page, address, "small.ipynb")
        assert page.locator(".sslkit-panel, .sslkit-explorer").count() >= 2
        page.keyboard.press("Control+s")
        deadline = time.monotonic() + 60
        while "data:image/png" not in (tmp_path / "small.ipynb").read_text():
            assert time.monotonic() < deadline, "it was not saved"
            page.wait_for_timeout(100)
        widgets = page.locator(".sslkit-panel").count()
        assert widgets, "saving leaves the open page as it is"
        for kernel in call(address, "kernels"):
            call(address, f"kernels/{kernel['id']}", "DELETE")
        page.goto(f"{address}/doc/tree/small.ipynb?reset&token={TOKEN}")
        page.locator(".jp-OutputArea img").nth(widgets).wait_for()  # one for each widget, and the grid
        assert page.locator("text=Error displaying widget").count() == 0
        seen = "nodes => nodes.map((img) => [img.alt.length > 10, img.complete && img.naturalWidth > 100])"
        assert all(
            all(one) for one in page.locator(".jp-OutputArea img").evaluate_all(seen)
        )  # nobody has trusted this file
        assert "widget-view" not in (tmp_path / "small.ipynb").read_text()
    finally:
        stop(process)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab with the kit's settings on a copy of the notebooks."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(FIRST.parent, folder / "notebooks")
    process, address = serve(folder, ROOT / ".jupyter")
    yield address
    stop(process)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_panel_of_a_chapter_answers(page, lab, path, tmp_path):
    run_all(page, lab, f"notebooks/{path.name}")
    panels = page.locator(".sslkit-panel")
    explorers = page.locator(".sslkit-explorer")
    assert panels.count() + explorers.count() > 0, "a chapter has a widget"
    for panel in panels.all():
        if panel.locator(CONTROL).count():
            move_slider(page, panel)
        else:
            press_button(page, panel)
    if panels.count():
        shots = Path(os.environ.get("SSLKIT_SCREENSHOTS", tmp_path))
        panels.last.screenshot(path=shots / f"panel-{path.stem}.png")
    assert_quiet(page, lab)
    for kernel in call(lab, "kernels"):  # each holds half a gigabyte
        call(lab, f"kernels/{kernel['id']}", "DELETE")


def test_the_explorer_as_a_page_of_its_own(page, tmp_path):
    """Two linked maps, one of which forms: from a file, without kernel and network, in the dark, on a narrow screen."""
    import numpy as np

    from sslkit import widgets

    rng = np.random.default_rng(0)
    h, y = rng.normal(size=(200, 8)), np.arange(200) % 3
    images = rng.integers(0, 255, (200, 3, 16, 16), dtype=np.uint8)
    hostile = "<img src=x onerror=document.title='x'>"
    maps = {"still": rng.normal(size=(200, 2)), "forming": rng.normal(size=(4, 200, 2))}
    one = widgets.embedding_explorer(
        {"still": h, "forming": h + y[:, None]}, images, y, ["cat", "dog", hostile], [f"{hostile} {k}" for k in range(200)],
        xy=maps, times=["0 s", "1 s", "5 s", "9 s"], factors={"hue": rng.random(200)}, title="Two maps",
    )  # fmt: skip
    shots = Path(os.environ.get("SSLKIT_SCREENSHOTS", tmp_path))
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.goto(one.save(tmp_path / "map.html").as_uri())
    still, forming = page.locator("canvas").all()
    drawn = lambda canvas: canvas.evaluate("node => node.toDataURL()")  # noqa: E731
    changes = "([node, old]) => node.toDataURL() !== old"
    page.wait_for_function("node => node.width > 300", arg=still.element_handle())
    page.wait_for_timeout(200)

    before, other = drawn(forming), drawn(still)
    clock = page.get_by_role("slider", name="time")
    clock.press("ArrowLeft")
    page.wait_for_function(changes, arg=[forming.element_handle(), before])
    assert clock.get_attribute("aria-valuetext") == "5 s" and drawn(still) == other  # only what forms has moved
    before = drawn(forming)
    page.get_by_role("button", name="Play the map as it forms").click()
    page.wait_for_function("node => node.getAttribute('aria-valuetext') === '9 s'", arg=clock.element_handle())
    page.get_by_role("searchbox", name="find").fill("cat")
    page.wait_for_function(changes, arg=[still.element_handle(), other])  # the rest is faint, on both maps
    assert page.locator(".sslkit-tally").inner_text() == "67 found"
    page.get_by_role("searchbox", name="find").fill("")
    page.get_by_role("combobox", name="colour by").select_option(label="hue")
    assert page.locator(".sslkit-step").count() == 10
    still.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.locator(".sslkit-near .sslkit-strip").count() == 2  # neighbours in each map
    assert hostile in page.locator(".sslkit-pin").inner_text()
    other = drawn(forming)
    for _ in range(6):
        page.keyboard.press("+")
    page.wait_for_timeout(200)
    assert drawn(forming) == other  # a key zooms the map that has the focus
    page.keyboard.press("Escape")
    assert page.locator(".sslkit-pin").count() == 0
    page.screenshot(path=shots / "explorer-page.png")
    page.set_viewport_size({"width": 400, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert page.title() == "Two maps" and page.locator("main img").count() == 0
    assert not [url for url in page.foreign if not url.startswith(("file:", "blob:", "data:"))] and not page.complaints


def test_the_stop_button_keeps_what_was_learned_and_ends_run_all(page, tmp_path):
    """Figure and message say the same step, and the next cell does not run."""
    from test_progress import LOOP, TRAINING

    cells = [TRAINING, LOOP, "'the next cell'"]
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    nb.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nb, tmp_path / "stop.ipynb")
    process, address = serve(tmp_path, ROOT / ".jupyter")
    try:
        page.goto(f"{address}/doc/tree/stop.ipynb?reset&token={TOKEN}")
        page.locator("#jp-main-statusbar", has_text="| Idle").wait_for()
        page.locator('li.lm-MenuBar-item:has-text("Run")').click()
        page.locator('li[data-command="runmenu:run-all"]').click()
        page.locator(".jp-OutputArea img").wait_for()  # it trains
        page.locator('li.lm-MenuBar-item:has-text("Kernel")').click()
        page.locator('li[data-command="kernelmenu:interrupt"]').click()
        said = page.locator(
            '[data-mime-type="application/vnd.jupyter.stderr"], [data-mime-type="application/vnd.jupyter.error"]'
        )
        said.wait_for()
        words = said.inner_text()
        assert words.startswith("Stopped after step ") and "what was learned is kept" in words
        step = words.split()[3]
        page.locator(f'.jp-OutputArea img[alt*="step {step} of 1,000"]').wait_for()
        # "[*]:" until the kernel has called the cell off; "[3]:" would mean that it ran
        prompt = (
            page.locator(".jp-CodeCell").nth(2).locator(".jp-InputPrompt", has_text=re.compile(r"^\s*\[\s*\]:\s*$"))
        )
        prompt.wait_for()
    finally:
        stop(process)


CONTROLS = """import torch
from sslkit import plots, widgets
controls = {
    "temperature": widgets.slider("temperature", 0.1, 0.02, 2.0, log=True),
    "scale": widgets.slider("scale", (0.2, 1.0), 0.04, 1.0),
    "queue": widgets.slider("keys", 64, options=[16, 64, 256]),
    "name": widgets.choice("data set", ["scenes", "emoji", "fashion"]),
}
draw = lambda **v: plots.note(f"{v['temperature']:.3f} {v['scale']} {v['queue']} {v['name']}")
widgets.Panel(controls, draw, lambda: plots.note("still"))"""


def test_controls_have_names_true_values_and_keys_of_their_own(page, tmp_path):
    """As a screen reader and a keyboard meet them; and the picture follows while a slider is still held."""
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CONTROLS), nbformat.v4.new_code_cell("'the end'")])
    nb.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nb, tmp_path / "controls.ipynb")
    process, address = serve(tmp_path, ROOT / ".jupyter")
    try:
        run_all(page, address, "controls.ipynb")
        picture = page.locator(".sslkit-picture")
        shows = lambda words: page.get_by_role("img", name=words).wait_for()  # noqa: E731
        shows("0.100 (0.2, 1.0) 64 scenes.")
        temperature = page.get_by_role("slider", name="temperature")
        assert temperature.get_attribute("aria-valuetext") == "0.100"
        cell = page.locator(".jp-mod-active").first.inner_text()
        temperature.focus()
        page.keyboard.press("End")
        shows("2.000 (0.2, 1.0) 64 scenes.")
        assert temperature.get_attribute("aria-valuetext") == "2.000"
        page.get_by_role("slider", name="scale, from").press("Home")
        shows("2.000 (0.04, 1.0) 64 scenes.")
        keys = page.get_by_role("slider", name="keys")
        keys.press("ArrowUp")
        shows("2.000 (0.04, 1.0) 256 scenes.")
        assert keys.get_attribute("aria-valuetext") == "256"
        names = page.get_by_role("combobox", name="data set")
        names.press("ArrowDown")
        shows("2.000 (0.04, 1.0) 256 emoji.")
        assert names.evaluate("node => node === document.activeElement")
        assert page.locator(".jp-mod-active").first.inner_text()[:20] == cell[:20]  # no cell was left for another
        box, before = temperature.bounding_box(), picture.get_attribute("src")
        page.mouse.move(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
        page.wait_for_function("([img, old]) => img.src !== old", arg=[picture.element_handle(), before])  # still held
        page.mouse.up()
        assert int(picture.get_attribute("width")) * 2 == picture.evaluate("node => node.naturalWidth")
    finally:
        stop(process)
    assert_quiet(page, address)
