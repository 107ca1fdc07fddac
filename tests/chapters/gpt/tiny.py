"""GPT looks back only, and the next word needs no dice."""

from tiny import reader

from sslkit.transformer import TextEncoder

DICE = False


def encoder(tokens: int) -> TextEncoder:
    return reader(tokens, causal=True)
