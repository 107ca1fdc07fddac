"""What README.md says of this chapter's measurements."""

from tables import found, plain


def lines() -> list[str]:
    """Bits per byte, beside guesses without a network."""
    gpt = found("gpt.json")
    if not gpt:
        return []
    bits = ", ".join(f"{name} {plain(values)}" for name, values in gpt["rows"].items())
    seeds = f"{len(gpt['seeds'])} seeds; less is better"
    return [
        "\n**The next word.** Each number is what a model needs to spell out a byte of text that it has not read: "
        "GPT needs a tenth fewer bits than a table of pairs (and a hair more than one of triples, says its chapter).",
        f"\nBits per byte of test documents ({seeds}): {bits}. `{gpt['command']}`",
    ]
