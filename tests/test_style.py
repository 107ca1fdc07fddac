"""The rules that ruff can hold."""

import subprocess
import sys

from sslkit.notebooks.files import ROOT


def test_ruff_has_nothing_to_say():
    command = [sys.executable, "-m", "ruff", "check", "--output-format=concise", "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
