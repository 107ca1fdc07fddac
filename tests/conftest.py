"""What all tests share."""

LATE = ("slow", "notebook", "browser")


def pytest_collection_modifyitems(items):
    """Quick tests first: a mistake shows in seconds, not after the notebooks have run."""
    items.sort(key=lambda item: [item.get_closest_marker(name) is not None for name in reversed(LATE)])
