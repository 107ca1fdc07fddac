"""The command line: python -m sslkit data | pretrain METHOD | probe RUN | finetune RUN | generate RUN "prompt" |
export RUN | explore RUN ... Under torchrun, pretrain and finetune use all processes."""

import argparse
import signal
import sys

from sslkit import dist
from sslkit.commands import data, explore, export, finetune, generate, pretrain, probe
from sslkit.commands.processes import resuming

COMMANDS = (data, pretrain, probe, finetune, generate, export, explore)


def parser() -> argparse.ArgumentParser:
    """All commands and their options; each sets `run`, the function that does it."""
    top = argparse.ArgumentParser(
        prog="python -m sslkit", description="Self-supervised learning from the command line."
    )
    commands = top.add_subparsers(dest="command", required=True)
    for module in COMMANDS:
        module.add(commands)
    for command in commands.choices.values():
        command.set_defaults(parser=command)
    commands.metavar = " | ".join(commands.choices)
    return top


def run_command(argv: list[str] | None = None) -> int:
    """Run one command, and return its exit code. Errors that a user can mend are printed in a line, without a traceback."""
    args, unknown = parser().parse_known_args(argv)
    if unknown:
        args.parser.error(f"no option {' '.join(unknown)}; the options are listed above")
    args.given = sys.argv[1:] if argv is None else argv
    try:
        dist.init()
        return args.run(args) or 0
    except (ValueError, OSError, FloatingPointError) as error:
        lost = isinstance(error, ConnectionError) and dist.world() > 1
        return failed(args, f"{error}" + f" Go on with: {resuming(args.given)}" * lost)
    except KeyboardInterrupt as error:
        return failed(args, str(error) or "stopped", 128 + signal.SIGINT)
    except RuntimeError as error:  # ahead of the first step; train() has its own words for it
        if not dist.is_lost(error):
            raise
        return failed(args, f"another process is gone, so process {dist.rank()} ends.")
    finally:
        dist.finish()


def failed(args: argparse.Namespace, why: str, code: int = 2) -> int:
    """The exit code, once the reason is printed."""
    print(f"python -m sslkit {args.command}: {why}", file=sys.stderr)
    return code
