"""What both clients have in common."""

from __future__ import annotations

import contextlib
import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any, Protocol

from . import _fork, aliyun
from ._core import Message
from ._engine import ConnectionEvent, Engine, HandlerFailed
from ._options import Options, Settings
from ._router import Reader, Router
from .errors import DisconnectedError, MqttError, SubscribeError

log = logging.getLogger("mqtt_p2p")

EventHandler = Callable[[ConnectionEvent], None]

#: Who falls so many connection events behind misses the oldest.
EVENTS = 64


class Listener(Protocol):
    """Hears of connection events; None: the client was closed."""

    def _tell(self, event: ConnectionEvent | None) -> None: ...


class BaseClient:
    """A client without its ways of waiting."""

    def __init__(
        self, url: str, client_id: str | aliyun.ClientId | None, options: Options, inbox: Reader
    ) -> None:
        self._settings = Settings(url, client_id, options)
        self._router = Router(inbox, self._settings.queue_size, ignore_trailing_slash=self._settings.aliyun)
        self._core = self._settings.core
        self._engine = Engine(self._settings, self._router, self._tell)
        self._event_handlers: list[EventHandler] = []
        #: For as long as somebody holds them.
        self._listeners: weakref.WeakSet[Listener] = weakref.WeakSet()
        #: How many readers each topic filter has.
        self._in_use: dict[str, int] = {}
        self._in_use_lock = threading.Lock()
        self._closed_because = "the client was closed: make a new one"
        #: How many times a handler raised.
        self.handler_errors = 0
        _fork.watch(self)

    # ---- what there is to see ----

    @property
    def client_id(self) -> str:
        """Who this is."""
        return self._core.client_id

    @property
    def is_connected(self) -> bool:
        """Whether the server has accepted the log-in and the connection has not ended."""
        return self._core.is_connected and not self._engine.is_closed

    @property
    def is_closed(self) -> bool:
        """Whether the client has come to its end."""
        return self._engine.is_closed

    @property
    def subscriptions(self) -> list[tuple[str, int]]:
        """What the server granted."""
        return self._core.subscriptions()

    def stats(self) -> dict[str, int]:
        """Counters: connections, resends, duplicates of QoS 2, unexpected acknowledgements, publications in flight;
        and handlers that raised."""
        return {**self._core.stats(), "handler_errors": self.handler_errors}

    def export_session(self) -> bytes:
        """What was accepted and has not ended, incoming QoS 2 and subscriptions, for the option `session` of a later
        client with the same client id. Ask for it before the client is closed, which gives up what waits."""
        return self._core.export_session()

    # ---- events ----

    def on_event(self, handler: EventHandler) -> EventHandler:
        """Decorator: calls the function with every connection event, where the connection lives: it must not block."""
        self._event_handlers.append(handler)
        return handler

    def _tell(self, event: ConnectionEvent) -> None:
        for listener in tuple(self._listeners):
            listener._tell(event)
        for handler in tuple(self._event_handlers):
            try:
                handler(event)
            except Exception:  # The user's own code.
                log.exception("a handler of connection events raised; the connection is as it was")
                self.handler_errors += 1

    def _tell_the_end(self) -> None:
        for listener in tuple(self._listeners):
            listener._tell(None)

    def _handler_failed(self, filter_: str | None, error: Exception) -> None:
        log.error(
            "a handler of %s raised; the connection is as it was, and the next message is handled",
            filter_ or "all messages",
            exc_info=error,
        )
        self.handler_errors += 1
        self._tell(HandlerFailed(filter_, error))

    # ---- requests ----

    def _subscribe_in_background(self, filter_: str, qos: int) -> None:
        """For handlers: nobody waits for the answer."""
        self._check_open()
        self._use_filters([(filter_, qos)])
        ticket = self._core.subscribe([(filter_, qos)], awaited=True)

        def answered(outcome: Any) -> None:
            if getattr(outcome, "granted", None) == [128]:
                log.error("%s", SubscribeError(filter_))

        self._engine.expect(ticket, answered)

    def _release_filters(self, filters: list[str]) -> list[str]:
        """Those that nobody uses any more."""
        unused = []
        with self._in_use_lock:
            for filter_ in filters:
                self._in_use[filter_] = self._in_use.get(filter_, 1) - 1
                if self._in_use[filter_] <= 0:
                    del self._in_use[filter_]
                    unused.append(filter_)
        return unused

    def _unsubscribe_in_background(self, filters: list[str]) -> None:
        """From now on nothing asks for them again, whatever becomes of the connection."""
        # Where nothing may wait without a connection, the server has nothing to forget but an old session's.
        with contextlib.suppress(MqttError):
            self._core.unsubscribe(filters)

    def _use_filters(self, filters: list[tuple[str, int]]) -> None:
        with self._in_use_lock:
            for filter_, _ in filters:
                self._in_use[filter_] = self._in_use.get(filter_, 0) + 1

    def _check_open(self) -> None:
        if self._engine.is_closed:
            raise DisconnectedError(self._closed_because)

    def _ack(self, message: Message) -> None:
        self._check_open()
        self._core.ack(message)

    # ---- fork ----

    def _after_fork(self) -> None:
        transport = self._engine.let_go()
        sock = None if transport is None else transport.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            _fork.let_go(sock.fileno())
        self._closed_because = (
            "this process was forked from the one that the client belongs to, where it goes on: "
            "make a new one here"
        )

    def __repr__(self) -> str:
        state = "connected" if self.is_connected else "closed" if self.is_closed else "not connected"
        return f"<{type(self).__module__}.{type(self).__name__} {self.client_id!r} {state}>"
