"""What the ablations gave, and what stands there before they were made."""

import json

import pytest

from sslkit import evidence
from sslkit.chapters.barlow_twins import pictures


@pytest.mark.parametrize("chapter", ["barlow_twins", "vicreg"])
def test_the_ablations_asked_for_and_a_note_before_they_are_made(chapter, tmp_path, monkeypatch):
    monkeypatch.setattr(evidence, "RESULTS", tmp_path)
    assert "Not measured yet" in pictures.ablations(chapter, "A title", "batch 64").alt
    assert "Not measured yet" in evidence.bugs(chapter).alt
    names = ("untrained", "as it is", "batch 64", "wrong partner")
    runs = {name: {"0": {"rank of h": 7.0, "curve": [[1, 2.0], [2, 1.0]]}} for name in names}
    found = {"seeds": [0], "steps": 9, "batch": 64, "command": "python x.py", "runs": runs}
    found["rows"] = {"kNN": {name: [0.4] for name in names}}
    (tmp_path / "ablations").mkdir(parents=True)
    (tmp_path / f"ablations/{chapter}_scenes.json").write_text(json.dumps(found))
    alt = pictures.ablations(chapter, "A title", "batch 64").alt
    assert "batch 64" in alt and "rank of h" in alt and "wrong partner" not in alt
