"""Which readers get which messages, and when there is no more room for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ._core import Message, topic_matches

#: So many topics are remembered with their readers.
_REMEMBERED = 4096

Route = tuple[Callable[[Message], None], ...]


class Reader(Protocol):
    """A bounded queue of messages, with a consumer behind it. Without filters it takes everything."""

    filters: tuple[str, ...] | None

    def put(self, message: Message, /) -> None:
        """Takes a message; never refuses one."""

    def waiting(self) -> int:
        """How many wait."""

    def end(self, error: Exception | None) -> None:
        """No more will come, for this reason; None: the client was closed."""

    def begin_again(self) -> None:
        """More may come."""


class Router:
    """The readers of one client. The inbox gets what nobody else wants, and everything once somebody reads it."""

    def __init__(self, inbox: Reader, capacity: int, *, ignore_trailing_slash: bool) -> None:
        self.inbox = inbox
        self.capacity = capacity
        self._ignore_trailing_slash = ignore_trailing_slash
        self._others: tuple[Reader, ...] = ()
        self.is_inbox_read = False
        #: By topic: what each message asks for.
        self.routes: dict[str, Route] = {}

    @property
    def readers(self) -> tuple[Reader, ...]:
        """All of them."""
        return (*self._others, self.inbox)

    def add(self, reader: Reader) -> None:
        """One more."""
        self._others = (*self._others, reader)
        self.routes = {}

    def remove(self, reader: Reader) -> None:
        """It reads no more."""
        self._others = tuple(other for other in self._others if other is not reader)
        self.routes = {}

    def read_inbox(self) -> None:
        """Somebody reads the inbox, and from now on gets everything."""
        if not self.is_inbox_read:
            self.is_inbox_read = True
            self.routes = {}

    def route(self, topic: str) -> Route:
        """Who gets the messages of a topic."""
        # First, so that what another thread changes meanwhile does not outlive the old routes.
        routes = self.routes
        wanted = [reader.put for reader in self._others if self.wants(reader.filters, topic)]
        if self.is_inbox_read or not wanted:
            wanted.append(self.inbox.put)
        if len(routes) >= _REMEMBERED:
            routes.clear()
        route = routes[topic] = tuple(wanted)
        return route

    def wants(self, filters: tuple[str, ...] | None, topic: str) -> bool:
        """Whether one of the filters takes the topic. ApsaraMQ may put a slash behind it."""
        if filters is None or any(topic_matches(filter_, topic) for filter_ in filters):
            return True
        plain = topic.removesuffix("/")
        if not self._ignore_trailing_slash or plain in ("", topic):
            return False
        return any(topic_matches(filter_, plain) for filter_ in filters)

    def fullest(self) -> int:
        """How many messages wait for the reader with the most."""
        most = self.inbox.waiting()
        for reader in self._others:
            most = max(most, reader.waiting())
        return most
