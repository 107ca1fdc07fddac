"""Mistakes made on purpose: what a test must catch."""

import inspect
import sys


def changed(thing, old: str, new: str):
    """A function or class of a module with one place of its source changed."""
    source = inspect.getsource(thing)
    assert source.count(old) == 1, f"the source has changed: {old!r} is no longer one place in it"
    scope = dict(vars(sys.modules[thing.__module__]))
    exec(source.replace(old, new), scope)
    return scope[thing.__name__]
