"""BERT's own judges: masked accuracy against guessers that only count, the second stage against from scratch and tf-idf,
which layer probes best, what no bag of words can tell, how much pretraining it takes, the 80/10/10 rule and both sides.

    python tests/benchmarks/run.py bert [--seeds 3] [--steps 1200] [--lengths 3 0.25 0.5] [--out results/bert.json]
    python tests/benchmarks/run.py bert --order --out results/bert.json     what no bag of words can tell alone, laid over the file

For each seed a run of the laptop recipe: masked accuracy and layers on validation documents, whether pieces of a passage were
exchanged, fine-tuning with 10 and 50 labels per class against from scratch and tf-idf of words on the test split (the learning
rate, and tf-idf's C, are chosen on val). Runs of other lengths (seed 0): masked accuracy, and fine-tuning with three draws of 10
labels. Always <mask>, and causal attention, beside the recipe, all at half its length (seed 0). One process a core, one thread
each; about 24 minutes on two cores.
"""

import argparse
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from tables import machine, save, settings, spread

from sslkit.chapters.bert.looking import layer_features
from sslkit.chapters.bert.method import (
    FINE_TUNING,
    METHOD,
    RECIPES,
    follow_table,
    guess_by_neighbours,
    mask_tokens,
    masked_accuracy,
)
from sslkit.chapters.bert.rival import passages_as_text, tf_idf_accuracy
from sslkit.datasets import load
from sslkit.probes import features, finetune, linear_probe, reinitialised
from sslkit.train import build, train

COUNTS, PROBED = (10, 50), 4000
LENGTHS, ABLATED = (3.0, 0.25, 0.5), 0.5  # of the recipe's steps
PIECES = (64, 8)  # tokens: each two pieces that follow one another change places
KINDS = {"masked": (1.0, 0.0, 0.0), "intact": (0.0, 0.0, 1.0)}


def trained(recipe, data, seed: int, causal: bool = False):
    """A method after its run."""
    method = build(METHOD, recipe, data.channels, seed)
    for block in method.encoder.blocks:
        block.attention.causal = causal
    for _ in train(method, data.pretrain, recipe, seed=seed):
        pass
    return method.eval()


def named_right(method, data, kind: str) -> float:
    """Masked accuracy on all validation passages."""
    task = mask_tokens(data.val.x, data.channels, torch.Generator().manual_seed(0), rule=KINDS[kind])

    @torch.no_grad()
    def guess(shown, mask):
        return method.head(method.encoder.tokens(shown)[mask], method.encoder.embed.weight)

    return masked_accuracy(guess, task)


def counted(data) -> dict[str, float]:
    """Masked accuracy of those who only count."""
    task = mask_tokens(data.val.x, data.channels, torch.Generator().manual_seed(0), rule=KINDS["masked"])
    words = data.train.x[data.train.x > 2]
    often = words.bincount(minlength=data.channels).float() / len(words)
    truth = task[1][task[2]].bincount(minlength=data.channels).float()
    table = follow_table(data.train.x, data.channels)
    return {
        "most frequent token": masked_accuracy(lambda shown, mask: often.expand(int(mask.sum()), -1), task),
        "drawn by frequency": (often * truth / truth.sum()).sum().item(),  # what it is on average
        "left and right neighbour": masked_accuracy(lambda shown, mask: guess_by_neighbours(table, shown, mask), task),
    }


def probe(h, data, val) -> float:
    """Validation accuracy for the package of a linear probe, C fixed."""
    return linear_probe(h, data.train.y[:: stride(data)], grid=(0.1,), steps=60, tolerance=1e-4).score(val, data.val.y)


def order(method, data, size: int) -> float:
    """Validation accuracy of a linear probe that says whether pieces of a passage were exchanged: each two of `size` tokens
    that follow one another, in passages without padding. Every passage comes both ways, so who counts words is right in half."""
    h, asked = [], []
    for x in (data.train.x[:: stride(data)], data.val.x):
        x = x[(x != 0).all(dim=1)]
        mixed = x.view(len(x), -1, 2, size).flip(2).flatten(1)
        h.append(torch.cat([features(method, x), features(method, mixed)]))
        asked.append(torch.arange(2).repeat_interleave(len(x)))
    return linear_probe(h[0], asked[0], grid=(0.1,), steps=60, tolerance=1e-4).score(h[1], asked[1])


def in_order(models: dict, data) -> dict:
    """Rows of `order`, for pieces of each size."""
    return {
        f"pieces of {size}": {name: [round(order(model, data, size), 4)] for name, model in models.items()}
        for size in PIECES
    }


def stride(data) -> int:
    """Every so many training passages are labelled for probes: 4,000 or somewhat more, evenly spread."""
    return max(1, len(data.train) // PROBED)


def of_seed(seed: int, steps: int) -> dict:
    """What one seed of the recipe gives, plain values."""
    data, recipe = load("text"), RECIPES["laptop"].but(steps=steps)
    texts, method = passages_as_text(data), trained(recipe, data, seed)
    fresh, layers, labels = build(METHOD, recipe, data.channels, seed).eval(), {}, {}
    models = {"BERT": method, "untrained": fresh}
    for name, model in models.items():
        few, val = (layer_features(model.encoder, x) for x in (data.train.x[:: stride(data)], data.val.x))
        layers[name] = {str(layer): [round(probe(a, data, b), 4)] for layer, (a, b) in enumerate(zip(few, val))}
    for count in COUNTS:
        arms = {
            "fine-tuned": finetune(method, data, count, seed, **FINE_TUNING).test,
            "from scratch": finetune(reinitialised(method.encoder, seed), data, count, seed, **FINE_TUNING).test,
            "tf-idf": tf_idf_accuracy(data, count, seed, texts),
        }
        for arm, value in arms.items():
            labels.setdefault(arm, {})[str(count)] = [round(value, 4)]
    masked = {"BERT": [round(named_right(method, data, "masked"), 4)]}
    return {"masked": masked, "layers": layers, "labels": labels, "order": in_order(models, data)}


def of_order(seed: int, steps: int) -> dict:
    """A run of the recipe for the sake of `order` alone."""
    data, recipe = load("text"), RECIPES["laptop"].but(steps=steps)
    fresh = build(METHOD, recipe, data.channels, seed).eval()
    return {"order": in_order({"BERT": trained(recipe, data, seed), "untrained": fresh}, data)}


def of_length(share: float, steps: int) -> dict:
    """A run of another length: masked accuracy, and fine-tuning with three draws of 10 labels."""
    data, steps = load("text"), round(share * steps)
    method = trained(RECIPES["laptop"].but(steps=steps), data, 0)
    row = {"masked accuracy": [round(named_right(method, data, "masked"), 4)]}
    row["fine-tuned"] = [round(finetune(method, data, 10, draw, **FINE_TUNING).test, 4) for draw in range(3)]
    return {"lengths": {str(steps): row}} | (
        {"ablations": {"80/10/10": ablation(method, data)}} if share == ABLATED else {}
    )


def of_ablation(name: str, steps: int) -> dict:
    """The recipe with one thing changed."""
    data, rule = load("text"), {"rule": KINDS["masked"]} if name == "always <mask>" else {}
    recipe = RECIPES["laptop"].but(steps=round(ABLATED * steps), options=RECIPES["laptop"].options | rule)
    method = trained(recipe, data, 0, causal=name == "causal attention")
    return {"ablations": {name: ablation(method, data)}}


def ablation(method, data) -> dict[str, list[float]]:
    """A row of the table of ablations."""
    few, val = features(method, data.train.x[:: stride(data)]), features(method, data.val.x)
    row = {kind: named_right(method, data, kind) for kind in KINDS} | {"probe": probe(few, data, val)}
    return {judge: [round(value, 4)] for judge, value in row.items()}


def merge(found: dict, more: dict) -> None:
    """Put the lists of `more` behind those of `found`, both nested alike."""
    for key, value in more.items():
        if isinstance(value, dict):
            merge(found.setdefault(key, {}), value)
        else:
            found[key] = found.get(key, []) + value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=RECIPES["laptop"].steps, help="for a trial")
    parser.add_argument("--lengths", type=float, nargs="*", default=LENGTHS, help="in multiples of the steps")
    parser.add_argument("--order", action="store_true", help="only whether pieces were exchanged, laid over --out")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    data, start, found = load("text"), time.perf_counter(), {"masked": {}}
    if args.order:
        for seed in range(args.seeds):
            merge(found, of_order(seed, args.steps))
            print(f"{time.perf_counter() - start:4.0f} s  {seed}: {found['order']}", flush=True)
        if args.out:
            save(args.out, json.loads(args.out.read_text()) | {"order": found["order"]})
        return
    merge(found["masked"], {name: [round(value, 4)] for name, value in counted(data).items()})
    jobs = [(of_seed, seed) for seed in range(args.seeds)] + [(of_length, share) for share in args.lengths]
    jobs += [(of_ablation, name) for name in ("always <mask>", "causal attention")]
    os.environ["OMP_NUM_THREADS"] = "1"  # read by the workers
    with ProcessPoolExecutor(1 if torch.cuda.is_available() else os.cpu_count(), get_context("spawn")) as pool:
        for job, result in [(job, pool.submit(job[0], job[1], args.steps)) for job in jobs]:
            merge(found, result.result())
            print(f"{time.perf_counter() - start:4.0f} s  {job[0].__name__} {job[1]}: {result.result()}", flush=True)
    found.setdefault("lengths", {})[str(args.steps)] = {
        "masked accuracy": found["masked"]["BERT"],
        "fine-tuned": found["labels"]["fine-tuned"]["10"],
    }
    for arm, row in found["labels"].items():
        for count, values in row.items():
            print(f"{arm:14} {count:>3} labels {spread(values)}   {values}")
    if args.out:
        about = {
            "command": f"python tests/benchmarks/run.py bert --seeds {args.seeds}",
            **settings(data, args.seeds, RECIPES["laptop"].but(steps=args.steps)),
            "fine_tuning": FINE_TUNING,
            "lengths_note": f"{args.steps} steps: {args.seeds} seeds; others: one network, three draws of labels.",
            "ablation_steps": round(ABLATED * args.steps),
            "ablation_seeds": 1,
            **machine(),
            "threads": 1,  # of each worker
        }
        save(args.out, about | found)
