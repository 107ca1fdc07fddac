"""What 08_next_frame says of results/next_frame.json."""

from statistics import mean

from claim import claim, results


def test_what_three_seeds_say():
    rows = {judge: {row: mean(v) for row, v in named.items()} for judge, named in results("next_frame")["rows"].items()}
    pairs = [(rows[judge]["untrained"], rows[judge]["next frame"]) for judge in ("kind", "position R2", "velocity R2")]
    said = [(0.20, 0.24), (0.40, 0.95), (0.08, 0.77)]
    claim(
        "08_next_frame",
        "over three seeds the kind rises from 20 to 24 %, where position goes from 0.40 to 0.95 and velocity from 0.08 to 0.77.",
        all(abs(a - b) < 0.0051 for pair, numbers in zip(pairs, said) for a, b in zip(pair, numbers)),
    )
    claim(
        "08_next_frame",
        "from all 5,000 clips it reads 0.40 of the position and 0.08 of the velocity (above), 0.24 on average.",
        abs((pairs[1][0] + pairs[2][0]) / 2 - 0.24) < 0.005,
    )
