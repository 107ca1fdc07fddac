"""What README.md says of this chapter's measurements."""

from tables import found, percent


def lines() -> list[str]:
    """Hidden tokens named right, and what labels buy."""
    bert = found("bert.json")
    if not bert:
        return []
    named = ", ".join(f"{name} {percent(values)}" for name, values in bert["masked"].items())
    counts = list(bert["labels"]["fine-tuned"])
    return [
        "\n**Hidden words.** BERT names a few more of them than counting neighbours does. With ten labels per class "
        "pretraining brings about five points, with fifty about two, and tf-idf, half a century old, stays ahead of BERT.",
        f"\nHidden tokens named right in %, validation documents: {named}.\n",
        f"The package of a test passage, accuracy in %, {len(bert['seeds'])} seeds:\n",
        "| labels per class | " + " | ".join(counts) + " |",
        "|---" * (len(counts) + 1) + "|",
        *(f"| {arm} | " + " | ".join(percent(row[k]) for k in counts) + " |" for arm, row in bert["labels"].items()),
        f"\n`{bert['command']}`",
    ]
