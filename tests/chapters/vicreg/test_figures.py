"""What the figures of chapter 14 say in words."""

import torch

from sslkit.chapters.vicreg import pictures

WEIGHTS = {"invariance": 1.0, "variance": 1.0, "covariance": 0.04}


def test_the_ends_of_the_three_terms_are_named():
    terms = [[9.0, 9.0, 9.0]] * 50 + [[0.1, 0.4, 2.0], [0.2, 0.5, 3.0]] * 50
    ends = "Means of the last 100 steps: invariance 0.15, variance 0.45, covariance 0.10."
    assert ends in pictures.falling(terms, WEIGHTS).alt
    assert "last 2 steps: invariance 0.15, variance 0.45" in pictures.falling(terms[-2:], WEIGHTS).alt


def test_the_views_have_their_colours_named():
    assert "Blue: view 1; orange: view 2." in pictures.fates({"a": torch.randn(80, 20)}).alt
