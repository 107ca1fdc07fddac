"""What 13_barlow_twins says that can be reckoned; it quotes no results yet."""

from claim import claim

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
    claim(WHERE, "from 131 images a process on; with the paper's 8,192 from 4,099 on", first == {256: 131, 8192: 4099})
