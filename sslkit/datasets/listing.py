"""Which image files a folder holds, and what its subfolders mean: splits, classes, or nothing."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from .images import SUFFIXES

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
    "unlabelled": "unlabelled",
    "unlabeled": "unlabelled",
}
IGNORED = ("__MACOSX", "@eaDir")  # what macOS archives and Synology disks add: thumbnails and resource forks

Sample = tuple[str, str | None]  # path relative to the folder, with forward slashes; class name


def image_files(folder: Path) -> tuple[list[str], list[str]]:
    """Relative paths of all image files in `folder` and below, sorted; and "path: reason" for what is lost.

    Hidden files and folders are left out. A folder reached twice, through symbolic links, counts once.
    """
    found, problems, seen, todo = [], [], set(), [(folder, "")]
    links: list[tuple[Path, str]] = []
    while todo or links:
        # Links to folders come last: what the folder holds anyhow is listed under its own name.
        here, prefix = todo.pop() if todo else links.pop(0)
        try:
            status = os.stat(here)
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            problems.append(f"{prefix or '.'}: {error.strerror}")
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        for entry in entries:
            name = prefix + entry.name
            if entry.name.startswith(".") or entry.name in IGNORED:
                continue
            if os.path.isdir(entry.path):  # unlike entry.is_dir, false for a link to itself
                (links if entry.is_symlink() else todo).append((Path(entry.path), name + "/"))
            elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:
                if os.path.isfile(entry.path):
                    found.append(name)
                elif entry.is_symlink():
                    problems.append(f"{name}: the link leads nowhere")
    return sorted(found), sorted(problems)


def visible(path: Path, under: Path) -> bool:
    """Whether no part of the path below `under` is hidden or a system's own."""
    return not any(part.startswith(".") or part in IGNORED for part in path.relative_to(under).parts)


def arrange(paths: list[str], labelled: bool | None = None) -> tuple[dict[str, list[Sample]], list[str]]:
    """The samples of each split, and "path: reason" for files that have no place in this layout.

    Layouts: `class/...`; or `train/...`, with `val/...` and `test/...` or one of them, each with or without
    class folders inside; and `unlabelled/...` beside any of these. Without split folders all is in "all".
    `labelled` False takes folders for mere folders. Raises ValueError where the layout has two readings.
    """
    tops = {path.split("/")[0] for path in paths if "/" in path}
    roles = {top: SPLIT_NAMES[top.lower()] for top in sorted(tops) if top.lower() in SPLIT_NAMES}
    other = sorted(tops - set(roles))
    if {"val", "test"} <= set(roles.values()) and "train" not in roles.values():
        raise ValueError(f"the folders {', '.join(roles)} are splits, but there is no train folder")
    if "train" not in roles.values():  # `test` alone, or `val`, is a class like any other
        roles = {top: role for top, role in roles.items() if role == "unlabelled"}
    elif other and set(roles.values()) - {"train", "unlabelled"}:
        raise ValueError(
            f"the folders {', '.join(roles)} are splits, but {', '.join(other)} beside them "
            "are not: move them into the splits, or elsewhere"
        )
    elif other:  # a class named `train`, among others
        roles = {top: role for top, role in roles.items() if role == "unlabelled"}
    if len(set(roles.values())) < len(roles):
        raise ValueError(f"two of the folders {', '.join(roles)} mean the same split: keep one of them")
    split = "train" in roles.values()

    parts: dict[str, list[Sample]] = {}
    for path in paths:
        role = roles.get(path.split("/")[0]) if "/" in path else None
        inner = path.split("/")[1:] if role else path.split("/")
        label = inner[0] if len(inner) > 1 and role != "unlabelled" else None
        parts.setdefault(role or ("beside" if split else "all"), []).append((path, label))
    problems = [f"{path}: lies beside the split folders" for path, _ in parts.pop("beside", [])]
    if set(parts) == {"unlabelled"}:
        parts = {"all": parts["unlabelled"]}

    classes = {label for _, label in parts.get("train", parts.get("all", [])) if label is not None}
    if labelled is False or (labelled is None and len(classes) < 2):
        return {part: [(path, None) for path, _ in samples] for part, samples in parts.items()}, problems
    if not classes:
        raise ValueError("no class folders were found: put the images of each class into a folder of its own")
    for part in set(parts) - {"unlabelled"}:
        loose = [path for path, label in parts[part] if label is None]
        if len(loose) == len(parts[part]):
            raise ValueError(
                f"{part} has no class folders, but train has: sort its images into the same "
                "classes, or name the folder `unlabelled` to pretrain on it"
            )
        problems += [f"{path}: lies beside the class folders, so it has no class" for path in loose]
        parts[part] = [sample for sample in parts[part] if sample[1] is not None]
        if unknown := sorted({label for _, label in parts[part] if label is not None} - classes):
            raise ValueError(f"{part} contains classes that train does not: {', '.join(unknown[:5])}")
    return parts, problems


def suffixes_of(folder: Path) -> str:
    """The commonest file endings in a folder, for a message about one without images."""
    endings: dict[str, int] = {}
    for _, _, names in os.walk(folder):
        for name in names:
            ending = PurePosixPath(name).suffix.lower() or "no ending"
            endings[ending] = endings.get(ending, 0) + 1
    common = sorted(endings, key=lambda ending: endings[ending], reverse=True)[:5]
    return ", ".join(f"{endings[ending]} x {ending}" for ending in common) or "nothing"
