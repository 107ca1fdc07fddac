#!/usr/bin/env python3
"""One command on any system; only Python 3.10 or newer has to be there (on Windows: py kit.py ...).

    python3 kit.py lab                           JupyterLab on your own copy of the notebooks, in work/
    python3 kit.py lab --source                  ... on the notebooks themselves, for those who write them
    python3 kit.py demo                          a demo of twenty minutes, in large type, nothing that takes long
    python3 kit.py wheels FOLDER                 all that a room without a network needs to install
    python3 kit.py run 10_simclr [--scale S]     execute a notebook, write a page to runs/html/
    python3 kit.py test                          all tests
    python3 kit.py test --quick                  those without notebooks and browser, within minutes
    python3 kit.py test PYTEST ARGUMENTS         some of them
    python3 kit.py setup                         only install

The first use makes .venv and installs the package with what it needs; later uses start in seconds. What
follows the command goes on to JupyterLab, sslkit.notebooks or pytest. --cpu (or SSLKIT_CPU=1) installs
PyTorch without its gigabytes for NVIDIA cards; it counts when .venv is made. So does --latest: the newest
release of everything, where constraints.txt would take those that the kit was tested with.
"""

# Standard library only, and no syntax newer than Python 3.6: an old Python must get as far as the message that says so.
import argparse
import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from importlib.util import find_spec
from pathlib import Path

REPOSITORY = ""  # where this repository is published; set it by `python -m sslkit.notebooks address ADDRESS`
OLDEST = (3, 10)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP, LOCK = VENV / "kit.json", VENV / "kit.lock"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
FIRST = "00_start_here.ipynb"
TESTED = (3, 11)  # the Python that constraints.txt was made with: an older one lacks some of those releases
LONG = "notebook or browser or slow"  # marks of the tests that take long
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
GIGABYTES = {"cpu": 2, "nvidia": 7}  # what .venv takes


def main(argv=None):
    """Install what the mode needs, then become it."""
    parser = argparse.ArgumentParser(prog="kit.py", description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("mode", choices=["lab", "demo", "run", "test", "wheels", "setup"])
    cpu = os.environ.get("SSLKIT_CPU") == "1"
    parser.add_argument("--cpu", action="store_true", default=cpu, help="PyTorch without NVIDIA's gigabytes")
    parser.add_argument("--latest", action="store_true", help="the newest releases, not the tested ones")
    args, rest = parser.parse_known_args(argv)
    if args.mode == "wheels" and len(rest) != 1:
        parser.error("wheels needs a folder: python3 kit.py wheels /media/stick/wheels")
    if args.mode == "run" and not rest:
        parser.error("run needs a notebook: python3 kit.py run 10_simclr")
    refuse_if(too_old(sys.version_info, works))
    try:
        install("test" if args.mode == "test" else "lab", args.cpu, args.latest)
    except OSError as error:
        sys.exit(f"kit.py: could not write {VENV}: {error}")
    except KeyboardInterrupt:
        sys.exit("kit.py: interrupted; the next start begins the installation again")
    if args.mode == "setup":
        say("ready: start with `python3 kit.py lab`")
    else:
        {"lab": lab, "demo": demo, "run": run, "test": test, "wheels": wheels}[args.mode](rest)


def lab(arguments):
    """JupyterLab on the reader's copy of the first notebook, on this machine only, with a token and the kit's settings."""
    source = "--source" in arguments
    arguments = [argument for argument in arguments if argument != "--source"]
    folder = ROOT / "notebooks" if source else readers_copy(ask if sys.stdin.isatty() else None)
    open_lab(folder / FIRST, arguments)


def open_lab(path, arguments, *settings):
    """JupyterLab with a notebook of this folder, with `settings` and the kit's own; the reader's JUPYTER_CONFIG_PATH comes last."""
    paths = [*map(str, settings), str(ROOT / ".jupyter"), os.environ.get("JUPYTER_CONFIG_PATH")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, paths))
    options = ["--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={ROOT}"]
    if path.exists():
        options.append(f"--LabApp.default_url=/lab/tree/{path.parent.name}/{path.name}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")  # JupyterLab refuses to start in most containers without it
    say("starting JupyterLab on 127.0.0.1; it opens in your browser, Ctrl-C here stops it")
    become("jupyterlab", *options, *arguments)


def demo(arguments):
    """JupyterLab in large type on the demo, which is made anew in work/."""
    path = ROOT / "work" / "demo.ipynb"
    path.parent.mkdir(exist_ok=True)
    code, words = output(PYTHON, "-m", "sslkit.course", "demo", path)
    refuse_if(code and "could not make the demo:\n" + words)
    open_lab(path, arguments, ROOT / ".jupyter" / "demo")


def wheels(arguments):
    """All packages in one folder, for a room without a network; there: PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER python3 kit.py lab."""
    folder = str(Path(arguments[0]).expanduser().resolve())
    command = [str(PYTHON), "-m", "pip", "wheel", "--wheel-dir", folder, *constraints(sys.version_info)]
    if read_stamp().get("cpu"):
        command += ["--extra-index-url", CPU_INDEX]  # of one release, pip takes the build that names itself +cpu
    say(f"collecting wheels in {folder}: for this system and Python {platform.python_version()} alone")
    if subprocess.call([*command, ".[lab]", "setuptools>=77", "pip"], cwd=str(ROOT)):
        sys.exit("kit.py: pip could not collect all packages; what it said stands above")
    say(f"done. In the room: PIP_NO_INDEX=1 PIP_FIND_LINKS={folder} python3 kit.py lab")


def readers_copy(ask):
    """work/ with a copy of each notebook, for reading is not editing: git ignores it, and a pull never meets what a reader ran.

    A newer notebook replaces a copy that is as it was made. Where the reader has run or changed the copy, `ask(name)` says
    whether the new one is wanted; the old one is kept beside it. None for `ask`: nobody can answer, so the copy stays.
    """
    work = ROOT / "work"
    work.mkdir(exist_ok=True)
    notes = work / ".copied.json"  # of each copy: the hash of the notebook it was made from, or that was declined
    made = json.loads(notes.read_text("utf-8")) if notes.exists() else {}
    for source in sorted((ROOT / "notebooks").glob("*.ipynb")):
        copy, newest = work / source.name, file_hash(source)
        if copy.exists() and made.get(source.name) == newest:
            continue
        if copy.exists() and file_hash(copy) not in (made.get(source.name), newest):
            if ask is None:
                say(f"there is a newer {source.name}; work/ keeps the one that you worked in")
                continue
            if ask(source.name):
                kept = free_name(copy)
                copy.rename(kept)
                say(f"your own stays as work/{kept.name}")
            else:
                made[source.name] = newest
                continue
        shutil.copyfile(str(source), str(copy))
        made[source.name] = newest
    write_json(notes, made)
    return work


def ask(name):
    """Whether the reader wants the newer chapter; Enter keeps what there is."""
    return input(f"kit.py: there is a newer {name}. Open the new one (yours is kept beside it)? [y/N] ")[:1] in (
        "y",
        "Y",
    )


def free_name(path):
    """10_simclr.mine.ipynb beside 10_simclr.ipynb, or .mine2, .mine3 ... where that is taken."""
    number = 1
    while True:
        kept = path.with_name(f"{path.stem}.mine{number if number > 1 else ''}{path.suffix}")
        if not kept.exists():
            return kept
        number += 1


def run(arguments):
    """Execute notebooks without a browser; pages to look at go to runs/html/."""
    become("sslkit.notebooks", "run", "--html", str(ROOT / "runs" / "html"), *arguments)


def test(arguments):
    """All tests on all cores, but those with a browser, which come last, two at a time; or what the arguments choose."""
    os.chdir(str(ROOT))
    if arguments and arguments[0] != "--quick":
        become("pytest", *arguments)
    os.environ["OMP_NUM_THREADS"] = "1"  # a process for each core, so one thread for each process
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes would each compile the kit anew
    spread = ["--dist", "worksteal", "--numprocesses"]
    if arguments:
        become("pytest", "-m", f"not ({LONG})", *spread, "auto", *arguments[1:])
    # CI must have a browser, and its tests run each chapter's cells, too.
    first = "not browser and not in_browser" if os.environ.get("CI") == "true" else "not browser"
    if subprocess.call([str(PYTHON), "-m", "pytest", "-m", first, *spread, "auto"]):
        sys.exit(1)
    become("pytest", "-m", "browser", *spread, "2")


def colab():
    """What a notebook needs on Google Colab once its first cell has fetched the kit."""
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "-e", str(ROOT)], check=True)
    os.chdir(str(ROOT / "notebooks"))


def become(module, *arguments):
    """Replace this process by `python -m module arguments` of .venv, with .venv first on the PATH."""
    os.environ["PATH"] = str(PYTHON.parent) + os.pathsep + os.environ.get("PATH", "")
    os.environ["VIRTUAL_ENV"] = str(VENV)
    command = [str(PYTHON), "-m", module, *arguments]
    if os.name != "nt":
        os.execv(command[0], command)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Windows has no exec: wait, and leave Ctrl-C to the child
    sys.exit(subprocess.call(command))


def install(extra, cpu, latest=False):
    """Make .venv hold the package with `extra`; usually there is nothing to do."""
    if plan(extra) == "ready":
        return
    VENV.mkdir(exist_ok=True)
    with locked(LOCK):
        todo = plan(extra)  # another kit.py may have done it while this one waited
        if todo == "ready":
            return
        if todo == "foreign":
            sys.exit("kit.py: .venv was not made by kit.py: rename or delete it, then start again")
        noted = read_stamp()
        if todo == "update":
            say("what the kit needs has changed, or more is needed than last time: updating .venv")
            cpu, latest = noted["cpu"], latest or noted.get("latest", False)
        else:
            make_venv(cpu)
        extras = sorted({extra} | set(noted.get("extras", [])))
        write_stamp({"state": "installing", "extras": extras, "cpu": cpu})
        tested = [] if latest else constraints(sys.version_info)
        if cpu:
            pip("--index-url", CPU_INDEX, *tested, *torch_requirements((ROOT / "pyproject.toml").read_text("utf-8")))
        pip(*tested, "--editable", ".[{}]".format(",".join(extras)))
        say("looking whether it imports")
        code, words = output(PYTHON, "-c", "import torch, torchvision, sslkit")
        refuse_if(code and "installed, but it does not import:\n" + words)
        write_stamp({"state": "ready", "extras": extras, "cpu": cpu, "latest": latest, "wanted": wanted_hash()})
        say("installed")


def plan(extra):
    """What is to be done before `extra` can be used: ready, create, rebuild, update, or foreign."""
    noted = read_stamp()
    if not noted:
        others = VENV.is_dir() and any(path.stem != "kit" for path in VENV.iterdir())
        return "foreign" if others else "create"
    if noted["state"] != "ready" or not venv_works():
        return "rebuild"
    enough = extra in noted["extras"] or "test" in noted["extras"]  # test includes lab
    return "ready" if enough and noted.get("wanted") == wanted_hash() else "update"


def venv_works():
    """Whether .venv runs and knows this folder's package: not after a move, or when its Python is gone."""
    code, words = output(PYTHON, "-c", "import importlib.util as u; print(u.find_spec('sslkit').origin)")
    return code == 0 and words.splitlines()[-1:] == [str(ROOT / "sslkit" / "__init__.py")]


def make_venv(cpu):
    """A new, empty .venv; what an interrupted installation left is cleared first."""
    nvidia = not cpu and platform.system() == "Linux"
    needed = GIGABYTES["nvidia" if nvidia else "cpu"]
    refuse_if(no_venv(find_spec) or too_full(shutil.disk_usage(str(ROOT)).free / 1e9, needed))
    say(f"making .venv; installing PyTorch, JupyterLab and the rest: {needed} GB, some minutes, once")
    if nvidia and not shutil.which("nvidia-smi"):
        say("no NVIDIA driver here: Ctrl-C, and the same again with --cpu, would save about 5 GB")
    write_stamp({"state": "installing"})
    for path in VENV.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(str(path))
        elif path not in (STAMP, LOCK):
            path.unlink()
    base = getattr(sys, "_base_executable", None) or sys.executable  # even when started by .venv's own Python
    code, words = output(base, "-m", "venv", VENV)
    refuse_if(code and f"`{base} -m venv` failed:\n{words}")


def pip(*arguments):
    """Install into .venv: with uv where it is present, else with .venv's pip, with progress bars in a terminal and a line for
    each large file elsewhere.

    When it fails, its last lines are shown."""
    command = installer(shutil.which("uv"), os.environ) + list(arguments)
    pipe, lines = subprocess.PIPE, deque(maxlen=12)
    streams = {"stderr": pipe} if sys.stdout.isatty() else {"stdout": pipe, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=str(ROOT), **streams) as process:
        for line in process.stdout or process.stderr:
            text = line.decode(errors="replace").strip()
            if re.match(r"Downloading .*\(\d{2,}\.\d MB\)|Installing collected packages", text):
                say(text[:100])
            if text and " is ignored: " not in text:  # pip says so of each absent folder of a local mirror
                lines.append(text)
    if process.returncode:
        last = "\n  ".join(lines)
        sys.exit(f"kit.py: pip could not install. Its last lines:\n  {last}\n{advice(last)}")


def installer(uv, environment):
    """The command that installs. CI takes pip, which finds the wheels on its machine's disk; uv would download them. So does a
    room without a network: uv does not know PIP_NO_INDEX and PIP_FIND_LINKS."""
    if uv and not any(environment.get(name) for name in ("CI", "PIP_NO_INDEX", "PIP_FIND_LINKS")):
        return [uv, "pip", "install", "--python", str(PYTHON)]
    return [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check"]


def constraints(version):
    """What makes pip take the releases that the kit was tested with; [] for a Python too old for them."""
    file = ROOT / "constraints.txt"
    return ["--constraint", str(file)] if file.exists() and tuple(version[:2]) >= TESTED else []


def advice(lines):
    """What to try, from what pip said."""
    if re.search("No space left|Errno 28|not enough space", lines):
        return f"The disk is full: make room, or use --cpu, which takes {GIGABYTES['cpu']} GB."
    if re.search("Retrying|resolve|timed out|ConnectionError|Network is unreachable", lines):
        return "The network did not answer: try again when it does; what was downloaded is kept."
    if re.search("No matching distribution found for torch", lines):
        return f"PyTorch has no build for this Python ({platform.python_version()}): try another one."
    if re.search("conflict|No matching distribution found|No solution found", lines):
        return "The releases in constraints.txt do not fit here: the same command with --latest takes the newest."
    return "The same command tries again from the start."


def too_old(version, works):
    """What to do about a Python that is too old; None when it is not. `works` tries a program's name."""
    if tuple(version[:2]) >= OLDEST:
        return None
    text = f"this is Python {version[0]}.{version[1]}; the kit needs 3.10 or newer"
    for minor in range(20, OLDEST[1] - 1, -1):
        if works(f"python3.{minor}"):
            return f"{text}: say python3.{minor} instead, it is installed here"
    return text + ": get one from https://www.python.org/downloads/ or your system's packages"


def no_venv(find):
    """What to do when Python comes without venv or its pip (as on Debian); None when both are there."""
    if find("venv") and find("ensurepip"):
        return None
    package = "python{}.{}-venv".format(*sys.version_info[:2])
    return f"this Python has no venv module: on Debian or Ubuntu, `sudo apt-get install {package}`"


def too_full(free, needed):
    """What to do about a disk with too few gigabytes; None when there are enough."""
    if free >= needed:
        return None
    hint = f", or use --cpu, which takes {GIGABYTES['cpu']} GB" if needed > GIGABYTES["cpu"] else ""
    return f"the disk has {free:.1f} GB free and .venv takes about {needed} GB: make room{hint}"


def torch_requirements(pyproject):
    """["torch>=...", "torchvision>=..."] as pyproject.toml has them (tomllib came with Python 3.11)."""
    return re.findall(r'^\s*"(torch(?:vision)?\b[^"]*)"', pyproject, flags=re.MULTILINE)


def wanted_hash():
    """What the stamp holds of what .venv is made from: once it differs, .venv is brought up to date."""
    return "".join(file_hash(path) for path in (ROOT / "pyproject.toml", ROOT / "constraints.txt") if path.exists())


def file_hash(path):
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_stamp():
    """What kit.py noted in .venv; {} when it has noted nothing."""
    return json.loads(STAMP.read_text("utf-8")) if STAMP.exists() else {}


def write_stamp(noted):
    """Note the state of .venv."""
    write_json(STAMP, noted)


def write_json(path, value):
    """Write a file, whole or not at all."""
    part = path.with_name("kit.part")
    part.write_text(json.dumps(value), "utf-8")
    os.replace(str(part), str(path))


@contextlib.contextmanager
def locked(path):
    """Hold a lock file; waits while another process holds it. The system frees it when its holder ends."""
    with path.open("w") as file:
        if not try_lock(file):
            say("another kit.py is installing: waiting for it")
            while not try_lock(file):
                time.sleep(0.5)
        yield


def try_lock(file):
    """Take the lock of an open file without waiting; returns whether it was free."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another process holds it
        return False
    return True


def output(*command):
    """Run a program away from this folder; returns its exit code and the end of what it printed."""
    command, folder = [str(part) for part in command], str(VENV) if VENV.is_dir() else None
    try:
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as error:  # no such program
        return 1, str(error)
    return done.returncode, done.stdout.decode(errors="replace")[-2000:]


def works(name):
    """Whether a Python of that name runs: pyenv's stand-ins are found, but may not."""
    return output(name, "-c", "")[0] == 0


def say(text):
    """Say what happens, at once."""
    print("kit.py: " + text, flush=True)


def refuse_if(problem):
    """End in words and with exit code 1 when there is a problem."""
    if problem:
        sys.exit(f"kit.py: {problem}")


if __name__ == "__main__":
    main()
