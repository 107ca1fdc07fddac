"""generate: text that a run of GPT goes on with."""

import argparse
from pathlib import Path
from typing import Any

import torch

from sslkit import chapters
from sslkit.commands.inputs import required
from sslkit.commands.options import seed
from sslkit.runs import load_run
from sslkit.tokenizer import BytePair
from sslkit.train import device


def add(commands: Any) -> None:
    """The command and its options."""
    command = commands.add_parser("generate", help="let a run of gpt go on with a text")
    command.set_defaults(run=run)
    command.add_argument("path", type=Path, metavar="run", help="folder of a run")
    command.add_argument(
        "prompt", nargs="?", default="", help="what to go on with (default: the start of a new document)"
    )
    command.add_argument("--tokens", type=int, default=100, help="how many to add at most")
    command.add_argument("--temperature", type=float, default=0.8, help="0: always the likeliest token")
    command.add_argument("--top-k", type=int, help="choose among the K likeliest tokens")
    command.add_argument("--top-p", type=float, help="choose among the likeliest that have this share together")
    command.add_argument("--seed", type=seed, default=0)


def run(args: argparse.Namespace) -> None:
    """Print the prompt and what follows it, up to the end of the document."""
    method, state = load_run(args.path)
    module = chapters.get(state["name"])
    if not hasattr(module, "generate"):
        raise ValueError(f"{args.path} is a run of {state['name']}, which writes no text: pretrain gpt")
    if args.tokens < 0:
        raise ValueError(f"--tokens {args.tokens}: it takes 0 or more")
    if not (args.temperature == 0 or 0.001 <= args.temperature <= 1000):
        raise ValueError(f"--temperature {args.temperature}: it takes 0, or a number from 0.001 to 1000")
    tokenizer = BytePair.from_state(required(state, "tokenizer"))
    generator = torch.Generator(device()).manual_seed(args.seed)
    prompt = torch.tensor([tokenizer.encode(args.prompt)], dtype=torch.int64)
    knobs = {"temperature": args.temperature, "top_k": args.top_k, "top_p": args.top_p, "end": tokenizer.end}
    written = module.generate(method, prompt, args.tokens, generator, **knobs)[0, prompt.shape[1] :].tolist()
    if tokenizer.end in written:
        written = written[: written.index(tokenizer.end)]
    print(args.prompt + tokenizer.decode(written))
