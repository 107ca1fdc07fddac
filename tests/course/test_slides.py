"""A chapter as slides: one file, nothing loaded from elsewhere, and in Chromium the arrow keys turn."""

import re

import pytest

from sslkit.chapters import get, methods
from sslkit.course.__main__ import main
from sslkit.course.slides import laid_out
from sslkit.notebooks import files
from sslkit.train import choose


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    out = tmp_path_factory.mktemp("slides")
    assert main(["slides", str(out), "mae"]) == 0
    return out / "17_mae.html"


def test_it_is_complete_in_itself(page):
    html = page.read_text(encoding="utf-8")
    assert not re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?!data:|#)[^"]*"', html)
    assert html.count("<section") > 15 and "<math" in html and "Reveal.initialize" in html
    assert all(re.search(r'alt="[^"]+', image) for image in re.findall(r"<img[^>]*>", html))


def test_exercises_and_what_is_optional_are_left_out_and_tags_overrule():
    nb = files.read(files.locate("mae"))
    nb.cells[0].metadata["tags"] = ["fragment"]
    made = laid_out(nb)
    text = "\n".join(cell.source for cell in made.cells)
    assert (
        "### Exercise" not in text
        and "#| exercise" not in text
        and "*optional*" not in text.replace(nb.cells[0].source, "")
    )
    assert made.cells[0].metadata["slideshow"]["slide_type"] == "fragment"


@pytest.mark.browser
def test_the_arrow_keys_turn(page):
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_context(offline=True).new_page()
        wrong = []
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.goto(f"file://{page}")
        tab.wait_for_selector(".reveal .slides section.present")
        tab.keyboard.press("Space")
        tab.wait_for_function("Reveal.getIndices().h + (Reveal.getIndices().v || 0) > 0")
        assert wrong == []
        browser.close()


def test_the_demo_is_the_first_page_without_what_takes_long(tmp_path, monkeypatch, capsys):
    assert main(["demo", str(tmp_path / "demo.ipynb")]) == 0
    assert f"The demo is {tmp_path / 'demo.ipynb'}" in capsys.readouterr().out
    nb = files.read(tmp_path / "demo.ipynb")
    text = "\n".join(cell.source for cell in nb.cells)
    assert "check(" not in text and "#| exercise" not in text and "scoreboard(" not in text and "shelf_hour" in text
    monkeypatch.setenv("SSLKIT_SCALE", "demo")
    for name in methods():
        recipes = get(name).RECIPES
        assert choose(recipes).steps == recipes["laptop"].steps // 5
