"""The published weights of BERT in this chapter's: it is the same network, but for size and where the norms stand."""

from typing import Any

import torch
from torch import Tensor

from sslkit.chapters.bert.method import BERT
from sslkit.transformer import TextEncoder


def from_huggingface(state: dict[str, Tensor], heads: int | None = None, pad: int = 0, **options) -> BERT:
    """A BERT with the weights of Hugging Face's BertForMaskedLM, from its state_dict (keys with or without "bert.").

    heads: of the attention, dim / 64 by default as in all sizes of BERT; pad: the token of padding; options: of BERT,
    for bert-base-uncased mask_token=103, special=(0, 101, 102, 103). Their segments are dropped: segment 0, which every
    plain text has, is added to the positions. Returned in evaluation mode. ValueError where the state does not fit.
    """
    state = {key.removeprefix("bert."): value for key, value in state.items()}
    lacking = [key for key in ("embeddings.word_embeddings.weight", "cls.predictions.bias") if key not in state]
    if lacking:
        raise ValueError(f"this is no state_dict of BertForMaskedLM: it has no {' and no '.join(lacking)}")
    table, places = (state[f"embeddings.{kind}_embeddings.weight"] for kind in ("word", "position"))
    dim = table.shape[1]
    heads = heads or dim // 64
    if heads < 1 or dim % heads:
        raise ValueError(f"{dim} dimensions cannot be shared by {heads} heads (dim / 64 by default): give heads=")
    if not torch.equal(state.get("cls.predictions.decoder.weight", table), table):
        raise ValueError("the decoder has weights of its own; this BERT shares those of the embedding")
    depth = 1 + max(int(key.split(".")[2]) for key in state if key.startswith("encoder.layer."))
    wide, rest = divmod(len(state["encoder.layer.0.intermediate.dense.weight"]), dim)
    if rest:
        raise ValueError(f"the inner width must be a multiple of {dim}, it is {wide * dim + rest}")
    shape: dict[str, Any] = dict(
        context=len(places), dim=dim, depth=depth, heads=heads, mlp=wide, norm_first=True, pad=pad
    )
    model = BERT(TextEncoder(len(table), post=True, eps=1e-12, **shape), **options)
    model.load_state_dict(renamed(state, depth))
    return model.eval()


def renamed(state: dict[str, Tensor], depth: int) -> dict[str, Tensor]:
    """The state_dict of BertForMaskedLM (without "bert.") under the names of this chapter's BERT."""
    theirs = {
        "encoder.first": "embeddings.LayerNorm",
        "head.linear": "cls.predictions.transform.dense",
        "head.norm": "cls.predictions.transform.LayerNorm",
    }
    for i in range(depth):
        block, layer = f"encoder.blocks.{i}", f"encoder.layer.{i}"
        theirs |= {
            f"{block}.attention.out": f"{layer}.attention.output.dense",
            f"{block}.norm1": f"{layer}.attention.output.LayerNorm",
            f"{block}.mlp.0": f"{layer}.intermediate.dense",
            f"{block}.mlp.2": f"{layer}.output.dense",
            f"{block}.norm2": f"{layer}.output.LayerNorm",
        }
    ours = {f"{to}.{kind}": state[f"{of}.{kind}"] for to, of in theirs.items() for kind in ("weight", "bias")}
    for i in range(depth):
        for kind in ("weight", "bias"):
            parts = [state[f"encoder.layer.{i}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            ours[f"encoder.blocks.{i}.attention.qkv.{kind}"] = torch.cat(parts)
    ours["encoder.embed.weight"] = state["embeddings.word_embeddings.weight"]
    segment = state["embeddings.token_type_embeddings.weight"][0]
    ours["encoder.places.weight"] = state["embeddings.position_embeddings.weight"] + segment
    ours["head.bias"] = state["cls.predictions.bias"]
    return ours
