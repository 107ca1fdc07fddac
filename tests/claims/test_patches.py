"""What 04_patches says of results/patches_shortcuts.json."""

from statistics import mean

from claim import claim, results

WHERE = "04_patches"


def test_shortcuts_and_cures():
    rows = results("patches_shortcuts")["rows"]

    def change(one: str, other: str, judge: str) -> float:
        return 100 * (mean(rows[one][judge]) - mean(rows[other][judge]))

    plain, probe, knn = "gap 2, jitter 1", "kind by linear probe", "kind by kNN"
    claim(
        WHERE,
        "seventeen points more at the question, and thirteen fewer by linear probe.",
        round(change("cast", plain, "question answered")) == 17 and round(change("cast", plain, probe)) == -13,
    )
    claim(
        WHERE,
        "Behind the cast, dropping colour gives back two of the thirteen points by linear probe and nothing by kNN; making everything "
        "grey loses more.",
        round(change("cast, colour dropped", "cast", probe)) == 2
        and abs(change("cast, colour dropped", "cast", knn)) < 0.5
        and max(change("cast, grey", "cast", probe), change("cast, grey", "cast", knn)) < -3,
    )
    claim(
        WHERE,
        "Gap and jitter help by about three points.",
        all(2.5 < -change("no gap, no jitter", plain, judge) < 3.7 for judge in (probe, knn)),
    )
