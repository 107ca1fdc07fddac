"""What `python -m sslkit` does: one module for each command, with `add(commands)`, its options, and `run(args)`."""
