"""Where data lies on this machine."""

import os
from pathlib import Path

SHIPPED = Path(__file__).resolve().parents[2] / "data"


def data_root() -> Path:
    """The folder for downloads: SSLKIT_DATA where it is set, else the kit's own data folder."""
    return in_home(os.environ.get("SSLKIT_DATA") or SHIPPED)


def in_home(path: str | Path) -> Path:
    """The path with ~ and ~name written out; where nobody has that name, as it is (Path.expanduser raises RuntimeError)."""
    return Path(os.path.expanduser(path))


def bundled(name: str) -> Path:
    """A file that ships with the kit, by its path under data/."""
    path = SHIPPED / name
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing. It ships with the kit's repository: work from a git clone with an editable install "
            f"(python3 kit.py setup), or restore it with: git checkout -- data"
        )
    return path
