"""sslkit: self-supervised learning, built from scratch in notebooks and trained for real."""

__version__ = "0.1.0"
