"""The patch game and its board without a browser: guesses in, scores and pictures out."""

import io

import numpy as np
import pytest
import torch
from displayed import displayed
from PIL import Image

from sslkit.chapters.patches import figures
from sslkit.chapters.patches.figures import EMPTY, shade
from sslkit.chapters.patches.widget import patch_game
from sslkit.plots.picture import RIGHT, WRONG
from sslkit.plots.table import rgb

GENERATOR = torch.Generator().manual_seed(0)
FIRST, SECOND = torch.randint(256, (2, 10, 3, 8, 8), dtype=torch.uint8, generator=GENERATOR)
IMAGES = torch.randint(256, (10, 3, 32, 32), dtype=torch.uint8, generator=GENERATOR)
WHERE = torch.tensor([0, 4, 7, 3, 1, 2, 5, 6, 0, 7])
SAME = torch.arange(10) % 2
EVEN = torch.full((10, 8), 0.05)


def probabilities(right=6):
    """A network that gives 0.65 to the truth of the first `right` puzzles, and to the place after it of the others."""
    p = EVEN.clone()
    at = torch.where(torch.arange(10) < right, WHERE, (WHERE + 1) % 8)
    p[torch.arange(10), at] = 0.65
    return p


def where(**options):
    return patch_game(FIRST, SECOND, WHERE, images=IMAGES, **options)


ALL = {
    "alone": where,
    "against a network": lambda: where(probabilities=probabilities()),
    "same image": lambda: patch_game(FIRST, SECOND, SAME, torch.rand(10, 2), IMAGES),
}


@pytest.mark.parametrize("name", ALL)
def test_shown_as_live_widget_and_as_picture(name):
    widget = ALL[name]()
    picture = displayed(widget)
    assert len(picture.png) < 200_000 and len(picture.alt) > 60


def test_the_score_counts_the_first_guess_at_each_puzzle():
    game = where(probabilities=probabilities(right=1))
    puzzle, guess = (game.controls[name] for name in ("puzzle", "guess"))
    assert guess.options == ("?", "0 ↖", "1 ↑", "2 ↗", "3 ←", "4 →", "5 ↙", "6 ↓", "7 ↘")
    assert "Where does it belong? You: 0 of 0." in game.picture.alt and "place 0" not in game.picture.alt
    guess.value = "0 ↖"
    assert "Right: ↖. The network says ↖, with 65%." in game.picture.alt
    assert "You: 1 of 1. The network on the same: 1 of 1." in game.picture.alt
    guess.value = "1 ↑"
    assert "You: 1 of 1." in game.picture.alt, "a second guess does not count"
    puzzle.value = 1
    assert guess.value == "?" and "Where does it belong?" in game.picture.alt
    guess.value = "3 ←"
    assert "No: →. The network says ↙, with 65%." in game.picture.alt
    assert "You: 1 of 2. The network on the same: 1 of 2." in game.picture.alt
    puzzle.value = 0
    assert "Right: ↖." in game.picture.alt, "a puzzle keeps its answer"
    assert game.guesses == {0: 0, 1: 3} and game.words.value == ""


def test_guesses_go_on_in_another_panel():
    game = where()
    game.controls["guess"].value = "0 ↖"
    assert "network" not in game.picture.alt
    later = where(probabilities=probabilities(), guesses=game.guesses)
    assert "You: 1 of 1. The network on the same: 1 of 1." in later.picture.alt


def test_same_image_has_two_answers():
    game = patch_game(FIRST, SECOND, SAME)
    assert game.controls["guess"].options == ("?", "two images", "one image")
    game.controls["guess"].value = "one image"
    assert "No: two images. You: 0 of 1." in game.picture.alt


def test_the_static_picture_tells_the_answers_and_the_networks():
    picture = where(probabilities=probabilities()).fallback()
    assert "right in 6 of all 10" in picture.alt and "image" in picture.alt
    alone = where().fallback().alt
    assert "network says" not in alone and ", image" not in alone


@pytest.mark.parametrize(
    "args, words",
    [
        ((FIRST[:3], SECOND, WHERE), "as many patches as answers: 3, 10, 10"),
        ((FIRST[:0], SECOND[:0], WHERE[:0]), "as many patches as answers"),
        ((FIRST, SECOND, WHERE, torch.rand(10, 2)), r"must be \[10, 8\]"),
        ((FIRST, SECOND, SAME, torch.rand(9, 2)), r"must be \[10, 2\]"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(args, words):
    with pytest.raises(ValueError, match=words):
        patch_game(*args)


# --- the board ---


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB")).astype(int)


def reddish(picture, colour):
    """How many pixels are about of this colour."""
    return int((np.abs(pixels(picture) - rgb(colour)).max(2) < 12).sum())


def test_the_board_frames_the_answer_and_a_wrong_guess():
    black = torch.zeros(3, 8, 8)
    plain = figures.places(black, black, title="t")
    answered = figures.places(black, black, answer=2, guess=5, title="t")
    assert reddish(plain, RIGHT) == reddish(plain, WRONG) == 0
    assert reddish(answered, RIGHT) > 300 and reddish(answered, WRONG) > 300
    assert reddish(figures.places(black, black, answer=2, guess=2), WRONG) == 0
    assert "belongs to place 2" in answered.alt and "belongs" not in plain.alt


def test_the_board_shows_probabilities_as_shades():
    tile = np.zeros((8, 8, 3), np.uint8)
    assert (shade(tile, 0.0) == EMPTY).all() and (shade(tile, 1.0) == rgb(RIGHT)).all()
    p = np.full(8, 0.0)
    p[6] = 1.0
    black = torch.zeros(3, 8, 8)
    assert reddish(figures.places(black, black, p), RIGHT) > 2000
    with pytest.raises(ValueError, match="each of the eight places"):
        figures.places(black, black, np.ones(7))
