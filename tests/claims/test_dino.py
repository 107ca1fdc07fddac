"""What 16_dino says of its own settings."""

import math

from claim import claim

WHERE = "16_dino"


def test_ln_k():
    claim(WHERE, "with 256 prototypes ln K is 5.55", abs(math.log(256) - 5.55) < 0.005)
