"""What both clients stand on: the core, its transport, its clock, and who waits for what. It lives in one event loop."""

from __future__ import annotations

import asyncio
import builtins
import inspect
import logging
import secrets
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import aliyun
from ._core import (
    CloseTransport,
    Connected,
    Disconnected,
    Dropped,
    Message,
    OpenTransport,
    Published,
    Refused,
    Rejected,
    Subscribed,
    SubscriptionLost,
    TokenExpires,
    TokenFailed,
    TokenInvalid,
    TokenNeeded,
    TokenRenewed,
    Unsubscribed,
)
from ._transport import Connection, dial, kind_of
from .errors import AuthError, ConnectError, DisconnectedError, ProtocolError, RefusedError

if TYPE_CHECKING:
    from ._options import Settings
    from ._router import Router

log = logging.getLogger("mqtt_p2p")


@dataclass(frozen=True, slots=True)
class HandlerFailed:
    """A handler of messages raised. The connection is as it was, and the next message is handled. The traceback is in
    the log."""

    filter: str | None
    error: Exception


ConnectionEvent = (
    Connected
    | Disconnected
    | Refused
    | SubscriptionLost
    | TokenExpires
    | TokenFailed
    | TokenInvalid
    | TokenRenewed
    | HandlerFailed
)
"""What `events` tells."""

Outcome = Published | Rejected | Subscribed | Unsubscribed | Dropped | ConnectError
"""How a request ended, or why nobody need wait for it."""

_NO_ROUTE: tuple[Callable[[Message], None], ...] = ()


def failure(event: Refused | Disconnected) -> ConnectError:
    """The error that an ended attempt is to who waits for it."""
    if isinstance(event, Refused):
        kind = AuthError if event.code in (4, 5) else RefusedError
        return kind(event.code, event.reason, event.advice)
    reason = f"{event.reason} ({event.detail})" if event.detail else event.reason
    if event.likely_cause:
        reason = f"{reason}; likely cause: {event.likely_cause}"
    kind_ = ProtocolError if event.kind in _PROTOCOL else ConnectError
    return kind_(reason, kind=event.kind, advice=event.advice)


_PROTOCOL = ("malformed", "unexpected", "contradiction", "not-mqtt")


class Engine:
    """One client's connection. Everything here happens in its loop, but for what says otherwise."""

    def __init__(self, settings: Settings, router: Router, tell: Callable[[ConnectionEvent], None]) -> None:
        self.core = settings.core
        self.loop: asyncio.AbstractEventLoop | None = None
        self.router = router
        #: Who waits for the end of which request: see `expect`.
        self.waiters: dict[int, Any] = {}
        #: The server does not take what there is to send.
        self.is_write_paused = False
        #: Nothing is read, since a reader has no room.
        self.is_held = False
        self.is_closed = False
        #: Why no more attempts follow.
        self.ended: ConnectError | None = None
        self._settings = settings
        self._tell = tell
        self._connection: Connection | None = None
        self._transport: asyncio.Transport | None = None
        #: Closed, but perhaps not gone.
        self._leaving: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._dialling: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._flush_due = False
        self._progress: asyncio.Future[None] | None = None
        self._first_round: asyncio.Future[None] | None = None
        self._closing = False
        self._warned = False
        #: The core's next deadline may be earlier than it was.
        self._is_changed = False
        #: So many messages may come before it has to be seen whether a reader is full.
        self._slack = 0

    # ---- from any thread ----

    def expect(self, ticket: int, waiter: Callable[[Outcome], Any]) -> None:
        """Calls the waiter with the outcome, which may be there already: whoever comes second finds the first."""
        other = self.waiters.setdefault(ticket, waiter)
        if other is not waiter:
            del self.waiters[ticket]
            waiter(other)
        elif self.ended is not None and self.waiters.pop(ticket, None) is waiter:
            # It came too late for those who were told.
            waiter(self.ended)

    def wake(self) -> None:
        """There is something to send."""
        if not self._flush_due:
            self._flush_due = True
            try:
                self._running().call_soon(self.flush)
            except RuntimeError:
                raise self._loop_is_gone() from None

    def wake_threadsafe(self) -> None:
        """The same from another thread."""
        if not self._flush_due:
            self._flush_due = True
            try:
                self._running().call_soon_threadsafe(self.flush)
            except RuntimeError:
                raise DisconnectedError("the client was closed: make a new one") from None

    def _running(self) -> asyncio.AbstractEventLoop:
        if self.loop is None:
            self._flush_due = False
            raise DisconnectedError(
                "the client has not been connected: enter it with `with`, or call connect"
            )
        return self.loop

    def _loop_is_gone(self) -> DisconnectedError:
        self.is_closed = True
        return DisconnectedError(
            "the event loop that this client was connected in is closed, and the client with it: "
            "make a new one in the loop that runs now"
        )

    # ---- the life of the client ----

    async def start(self) -> None:
        """Connects, and waits for the end of the first attempt."""
        self.loop = asyncio.get_running_loop()
        self._flush_due = False
        self.ended = None
        self._first_round = self.loop.create_future()
        self.core.connect(self.loop.time())
        self._turn()
        try:
            await self._first_round
        finally:
            self._first_round = None

    async def stop(self) -> None:
        """Leaves: what may already be sent goes out, then DISCONNECT. What waits is given up."""
        if self.is_closed or self.loop is None:
            self.is_closed = True
            self._end_readers(None)
            return
        self._closing = True
        try:
            self.core.disconnect(self.loop.time())
            self._turn()
            while not self.core.is_idle:
                await self.progress()
            for connection in list(self._leaving):
                await connection.wait_closed()
        finally:
            self._finish()

    def _finish(self) -> None:
        """Nothing of the client goes on, however it ended."""
        assert self.loop is not None
        self.is_closed = True
        if self._connection is not None:
            self._connection.close(b"")
            self._connection = self._transport = None
            self.core.connection_lost(self.loop.time(), "broken")
            self._handle(self.core.tick(self.loop.time()))
        self.core.abandon()
        self._handle(self.core.tick(self.loop.time()))
        for task in self._tasks:
            task.cancel()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.is_write_paused = False
        self.ended = ConnectError("the client was closed before the server answered", kind="requested")
        self._fail_waiters(self.ended)
        self._end_readers(None)
        self._made_progress()

    def let_go(self) -> asyncio.Transport | None:
        """After a fork, in the child: what the parent goes on with must not be touched any more. Gives it."""
        self.is_closed = True
        transport, self._connection, self._transport = self._transport, None, None
        return transport

    def reconnect(self) -> None:
        """Tries again now."""
        assert self.loop is not None
        self.ended = None
        self.core.connect(self.loop.time())
        self._turn()

    async def drain(self) -> None:
        """Waits until all that was accepted so far is through."""
        newest = self.core.newest_request
        while newest is not None:
            oldest = self.core.oldest_request
            # The numbers go round.
            if oldest is None or 0 < (oldest - newest) % 2**32 < 2**31:
                break
            if self.is_closed:
                raise DisconnectedError("the client was closed before everything was through")
            if self.ended is not None:
                raise self.ended
            self.wake()
            await self.progress()
        while self.is_write_paused and not self.is_closed:
            await self.progress()

    async def progress(self) -> None:
        """Waits until something was sent, came or ended."""
        if self.is_closed:
            raise DisconnectedError("the client was closed: make a new one")
        if self._progress is None:
            self._progress = self._running().create_future()
        await asyncio.shield(self._progress)

    def _made_progress(self) -> None:
        if self._progress is not None:
            if not self._progress.done():
                self._progress.set_result(None)
            self._progress = None

    # ---- the transport ----

    def connection_made(self, connection: Connection, transport: asyncio.Transport) -> None:
        """The transport is open."""
        assert self.loop is not None
        self._connection, self._transport = connection, transport
        self.is_write_paused = False
        # CONNACK has to be read in any case.
        self._hold(False)
        endpoint = self._settings.endpoint
        websocket = None
        if endpoint.is_websocket:
            websocket = (endpoint.authority, endpoint.path, secrets.token_bytes(16))
        self.core.connection_made(self.loop.time(), websocket)
        self._turn()

    def connection_lost(self, kind: str, detail: str) -> None:
        """The transport is gone, or could not be opened."""
        assert self.loop is not None
        self._connection = self._transport = None
        self.is_write_paused = False
        self.core.connection_lost(self.loop.time(), kind, detail)
        self._turn()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        assert self.loop is not None
        now = self.loop.time()
        core = self.core
        self._handle(core.receive_data(data, now))
        if not self._flush_due and core.has_output:
            self._flush_due = True
            self.loop.call_soon(self.flush)
        if self._is_changed:
            self._is_changed = False
            self._arm(now)

    def pause_writing(self) -> None:
        """The transport has enough."""
        self.is_write_paused = True
        # From now on what comes may be blocked.
        self._slack = 0

    def resume_writing(self) -> None:
        """It takes more."""
        self.is_write_paused = False
        self.flush()
        self._look_at_room()
        self._made_progress()

    def flush(self) -> None:
        """Sends what there is: one write for all that came together."""
        self._flush_due = False
        loop, core = self.loop, self.core
        if loop is None or self.is_closed:
            return
        now = loop.time()
        sent = False
        # What is written may fail at once, and end the transport.
        while not self.is_write_paused and (transport := self._transport) is not None:
            data = core.data_to_send(now)
            if not data:
                break
            transport.write(data)
            sent = True
        if core.has_events:
            self._handle(core.tick(now))
        elif sent and self._progress is not None:
            self._made_progress()
        self._arm(now)

    def _turn(self) -> None:
        """Something changed: hear of it, and send."""
        assert self.loop is not None
        self._handle(self.core.tick(self.loop.time()))
        self.flush()

    def _arm(self, now: float) -> None:
        timeout = self.core.next_timeout(now)
        if timeout is None or self.loop is None:
            return
        at = now + timeout
        if self._timer is not None:
            # One that rings early does no harm.
            if self._timer_at <= at + 0.001:
                return
            self._timer.cancel()
        self._timer_at = at
        # The core counts milliseconds.
        self._timer = self.loop.call_at(at + 0.001, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if not self.is_closed:
            self._turn()

    # ---- events ----

    def _handle(self, events: Sequence[object]) -> None:
        waiters = self.waiters
        routes = self.router.routes
        for event in events:
            kind = type(event)
            if kind is Message:
                route = routes.get(event.topic, _NO_ROUTE)  # type: ignore[attr-defined]
                if not route:
                    route = self.router.route(event.topic)  # type: ignore[attr-defined]
                    routes = self.router.routes
                for put in route:
                    put(event)  # type: ignore[arg-type]
            elif kind is Published:
                ticket = event.ticket  # type: ignore[attr-defined]
                waiter = waiters.setdefault(ticket, event)
                if waiter is not event:
                    del waiters[ticket]
                    waiter(event)
            elif kind is Subscribed or kind is Unsubscribed or kind is Dropped or kind is Rejected:
                self._end_request(event)  # type: ignore[arg-type]
            else:
                self._change(event)
        self._slack -= len(events)
        if self._slack < 0:
            self._look_at_room()
        if self._progress is not None:
            self._made_progress()

    def _end_request(self, event: Rejected | Subscribed | Unsubscribed | Dropped) -> None:
        waiter: Any = self.waiters.setdefault(event.ticket, event)
        if waiter is not event:
            del self.waiters[event.ticket]
            waiter(event)

    def _change(self, event: object) -> None:
        self._is_changed = True
        match event:
            case OpenTransport(attempt):
                log.debug("attempt %d to connect to %s", attempt, self._settings.endpoint)
                self._dialling = self._spawn(self._dial())
            case CloseTransport(last_words):
                self._close_transport(last_words)
            case TokenNeeded():
                self._spawn(self._get_tokens(event))
            case Connected():
                log.info("connected to %s", self._settings.endpoint)
                self._round_ended(None)
                self._tell(event)
            case Refused() | Disconnected():
                self._attempt_ended(event)
            case TokenFailed() | TokenInvalid() | SubscriptionLost():
                log.warning("%s", event)
                self._tell(event)
            case TokenExpires() | TokenRenewed():
                log.info("%s", event)
                self._tell(event)

    def _attempt_ended(self, event: Refused | Disconnected) -> None:
        error = failure(event)
        asked_for = isinstance(event, Disconnected) and event.kind == "requested"
        if asked_for:
            log.info("disconnected from %s", self._settings.endpoint)
        elif event.retry_in is None:
            log.warning("%s; no further attempt", error)
        else:
            log.warning("%s; next attempt in %.1f s", error, event.retry_in)
        self._tell(event)
        if event.retry_in == 0.0 and isinstance(event, Refused):
            return
        self._round_ended(error)
        if event.retry_in is None and not asked_for and not self._closing:
            self.ended = error
            self._fail_waiters(error)
            self._end_readers(error)
            self._made_progress()

    def _round_ended(self, error: ConnectError | None) -> None:
        if self._first_round is not None and not self._first_round.done():
            if error is None:
                self._first_round.set_result(None)
            else:
                self._first_round.set_exception(error)

    def _fail_waiters(self, error: ConnectError) -> None:
        for ticket, waiter in list(self.waiters.items()):
            # Others are outcomes, for who is about to ask.
            if callable(waiter) and self.waiters.pop(ticket, None) is waiter:
                waiter(error)

    def _end_readers(self, error: Exception | None) -> None:
        for reader in self.router.readers:
            reader.end(error)

    # ---- dialling, tokens ----

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        assert self.loop is not None
        task: asyncio.Task[None] = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _dial(self) -> None:
        settings = self._settings
        connection = Connection(self, settings.endpoint)
        self._connection = connection
        try:
            await self._log_in()
        except Exception as error:  # The user's own code.
            self._dial_failed(connection, "no-log-in", f"{type(error).__name__}: {error}")
            return
        try:
            if settings.endpoint.is_secure and settings.ssl is None:
                # It reads files.
                settings.ssl = await asyncio.to_thread(ssl.create_default_context)
            await dial(settings.endpoint, connection, settings.ssl)
        except (OSError, ValueError, builtins.TimeoutError) as error:
            self._dial_failed(
                connection,
                kind_of(error, dialling=True, secure=settings.endpoint.is_secure),
                str(error) or type(error).__name__,
            )

    def _dial_failed(self, connection: Connection, kind: str, detail: str) -> None:
        if not connection.is_over:
            connection.is_over = True
            self.connection_lost(kind, detail)

    async def _log_in(self) -> None:
        """Credentials that are asked for before every attempt."""
        credentials = self._settings.credentials
        if callable(credentials):
            log_in = credentials()
            if inspect.isawaitable(log_in):
                log_in = await log_in
            self.core.set_log_in(*log_in)

    def _close_transport(self, last_words: bytes) -> None:
        if self._dialling is not None:
            self._dialling.cancel()
            self._dialling = None
        connection, self._connection, self._transport = self._connection, None, None
        self.is_write_paused = False
        if connection is not None:
            connection.close(last_words)
            self._leaving = {other for other in self._leaving if not other.gone.is_set()} | {connection}

    async def _get_tokens(self, needed: TokenNeeded) -> None:
        assert self.loop is not None
        credentials = self._settings.credentials
        assert isinstance(credentials, aliyun.Token)
        request = aliyun.TokenRequest(tuple(needed.kinds), needed.invalid)
        missing = set(needed.kinds)
        failed: list[ConnectionEvent] = []
        try:
            if inspect.iscoroutinefunction(credentials.source):
                answer = await credentials.source(request)
            else:
                answer = await asyncio.to_thread(credentials.source, request)
                if inspect.isawaitable(answer):
                    answer = await answer
            for token in [answer] if isinstance(answer, aliyun.IssuedToken) else answer:
                failed += self.core.token_obtained(token.kind, token.text, token.expires_at)
                missing.discard(token.kind)
        except Exception as error:  # The user's own code.
            failed.append(TokenFailed(f"{type(error).__name__}: {error}"))
        if missing:
            self.core.tokens_failed(list(missing))
        self.core.tokens_answered()
        for event in failed:
            log.warning("%s", event)
            self._tell(event)
        if not self.is_closed:
            self._turn()

    # ---- back-pressure ----

    def _look_at_room(self) -> None:
        """Stops the reading while a reader has no room. Who awaits an acknowledgement may be the one who does not read
        meanwhile, and it comes behind what is to be read: then there is more room, up to a bound."""
        transport = self._transport
        if transport is None:
            return
        waiting = self.router.fullest()
        capacity = self.router.capacity
        room = capacity * 16 if self.waiters else capacity
        self._slack = room - waiting
        blocked = self.is_write_paused and self.core.is_blocked
        if waiting >= room or blocked:
            if not self.is_held:
                self._hold(True)
                if self.router.fullest() <= capacity // 2 and not blocked:
                    # A reader in another thread took them meanwhile, and did not see that it was held.
                    self._hold(False)
                if waiting >= capacity * 16 and not self._warned:
                    self._warned = True
                    log.warning(
                        "%d messages wait for a reader of this client, and nothing more is read from the server: read "
                        "client.messages and every subscription, and don't await a publish of QoS 1 where they are read",
                        waiting,
                    )
        elif (self.is_held and waiting <= capacity // 2) or (
            self.is_held and self.waiters and waiting < room
        ):
            self._hold(False)

    def look_at_room(self) -> None:
        """A reader took messages, or somebody waits for an acknowledgement."""
        if self.is_held and not self.is_closed:
            self._look_at_room()

    def _hold(self, held: bool) -> None:
        assert self.loop is not None
        if held == self.is_held:
            return
        self.is_held = held
        self.core.hold_reading(self.loop.time(), held)
        if self._transport is not None:
            if held:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()
