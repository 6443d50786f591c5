"""Paused collection: a stretch of work in which Python does not look for garbage in cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collection() -> Iterator[None]:
    """Work without the collector of cycles; it is put back as it was.

    A hundred thousand results are millions of objects that stay, and the collector walks
    through all of them again and again: that took two thirds of the time of reading them.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
