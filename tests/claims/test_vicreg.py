"""What 14_vicreg says that can be reckoned; it quotes no results yet."""

from claim import claim

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
