"""What README.md says of this chapter's measurements."""

from tables import found, percent


def lines() -> list[str]:
    """The headline table: accuracy against labels per class."""
    kept = found("transfer.json")
    if not kept:
        return []
    table = kept["curves"][kept["data"]]
    counts = sorted(table["fine-tuned"], key=int)
    rows = [
        f"| {arm} | " + " | ".join(percent(points[k]) if k in points else "" for k in counts) + " |"
        for arm, points in table.items()
    ]
    head = (
        "\n**What labels are worth.** With ten labels per class a pretrained network is seventeen points ahead of one that "
        "starts from nothing, which needs "
        "about four times as many labels to catch up.\n"
        f"\nLabels per class on `{kept['data']}`, test accuracy in %, {len(kept['seeds'])} seeds. `{kept['command']}`\n"
    )
    return [head, "| | " + " | ".join(counts) + " |", "|---" * (len(counts) + 1) + "|", *rows]
