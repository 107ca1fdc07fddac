"""What all tests share."""

import signal

import pytest

# A shell that starts a command in the background lets it ignore Ctrl-C, and all its children too: the tests send one.
signal.signal(signal.SIGINT, signal.default_int_handler)

LATE = ("slow", "notebook", "browser")

pytest.register_assert_rewrite("displayed", "running")


def pytest_collection_modifyitems(items):
    """Quick tests first: a mistake shows in seconds, not after the notebooks have run."""
    items.sort(key=lambda item: [item.get_closest_marker(name) is not None for name in reversed(LATE)])


@pytest.fixture(scope="module")
def plain_precision():
    """float32 on every processor, so that results can be compared closely."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSLKIT_PRECISION", "float32")
        yield


@pytest.fixture(scope="module")
def smoke_scale():
    """Whatever chooses a recipe chooses the one that takes seconds: the supervised row of a scoreboard, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSLKIT_SCALE", "smoke")
        yield
