"""Checkpoints: what is kept, what is refused and in which words, and what a killed process leaves behind."""

import os
import pickle  # noqa: TID251 (to show that none is ever read)
import random
import signal
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from sslkit import checkpoint


class Rotation(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.encoder = nn.Linear(3, width)
        self.norm = nn.BatchNorm1d(width)


class Jigsaw(Rotation):
    pass


def a_state(method=None, **changes):
    method = method or Rotation()
    optimizer = torch.optim.AdamW(method.parameters(), lr=0.1)
    method.encoder(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    return {"method": type(method).__name__, "model": method.state_dict(), "optimizer": optimizer.state_dict(), "step": 7,
            "seconds": 1.5, "dtype": "bfloat16", "rng": torch.get_rng_state(), "seed": 0, "data": "scenes", "channels": 3,
            "recipe": {"lr": 0.1, "options": {"temperature": 0.2}}} | changes  # fmt: skip


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b) and a.dtype == b.dtype
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b and type(a) is type(b)


def test_all_that_was_saved_comes_back(tmp_path):
    state, path = a_state(), tmp_path / "run" / "checkpoint.pt"  # the folder is made
    checkpoint.save(path, state)
    loaded = checkpoint.load(path)
    assert all(same(loaded[key], value) for key, value in state.items())
    assert loaded["format"] == checkpoint.FORMAT
    assert os.listdir(path.parent) == ["checkpoint.pt"]


def test_others_may_read_what_they_may_read_elsewhere(tmp_path):
    checkpoint.save(tmp_path / "checkpoint.pt", a_state())
    (tmp_path / "plain").touch()
    assert stat.S_IMODE((tmp_path / "checkpoint.pt").stat().st_mode) == stat.S_IMODE(
        (tmp_path / "plain").stat().st_mode
    )


@pytest.mark.parametrize(
    "value", [Path("x"), torch.nn.Linear(1, 1), {"deep": [1, {2}]}, lambda: 0, torch.float32.__class__]
)
def test_what_could_not_be_read_back_is_not_written(tmp_path, value):
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, a_state())
    with pytest.raises(TypeError, match="about"):
        checkpoint.save(path, a_state(about=value))
    assert checkpoint.load(path)["step"] == 7 and os.listdir(tmp_path) == ["checkpoint.pt"]


# --- refused ----------------------------------------------------------------------------------------------------------


class Code:
    """Unpickling this would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (Path(self.path),))


def test_code_is_never_run(tmp_path):
    path, sign = tmp_path / "checkpoint.pt", tmp_path / "it ran"
    for write in (
        lambda: torch.save(a_state(format=1, evil=Code(sign)), path),
        lambda: path.write_bytes(pickle.dumps(Code(sign))),
    ):
        write()
        with pytest.raises(ValueError, match="checkpoint.pt is no") as caught:
            checkpoint.load(path)
        assert not sign.exists()
        assert "\n" not in str(caught.value) and "weights_only" not in str(
            caught.value
        )  # PyTorch advises to load it all the same
    pickle.loads(pickle.dumps(Code(sign)))
    assert sign.exists()  # so that it would have been seen


def test_a_missing_file():
    with pytest.raises(FileNotFoundError, match="no checkpoint at nowhere"):
        checkpoint.load("nowhere")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file(tmp_path, share):
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, a_state())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match="checkpoint.pt is no"):
        checkpoint.load(path)


def test_a_damaged_file(tmp_path):
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, a_state(weights=torch.full((5000,), 1.5)))
    whole = bytearray(path.read_bytes())
    whole[whole.index(torch.full((50,), 1.5).numpy().tobytes()) + 101] ^= 8  # one bit of one number
    path.write_bytes(whole)
    with pytest.raises(ValueError, match="damaged"):
        checkpoint.load(path)


def test_foreign_files(tmp_path):
    path = tmp_path / "checkpoint.pt"
    path.write_text("hello")
    with pytest.raises(ValueError, match="not a checkpoint"):
        checkpoint.load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "hello")
    with pytest.raises(ValueError, match="no"):
        checkpoint.load(path)
    for foreign in (torch.ones(3), {"state_dict": {}}, [1, 2]):
        torch.save(foreign, path)
        with pytest.raises(ValueError, match="not a checkpoint of this kit"):
            checkpoint.load(path)


def test_a_newer_format(tmp_path):
    path = tmp_path / "checkpoint.pt"
    torch.save({"format": checkpoint.FORMAT + 1}, path)
    with pytest.raises(ValueError, match=f"format {checkpoint.FORMAT + 1}.*up to {checkpoint.FORMAT}.*update"):
        checkpoint.load(path)


def test_another_method_or_shape_or_setting():
    state = a_state(Rotation(4))
    checkpoint.check_matches(state, method=Rotation(4), settings={"seed": 0, "recipe": state["recipe"]})
    with pytest.raises(ValueError, match="method Rotation, not of Jigsaw"):
        checkpoint.check_matches(state, method=Jigsaw(4))
    with pytest.raises(ValueError, match=r"encoder.weight: \[4, 3\] in the checkpoint, \[5, 3\] here.*and \d more"):
        checkpoint.check_matches(state, method=Rotation(5))
    wider = Rotation(4)
    wider.extra = nn.Linear(1, 1)
    with pytest.raises(ValueError, match="extra.weight: only here"):
        checkpoint.check_matches(state, method=wider)
    with pytest.raises(ValueError, match="extra.weight: only in the checkpoint"):
        checkpoint.check_matches(a_state(wider), method=Rotation(4))
    with pytest.raises(ValueError, match="seed 0, not 1"):
        checkpoint.check_matches(state, method=Rotation(4), settings={"seed": 1})
    with pytest.raises(ValueError, match="another recipe: lr 0.1 then, 0.2 now"):
        checkpoint.check_matches(
            state, method=Rotation(4), settings={"recipe": {"lr": 0.2, "options": {"temperature": 0.2}}}
        )


def test_a_checkpoint_without_a_network_is_refused_in_words():
    with pytest.raises(ValueError, match="network"):
        checkpoint.check_matches({"format": 1, "method": "Rotation"}, method=Rotation())


# --- flipped bits, a full disk, values of another kind ------------------------------------------------------------------


def test_a_flipped_bit_anywhere_is_noticed_or_changes_nothing(tmp_path):
    """In headers, names, tensors, the directory at the end: words, or the very same state."""
    path, rng = tmp_path / "checkpoint.pt", random.Random(0)
    checkpoint.save(path, a_state())
    whole, state = path.read_bytes(), checkpoint.load(path)
    noticed = 0
    for place in range(0, len(whole), max(1, len(whole) // 1500)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            assert same(checkpoint.load(path), state), f"byte {place} changed the state, and nobody noticed"
        except ValueError as error:
            assert "checkpoint.pt" in str(error)
            noticed += 1
    assert noticed > 100


def test_numbers_changed_with_their_zip_checksums_are_noticed(tmp_path):
    """As by a program that writes the file anew: zip's own checksums are right then."""
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, a_state())
    state = torch.load(path, weights_only=True)
    state["model"]["encoder.weight"][0, 0] += 1e-6
    torch.save(state, path)
    with pytest.raises(ValueError, match="damaged: its numbers are not those that were written"):
        checkpoint.load(path)


def test_a_checkpoint_older_than_the_checksum_is_read(tmp_path):
    path = tmp_path / "checkpoint.pt"
    torch.save({"format": 1, **a_state()}, path)
    assert checkpoint.load(path)["step"] == 7


def test_the_checksum_tells_states_apart():
    x = torch.arange(6.0)
    states = [{"a": x}, {"b": x}, {"a": x.view(2, 3)}, {"a": x.double()}, {"a": -x}, {"a": [x]}, {"a": x, "b": 1}, {"a": x, "b": "1"},
              {"a": x, "b": True}, {"a": torch.tensor(0.0)}, {"a": {}}, {"a": []}]  # fmt: skip
    assert len({checkpoint.checksum(state) for state in states}) == len(states)
    mixed = torch.rand(2, 3, 4, 4)
    assert checkpoint.checksum({"a": mixed}) == checkpoint.checksum({"a": mixed.to(memory_format=torch.channels_last)})


FULL = """
import resource, signal, sys, torch
from sslkit import checkpoint
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))  # a file that may not grow fails as on a full disk
try:
    checkpoint.save(sys.argv[1], {"step": 2, "weights": torch.zeros(100_000)})
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits as POSIX has them")
def test_a_full_disk_is_said_and_the_last_good_checkpoint_stays(tmp_path):
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, a_state(step=1))
    said = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, timeout=120)
    assert "could not be written" in said.stdout and "still there, whole" in said.stdout, said.stderr
    assert checkpoint.load(path)["step"] == 1 and os.listdir(tmp_path) == ["checkpoint.pt"]


def test_a_folder_that_cannot_be_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="could not be written.*Nothing is saved there yet"):
        checkpoint.save(tmp_path / "file" / "checkpoint.pt", a_state())


OTHERS = {
    "meta": torch.ones(2, device="meta"),
    "sparse": torch.eye(3).to_sparse(),
    "a dtype": torch.float32,
    "a device": torch.device("cpu"),
    "a set": {1, 2},
    "a size": torch.Size([1]),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_values_of_another_kind_are_refused_in_words(tmp_path, kind):
    torch.save({"format": 1, **a_state(), "model": {"w": OTHERS[kind]}}, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="checkpoint.pt is not a readable checkpoint"):
        checkpoint.load(tmp_path / "checkpoint.pt")


def test_a_compressed_file_is_not_unpacked(tmp_path):
    path = tmp_path / "checkpoint.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"0" * 10_000_000)
    with pytest.raises(ValueError, match="compressed"):
        checkpoint.load(path)


# --- killed -----------------------------------------------------------------------------------------------------------

ROUNDS, NUMBERS = 25, 150_000


def careless_save(path, state):
    """What everybody writes first. Here to show that the test can fail."""
    torch.save({"format": 1, **state}, path)


def save_and_be_killed(save, path, seconds):
    """A child saves over and over, with a rising step; it is killed after `seconds`. The last step whose save had
    returned."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # never returns to pytest
        torch.set_num_threads(1)  # a forked process has lost the threads of OpenMP's pool, and would wait for them
        try:
            for step in range(1, 1_000_000):
                save(path, {"step": step, "model": {"w": torch.full((NUMBERS,), float(step))}})
                os.write(writing, step.to_bytes(4, "little"))
        finally:
            os._exit(1)
    os.close(writing)
    done = int.from_bytes(os.read(reading, 4), "little")  # the first save is through: there is a last good one
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while said := os.read(reading, 4):
        done = int.from_bytes(said, "little")
    os.close(reading)
    return done


def kill_often(save, folder):
    """How many of ROUNDS killed processes left a checkpoint that loads, is whole, and is not older than the last
    save."""
    good, path, rng = 0, folder / "checkpoint.pt", random.Random(0)
    for _ in range(ROUNDS):
        done = save_and_be_killed(save, path, rng.uniform(0, 0.03))
        try:
            state = checkpoint.load(path)
        except ValueError:
            continue
        good += done <= state["step"] <= done + 1 and bool((state["model"]["w"] == state["step"]).all())
    return good


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork, and no SIGKILL")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.slow
def test_a_process_killed_while_it_saves_leaves_the_last_good_checkpoint(tmp_path):
    assert kill_often(checkpoint.save, tmp_path) == ROUNDS
    checkpoint.save(tmp_path / "checkpoint.pt", a_state())
    assert os.listdir(tmp_path) == ["checkpoint.pt"]  # whatever the killed ones left is gone


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork, and no SIGKILL")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.slow
def test_the_killing_would_catch_a_careless_save(tmp_path):
    assert kill_often(careless_save, tmp_path) < ROUNDS


def test_a_save_that_fails_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, a_state(step=1))

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(path, a_state(step=2))
    assert checkpoint.load(path)["step"] == 1 and os.listdir(tmp_path) == ["checkpoint.pt"]


def test_leftovers_of_a_killed_save_are_removed_and_nothing_else(tmp_path):
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, a_state())
    with pytest.MonkeyPatch.context() as patch:  # stop before the last act, as a kill would
        patch.setattr(os, "replace", lambda *_: os._exit(0))
        child = os.fork() if hasattr(os, "fork") else pytest.skip("needs fork")
        if child == 0:
            torch.set_num_threads(1)  # as above
            checkpoint.save(path, a_state())
        os.waitpid(child, 0)
    assert len(os.listdir(tmp_path)) == 2
    (tmp_path / "log.jsonl").touch()
    checkpoint.save(path, a_state())
    assert sorted(os.listdir(tmp_path)) == ["checkpoint.pt", "log.jsonl"]
