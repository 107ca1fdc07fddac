"""Docstrings and the language reference, cleaned to prose."""

import subprocess
import sys

import pytest

from sslkit.datasets import prose
from sslkit.datasets.prose import SHORTEST, clean, docstrings, documents, folder_of, is_prose

LONG = "This sentence is long enough to be a paragraph of prose"


def test_paragraphs_become_lines():
    text = f"{LONG},\n    broken over\n    lines.\n\n{LONG}."
    assert clean(text) == f"{LONG}, broken over lines.\n{LONG}."


def test_markup_goes_and_its_words_stay():
    text = f"{LONG}: a ``list`` of :class:`~torch.Tensor`, see :ref:`the guide <guide>`, **must** be *sorted*."
    assert clean(text) == f"{LONG}: a list of torch.Tensor, see the guide, must be *sorted*."


@pytest.mark.parametrize("junk", [
    ">>> print(1)\n1 and what an example prints, though it may look like prose to the eye",
    "Parameters\n----------",
    ".. note:: something",
    "| a | table | of | many | columns | that | is | long | enough |",
    "Too short.",
    "x = (a + b) * c ** 2 / (d - e) % f == g != h < i > j [k] {l}",
])  # fmt: skip
def test_what_is_no_prose_goes(junk):
    assert clean(f"{LONG}.\n\n{junk}\n\n{LONG} too.") == f"{LONG}.\n{LONG} too."


def test_items_of_a_list_are_paragraphs():
    assert clean(f"- {LONG},\n  and goes on\n- {LONG} as well") == f"- {LONG}, and goes on\n- {LONG} as well"


def test_a_paragraph_is_long_enough_from_forty_characters_on():
    assert is_prose("a" * SHORTEST) and not is_prose("a" * (SHORTEST - 1))


def test_is_prose():
    assert is_prose(LONG) and not is_prose("short") and not is_prose("1.0 2.0 3.0 4.0 5.0 6.0 7.0 8.0 9.0 1.0 2.0")


SOURCE = '''"""Module."""
class A:
    """Class."""
    def f(self):
        """Method."""
        def g():
            "Inner."
async def h():
    """Async."""
x = """no docstring"""
'''


def test_docstrings_of_a_file(tmp_path):
    path = tmp_path / "m.py"
    path.write_text(SOURCE)
    assert docstrings(path) == ["Module.", "Class.", "Async.", "Method.", "Inner."]


@pytest.mark.parametrize("content", [b"def broken(:\n", b"\xff\xfe not utf-8", b"x = '\0'", b"(" * 5000])
def test_a_file_that_does_not_parse_has_none(tmp_path, content):
    (tmp_path / "m.py").write_bytes(content)
    assert docstrings(tmp_path / "m.py") == []


def test_a_file_that_is_gone_has_none(tmp_path):
    assert docstrings(tmp_path / "gone.py") == []


def test_the_language_reference():
    found = dict(documents("language"))
    assert len(found) > 50 and all(name.startswith("language/") and text for name, text in found.items())
    assert all(is_prose(line) for text in found.values() for line in text.split("\n"))


def package(root, modules):
    for name, doc in modules.items():
        path = root / "tinypackage" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"""{doc}"""\nraise RuntimeError("a source is read, not run")\n')
    return root


def test_modules_of_a_package_are_read_not_run(tmp_path, monkeypatch):
    modules = {
        "a.py": f"{LONG} a.",
        "sub/b.py": f"{LONG} b.",
        "empty.py": "Short.",
        "tests/c.py": f"{LONG} c.",
        "_vendor/d.py": f"{LONG} d.",
    }
    package(tmp_path, {"__init__.py": f"{LONG} first."} | modules)
    monkeypatch.syspath_prepend(tmp_path)
    found = dict(documents("tinypackage"))
    assert found == {
        "tinypackage/__init__": f"{LONG} first.", "tinypackage/a": f"{LONG} a.", "tinypackage/sub/b": f"{LONG} b.",
    }  # fmt: skip
    assert "tinypackage" not in sys.modules


def test_it_stops_when_there_is_enough_and_in_an_order_of_names_alone(tmp_path, monkeypatch):
    package(tmp_path, {"__init__.py": f"{LONG}."} | {f"m{i}.py": f"{LONG} number {i}." for i in range(30)})
    monkeypatch.syspath_prepend(tmp_path)
    everything = list(documents("tinypackage"))
    monkeypatch.setattr(prose, "ENOUGH", 500)
    some = list(documents("tinypackage"))
    assert 5 < len(some) < 12 < len(everything) == 31 and some == everything[: len(some)]
    assert [name for name, _ in everything] != sorted(name for name, _ in everything)


def test_a_package_that_is_not_installed():
    assert folder_of("no_such_package_here") is None and list(documents("no_such_package_here")) == []
    assert folder_of("stdlib").is_dir() and (folder_of("numpy") / "__init__.py").is_file()


@pytest.mark.slow
def test_no_package_is_imported_to_be_read():
    code = "import sys\nfrom sslkit.datasets import prose\nnext(prose.documents('networkx'), None)\nsys.exit('networkx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
