"""What 08_next_frame says of results/next_frame.json, and of its own figures."""

import re
from statistics import mean

from claim import claim, results, shown

WHERE = "08_next_frame"


def figure(start: str) -> str:
    """The description of the one figure whose description has `start`."""
    (line,) = [line for line in shown(WHERE).splitlines() if start in line]
    return line


def bar(line: str, judge: str, row: str) -> float:
    """What a scoreboard's description says of a row, by one judge."""
    (values,) = re.findall(rf"{re.escape(judge)}: ([^;]*)", line)
    (value,) = re.findall(rf"{re.escape(row)} (\d+(?:\.\d+)?)", values)
    return float(value)


def test_what_three_seeds_say():
    rows = {judge: {row: mean(v) for row, v in named.items()} for judge, named in results("next_frame")["rows"].items()}
    pairs = [(rows[judge]["untrained"], rows[judge]["next frame"]) for judge in ("kind", "position R2", "velocity R2")]
    claim(
        WHERE,
        "over three seeds the kind rises from 20 to 24 %, where position goes from 40 to 95 % and velocity from 8 to 77 %.",
        [(round(100 * a), round(100 * b)) for a, b in pairs] == [(20, 24), (40, 95), (8, 77)],
    )
    single = figure("What can be read off")
    claim(
        WHERE,
        "In the single run above the kind did not rise at all.",
        bar(single, "kind", "next frame") <= bar(single, "kind", "untrained"),
    )


def test_the_live_run():
    line = figure("what a linear regression reads off")
    (position, velocity) = (float(re.search(rf"{name} ([\d.]+)%", line)[1]) for name in ("position", "velocity"))
    claim(
        WHERE, "Position, 95 % against 74, and it leads at every look.", (round(position), round(velocity)) == (95, 74)
    )


def test_few_measured_clips():
    single = figure("What can be read off")
    read = [100 * bar(single, judge, "untrained") for judge in ("position", "velocity")]
    claim(
        WHERE,
        "from all 5,000 clips it reads 45 % of the position and 9 % of the velocity (first figure of this section), 27 % on average.",
        [round(value) for value in (*read, mean(read))] == [45, 9, 27],
    )
    claim(
        WHERE, "reads 35 % from twenty-five clips", "next frame 35% at 25" in figure("mean R2 against measured clips")
    )


def test_two_changes():
    line = figure("a pooled encoder keeps the place")
    error = [bar(line, "error / copying", row) for row in ("one past frame", "as above", "pooled encoder")]
    claim(WHERE, "the error is 0.69 instead of 0.31", [round(value, 2) for value in error[:2]] == [0.69, 0.31])
    claim(WHERE, "the error is 0.61", round(error[2], 2) == 0.61)
    claim(
        WHERE,
        "88 % of the place and 66 % of the velocity can be read off a mean over all places",
        [round(100 * bar(line, judge, "pooled encoder")) for judge in ("position R2", "velocity R2")] == [88, 66],
    )


def test_the_arrow_of_time():
    line = figure("Does the film run backwards?")
    rows = "constant, forwards", "constant, backwards", "falling, backwards", "falling, forwards"
    error = [round(float(re.search(rf"{row} (\d\.\d+)", line)[1]), 2) for row in rows]
    claim(WHERE, "there is hardly a difference (0.31 and 0.32)", error[:2] == [0.31, 0.32])
    claim(WHERE, "errs more: 0.62 instead of 0.36", error[2:] == [0.62, 0.36])
