"""The command line: python -m sslkit data | pretrain METHOD | probe RUN | finetune RUN | generate RUN "prompt" |
export RUN | explore RUN ... Under torchrun, pretrain and finetune use all processes."""

import argparse
import signal
import sys
from functools import partial

import torch

from sslkit import chapters, dist
from sslkit.commands.data import check_kind, list_data, load_data, said
from sslkit.commands.options import parser
from sslkit.commands.pretrain import go_on, pretrain
from sslkit.export import export
from sslkit.probes import finetune_report, report
from sslkit.runs import load_run
from sslkit.tokenizer import BytePair
from sslkit.train import device


def probe(args: argparse.Namespace) -> None:
    """Print what the features of a run are worth."""
    method, state = load_run(args.run)
    data = load_data(args, args.data or state["data"], state)
    check_kind(state, data)
    print(report(method, data, state["name"], range(args.seeds)))


def finetune(args: argparse.Namespace) -> None:
    """Print what labels are worth: a run's encoder fine-tuned, and the same network from scratch."""
    method, state = load_run(args.run)
    data = load_data(args, args.data or state["data"], state)
    check_kind(state, data)
    if data.kind.judge != "scoreboard":
        raise ValueError(
            f"{data.name} holds {data.kind.noun}; fine-tuning takes images or text: name a set with --data"
        )
    per_class = None if args.all else args.per_class
    if args.resume and args.out is None:
        raise ValueError("--resume goes on from checkpoints: name their folder with --out")
    say = partial(print, flush=True) if dist.is_main() else (lambda *_: None)
    options = {"on_result": say, "out": args.out, "resume": args.resume, "steps": args.steps}
    say(finetune_report(method, data, per_class, range(args.seeds), **options))


def generate(args: argparse.Namespace) -> None:
    """Print the prompt and what a run of GPT makes of it, until it ends the document."""
    method, state = load_run(args.run)
    module = chapters.get(state["name"])
    if not hasattr(module, "generate"):
        raise ValueError(f"{args.run} is a run of {state['name']}, which writes no text: pretrain gpt")
    if args.tokens < 0:
        raise ValueError(f"--tokens {args.tokens}: it takes 0 or more")
    if not (args.temperature == 0 or 0.001 <= args.temperature <= 1000):
        raise ValueError(f"--temperature {args.temperature}: it takes 0, or a number from 0.001 to 1000")
    tokenizer = BytePair.from_state(said(state, "tokenizer"))
    generator = torch.Generator(device()).manual_seed(args.seed)
    prompt = torch.tensor([tokenizer.encode(args.prompt)], dtype=torch.int64)
    knobs = {"temperature": args.temperature, "top_k": args.top_k, "top_p": args.top_p, "end": tokenizer.end}
    written = module.generate(method, prompt, args.tokens, generator, **knobs)[0, prompt.shape[1] :].tolist()
    print(
        args.prompt + tokenizer.decode(written[: written.index(tokenizer.end)] if tokenizer.end in written else written)
    )


def write_encoder(args: argparse.Namespace) -> None:
    """Export a run's encoder, and say where it is."""
    path = export(args.run, args.to, args.out)
    print(f"{path}, {path.stat().st_size / 1e6:.1f} MB")


def explore(args: argparse.Namespace) -> None:
    """Write maps of what runs have learned as one page."""
    from sslkit.commands.explore import explore  # widgets take a second to import, which only this needs

    explore(args)


def main(argv: list[str] | None = None) -> int:
    """Run one command; errors that a user can mend are said in a line, without a traceback."""
    args, unknown = parser().parse_known_args(argv)
    if unknown:
        args.parser.error(f"no option {' '.join(unknown)}; the options are listed above")
    args.given = sys.argv[1:] if argv is None else argv
    try:
        dist.init()
        commands = {"data": lambda _: list_data(), "pretrain": pretrain, "probe": probe, "finetune": finetune}
        commands |= {"generate": generate, "export": write_encoder, "explore": explore}
        return commands[args.command](args) or 0
    except (ValueError, OSError, FloatingPointError) as error:
        lost = isinstance(error, ConnectionError) and dist.world() > 1
        print(f"python -m sslkit {args.command}: {error}" + f" Go on with: {go_on(args.given)}" * lost, file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        print(f"python -m sslkit {args.command}: {str(error) or 'stopped'}", file=sys.stderr)
        return 128 + signal.SIGINT
    except RuntimeError as error:  # ahead of the first step; train() has its own words for it
        if not dist.is_lost(error):
            raise
        print(
            f"python -m sslkit {args.command}: another process is gone, so process {dist.rank()} ends.", file=sys.stderr
        )
        return 2
    finally:
        dist.finish()
