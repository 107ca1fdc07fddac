"""The built wheel, in an environment and a folder that know nothing of the clone."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

USED = """
from pathlib import Path
import sslkit
from sslkit.datasets import data_root, load
from sslkit.runs import all_runs

assert Path({clone!r}) not in Path(sslkit.__file__).parents, sslkit.__file__
print(len(load("scenes", limit=64).train.x), len(load("emoji").train.x) > 0, len(load("fashion").train.x) > 0)
runs, left_out = all_runs()
print(len(runs), left_out, data_root().name)
from sslkit.evidence import results, scoreboard

print(results("transfer")["seeds"] is not None, "Not measured" in scoreboard("ablations/simclr_scenes", title="A table").alt)
"""


@pytest.mark.slow
def test_a_wheel_brings_its_data_and_the_lab_settings(tmp_path):
    clone = tmp_path / "clone"  # a build leaves folders behind
    for name in ("sslkit", "data", "results", ".jupyter"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("downloads", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    built = subprocess.run([*pip, "wheel", "--no-deps", "-w", tmp_path, clone], capture_output=True, text=True)
    if built.returncode and "setuptools" in built.stderr and not os.environ.get("CI"):
        pytest.skip("building a wheel fetches setuptools, and there is no network")
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("sslkit-*.whl")

    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "SSLKIT_DATA")}
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    places = sysconfig.get_paths("venv", {"base": str(tmp_path / "venv"), "platbase": str(tmp_path / "venv")})
    python = Path(places["scripts"]) / ("python.exe" if os.name == "nt" else "python")
    subprocess.run([*pip, "--python", python, "install", "-q", "--no-deps", wheel], check=True, cwd=tmp_path, env=clean)
    others = Path(places["purelib"]) / "torch.pth"  # PyTorch and the rest as they are here
    others.write_text(sysconfig.get_path("purelib"))
    assert (Path(places["data"]) / "etc/jupyter/labconfig/default_setting_overrides.json").is_file()

    (tmp_path / "empty").mkdir()
    done = subprocess.run(
        [python, "-c", USED.format(clone=str(ROOT))], cwd=tmp_path / "empty", env=clean, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    shipped = len(list((ROOT / "data/encoders").glob("*.pt")))
    assert done.stdout.splitlines() == ["64 True True", f"{shipped} [] sslkit", "True False"]
