"""Where data and results are on this machine."""

import os
from importlib import metadata
from pathlib import Path

CLONE = Path(__file__).resolve().parents[2]  # where the repository is worked in; of an installed wheel, site-packages
IN_CLONE = (CLONE / "kit.py").is_file()


def home() -> Path:
    """The folder that holds data/ and results/: the clone; of an installed wheel, where it put its data files."""
    if IN_CLONE:
        return CLONE
    try:
        files = metadata.files("sslkit") or []
    except metadata.PackageNotFoundError:  # a bare copy of the package: what needs the data says that it is missing
        files = []
    found = [
        Path(str(file.locate())).resolve() for file in files if file.as_posix().endswith("share/sslkit/data/README.md")
    ]
    return found[0].parents[1] if found else CLONE


SHIPPED, RESULTS = home() / "data", home() / "results"
HOME = CLONE if IN_CLONE else Path.cwd()  # where runs/ is looked for


def data_root() -> Path:
    """The folder for downloads: SSLKIT_DATA where it is set, else data/ of the clone, ~/.cache/sslkit for an installed wheel."""
    return in_home(os.environ.get("SSLKIT_DATA") or (SHIPPED if IN_CLONE else "~/.cache/sslkit"))


def in_home(path: str | Path) -> Path:
    """The path with ~ and ~name written out; where nobody has that name, as it is (Path.expanduser raises RuntimeError)."""
    return Path(os.path.expanduser(path))


def bundled(name: str) -> Path:
    """A file that ships with the kit, by its path under data/."""
    path = SHIPPED / name
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing. It ships with the kit: restore it with `git checkout -- data` in a clone, or install the kit "
            f"again (python3 kit.py setup, or its wheel)"
        )
    return path
