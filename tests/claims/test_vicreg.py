"""What 14_vicreg says that can be reckoned, and of its ablations."""

from statistics import mean

from claim import claim, results

WHERE = "14_vicreg"


def test_the_loss_of_views_that_have_nothing_in_common():
    losses = {step / 1000: 2 * (step / 1000) ** 2 + 1 - step / 1000 for step in range(1001)}
    best = min(losses, key=losses.get)
    claim(
        WHERE,
        "The best of a bad deal is σ = 1/4: the loss comes to rest no lower than 7/8",
        (best, losses[best]) == (0.25, 0.875),
    )


def test_the_weights_are_the_papers():
    claim(WHERE, "The weights are the paper's 25, 25 and 1, divided by 25.", (25 / 25, 25 / 25, 1 / 25) == (1, 1, 0.04))


def test_each_term_left_out():
    kept = results("ablations/vicreg_scenes")
    knn = {row: round(100 * mean(values)) for row, values in kept["rows"]["kNN"].items()}
    rank = {row: by["0"]["rank of h"] for row, by in kept["runs"].items()}
    assert len(kept["seeds"]) == 1 and kept["recipe"]["steps"] == 250
    claim(
        WHERE,
        "kNN 23 %, below an untrained network's 25, with a rank of 154, the highest of all",
        (knn["no invariance"], knn["untrained"], max(rank, key=rank.get)) == (23, 25, "no invariance"),
    )
    claim(WHERE, "with a rank of 16", (knn["no variance"], round(rank["no variance"])) == (25, 16))
    claim(WHERE, "39 %, against 42 for the whole method", (knn["no covariance"], knn["as it is"]) == (39, 42))
    last = kept["runs"]["no covariance"]["0"]["spread"][-1][2]
    claim(WHERE, "about four directions out of 256", 4 <= last < 5)
    claim(WHERE, "(61 against 73)", (round(rank["no covariance"]), round(rank["as it is"])) == (61, 73))
