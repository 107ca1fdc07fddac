"""One run writes to a folder, not two."""

from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout


def only_writer(folder: Path) -> BaseFileLock:
    """Take the lock on a folder; the caller releases it. The system does if the process dies, so that a killed run blocks
    nobody. ValueError where another run holds it, OSError where the folder cannot be written to."""
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise ValueError(
            f"another run is writing to {folder}: wait for it, stop it (in a notebook: restart the kernel that left its loop "
            "open), or choose another folder"
        ) from error
    except OSError as error:
        why = error.strerror or error
        raise OSError(f"nothing can be written to {folder} ({why}): choose another folder") from error
    return lock
