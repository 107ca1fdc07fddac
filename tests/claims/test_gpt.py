"""What 20_gpt says of results/gpt.json and results/gpt_vocabulary.json."""

from statistics import mean, stdev

from claim import claim, results

WHERE = "20_gpt"
ROWS, SIZES = results("gpt")["rows"], results("gpt_vocabulary")["vocabularies"]


def test_bits_per_byte():
    pairs, gpt = ROWS["bigram"][0], ROWS["GPT"]
    claim(WHERE, "a table of pairs needs 2.02 bits per byte", abs(pairs - 2.02) < 0.0051)
    claim(
        WHERE,
        "A tenth less: 1.83 bits per byte, with hardly any spread between seeds.",
        abs(mean(gpt) - 1.83) < 0.0051 and 0.09 < 1 - mean(gpt) / pairs < 0.11 and stdev(gpt) < 0.01 and len(gpt) >= 3,
    )
    claim(WHERE, "With three seeds GPT stays ahead of the bigram", len(gpt) == 3 and max(gpt) < pairs)


def test_the_vocabulary():
    bits = {size: row["val bits per byte"] for size, row in SIZES.items()}
    seconds = {size: row["seconds"] for size, row in SIZES.items()}
    claim(
        WHERE,
        "2,048 tokens need the fewest bits, after the shortest training of the three",
        min(bits, key=bits.get) == min(seconds, key=seconds.get) == "2048",
    )
    claim(
        WHERE,
        "Validation documents, one seed, 57, 49 and 58 seconds of training.",
        [round(seconds[size]) for size in ("512", "2048", "8192")] == [57, 49, 58],
    )
