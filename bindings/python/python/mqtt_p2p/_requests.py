"""Filters and answers, as both clients take them."""

from __future__ import annotations

from collections.abc import Iterable

from ._core import Dropped, Rejected, Subscribed
from ._engine import Outcome
from .errors import ConnectError, DisconnectedError, InvalidError, PublishError, SubscribeError

Filters = str | tuple[str, int] | Iterable[str | tuple[str, int]]
"""A topic filter, with the highest QoS if that is not the one of the call, or several."""

REFUSED = 128


def filters_of(filters: Filters, qos: int) -> list[tuple[str, int]]:
    """As the core takes them."""
    if isinstance(filters, str):
        return [(filters, qos)]
    if isinstance(filters, tuple) and len(filters) == 2 and isinstance(filters[1], int):
        return [(str(filters[0]), filters[1])]
    return [(entry, qos) if isinstance(entry, str) else entry for entry in filters]


def check(outcome: Outcome) -> Outcome:
    """Raises what a request ended in, if that is no answer."""
    if isinstance(outcome, Dropped):
        raise DisconnectedError("the client was closed before the server answered")
    if isinstance(outcome, Rejected):
        raise PublishError(outcome.code, outcome.reason)
    if isinstance(outcome, ConnectError):
        if outcome.kind == "requested":
            raise DisconnectedError(outcome.reason)
        raise outcome
    return outcome


def granted(outcome: Outcome, filters: list[tuple[str, int]]) -> list[int]:
    """The QoS of each filter.

    Raises SubscribeError for the first that was refused."""
    outcome = check(outcome)
    assert isinstance(outcome, Subscribed)
    for (filter_, _), qos in zip(filters, outcome.granted, strict=True):
        if qos == REFUSED:
            raise SubscribeError(filter_)
    return outcome.granted


def parent_of(given: str | None, default: str | None) -> str:
    """The parent topic of a P2P message."""
    parent = given if given is not None else default
    if parent is None:
        raise InvalidError("a P2P message needs a parent topic: pass parent, here or to the client")
    return parent
