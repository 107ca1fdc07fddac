"""Where the kit is published: one constant, and what the Colab cells, badges and README make of it."""

import shutil
import subprocess
import sys

import nbformat
import pytest

from sslkit.notebooks import address, course, files
from sslkit.notebooks.__main__ import main

URL = "https://github.com/you/sslkit"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """What an address is written into, in a folder of its own."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("kit.py", "README.md", "pyproject.toml"):
        shutil.copy(files.ROOT / name, folder)
    shutil.copytree(files.ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".*"))
    return folder


def first_code(path) -> str:
    return next(cell.source for cell in files.read(path).cells if cell.cell_type == "code")


def test_the_tree_is_at_the_address_that_stands_in_kit_py():
    assert address.write(check=True) == []


@pytest.mark.slow
def test_an_address_reaches_everything_and_nothing_has_to_run_again(copy):
    before = {path: files.source_hash(files.read(path)) for path in course(copy).values()}
    assert main(["address", URL], copy) == 0 and address.address(copy) == URL
    assert main(["address", "--check"], copy) == 0
    assert f"git clone {URL} sslkit\ncd sslkit\npython3 kit.py lab\n" in (copy / "README.md").read_text()
    for path, stamp in before.items():
        nb = files.read(path)
        assert files.source_hash(nb) == stamp
        nbformat.validate(nb)
        assert nb.cells[1].source.endswith(f"/github/you/sslkit/blob/main/notebooks/{path.name})")
        assert f"git clone -q --depth 1 {URL} /content/sslkit" in first_code(path)
    (copy / "README.md").write_text((copy / "README.md").read_text().replace("/you/", "/me/"))
    assert main(["address", "--check"], copy) == 1
    assert main(["address"], copy) == 0 and main(["address", "--check"], copy) == 0


@pytest.mark.parametrize("url", ["sslkit", "https://a b", "https://x';rm -rf /", 'https://"'])
def test_what_is_no_address_is_refused(copy, url):
    with pytest.raises(ValueError, match="is not an address to clone from"):
        address.write(url, copy)


def test_without_an_address_colab_is_answered_in_words():
    fake = "import sys, types; sys.modules['google.colab'] = types.ModuleType('google.colab')\n"
    done = subprocess.run([sys.executable, "-c", fake + address.NOWHERE], capture_output=True, text=True)
    assert done.returncode == 1 and "no address yet" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_on_colab_the_first_cell_of_every_notebook_fetches_the_kit(tmp_path):
    """git clones from this repository's own folder; pip is only asked."""
    content = tmp_path / "content"
    url = files.ROOT.as_uri()
    cells = [first_code_at(path, url).replace("/content/sslkit", str(content)) for path in course().values()]
    assert len(set(cells)) == 1
    fake = """import subprocess, sys, types
sys.modules["google.colab"] = types.ModuleType("google.colab")
real = subprocess.run
def run(command, **options):
    if "pip" in command:
        print("asked:", *command[1:])
    else:
        real(command, **options)
subprocess.run = run
"""
    after = "\nimport os, sslkit\nprint(os.getcwd(), sslkit.__file__)"
    for _ in range(2):  # the second time it is there already
        command = [sys.executable, "-I", "-c", fake + cells[0] + after]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        asked, where = done.stdout.splitlines()
        assert asked == f"asked: -m pip install -q -e {content}"
        assert where == f"{content}/notebooks {content}/sslkit/__init__.py"


def first_code_at(path, url: str) -> str:
    nb = address.dressed(files.read(path), url, path)
    return next(cell.source for cell in nb.cells if cell.cell_type == "code")


def test_elsewhere_it_does_nothing():
    for cell in (address.NOWHERE, address.FETCH.format(address=URL)):
        done = subprocess.run([sys.executable, "-I", "-c", cell], capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
