"""Diagrams of methods: texts within their boxes, boxes apart, arrows from box to box, and a gradient only where one flows."""

import pytest

from sslkit import chapters
from sslkit.plots.diagrams import PAD_X, SIZE, WIDTH, Box, diagram, lay_out, links
from sslkit.plots.text import text_width

STUDENT = {
    "image": Box("data", 0, 0.5),
    "view 1": Box("data", 1, 0),
    "view 2": Box("data", 1, 1),
    "student": Box("learns", 2, 0),
    "teacher": Box("fixed", 2, 1),
    "queries": Box("data", 3, 0),
    "keys": Box("data", 3, 1),
    "queue": Box("data", 3, 2, text="queue of\nold keys"),
    "which key?": Box("compared", 4, 0, rows=3),
}
FLOW = [
    "image -> view 1 -> student -> queries -> which key?",
    "image -> view 2 -> teacher -> keys -|> which key?",
    "keys -> queue -|> which key?",
    "student ~> teacher",
]
MASKED = {
    "patches": Box("data", 0, 0.5),
    "seen": Box("data", 1, 0),
    "masked": Box("hidden", 1, 1),
    "encoder": Box("learns", 2, 0),
    "decoder": Box("learns", 3, 0),
    "same pixels?": Box("compared", 4, 0, rows=2),
}
MASKED_FLOW = ["patches -> seen -> encoder -> decoder -> same pixels?", "patches -> masked -> same pixels?"]
both = pytest.mark.parametrize(("boxes", "arrows"), [(STUDENT, FLOW), (MASKED, MASKED_FLOW)])


def inside(point, place, by=0.0):
    x, y = point
    return place.left + by < x < place.right - by and place.bottom + by < y < place.top - by


def on_border(point, place):
    return inside(point, place, -1e-6) and not inside(point, place, 1e-6)


def sound(boxes, arrows):
    """Nothing overlaps, nothing sticks out, every arrow ends on its two boxes and passes through no other."""
    places, lines, height = lay_out(boxes, arrows)
    for name, place in places.items():
        assert (
            place.left >= -1e-9 and place.right <= WIDTH + 1e-9 and place.bottom >= -1e-9 and place.top <= height + 1e-9
        )
        texts = (boxes[name].text or name).split("\n")
        assert max(text_width(t, SIZE, "bold") for t in texts) <= place.right - place.left - 2 * PAD_X + 1e-6, name
        assert len(texts) * SIZE * 1.25 / 72 < place.top - place.bottom, name
        for other, there in places.items():
            apart = (
                place.right <= there.left or there.right <= place.left or place.top <= there.bottom
            ) or there.top <= place.bottom
            assert name == other or apart, f"{name} lies on {other}"
    for line in lines:
        assert on_border(line.start, places[line.source]) and on_border(line.end, places[line.target]), line
        for name in set(places) - {line.source, line.target}:
            for t in range(101):
                point = [s + (e - s) * t / 100 for s, e in zip(line.start, line.end)]
                assert not inside(point, places[name]), f"{line.source} to {line.target} passes through {name}"


@both
def test_a_diagram_is_sound(boxes, arrows):
    sound(boxes, arrows)


@pytest.mark.parametrize("chapter", [name for name in chapters.names() if chapters.part(name, "diagram")])
def test_the_diagram_of_each_chapter(chapter):
    boxes, arrows, title, caption = chapters.part(chapter, "diagram").DIAGRAM
    sound(boxes, arrows)
    single = lay_out(boxes, arrows)[1]
    assert title in diagram(boxes, arrows, title, caption).alt
    learning = {name for name, box in boxes.items() if box.kind == "learns"}
    trained = {line.source for line in single if line.gradient}
    assert learning and learning <= trained, "what learns is reached by a gradient"


def test_where_a_gradient_comes_back():
    carried = {(line.source, line.target) for line in lay_out(STUDENT, FLOW)[1] if line.gradient}
    assert carried == {("student", "queries"), ("queries", "which key?")}
    carried = {(line.source, line.target) for line in lay_out(MASKED, MASKED_FLOW)[1] if line.gradient}
    assert carried == {("encoder", "decoder"), ("decoder", "same pixels?")}
    after = lay_out(MASKED | {"mean": Box("data", 4, 2)}, [*MASKED_FLOW, "same pixels? -> mean"])[1]
    assert [line.target for line in after if line.gradient] == ["decoder", "same pixels?", "mean"]


def test_an_arrow_named_twice_is_drawn_once():
    assert links(["a -> b -|> c", "a -> b ~> c"]) == [("a", "->", "b"), ("b", "-|>", "c"), ("b", "~>", "c")]


@both
def test_it_says_in_words_what_it_shows(boxes, arrows):
    picture = diagram(boxes, arrows, "What is hidden", "A paper, a year.")
    assert picture.alt.endswith("What is hidden. A paper, a year.")
    assert all(" ".join(name.split()) in picture.alt for name in boxes)
    assert not any(link in picture.alt for link in ("->", "-|>", "~>"))
    assert picture.png == diagram(boxes, arrows, "What is hidden", "A paper, a year.").png


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(ValueError, match="no such box"):
        lay_out(STUDENT, ["image -> nowhere"])
    with pytest.raises(ValueError, match="no kind 'frozen'"):
        lay_out({"a": Box("frozen", 0, 0)}, [])
    with pytest.raises(ValueError, match="inches too wide"):
        lay_out({f"a text that is long {k}": Box("data", k, 0) for k in range(8)}, [])
