"""Waiting so that Ctrl-C always gets through."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

_SLICE = 1.0


def slices(timeout: float | None) -> Iterator[float]:
    """How long to wait, again and again until the time is over; `None` is for ever.

    Python sees a signal between two waits. One that comes just before a wait, or to another thread, does not end that
    wait, and on Windows none does: a wait without end would never hear of it."""
    if timeout is None:
        while True:
            yield _SLICE
    end = monotonic() + timeout
    left = timeout
    while left > _SLICE:
        yield _SLICE
        left = end - monotonic()
    yield max(left, 0)
