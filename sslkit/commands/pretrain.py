"""Stage one from the command line."""

import argparse
import json
import os
import re
import shlex
import signal
import sys
from pathlib import Path
from typing import Any

from sslkit import chapters, datasets, dist
from sslkit.commands.data import load_data
from sslkit.commands.options import OVERRIDES
from sslkit.datasets.kinds import EXAMPLES, SPOKEN
from sslkit.plots import spread_words
from sslkit.progress import duration
from sslkit.train import Record, build, choose, chosen_precision, device, interrupts_wait, scale, train
from sslkit.train.hardware import keep_memory

LOGGED = ("step", "loss", "lr", "seconds", "images_per_second", "spread", "rank")  # of a Record, where it has them


def unfit(args: argparse.Namespace, wanted: str, noun: str) -> ValueError:
    """What is wrong where a method cannot learn from a set."""
    learns = f"{args.method} learns from {SPOKEN.get(wanted, wanted)}"
    return ValueError(f"{learns}, and {args.data} holds {noun}: try --data {EXAMPLES[wanted]}")


def pretrain(args: argparse.Namespace) -> int:
    """Train, print a line now and then, log each to out/log.jsonl. Ctrl-C and SIGTERM (a cluster wants the machine) end
    it after the step in hand; then the exit code is 128 + the signal, as shells have it."""
    module = chapters.get(args.method)
    changes = {f.name: getattr(args, f.name) for f in OVERRIDES if getattr(args, f.name) is not None}
    recipe = choose(module.RECIPES, args.scale).but(**changes)
    args.data = args.data or chapters.data_of(args.method)
    data_in_a_name = re.sub(r"[/:\\]", "_", args.data)  # folder:C:\photos too
    out = args.out or Path("runs") / f"{args.method}-{data_in_a_name}-{args.seed}"
    if (out / "checkpoint.pt").exists() and not args.resume:
        raise ValueError(f"{out} holds a run already: add --resume to go on with it, or choose another --out")
    if args.resume and not (out / "checkpoint.pt").exists():
        raise ValueError(
            f"there is no checkpoint in {out} to resume: leave --resume out, or name the run's folder with --out"
        )
    wanted = chapters.kind_of(args.method)
    if datasets.is_text(args.data) != (wanted == "tokens"):  # text takes a minute to read: say so before
        raise unfit(args, wanted, "images or clips" if wanted == "tokens" else "text")
    data = load_data(args, args.data)
    kind = data.kind
    if kind.name != wanted:
        raise unfit(args, wanted, kind.noun)
    recipe = recipe.but(options=recipe.options | kind.options)
    method: Any = build(module.METHOD, recipe, kind.inputs, args.seed)
    chance = method.chance(min(recipe.batch, len(data.pretrain))) if hasattr(method, "chance") else None
    about = {
        "name": args.method,
        "data": args.data,
        "channels": kind.inputs,
        "size": data.train.x.shape[-1],
        "scale": scale(args.scale),
    }
    if data.tokenizer is not None:
        about["tokenizer"] = data.tokenizer.state()  # a run can be read without the texts
    say = print if dist.is_main() else (lambda *_, **__: None)
    say(
        f"{args.method} on {data.name}: {len(data.pretrain):,} {kind.noun}, {about['scale']} scale, {dist.world()} process(es)"
    )
    say(f"seed {args.seed}, {recipe}")
    dtype, why = chosen_precision(device().type)
    say(f"{device()} in {str(dtype).removeprefix('torch.')}: {why}")
    if device().type == "cpu" and dist.world() == 1:  # several processes share one memory
        keep_memory()
    spoken, record, seen = 0.0, None, None
    logged = dist.is_main()
    with interrupts_wait(signal.SIGINT, signal.SIGTERM) as asked:
        for record in train(
            method, data.pretrain, recipe, seed=args.seed, out=out, resume=args.resume, about=about, stop=asked
        ):
            logged = logged and log(out / "log.jsonl", record)
            seen = record if record.spread is not None else seen
            if record.seconds - spoken > 5 or record.step == record.steps:
                spoken = record.seconds
                level = f" (chance {chance:.3f})" if chance is not None else ""
                level += f"   spread {seen.spread:.2f}, rank {seen.rank:.1f}" if seen else ""
                say(f"step {record.step:6} of {record.steps}   loss {record.loss:.3f}{level}   "
                    f"{record.images_per_second:,.0f} {kind.noun}/s   {duration(record.seconds_left)} left", flush=True)  # fmt: skip
    if seen:
        say(spread_words(seen))
    if record and record.step < record.steps:
        say(f"Kept in {out}. Go on with: {go_on(args.given)}")
        return 128 + (asked() or signal.SIGTERM)
    say(f"Kept in {out}. Judge it: python -m sslkit probe {out}")
    return 0


def log(path: Path, record: Record) -> bool:
    """Append a line with a record's numbers; False, once it is said, where that fails: a run is worth more than its log."""
    line = {key: round(value, 6) for key in LOGGED if (value := getattr(record, key)) is not None}
    try:
        with open(path, "a") as file:
            file.write(json.dumps(line) + "\n")
        return True
    except OSError as error:
        print(f"{path} cannot be written ({error.strerror}): the run goes on without its log.", file=sys.stderr)
        return False


def go_on(given: list[str]) -> str:
    """The command that resumes the run of these arguments, with as many processes."""
    words = shlex.join([*given, *(["--resume"] if "--resume" not in given else [])])
    if dist.world() == 1:
        return f"python -m sslkit {words}"
    if int(os.environ.get("GROUP_WORLD_SIZE", 1)) > 1:
        return f"your torchrun command on all machines, that is, ... -m sslkit {words}"
    return f"torchrun --standalone --nproc-per-node {dist.world()} -m sslkit {words}"
