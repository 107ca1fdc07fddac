"""Exported encoders: read by other programs, they give the features that ours give."""

import sys

import pytest
import torch
from states import same, weights

from sslkit import checkpoint
from sslkit.__main__ import main
from sslkit.export import export
from sslkit.nets import build_encoder, to_input, wrap
from sslkit.probes import features
from sslkit.runs import READY, load_encoder, load_run
from sslkit.train import Recipe

pytestmark = pytest.mark.usefixtures("plain_precision")

VIT = "timm:vit_tiny_patch16_224,img_size=32,patch_size=4,embed_dim=24,depth=1,num_heads=2"
ENCODERS = {
    "small": 3,
    "spatial": 1,
    "vit": 3,
    "resnet18": 3,
    "text": 50,
    "text_causal": 50,
    VIT: 3,
    "timm:convnext_atto": 1,
}
SIZE = {"text": 12, "text_causal": 12}


def run(folder, name, encoder=None, **about):
    """A file with an encoder that has seen some data, as a run leaves it."""
    torch.manual_seed(0)
    encoder = encoder or build_encoder(name, ENCODERS[name])
    encoder.train()
    for _ in range(2):
        encoder(to_input(batch(name, 8), torch.device("cpu")))  # running statistics that are not the first ones
    state = {"name": "some", "data": "scenes", "channels": ENCODERS.get(name, 3), "size": SIZE.get(name, 32), "step": 1, "seed": 0,
             "recipe": {"steps": 1, "lr": 0.1, "encoder": name, "options": {}}, **about}  # fmt: skip
    checkpoint.save(folder / "run.pt", state | {"encoder": encoder.state_dict()})
    return folder / "run.pt", encoder.eval()


def batch(name, n):
    generator = torch.Generator().manual_seed(n)
    if name in SIZE:
        tokens = torch.randint(3, 50, (n, 12), generator=generator)
        return tokens * (torch.arange(12) < 12 - torch.arange(n)[:, None] % 6)  # passages of several lengths
    return torch.randint(256, (n, ENCODERS.get(name, 3), 32, 32), dtype=torch.uint8, generator=generator)


def by_safetensors(path):
    encoder, _ = load_encoder(path)
    return encoder


def by_pt2(path):
    return torch.export.load(path).module()


def by_onnx(path):
    session = pytest.importorskip("onnxruntime").InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda x: torch.from_numpy(session.run(["features"], {"input": x.numpy()})[0])


READERS = {"safetensors": by_safetensors, "onnx": by_onnx, "pt2": by_pt2}


QUICK = [("small", "onnx"), *((name, "safetensors") for name in ENCODERS)]
OTHERS = [pytest.param(n, to, marks=pytest.mark.slow) for n in ENCODERS for to in READERS if (n, to) not in QUICK]


@pytest.mark.parametrize("name, to", [*QUICK, *OTHERS])
def test_the_features_are_ours_for_any_number_of_inputs(name, to, tmp_path):
    path, encoder = run(tmp_path, name)
    read = READERS[to](export(path, to))
    for n in (1, 2, 7):
        x = batch(name, n)
        with torch.no_grad():
            found = read(to_input(x, torch.device("cpu")))
        ours = features(encoder, x)
        assert found.shape == ours.shape == (n, encoder.dim) and found.dtype == torch.float32
        torch.testing.assert_close(found, ours, atol=1e-5 * ours.abs().max().item(), rtol=0)


def test_a_shipped_encoder_by_the_command_line(tmp_path, capsys):
    shipped = READY / "simclr_scenes.pt"
    assert main(["export", str(shipped), "--to", "safetensors", "--out", str(tmp_path / "new" / "e.safetensors")]) == 0
    assert "e.safetensors, " in capsys.readouterr().out
    (ours, before), (theirs, after) = load_encoder(shipped), load_encoder(tmp_path / "new" / "e.safetensors")
    assert same(weights(ours), weights(theirs)) and theirs.dim == ours.dim
    assert all(after[key] == before[key] for key in ("name", "data", "channels", "size", "recipe", "seed", "step"))
    assert Recipe.read(after["recipe"]).encoder == "small7"
    with pytest.raises(ValueError, match="an encoder alone"):
        load_run(tmp_path / "new" / "e.safetensors")


def test_it_stands_beside_the_checkpoint_unless_told_otherwise(tmp_path):
    path, _ = run(tmp_path, "small")
    assert export(path, "pt2") == tmp_path / "encoder.pt2"


def test_a_readers_own_network(tmp_path):
    def own():
        return torch.nn.Sequential(torch.nn.Conv2d(3, 5, 3, 2), torch.nn.BatchNorm2d(5), torch.nn.ReLU())

    path, encoder = run(tmp_path, "small", wrap(own), network="Sequential")
    with pytest.raises(ValueError, match="network of your own, Sequential"):
        export(path, "onnx")
    read = by_onnx(export(path, "onnx", encoder=wrap(own)))
    x = batch("small", 3)
    torch.testing.assert_close(read(x.float() / 255), features(encoder, x), atol=1e-5, rtol=0)


@pytest.mark.parametrize("to, missing", [("safetensors", "safetensors"), ("onnx", "onnx"), ("onnx", "onnxscript")])
def test_a_missing_package_is_named(tmp_path, monkeypatch, capsys, to, missing):
    path, _ = run(tmp_path, "small")
    for name in (missing, f"{missing}.torch"):
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["export", str(path), "--to", to]) == 2
    assert f"needs {missing}, which is not installed: pip install {missing}" in capsys.readouterr().err


def test_broken_and_foreign_files_are_refused_in_words(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    path, _ = run(tmp_path, "small")
    with pytest.raises(ValueError, match="no format 'tf'; there are safetensors, onnx, pt2"):
        export(path, "tf")
    good = export(path, "safetensors").read_bytes()
    bad = tmp_path / "bad.safetensors"
    for place in (3, 40, 300, len(good) // 2, len(good) - 1):
        damaged = bytearray(good)
        damaged[place] ^= 4
        bad.write_bytes(damaged)
        with pytest.raises(ValueError, match="bad.safetensors"):
            load_encoder(bad)
    bad.write_bytes(good[:1000])
    with pytest.raises(ValueError, match="not a readable safetensors file"):
        load_encoder(bad)
    safetensors.save_file({"weight": torch.ones(3)}, bad)
    with pytest.raises(ValueError, match="not written by `sslkit export`"):
        load_encoder(bad)
