"""The course as a site: built from the committed notebooks, then read in Chromium without a network."""

import re
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

from sslkit.course.__main__ import main
from sslkit.notebooks import course
from sslkit.notebooks.files import read

pytestmark = pytest.mark.browser
BROWSER = dict(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("book")
    assert main(["book", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def page(site):
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(**BROWSER)
        page = browser.new_context(offline=True).new_page()
        page.wrong = []
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("request", lambda r: r.url.startswith(("file:", "data:", "blob:")) or page.wrong.append(r.url))
        yield page
        browser.close()


def pages(site: Path) -> list[Path]:
    return sorted(site.glob("*.html"))


def test_every_chapter_is_there_and_every_link_of_its_own_leads_somewhere(site):
    assert {path.stem for path in course().values()} <= {path.stem for path in pages(site)}
    missing = []
    for path in pages(site):
        html = path.read_text(encoding="utf-8")
        for link in re.findall(r'(?:href|src)="([^"]+)"', html):
            target, anchor = urldefrag(unquote(link))
            target = target.partition("?")[0]
            if re.match(r"[a-z]+:", link):
                continue
            file = path.parent / target if target else path
            if not file.exists():
                missing.append(f"{path.name}: {link}")
            elif anchor and file.suffix == ".html" and f'id="{anchor}"' not in file.read_text(encoding="utf-8"):
                missing.append(f"{path.name}: no {anchor} in {file.name}")
    assert missing == []


def test_nothing_is_loaded_from_elsewhere_and_formulas_and_pictures_have_words(site):
    for path in pages(site):
        html = path.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?:https?:)?//[^"]*"', html), path.name
        chapter = next((p for p in course().values() if p.stem == path.stem), None)
        if chapter:
            images = re.findall(r"<img[^>]*>", html)
            executed = any(cell.get("outputs") for cell in read(chapter).cells)
            assert (images or not executed) and all(re.search(r'alt="[^"]+', image) for image in images), path.name
    assert "<math" in (site / "10_simclr.html").read_text(encoding="utf-8")


def test_it_searches(page, site):
    page.goto(f"file://{site}/index.html")
    page.locator("input[name=q]").first.fill("temperature")
    page.keyboard.press("Enter")
    page.wait_for_selector("ul.search li")
    assert page.get_by_role("link", name=re.compile("SimCLR")).count() >= 1
    assert page.wrong == []


def test_it_folds_hints_turns_pages_and_goes_dark(page, site):
    page.goto(f"file://{site}/10_simclr.html")
    fold = page.locator("details").first
    fold.locator("summary").click()
    assert fold.get_attribute("open") is not None
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for _ in range(3):  # auto, light, dark
        page.locator("button.theme-toggle").last.click()
        after = page.evaluate("getComputedStyle(document.body).backgroundColor")
        if after != before:
            break
    assert after != before
    page.locator("a.next-page").click()
    assert page.url.endswith("11_moco.html")
    page.locator("a.prev-page").click()
    assert page.url.endswith("10_simclr.html")
    assert page.wrong == []


def test_the_maps_can_be_dragged(page, site):
    page.goto(f"file://{site}/explore.html")
    frame = page.frame_locator("iframe.explorer").first
    canvas = frame.locator("canvas").first
    canvas.wait_for()
    shot = canvas.screenshot()
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=5)
    page.mouse.up()
    assert canvas.screenshot() != shot
    assert page.wrong == []


def test_all_chapters_stand_on_one_page_to_print(site):
    text = (site / "print" / "index.html").read_text(encoding="utf-8")
    assert all(f"document-{path.stem}" in text or path.stem in text for path in course().values())
    assert "@media print" in (site / "_static" / "book.css").read_text(encoding="utf-8")


def test_another_folder_is_not_overwritten(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("mine")
    assert main(["book", str(tmp_path)]) == 1
    assert "is not empty" in capsys.readouterr().err and (tmp_path / "thesis.txt").read_text() == "mine"
