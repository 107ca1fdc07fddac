"""What `python -m sslkit` does: options, the data they name, and a room for the longest command."""
