"""The turn game without a browser: guesses in, scores out."""

import torch

from sslkit.chapters.rotation.widget import turn_game

IMAGES = torch.randint(256, (14, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_the_score_counts_the_first_guess_at_each_image():
    game = turn_game(IMAGES, torch.arange(14) % 4)
    image, answer = (game.controls[name] for name in ("image", "answer"))
    assert "Where does the top" in game.picture.alt
    answer.value = "↑ 0°"
    assert "Right: ↑ 0°. You: 1 of 1." in game.picture.alt
    answer.value = "↓ 180°"
    assert "Right: ↑ 0°. You: 1 of 1." in game.picture.alt, "a second guess does not count"
    image.value = 1
    assert answer.value == "?" and "Where does the top" in game.picture.alt
    answer.value = "→ 270°"
    assert "No: ← 90°. You: 1 of 2." in game.picture.alt
    assert game.guesses == {0: 0, 1: 3} and game.words.value == ""


def test_the_static_picture_gives_the_answers_below():
    assert "↑" not in turn_game(IMAGES, torch.arange(14) % 4).fallback().alt  # no answer below a puzzle
