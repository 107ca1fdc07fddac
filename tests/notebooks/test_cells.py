"""What a cell is, on small made-up ones."""

from nbformat import v4

from sslkit.notebooks import cells
from sslkit.widgets.panel import WIDGET_MIME

SLURM = """## Bigger · *optional*

```
#!/bin/bash
# a comment, not a heading
```

Below it.

## Back [to](a.md) `work`

Here."""


def test_marks_are_the_first_lines_of_code():
    both = v4.new_code_cell("#| export\n#| exercise\n\n\ndef f():\n    return 1\n\n")
    assert cells.marks(both) == ["#| export", "#| exercise"] and cells.is_exercise(both)
    assert cells.without_marks(both) == "def f():\n    return 1"
    for other in (v4.new_code_cell("x = 1\n#| exercise"), v4.new_markdown_cell("#| exercise"), v4.new_code_cell("")):
        assert cells.marks(other) == [] and not cells.is_exercise(other)


def test_a_cell_that_checks_may_do_something_else():
    assert cells.checked(v4.new_code_cell('f = check("simclr.f", f)\nf(1)')) == "simclr.f"
    assert cells.checked(v4.new_code_cell("f(1)")) == cells.checked(v4.new_markdown_cell('check("a.f", f)')) == ""


def test_tags():
    cell = v4.new_code_cell(metadata={"tags": [cells.COLAB, "timeout-60"]})
    assert cells.tagged(cell, cells.INSTRUCTOR, cells.COLAB) and not cells.tagged(cell, cells.INSTRUCTOR)
    assert cells.tags(v4.new_code_cell()) == []


def test_a_comment_in_a_block_of_code_is_not_a_heading():
    assert "".join(text for _, _, text in cells.sections(SLURM)) == SLURM
    assert [level for level, _, _ in cells.sections(SLURM)] == [0, 2, 2]
    assert cells.without_optional(SLURM) == ("## Back [to](a.md) `work`\n\nHere.", 0)
    assert cells.without_optional("more\n\n### Deeper", 2) == ("", 2)


def test_headings_and_what_is_optional_go_on_below_a_cell():
    sources = [
        "words",
        "## One *optional*",
        "more",
        "### Deeper",
        "# Two",
        SLURM,
        SLURM.partition("## Back")[0],
        "last",
    ]
    nb = v4.new_notebook(cells=[v4.new_markdown_cell(source) for source in sources])
    assert cells.optional(nb) == [False, True, True, True, False, False, True, True]
    optional = "Bigger · optional"
    assert cells.headings(nb) == ["", *["One optional"] * 2, "Deeper", "Two", "Back to work", optional, optional]


def test_views_of_widgets_go_where_something_else_is_shown():
    def shown(beside="", **data):
        cell = {"outputs": [{"output_type": "stream"}, {"data": {cells.WIDGET: {}} | data}]}
        cells.drop_widget_views(cell, beside)
        return {*cell["outputs"][1]["data"]}

    assert cells.WIDGET == WIDGET_MIME
    assert shown() == {cells.WIDGET} and shown(text="") == {"text"}
    assert shown("html", text="") == {cells.WIDGET, "text"} and shown("html", html="") == {"html"}
    cells.drop_widget_views(v4.new_markdown_cell())
    cells.drop_progress(v4.new_markdown_cell())


def test_ids_are_short_and_plain():
    assert cells.new_id("hint", "many_gpus.my_share") == "hint-many-gpus-my-share"
    assert len(cells.new_id("x" * 99)) == 64
