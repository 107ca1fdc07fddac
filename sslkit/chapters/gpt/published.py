"""GPT-2's published weights and tokenizer in this chapter's GPT: it is the same network, only larger."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sslkit.chapters.gpt.method import GPT
from sslkit.tokenizer import BytePair
from sslkit.transformer import TextEncoder


def from_huggingface(state_dict: dict[str, Tensor], heads: int | None = None) -> GPT:
    """The GPT of a GPT2LMHeadModel's (or GPT2Model's) state_dict; heads: of attention, by default one for each 64
    dimensions, as in all of GPT-2's sizes. ValueError names what is missing, left over, or does not fit."""
    state = {key.removeprefix("transformer."): value for key, value in state_dict.items()}
    state = {
        k: v for k, v in state.items() if not k.endswith((".attn.bias", ".attn.masked_bias"))
    }  # old files keep masks
    depth = len({key.split(".")[1] for key in state if key.startswith("h.")})
    names = huggingface_names(depth)
    head = state.pop("lm_head.weight", None)
    if missing := sorted(set(names) - set(state)) or ([] if depth else ["h.0.ln_1.weight"]):
        raise ValueError(
            f"these are not GPT-2's weights: {len(missing)} keys are missing: {', '.join(missing[:5])} ..."
        )
    if left := sorted(set(state) - set(names)):
        raise ValueError(f"{len(left)} keys have no place in GPT-2: {', '.join(left[:5])} ...")
    if head is not None and not torch.equal(head, state["wte.weight"]):
        raise ValueError("lm_head.weight is not wte.weight: GPT-2's head is its token vectors")
    (vocabulary, dim), context = state["wte.weight"].shape, len(state["wpe.weight"])
    heads = heads or dim // 64
    if heads < 1 or dim % heads:
        raise ValueError(f"{dim} dimensions cannot be shared by {heads} heads: give heads=")
    mlp = state["h.0.mlp.c_fc.weight"].shape[1] // dim
    look: dict[str, Any] = dict(causal=True, eps=1e-5, gelu="tanh", pad=None, mlp=mlp)
    method = GPT(TextEncoder(vocabulary, context, dim, depth, heads, **look), end=vocabulary - 1, never=(), start=False)
    turned = {k: v.T if ".c_" in k and k.endswith(".weight") else v for k, v in state.items()}  # Conv1D keeps [in, out]
    method.encoder.load_state_dict({ours: turned[theirs].float() for theirs, ours in names.items()})
    return method


def huggingface_names(depth: int) -> dict[str, str]:
    """Hugging Face's name of each of GPT-2's parameters, to that in a TextEncoder."""
    modules = {"wte": "embed", "wpe": "places", "ln_f": "norm"}
    inside = {
        "ln_1": "norm1",
        "attn.c_attn": "attention.qkv",
        "attn.c_proj": "attention.out",
        "ln_2": "norm2",
        "mlp.c_fc": "mlp.0",
    }
    for i in range(depth):
        modules |= {
            f"h.{i}.{theirs}": f"blocks.{i}.{ours}" for theirs, ours in (inside | {"mlp.c_proj": "mlp.2"}).items()
        }
    parts = {name: ("weight",) if name in ("wte", "wpe") else ("weight", "bias") for name in modules}
    return {f"{theirs}.{part}": f"{ours}.{part}" for theirs, ours in modules.items() for part in parts[theirs]}


# --- GPT-2 in your own code ---
def load_gpt2(folder: str | Path) -> tuple[GPT, BytePair]:
    """GPT-2 and its tokenizer from a folder with vocab.json, merges.txt and the weights, model.safetensors (where the
    package safetensors is installed) or pytorch_model.bin; config.json, where it is there, says how many heads.
    FileNotFoundError names what is missing."""
    folder = Path(folder).expanduser()
    if missing := [name for name in ("vocab.json", "merges.txt") if not (folder / name).is_file()]:
        raise FileNotFoundError(f"{folder.resolve()} lacks {' and '.join(missing)}")
    if (folder / "model.safetensors").is_file():
        from safetensors.torch import load_file

        state = load_file(folder / "model.safetensors")
    elif (folder / "pytorch_model.bin").is_file():
        state = torch.load(folder / "pytorch_model.bin", map_location="cpu", weights_only=True)
    else:
        raise FileNotFoundError(f"{folder.resolve()} holds neither model.safetensors nor pytorch_model.bin")
    config = folder / "config.json"
    heads = json.loads(config.read_text(encoding="utf-8")).get("n_head") if config.is_file() else None
    return from_huggingface(state, heads), BytePair.from_huggingface(folder / "vocab.json", folder / "merges.txt")
