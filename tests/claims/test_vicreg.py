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


KEPT = results("ablations/vicreg_scenes")
KNN, PROBE = ({row: 100 * mean(v) for row, v in KEPT["rows"][judge].items()} for judge in ("kNN", "linear probe"))


def both(row: str) -> tuple[int, int]:
    """A row's means over seeds, in %."""
    return round(KNN[row]), round(PROBE[row])


def test_each_term_left_out():
    knn = {row: round(value) for row, value in KNN.items()}
    rank = {row: mean(run["rank of h"] for run in by.values()) for row, by in KEPT["runs"].items()}
    assert KEPT["seeds"] == [0, 1, 2] and KEPT["recipe"]["steps"] == 250
    claim(
        WHERE,
        "kNN 22.5 %, below an untrained network's 25, with a rank of 154, the highest of all",
        abs(KNN["no invariance"] - 22.5) < 0.1
        and (knn["untrained"], round(rank["no invariance"])) == (25, 154)
        and max(rank, key=rank.get) == "no invariance",
    )
    claim(
        WHERE,
        "23.5 %, below it as well, with a rank of 15",
        abs(KNN["no variance"] - 23.5) < 0.1 and round(rank["no variance"]) == 15,
    )
    claim(
        WHERE,
        "39 %, against 43 for the whole method, and behind it with each seed",
        (knn["no covariance"], knn["as it is"]) == (39, 43)
        and all(a < b for a, b in zip(KEPT["rows"]["kNN"]["no covariance"], KEPT["rows"]["kNN"]["as it is"])),
    )
    last = [run["spread"][-1][2] for run in KEPT["runs"]["no covariance"].values()]
    claim(WHERE, "about four directions out of 256", 3.5 <= mean(last) < 4.5)
    claim(WHERE, "(62 against 74)", (round(rank["no covariance"] + 0.01), round(rank["as it is"])) == (62, 74))


def test_neither_batch_norm_nor_projector():
    lost = {row: (KNN["as it is"] - KNN[row], PROBE["as it is"] - PROBE[row]) for row in KNN}
    claim(
        WHERE,
        "Without batch norm in the projector four points are lost; with none anywhere, one by kNN and two by the probe, and its seeds "
        "lie as far apart as that (38 to 44 %).",
        [round(x) for x in lost["no batch norm in the projector"]] in ([4, 4], [4, 5])
        and [round(x) for x in lost["no batch norm at all"]] == [1, 2]
        and [round(100 * f(KEPT["rows"]["kNN"]["no batch norm at all"])) for f in (min, max)] == [38, 44],
    )
    runs = [
        run for row in ("no batch norm at all", "no batch norm in the projector") for run in KEPT["runs"][row].values()
    ]
    claim(WHERE, "Nothing collapses.", all(run["spread"][-1][1] > 0.5 and run["spread"][-1][2] > 20 for run in runs))
    claim(
        WHERE,
        "44 % by kNN and 54 by the probe, against 43 and 54",
        (both("no projector"), both("as it is")) == ((44, 54), (43, 54)),
    )
    byol = results("ablations/byol_scenes")["rows"]["kNN"]
    claim(
        WHERE,
        "where group norm costs eleven points (one seed)",
        round(100 * (byol["as it is"][0] - byol["group norm"][0])) == 11 and len(byol["group norm"]) == 1,
    )


def test_two_networks():
    claim(
        WHERE,
        "After 60 steps the cosine is 0.57 for two views of one image, and 0.16 for views of two",
        "step 60: cosine, two views 0.57, two images 0.16" in shown(WHERE),
    )
    claim(
        WHERE,
        "35 % by kNN and 45 by the probe: well above an untrained network's 25 and 32, and well below 43 and 54",
        (both("two encoders"), both("untrained")) == ((35, 45), (25, 32)),
    )


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
    runs = {row: by["0"]["curve"] for row, by in KEPT["runs"].items()}
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
