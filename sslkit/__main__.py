"""The command line, python -m sslkit: see sslkit.commands.main. Ctrl-C is answered in a line from the first moment on, when PyTorch is
still being imported, to the last, when Python is leaving."""

import os
import signal
import sys


def stopped(*_: object) -> None:
    """Leave at once: nothing has begun, so nothing is lost."""
    os.write(2, b"python -m sslkit: stopped\n")
    os._exit(128 + signal.SIGINT)


def main(argv: list[str] | None = None) -> int:
    """Run one command, and return its exit code."""
    from sslkit.commands.main import run_command  # PyTorch and all the rest

    return run_command(argv)


def run() -> int:
    """Run the command that was typed."""
    before = signal.signal(signal.SIGINT, stopped)
    import sslkit.commands.main  # noqa: F401

    try:
        signal.signal(signal.SIGINT, before)
        code = main()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    except KeyboardInterrupt:  # before a command has begun, or after it has ended
        stopped()
    return code


if __name__ == "__main__":
    sys.exit(run())
