"""The command line, python -m sslkit: see sslkit.commands.main. Ctrl-C is answered in a line from the first moment on, when PyTorch is
still being imported."""

import os
import signal
import sys


def stopped(*_: object) -> None:
    """Nothing has begun, so nothing is lost."""
    os.write(2, b"python -m sslkit: stopped\n")
    os._exit(128 + signal.SIGINT)


if __name__ == "__main__":
    before = signal.signal(signal.SIGINT, stopped)

from sslkit.commands.main import main  # noqa: E402

__all__ = ["main"]

if __name__ == "__main__":
    signal.signal(signal.SIGINT, before)
    sys.exit(main())
