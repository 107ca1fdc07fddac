"""Whether splits are apart."""

from itertools import combinations

from sslkit.datasets.contract import Split
from sslkit.datasets.splits import image_hashes


def overlaps(splits: dict[str, Split]) -> dict[tuple[str, str], int]:
    """How many different images two splits share, for each pair that shares any; {} is right."""
    hashes = {name: image_hashes(split.x) for name, split in splits.items()}
    counts = {(a, b): len(set(hashes[a]) & set(hashes[b])) for a, b in combinations(hashes, 2)}
    return {pair: count for pair, count in counts.items() if count}
