"""Who takes part in the comparison, and the table that ends it."""

import json

import pytest
import torch

from sslkit import chapters, evidence
from sslkit.chapters.compare import closing, lineup
from sslkit.datasets import load


@pytest.fixture(scope="module")
def line():
    return lineup.gather("no such folder")


def test_every_encoder_that_ships_takes_part_and_every_method_is_accounted_for(line):
    images = {chapters.title(name) for name in chapters.methods() if chapters.kind_of(name) == "images"}
    assert images == {*line.trained} | {*line.absent}
    names = list(line.networks)
    assert names[0] == "untrained" and names[-1] == "supervised" and not line.left_out


def test_it_prints_a_line_for_each(line):
    words = str(line)
    assert all(f"\n{title} " in words for title in line.runs) and "the kit" in words


def test_a_network_is_judged_on_the_last_split(line):
    data = load("scenes", limit=200)
    splits = data.train, data.val, data.test
    h = [torch.nn.functional.one_hot(split.y, 10).float() for split in splits]
    scores = lineup.judge(h, splits)
    assert scores["kNN"] == scores["linear probe"] == 1.0 and 9 < scores["effective rank"] < 10.1


def test_the_closing_table_has_all_that_was_measured_and_takes_up_a_new_method(tmp_path, monkeypatch):
    cells, changes = closing.table()
    assert {chapters.title(name) for name in evidence.results("compare")["methods"]} <= set(cells)
    assert {len(row) for row in cells.values()} == {3 + len(closing.FACTORS) + 1 + len(closing.PUBLISHED)}
    assert max(map(abs, changes["untrained"])) == 0 == max(map(abs, changes["untrained vit"]))
    kept = evidence.results("compare")
    for table in (
        kept["rows"]["kNN"],
        kept["rows"]["linear probe"],
        kept["rows"]["few labels"],
        kept["read"],
        kept["methods"],
    ):
        table["byol"] = table["simclr"]
    published = {"rows": {"byol": {"linear probe": 0.625, "kNN": 0.46}}}
    for name, value in (("compare", kept), ("published", published)):
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    monkeypatch.setattr(evidence, "RESULTS", tmp_path)
    row = closing.table()[0][chapters.title("byol")]
    assert row[:-3] == closing.table()[0]["SimCLR"][:-3] and row[-3:] in (["62", "46", ""], ["63", "46", ""])
    picture = closing.closing("Title", "Caption.")
    assert picture.png[:4] == b"\x89PNG" and "untrained vit: kNN " in picture.alt
