"""What gpt's laptop recipe gives: bits per byte on test documents, beside four models made by counting.

    python tests/benchmarks/run.py gpt [--seeds 3] [--out results/gpt.json]
    python tests/benchmarks/run.py gpt --vocabularies 512 2048 8192 [--seconds 60] [--out results/gpt_vocabulary.json]
    python tests/benchmarks/run.py gpt --tales [--seeds 3] [--out results/ablations/gpt_tales.json]

For each seed: new weights and a new order. The bigram's prior is chosen on val, and so was the trigram's. About two
and a half minutes a seed on two cores. With --vocabularies: tokenizers of several sizes, for each a network trained for the
same seconds, and bits per byte on val, one seed; each size gathers its text anew the first time (20 s). With --tales: what
chapter 20 changes (ablations.TALES), each trained on tales: bits per byte on val, and the share of 100 tales written that hang
together; each run is written as it ends, a second call makes what is missing.
"""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

import torch
from tables import machine, save, spread

from sslkit.chapters.gpt import tales
from sslkit.chapters.gpt.ablations import TALES
from sslkit.chapters.gpt.counting import trigram
from sslkit.chapters.gpt.method import METHOD, RECIPES, bigram, bits_per_byte, shifted, token_losses, uniform, unigram
from sslkit.datasets import load
from sslkit.train import autocast, build, device, train

PRIORS = (10.0, 30.0, 100.0, 300.0, 1000.0)


def bits(predict, x, tokenizer) -> float:
    """Bits per byte of passages x."""
    lengths = torch.tensor(tokenizer.lengths())
    return bits_per_byte(token_losses(predict, shifted(x, tokenizer.end), x), x, lengths, tokenizer.pad)


def network(method):
    """The method's logits, in the precision of the training."""
    method.eval()

    @torch.no_grad()
    def predict(inputs):
        with autocast(device()):
            return method.logits(inputs.to(device()))

    return predict


def counted(data) -> tuple[dict, float]:
    """The models made by counting, by name, and the bigram's prior, which is best on val."""
    tokenizer, V, x = data.tokenizer, data.channels, data.train.x
    flat, single, found = uniform(V), unigram(x, V), {}

    def pairs(prior):
        table = bigram(shifted(x, tokenizer.end), x, V, prior)
        return lambda inputs: table[inputs]

    for prior in PRIORS:
        found[prior] = bits(pairs(prior), data.val.x, tokenizer)
    prior = min(found, key=found.get)
    inputs = shifted(x, tokenizer.end)
    triples = trigram(inputs, x, bigram(inputs, x, V, prior), tokenizer.end)
    return {"uniform": lambda _: flat, "unigram": lambda _: single, "bigram": pairs(prior), "trigram": triples}, prior


def seeds(args) -> dict:
    """Bits per byte of test documents, by model."""
    recipe = RECIPES["laptop"]
    recipe = recipe.but(steps=args.steps or recipe.steps)
    data, seconds, speed = load("text"), [], []
    models, prior = counted(data)
    rows = {name: [round(bits(predict, data.test.x, data.tokenizer), 4)] for name, predict in models.items()}
    rows["GPT"] = []
    for seed in range(args.seeds):
        method = build(METHOD, recipe, data.channels, seed)
        for record in train(method, data.pretrain, recipe, seed=seed):
            last = record
        seconds.append(round(last.seconds, 1))
        speed.append(round(last.images_per_second * data.train.x.shape[1]))
        rows["GPT"].append(round(bits(network(method), data.test.x, data.tokenizer), 4))
        print(
            f"seed {seed}: {last.steps} steps in {last.seconds:.0f} s, loss {last.loss:.3f}, {rows['GPT'][-1]} bits per byte",
            flush=True,
        )
    for name, values in rows.items():
        print(f"  {name:8} {spread(values, width=6)}   {values}")
    return {
        "command": f"python tests/benchmarks/run.py gpt --seeds {args.seeds}",
        "data": data.name,
        "test passages": len(data.test),
        "seeds": list(range(args.seeds)),
        "steps": recipe.steps,
        "batch": recipe.batch,
        "prior": prior,
        "training_seconds": seconds,
        "tokens_per_second": speed,
        "rows": rows,
    }


def vocabularies(args) -> dict:
    """Bits per byte of val documents by size of the vocabulary, each after the same seconds of training."""
    recipe, found = RECIPES["laptop"], {}
    for size in args.vocabularies:
        data = load("text", vocabulary=size)
        trial = build(METHOD, recipe, data.channels)
        *_, last = train(trial, data.pretrain, recipe.but(steps=12))
        steps = max(12, round(12 * args.seconds / last.seconds))  # a whole schedule that takes about so long
        method, start = build(METHOD, recipe, data.channels), time.perf_counter()
        *_, last = train(method, data.pretrain, recipe.but(steps=steps))
        x = data.val.x
        size_in_bytes = torch.tensor(data.tokenizer.lengths())[x].sum().item()
        found[str(size)] = {
            "val bits per byte": round(bits(network(method), x, data.tokenizer), 4),
            "bytes per token": round(size_in_bytes / (x != data.tokenizer.pad).sum().item(), 3),
            "steps": steps,
            "seconds": round(last.seconds, 1),
        }
        print(f"{size}: {found[str(size)]}, {time.perf_counter() - start:.0f} s in all", flush=True)
    return {
        "command": f"python tests/benchmarks/run.py gpt --vocabularies {' '.join(map(str, args.vocabularies))} --seconds {args.seconds}",
        "seconds": args.seconds,
        "batch": recipe.batch,
        "vocabularies": found,
    }


def one_tale_run(name: str, seed: int, data, recipe) -> dict:
    """Train one variant on tales and judge it."""
    ablation, start, curve = TALES[name], time.process_time(), []
    method = ablation.build(METHOD, recipe, data.channels, seed)
    for record in train(method, data.pretrain, recipe, seed=seed):
        if record.due(60):
            curve.append([record.step, round(record.loss, 4)])
    spent = round(time.process_time() - start)
    written = tales.write(method, data.tokenizer, 100, seed)
    scores = {
        "bits per byte": round(bits(network(method), data.val.x, data.tokenizer), 4),
        "tales that hang together": round(tales.hang_together(written), 4),
    }
    return {"scores": scores, "curve": curve, "core seconds": spent, "written": written[:3]}


def on_tales(args) -> dict:
    """What chapter 20 changes, one thing at a time."""
    data, recipe = tales.load(), tales.RECIPE.but(steps=args.steps or tales.RECIPE.steps)
    kept = json.loads(args.out.read_text()) if args.out and args.out.exists() else {}
    runs = kept["runs"] if kept.get("recipe") == asdict(recipe) else {}
    head = {
        "command": f"python tests/benchmarks/run.py gpt --tales --seeds {args.seeds}",
        "data": data.name,
        "split": "val",
        "seeds": list(range(args.seeds)),
        "recipe": asdict(recipe),
    }
    for seed in range(args.seeds):
        for name in [name for name in TALES if not (seed and TALES[name].once)]:
            if str(seed) not in runs.setdefault(name, {}):
                runs[name][str(seed)] = one_tale_run(name, seed, data, recipe)
                print(seed, name, runs[name][str(seed)]["scores"], flush=True)
            done = {n: by for n, by in runs.items() if len(by) == args.seeds}
            rows = {
                judge: {n: [run["scores"][judge] for run in by.values()] for n, by in done.items()}
                for judge in ("bits per byte", "tales that hang together")
            }
            result = head | {"rows": rows, "runs": runs}
            if args.out:
                save(args.out, result | machine())
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="another length than the recipe's, for a trial")
    parser.add_argument("--vocabularies", type=int, nargs="+", help="compare sizes of the vocabulary instead")
    parser.add_argument("--seconds", type=int, default=60, help="of training for each size of the vocabulary")
    parser.add_argument("--tales", action="store_true", help="what the chapter changes, on tales, instead")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    result = on_tales(args) if args.tales else vocabularies(args) if args.vocabularies else seeds(args)
    if args.out:
        save(args.out, result | machine())
