"""What the kit stands: kills, full disks, two runs in one folder, hostile files, impossible options. Counts what held.

    python tests/benchmarks/attacks.py [GROUP ...] [--kills 100] [--flips 200] [--seed 0] [--out results/attacks.json]

An attack held if the command ends well or with one line that says what to do, without a traceback; if nothing is lost (a resumed run
gives the weights of an undisturbed one, bit for bit) and nothing executed. Every moment and every bit is drawn by the seed.
"""

import argparse
import contextlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

from tables import machine, save

from sslkit import chapters, checkpoint

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import attacked_files  # noqa: E402
from attacked_files import Outcome  # noqa: E402
from running import alone, one_thread  # noqa: E402
from states import same  # noqa: E402

METHODS = [name for name in chapters.methods() if chapters.kind_of(name) == "images"]
QUICK = ("tests/commands/test_attacks.py", "tests/datasets/test_attacks.py", "tests/test_runs_forged.py")
STEPS = 8


def command(method: str, out: Path) -> list[str]:
    """A run at smoke size."""
    return alone("pretrain", method, "--scale", "smoke", "--limit", "128", "--steps", str(STEPS), "--out", out)


def environment() -> dict[str, str]:
    """One thread, and a checkpoint after each step."""
    return one_thread(SSLKIT_SAVE_EVERY="0", PYTHONPATH=str(ROOT))


def said(words: list[str], **options) -> tuple[int, str]:
    """The exit code of a command, and what it wrote to stderr."""
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=300, **options)
    return done.returncode, done.stderr.strip()


def undisturbed(method: str, work: Path) -> tuple[Path, float]:
    """A run to its end, made once, and the seconds it took from its first checkpoint."""
    out, first = work / method, None
    process = subprocess.Popen(command(method, out), env=environment(), stdout=subprocess.DEVNULL)
    while process.poll() is None:
        first = first or ((out / "checkpoint.pt").exists() and time.monotonic()) or None
        time.sleep(0.002)
    assert process.returncode == 0 and first
    return out, time.monotonic() - first


def learned_the_same(a: Path, b: Path) -> bool:
    """Whether two runs are at the end, with the same weights and the same moments of the optimizer, bit for bit."""
    left, right = (checkpoint.load(run / "checkpoint.pt") for run in (a, b))
    moments = [checkpoint.checksum(state["optimizer"]) for state in (left, right)]
    return left["step"] == right["step"] == STEPS and same(left["model"], right["model"]) and moments[0] == moments[1]


def whole(run: Path) -> bool:
    """Whether nothing lies about in a run's folder, and its log has no torn line."""
    for line in (run / "log.jsonl").read_text().splitlines():
        json.loads(line)
    return {path.name for path in run.iterdir()} == {"checkpoint.pt", "log.jsonl", ".lock"}


def kills(work: Path, count: int, dice: random.Random) -> Iterator[Outcome]:
    """kill -9, by turns at a random moment of training and in the middle of the n-th save; then the run goes on."""
    known: dict[str, tuple[Path, float]] = {}
    for number in range(count):
        method, saving = METHODS[number % len(METHODS)], number // len(METHODS) % 2 == 1
        if method not in known:
            known[method] = undisturbed(method, work)
        out, (reference, seconds) = work / f"kill{number}", known[method]
        process = subprocess.Popen(command(method, out), env=environment(), stdout=subprocess.DEVNULL)
        if saving:
            wait_for_a_save(process, out, nth=dice.randrange(1, STEPS))
        else:
            while process.poll() is None and not (out / "log.jsonl").exists():
                time.sleep(0.002)
            time.sleep(dice.uniform(0, 0.9 * seconds))
        process.kill()
        process.wait()
        left = checkpoint.load(out / "checkpoint.pt")["step"] if (out / "checkpoint.pt").exists() else 0
        code, error = said([*command(method, out), *(["--resume"] if left else [])])
        held = code == 0 and learned_the_same(reference, out) and whole(out)
        yield f"{method} killed while {'saving' if saving else 'training'}, after step {left}", held, error


def wait_for_a_save(process: subprocess.Popen, out: Path, nth: int) -> None:
    """Return while a run writes its n-th checkpoint, or when it is over."""
    seen: bool = False
    while process.poll() is None and nth:
        writing = any(out.glob(".checkpoint.pt.*"))
        nth -= writing and not seen
        seen = writing


def full_disk(work: Path) -> Iterator[Outcome]:
    """Room for no checkpoint, for one, for one and a half; where this user may not mount, files that cannot grow. With room, it goes on."""
    reference, _ = undisturbed("simclr", work)
    size = (reference / "checkpoint.pt").stat().st_size
    for share in (0.3, 0.9, 1.5, 1.9):
        disk = work / f"disk{share}"
        disk.mkdir()
        options = f"size={int(share * size)}"
        mounted = os.geteuid() == 0 and subprocess.call(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk]) == 0
        limit = (
            None
            if mounted
            else (lambda most=int(share * size): resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)))
        )
        try:
            code, error = said(command("simclr", disk / "run"), preexec_fn=limit)
            there = (disk / "run" / "checkpoint.pt").exists()
            refused = (
                code == 2 and error.count("\n") == 0 and "Make room" in error or not mounted and share > 1 and code == 0
            )
            readable = not there or checkpoint.load(disk / "run" / "checkpoint.pt")["step"] >= 1
            if mounted:
                subprocess.check_call(["mount", "-o", f"remount,size={10 * size}", disk])
            finished = there and code == 0
            again = 0 if finished else said([*command("simclr", disk / "run"), *(["--resume"] if there else [])])[0]
            held = refused and readable and again == 0 and learned_the_same(reference, disk / "run")
            yield f"room for {share} checkpoints ({'tmpfs' if mounted else 'RLIMIT_FSIZE'})", held, error
        finally:
            if mounted:
                subprocess.call(["umount", disk])


def two_runs(work: Path) -> Iterator[Outcome]:
    """A second run on the folder of one that is under way: refused, and the first ends as if alone."""
    reference, _ = undisturbed("simclr", work)
    for resume in ([], ["--resume"]):
        out = work / f"two{len(resume)}"
        first = subprocess.Popen(command("simclr", out), env=environment(), stdout=subprocess.DEVNULL)
        while first.poll() is None and not (out / "checkpoint.pt").exists():
            time.sleep(0.002)
        first.send_signal(signal.SIGSTOP)  # it is under way for as long as the second one takes
        code, error = said([*command("simclr", out), *resume])
        first.send_signal(signal.SIGCONT)
        refused = code == 2 and error.count("\n") == 0 and "another" in error
        yield (
            f"a second run {' '.join(resume)}",
            refused and first.wait() == 0 and learned_the_same(reference, out),
            error,
        )


def quick_tests(work: Path) -> Iterator[Outcome]:
    """Bad images, texts, films, options, forged runs: the quick tests, one attack each."""
    report = work / "report.xml"
    env = {**environment(), "SSLKIT_SAVE_EVERY": "60"}
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *QUICK],
        cwd=ROOT,
        env=env,
        stdout=subprocess.DEVNULL,
    )
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("skipped") is None:
            wrong = [child.get("message", "") for child in case if child.tag in ("failure", "error")]
            yield f"{case.get('classname')} {case.get('name')}", not wrong, " ".join(wrong)


def group(name: str, work: Path, args: argparse.Namespace, dice: random.Random) -> Iterator[Outcome]:
    """The attacks of a group, in a folder of their own."""
    return {
        "kills": lambda: kills(work, args.kills, dice),
        "full disk": lambda: full_disk(work),
        "two runs": lambda: two_runs(work),
        "checkpoints": lambda: attacked_files.checkpoints(undisturbed("simclr", work)[0], work, args.flips, dice),
        "archives": lambda: attacked_files.archives(work, args.flips, dice),
        "names": lambda: attacked_files.names(work),
        "files and options": lambda: quick_tests(work),
    }[name]()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ("kills", "full disk", "two runs", "checkpoints", "archives", "names", "files and options")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"{', '.join(names)}; default all")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument(
        "--flips", type=int, default=200, help="bits turned over in a file, one in each equal part of it"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--note", help="a sentence to keep with the counts")
    parser.add_argument("--out", type=Path, default=Path("results/attacks.json"))
    args = parser.parse_args()
    if unknown := set(args.groups) - set(names):
        parser.error(f"no group {', '.join(unknown)}; there are {', '.join(names)}")
    words = f"python tests/benchmarks/attacks.py --kills {args.kills} --flips {args.flips} --seed {args.seed}"
    counts = json.loads(args.out.read_text())["groups"] if args.groups and args.out.exists() else {}
    for name in args.groups or names:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(sys.stdout):
            outcomes = list(group(name, Path(folder), args, random.Random(f"{args.seed} {name}")))
        broken = [f"{attack}: {answer[-300:]}" for attack, held, answer in outcomes if not held]
        counts[name] = {"held": len(outcomes) - len(broken), "not held": len(broken), "which": broken}
        print(f"{name}: {len(outcomes) - len(broken)} of {len(outcomes)} held", *broken, sep="\n  ", flush=True)
        save(args.out, {"command": words, "note": args.note, **machine(), "groups": counts})
    return int(any(row["not held"] for row in counts.values()))


if __name__ == "__main__":
    sys.exit(main())
