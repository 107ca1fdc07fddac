"""Options out of range: each is refused in one line that says what is possible, without a traceback, and nothing is written."""

import os
import shlex
import signal
import subprocess
import sys
import time

import pytest
from running import alone, one_thread

from sslkit.__main__ import main

SMALL = "--scale smoke --limit 64 --steps 2"
SIMCLR, FILMS = f"pretrain simclr {SMALL}", f"pretrain next_frame {SMALL}"

pytestmark = pytest.mark.usefixtures("smoke_scale")

OPTIONS = {  # command: words of the answer; {images}, {films} and {text} are runs
    f"{SIMCLR} --limit -1": "limit is -1: a whole number from 1 on",
    f"{SIMCLR} --limit 0": "limit is 0",
    f"{SIMCLR} --limit 1": "at least two images, there are 1",
    f"{SIMCLR} --limit x": "invalid int value: 'x'",
    f"{SIMCLR} --size -3": "size is -3: a whole number from 8 to 512",
    f"{SIMCLR} --size 0": "size is 0",
    f"{SIMCLR} --size 100000": "size is 100000",
    f"{SIMCLR} --size 64": "has no option size",
    f"{SIMCLR} --frames 5": "has no option frames",
    f"{SIMCLR} --every 5": "has no option every",
    f"{SIMCLR} --steps 0": "steps must be a whole number, 1 or more, not 0",
    f"{SIMCLR} --steps -5": "not -5",
    f"{SIMCLR} --lr nan": "lr must be a number, 0 or more, not nan",
    f"{SIMCLR} --lr -1": "not -1.0",
    f"{SIMCLR} --lr inf": "not inf",
    f"{SIMCLR} --lr 1e30 --steps 8": "the loss became",
    f"{SIMCLR} --batch 0": "batch must be a whole number, 2 or more, not 0",
    f"{SIMCLR} --batch 1": "not 1",
    f"{SIMCLR} --batch -4": "not -4",
    f"{SIMCLR} --weight-decay nan": "weight_decay must be",
    f"{SIMCLR} --warmup -1": "warmup must be a share",
    f"{SIMCLR} --warmup 2": "warmup must be a share",
    f"{SIMCLR} --clip 0": "clip must be a number above 0",
    f"{SIMCLR} --encoder bogus": "no encoder 'bogus'; there are",
    f"{SIMCLR} --encoder torchvision:bogus": "bogus",
    f"{SIMCLR} --optimizer bogus": "no optimizer 'bogus'; there are",
    f"{SIMCLR} --seed 99999999999999999999": "too large: it takes one below 4,294,967,296",
    f"{SIMCLR} --seed -9999999999": "too large",
    f"{SIMCLR} --seed x": "invalid seed value: 'x'",
    f"{SIMCLR} --data text": "try --data scenes",
    f"{SIMCLR} --resume": "no checkpoint in",
    f"{FILMS} --frames -1": "frames is -1: a whole number from 2 to 128",
    f"{FILMS} --frames 1": "frames is 1",
    f"{FILMS} --frames 99999": "frames is 99999",
    f"{FILMS} --every 0": "every is 0",
    f"{FILMS} --data scenes": "try --data moving",
    "probe {images} --limit 64 --seeds 0": "needs at least one seed",
    "probe {images} --limit -1": "limit is -1",
    "probe {images} --limit 1": "needs at least two classes",
    "probe {images} --limit 64 --data moving": "moving holds clips: try --data scenes",
    "probe {images} --data text": "simclr learned from images, and text holds text: try --data scenes",
    "probe {text} --data scenes": "gpt learned from text, and scenes holds images or clips: try --data text",
    "finetune {text} --data moving": "gpt learned from text, and moving holds images or clips",
    "finetune {images} --limit 64 --per-class 0": "per_class must be at least 1, got 0",
    "finetune {images} --limit 64 --per-class -3": "got -3",
    "finetune {images} --limit 64 --per-class 100000": "100000 labels per class were asked for",
    "finetune {images} --limit 64 --seeds 0": "needs at least one seed",
    "finetune {images} --limit 64 --steps 0": "steps=0",
    "finetune {images} --limit 64 --resume": "name their folder with --out",
    "finetune {films} --limit 64": "fine-tuning takes images or text",
    "generate {text} --temperature nan": "--temperature nan: it takes 0, or a number from 0.001 to 1000",
    "generate {text} --temperature inf": "--temperature inf",
    "generate {text} --temperature -1": "--temperature -1",
    "generate {text} --temperature 1e-320": "--temperature 1e-320",
    "generate {text} --top-k 0": "top_k 0",
    "generate {text} --top-p 2": "top_p 2",
    "generate {text} --top-p 0": "top_p 0",
    "generate {text} --top-p nan": "top_p nan",
    "generate {text} --tokens -1": "--tokens -1: it takes 0 or more",
    "generate {text} --seed 99999999999999999999": "too large",
    "generate {images}": "writes no text: pretrain gpt",
    "export {images} --to pt3": "choose from",
    "export {images} --to safetensors --out /": "[Errno",
    "export {images} --to pt2 --out /": "[Errno",
    "export /nowhere --to safetensors": "there is no checkpoint at /nowhere",
    f"SSLKIT_DEVICE=bogus {SIMCLR}": "SSLKIT_DEVICE is 'bogus', which PyTorch cannot use here; it can use cpu",
    f"SSLKIT_DEVICE=cuda:99 {SIMCLR}": "SSLKIT_DEVICE is 'cuda:99'",
    f"SSLKIT_DEVICE=meta {SIMCLR}": "SSLKIT_DEVICE is 'meta'",
    f"SSLKIT_PRECISION=x {SIMCLR}": "SSLKIT_PRECISION is 'x'; it can be float32 or bfloat16",
    "SSLKIT_SCALE=x pretrain simclr": "no scale 'x'; there are smoke, demo, laptop, shelf, gpu",
    f"SSLKIT_SAVE_EVERY=x {SIMCLR}": "SSLKIT_SAVE_EVERY is 'x': set it to a number of seconds",
    f"SSLKIT_SAVE_EVERY=nan {SIMCLR}": "SSLKIT_SAVE_EVERY is 'nan'",
    f"SSLKIT_SAVE_EVERY=-1 {SIMCLR}": "SSLKIT_SAVE_EVERY is '-1'",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """{what it learned from: the folder of a run}."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "texts").mkdir()
    for i in range(12):
        lines = [f"Line {i * 100 + j} of a text: {(i * 100 + j) ** 3} and no more." for j in range(100)]
        (folder / "texts" / f"{i}.txt").write_text("\n\n".join(lines))
    learned = {
        "images": ("simclr", "scenes"),
        "films": ("next_frame", "moving"),
        "text": ("gpt", f"text:{folder}/texts"),
    }
    for name, (method, data) in learned.items():
        assert main(["pretrain", method, *SMALL.split(), "--data", data, "--out", str(folder / name)]) == 0
    return {name: folder / name for name in learned}


@pytest.mark.parametrize("command, words", OPTIONS.items(), ids=OPTIONS)
@pytest.mark.slow
def test_an_option_out_of_range(runs, command, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = shlex.split(command.format(**runs))
    if arguments[0].startswith("SSLKIT_"):
        monkeypatch.setenv(*arguments.pop(0).split("="))
    try:
        code = main(arguments)
    except SystemExit as stop:  # argparse: its usage, then a line
        code = stop.code
    error = capsys.readouterr().err
    assert code == 2 and words in error.splitlines()[-1] and "Traceback" not in error
    assert error.startswith("usage: ") or error.count("\n") == 1
    if "--lr 1e30" not in command:  # that one begins, and a slow machine saves its first step
        assert not list(tmp_path.rglob("checkpoint.pt"))


WITH_CTRL_C = """import atexit, runpy, signal, sys, types

def ctrl_c(*_):
    signal.raise_signal(signal.SIGINT)

class Imported:
    def find_spec(name, *_):
        if name.startswith("sslkit.commands"):
            ctrl_c()

if sys.argv[1] == "import":
    sys.meta_path.insert(0, Imported)
else:  # commands that need no PyTorch
    commands = sys.modules["sslkit.commands"] = types.ModuleType("sslkit.commands")
    commands.main = sys.modules["sslkit.commands.main"] = types.ModuleType("sslkit.commands.main")
    commands.main.run_command = ctrl_c if sys.argv[1] == "options" else lambda _: 0
if sys.argv[1] == "exit":
    atexit.register(ctrl_c)
runpy.run_module("sslkit", run_name="__main__")
"""


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("moment, code", [("import", 130), ("options", 130), ("exit", -signal.SIGINT), ("never", 0)])
def test_ctrl_c_before_and_after_a_command(moment, code):
    done = subprocess.run([sys.executable, "-c", WITH_CTRL_C, moment], capture_output=True, text=True)
    said = "python -m sslkit: stopped\n" if code == 130 else ""
    assert (done.returncode, done.stderr, done.stdout) == (code, said, "")


@pytest.mark.slow
@pytest.mark.parametrize("after", [0.2, 0.7, 1.2, 1.7, 2.2, 2.7, 3.2, 4.0])
def test_ctrl_c_at_any_moment_is_answered_in_a_line(tmp_path, after):
    """While Python starts, while PyTorch is imported, while data are read, while it trains."""
    command = alone("pretrain", "simclr", "--scale", "smoke", "--steps", "100000", "--out", tmp_path / "run")
    process = subprocess.Popen(command, env=one_thread(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=120)[1]
    assert "Traceback" not in error and process.returncode in (0, 130, -signal.SIGINT), error
