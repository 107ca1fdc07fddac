"""What 13_barlow_twins says that can be reckoned, and of its ablations."""

from math import log, log2
from statistics import mean

from claim import board, claim, results, shown

WHERE = "13_barlow_twins"


def test_what_collapsed_networks_pay():
    k, weight = 4, 0.5
    claim(WHERE, "the loss is K = **4**.", k * (1 - 0) ** 2 == 4)
    claim(WHERE, "the loss is λ K (K - 1) = **6**.", weight * k * (k - 1) == 6)


def test_chance_correlations_of_a_batch():
    claim(WHERE, "here 1/16 = 0.06.", round(256**-0.5, 2) == 0.06)
    claim(WHERE, "chance correlations grow to 1/8", 64**-0.5 == 1 / 8)


def test_when_sums_are_fewer_numbers_than_projections():
    first = {k: next(n for n in range(1, 10_000) if 2 * n * k > k * k + 4 * k) for k in (256, 8192)}
    claim(WHERE, "K² + 4K numbers travel from each process", True)
    claim(
        WHERE,
        "once a process holds 131 images; with the paper's 8,192, once it holds 4,099.",
        first == {256: 131, 8192: 4099},
    )


def test_without_the_second_sum():
    kept = results("ablations/barlow_twins_scenes")
    knn = {row: round(100 * mean(values)) for row, values in kept["rows"]["kNN"].items()}
    runs = {row: by["0"] for row, by in kept["runs"].items()}
    assert len(kept["seeds"]) == 1 and kept["recipe"]["steps"] == 250
    found = knn["only the diagonal"], knn["as it is"], knn["untrained"]
    claim(WHERE, "kNN 36 %, against 41 with both sums and 25 for an untrained network", found == (36, 41, 25))
    claim(WHERE, "almost nothing then, 0.02", runs["only the diagonal"]["curve"][-1][1] < 0.025)
    directions = [round(runs[row]["spread"][-1][2]) for row in ("only the diagonal", "as it is")]
    claim(WHERE, "nine directions out of 256, where the whole method has 56", directions == [9, 56])
    ranks = [round(runs[row]["rank of h"]) for row in ("only the diagonal", "as it is")]
    claim(WHERE, "a rank of 54 against 79", ranks == [54, 79])


def test_three_bugs():
    runs = {row: by["0"] for row, by in results("ablations/barlow_twins_scenes")["runs"].items()}
    lost = mean(loss for _, loss in runs["wrong partner"]["curve"][-30:])
    claim(WHERE, "the loss does not get below about 1, the price of saying nothing", 0.9 < lost < 1.2)
    knn = [round(100 * runs[row]["scores"]["kNN"]) for row in ("images, not numbers", "as it is")]
    claim(WHERE, "its kNN is even ahead, 48 against 41 %", knn == [48, 41])
    knn = [round(100 * runs[row]["scores"]["kNN"]) for row in ("same view twice", "untrained")]
    claim(WHERE, "kNN stays at an untrained network's 25 %", knn == [25, 25])
    claim(WHERE, "(An untrained network has 49.)", round(runs["untrained"]["rank of h"]) == 49)


def test_the_run_shown():
    ours, other = board(WHERE, "Barlow Twins")[:2], board("10_simclr", "SimCLR")[:2]
    claim(
        WHERE,
        "Barlow Twins has 58 % by kNN and 66 by the probe. SimCLR, with the same network, views and number of steps, has 73 and 72",
        all(abs(found - named) < 0.6 for found, named in zip(ours + other, (58, 66, 73, 72))),
    )
    claim(
        WHERE,
        "Left-right is nearly gone from z (7.8 %) and well kept in h (62.5 %)",
        "left-right: h, untrained 0.342, z 0.0782, h 0.625" in shown(WHERE),
    )
    claim(
        WHERE,
        "25 % in h, where the untrained network has 16 and SimCLR 11.",
        "hue: h, untrained 0.162, z 0.245, h 0.246" in shown(WHERE)
        and "hue: h, untrained 0.162, z 0.0937, h 0.115" in shown("10_simclr"),
    )


def test_squares_and_bits_part():
    """Two numbers that correlate by r: T is -log2(1 - r^2) / 2, a quarter of the squares r^2 / (2 ln 2)."""
    r = 0.999
    claim(
        WHERE,
        "for two numbers that are nearly equal they would charge far too little",
        -log2(1 - r * r) / 2 > 4 * r * r / (2 * log(2)),
    )
