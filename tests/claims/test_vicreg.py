"""What 14_vicreg says that can be reckoned, and of its ablations."""

from statistics import mean

from claim import board, claim, results, shown

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


def test_the_runs_shown():
    ours, other = board(WHERE, "VICReg")[:2], board("10_simclr", "SimCLR")[:2]
    claim(
        WHERE,
        "VICReg has 67 % by kNN and 72 by the probe. SimCLR, with the same network, views and number of steps, has 73 and 72 "
        "([10](10_simclr.ipynb)): level by the probe, six points behind by kNN.",
        all(abs(found - named) < 0.6 for found, named in zip(ours + other, (67, 72, 73, 72)))
        and round(other[0] - ours[0]) == 6,
    )
    claim(
        WHERE,
        "Its rank of 53 looks healthy, since the rank does not see size; the spread of 0.28 says that all z point nearly the same way.",
        "'no variance': (0.28, 52.6)" in shown(WHERE),
    )
    claim(
        WHERE,
        "bright cells off the diagonal, and a rank of 10.",
        "'no covariance': (0.96, 9.7)" in shown(WHERE),
    )
    claim(WHERE, "as small as the root of ε, 0.01", 1e-4**0.5 == 0.01)


def test_two_bugs_that_begin_differently():
    runs = {row: by["0"]["curve"] for row, by in results("ablations/vicreg_scenes")["runs"].items()}
    claim(
        WHERE,
        "B's hinge costs nothing from the first step (0.21 in place of 0.87)",
        (round(runs["hinge upside down"][0][1], 2), round(runs["as it is"][0][1], 2)) == (0.21, 0.87)
        and runs["hinge upside down"][0] == runs["no variance"][0],
    )
    claim(
        WHERE,
        "B and C both end near 0; look at how they begin.",
        max(runs[row][-1][1] for row in ("hinge upside down", "variance of rows")) < 0.01
        and runs["variance of rows"][0][1] > 0.8,
    )
