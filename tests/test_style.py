"""The rules that ruff can hold."""

import subprocess
import sys

import pytest

from sslkit.notebooks.files import ROOT


def test_ruff_has_nothing_to_say():
    command = [sys.executable, "-m", "ruff", "check", "--output-format=concise", "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_would_format_nothing_anew():
    command = [sys.executable, "-m", "ruff", "format", "--check", "--output-format=concise", "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_types():
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_shows_what_was_measured():
    """Its tables and pictures are those of the committed notebooks and of results/."""
    done = subprocess.run(
        [sys.executable, "tests/benchmarks/report.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
