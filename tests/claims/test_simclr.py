"""What 10_simclr says of results/simclr_ablations*.json."""

from statistics import mean

from claim import claim, results

WHERE = "10_simclr"


def test_a_hundred_steps_carry_nothing():
    knn = {row: mean(v) for row, v in results("simclr_ablations")["rows"]["kNN"].items()}
    claim(
        WHERE,
        '*untrained*: by kNN it is ahead of "as it is" (27 against 22 %).',
        round(100 * knn["untrained"]) == 27
        and round(100 * knn["as it is"]) == 22
        and results("simclr_ablations")["steps"] == 100,
    )
    best = sorted(knn, key=knn.get)[-4:]
    claim(
        WHERE,
        "leaving the colour changes out, smaller batches with more steps, no projector.",
        all(knn[row] > knn["untrained"] for row in ("no colour jitter", "batch / 4", "no projector"))
        and "no colour jitter" in best,
    )


def test_at_full_length():
    knn = {row: mean(v) for row, v in results("simclr_ablations_long")["rows"]["kNN"].items()}
    claim(
        WHERE,
        "**Without crops** the features stay far behind (34 against 53 % by kNN)",
        round(100 * knn["no crop"]) == 34 and round(100 * knn["as it is"]) == 53,
    )
    claim(
        WHERE,
        "**Without colour changes** next to nothing is lost on these scenes",
        abs(knn["as it is"] - knn["no colour jitter"]) < 0.015,
    )
