"""What 17_mae says of results/mae_ratios.json and the methods' scores on scenes."""

from statistics import mean

from claim import claim, results, rows

WHERE = "17_mae"
FINE = "fine-tuning, 10 labels per class"


def test_gains_beside_simclr():
    gains = {}
    for name, title in (("mae", "MAE"), ("simclr", "SimCLR")):
        found = rows(name)
        new = {
            judge: found[judge].get("untrained", found[judge].get("from scratch"))
            for judge in ("kNN", "linear probe", FINE)
        }
        gains[name] = [100 * (found[judge][title] - new[judge]) for judge in new]
    shares = [round(100 * ours / theirs) for ours, theirs in zip(gains["mae"], gains["simclr"])]
    claim(
        WHERE,
        "MAE gains 11.7 points by kNN, 8.5 by linear probe and 3.1 fine-tuned; SimCLR 28.2, 26.4 and 10.1, so MAE's share is 42, 32 and "
        "30 %.",
        all(abs(g - said) < 0.051 for g, said in zip(gains["mae"], (11.7, 8.5, 3.1)))
        and all(abs(g - said) < 0.051 for g, said in zip(gains["simclr"], (28.2, 26.4, 10.1)))
        and shares == [42, 32, 30],
    )


def test_the_mask_ratios_decide_nothing():
    kept = results("mae_ratios")
    untrained = {judge: 100 * mean(v) for judge, v in kept["untrained"].items()}
    found = {r: {judge: 100 * mean(v) for judge, v in row.items()} for r, row in kept["ratios"].items()}
    best = {judge: max(row[judge] for row in found.values()) for judge in untrained}
    behind = [r for r, row in found.items() if row["linear probe"] < untrained["linear probe"]]
    claim(
        WHERE,
        "After 300 steps the best of these networks is three points ahead of an untrained one by kNN (22 against 19 %) and one by linear "
        "probe; two of the ratios are behind it.",
        kept["steps"] == 300
        and round(best["kNN"]) == 22
        and round(untrained["kNN"]) == 19
        and round(best["linear probe"] - untrained["linear probe"]) == 1
        and len(behind) >= 2,
    )
    seconds = {float(r): mean(v) for r, v in kept["training_seconds"].items()}
    claim(
        WHERE,
        "with 25 % hidden a run takes nearly twice as long as with 75 %.",
        1.7 < seconds[0.25] / seconds[0.75] < 2.1,
    )
