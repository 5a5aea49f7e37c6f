"""The client for asyncio.

>>> import asyncio, mqtt_p2p.aio
>>> async def main(url):
...     async with mqtt_p2p.aio.Client(url) as client:
...         async with client.subscribe("sensors/#") as messages:
...             await client.publish("sensors/kitchen", "21.5", qos=1)
...             async for message in messages:
...                 return message.text
"""

from __future__ import annotations

import asyncio
import builtins
import inspect
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from . import aliyun
from ._client import EVENTS, BaseClient
from ._core import Message
from ._engine import ConnectionEvent, Outcome
from ._options import Options
from ._requests import Filters, check, filters_of, granted, parent_of
from .errors import DisconnectedError, InvalidError, QueueFull, TimeoutError

__all__ = ["Client", "Events", "Messages", "Subscription"]

Handler = Callable[[Message], Awaitable[None] | None]
_H = TypeVar("_H", bound=Handler)
_T = TypeVar("_T")

#: After so many publications in a row others have their turn.
_BURST = 256
#: A payload of so many bytes is sent at once.
_LARGE = 16 * 1024


class Messages:
    """A queue of messages. `async for` ends when the client is closed, and raises if the connection ended for good."""

    def __init__(self, client: Client, filters: tuple[str, ...] | None) -> None:
        self.filters = filters
        self._client = client
        self._items: deque[Message] = deque()
        #: Who waits for a message: each takes one.
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._is_over = False
        self._error: Exception | None = None

    def __len__(self) -> int:
        return len(self._items)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        items = self._items
        while not items:
            if self._is_over:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except BaseException:
                if waiter.done() and not waiter.cancelled():
                    # It was this one's turn: somebody else has it.
                    self._wake()
                raise
        message = items.popleft()
        engine = self._client._engine
        if engine.is_held:
            engine.look_at_room()
        return message

    async def get(self, timeout: float | None = None) -> Message:
        """The next message.

        Raises TimeoutError if none comes in so many seconds; DisconnectedError if the client was closed."""
        try:
            return await _within(self.__anext__(), timeout, "no message came in time")
        except StopAsyncIteration:
            raise DisconnectedError(
                "no more messages come: the client or the subscription was closed"
            ) from None

    # ---- of the client ----

    def put(self, message: Message, /) -> None:
        """Of the client: a message came."""
        self._items.append(message)
        if self._waiters:
            self._wake()

    def waiting(self) -> int:
        """How many wait to be read."""
        return len(self._items)

    def end(self, error: Exception | None) -> None:
        """Of the client: no more will come."""
        self._is_over, self._error = True, error
        while self._waiters:
            self._wake()

    def begin_again(self) -> None:
        """Of the client: more may come."""
        self._is_over, self._error = False, None

    def _wake(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                break


class _ForHandler(Messages):
    """The queue of a handler, which outlives connections that ended for good: `reconnect` may follow."""

    def end(self, error: Exception | None) -> None:
        """Of the client: no more will come, unless it tries again."""
        if error is None:
            super().end(None)


class Subscription:
    """What `subscribe` gives. Awaited, it subscribes, and the messages come to `client.messages` and to handlers. Entered
    with `async with`, they come to a queue of their own, and leaving unsubscribes."""

    def __init__(self, client: Client, filters: list[tuple[str, int]]) -> None:
        self._client = client
        self._filters = filters
        self._messages = Messages(client, tuple(filter_ for filter_, _ in filters))

    def __await__(self) -> Generator[Any, None, list[int]]:
        return self._client._subscribe(self._filters).__await__()

    async def __aenter__(self) -> Messages:
        router = self._client._router
        # Before the request: a retained message may come right behind the answer.
        router.add(self._messages)
        try:
            await self._client._subscribe(self._filters)
        except BaseException:
            router.remove(self._messages)
            raise
        self._client._use_filters(self._filters)
        return self._messages

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        client = self._client
        client._router.remove(self._messages)
        self._messages.end(None)
        client._engine.look_at_room()
        unused = client._release_filters([filter_ for filter_, _ in self._filters])
        if not unused or client.is_closed:
            return
        if error is None and client.is_connected:
            await client.unsubscribe(unused)
        else:
            client._unsubscribe_in_background(unused)
            client._engine.wake()


class Events:
    """Connection events, from the moment it was asked for. Who falls 64 behind misses the oldest."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._items: deque[ConnectionEvent] = deque(maxlen=EVENTS)
        self._waiter: asyncio.Future[None] | None = None
        self._is_over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ConnectionEvent:
        while not self._items:
            if self._is_over:
                raise StopAsyncIteration
            if self._waiter is None:
                self._waiter = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._waiter)
        return self._items.popleft()

    def _tell(self, event: ConnectionEvent | None) -> None:
        if event is None:
            self._is_over = True
        else:
            self._items.append(event)
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


class Client(BaseClient):
    """An MQTT client in the running event loop. Use it with `async with`.

    It reconnects, asks for its subscriptions again, sends again what the server has not acknowledged, and renews its
    tokens, all by itself. Cancelling any of its coroutines loses nothing: what was accepted goes on.

    `url` is mqtt://, mqtts://, ws://, wss:// with host, or unix:///path. Without a client id, one is made up, with a
    clean session. See `Options` for the rest."""

    def __init__(
        self, url: str, client_id: str | aliyun.ClientId | None = None, **options: Unpack[Options]
    ) -> None:
        self._inbox = Messages(self, None)
        super().__init__(url, client_id, options, self._inbox)
        self._burst = 0
        self._handlers: list[tuple[Messages, Handler]] = []
        self._handling: set[asyncio.Task[None]] = set()

    # ---- the connection ----

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def connect(self) -> None:
        """Connects; afterwards the client stays connected by itself.

        Raises ConnectError, or one of its kinds, if the first attempt fails; the client is closed then."""
        self._check_open()
        try:
            await self._engine.start()
        except BaseException:
            await self.close()
            raise
        for messages, handler in self._handlers:
            self._start_handling(messages, handler)

    async def close(self) -> None:
        """Leaves for good: what may be sent at once goes out, then DISCONNECT. What waits is given up; `drain` first
        where that matters. To close twice does no harm."""
        if self._engine.is_closed:
            return
        try:
            await self._engine.stop()
        finally:
            self._tell_the_end()
            for task in self._handling:
                task.cancel()

    def reconnect(self) -> None:
        """Tries again now, also after a refusal that ended the attempts."""
        self._check_open()
        for reader in self._router.readers:
            reader.begin_again()
        self._engine.reconnect()

    async def ping(self) -> None:
        """Asks the server whether it is there, ahead of time. If it is not, `Disconnected` follows."""
        self._check_open()
        self._core.ping()
        self._engine.wake()

    # ---- publishing ----

    async def publish(
        self,
        topic: str,
        payload: bytes | bytearray | memoryview | str | None = b"",
        qos: int = 0,
        retain: bool = False,
        *,
        timeout: float | None = None,
    ) -> None:
        """Publishes, and waits: with QoS 1 or 2 for the acknowledgement, with QoS 0 for room.

        Cancelled or timed out, what was accepted goes on. Raises InvalidError, DisconnectedError, TimeoutError."""
        if timeout is not None:
            return await _within(
                self.publish(topic, payload, qos, retain), timeout, "no acknowledgement in time"
            )
        engine = self._engine
        if engine.is_closed:
            self._check_open()
        if qos == 0:
            self._burst += 1
            if engine.is_write_paused or self._burst >= _BURST or (payload and len(payload) > _LARGE):
                await self._have_room()
            try:
                self._core.publish(topic, payload, 0, retain)
            except QueueFull:
                await self._when_there_is_room(self._core.publish, topic, payload, 0, retain)
            engine.wake()
            return None
        future = self._future()
        try:
            ticket = self._core.publish(topic, payload, qos, retain, True)
        except QueueFull:
            ticket = await self._when_there_is_room(self._core.publish, topic, payload, qos, retain, True)
        engine.expect(ticket, _Waiter(future))
        engine.wake()
        if engine.is_held:
            engine.look_at_room()
        check(await future)
        return None

    def publish_nowait(
        self,
        topic: str,
        payload: bytes | bytearray | memoryview | str | None = b"",
        qos: int = 0,
        retain: bool = False,
    ) -> None:
        """Publishes and waits for nothing: see `drain`.

        Raises QueueFull if there is no room; InvalidError, DisconnectedError."""
        engine = self._engine
        if engine.is_closed:
            self._check_open()
        self._core.publish(topic, payload, qos, retain)
        if not engine._flush_due:
            engine.wake()

    async def drain(self, timeout: float | None = None) -> None:
        """Waits until all that was accepted so far is through: QoS 0 sent, QoS 1 and 2 acknowledged."""
        if timeout is not None:
            return await _within(self.drain(), timeout, "the server did not take everything in time")
        self._check_open()
        await self._engine.drain()
        return None

    async def send_p2p(
        self,
        to: str | aliyun.ClientId,
        payload: bytes | bytearray | memoryview | str | None = b"",
        qos: int = 1,
        *,
        parent: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Sends a message to one client id, which needs no subscription; waits as `publish` does.

        `parent` is the parent topic, if not that of the client."""
        topic = aliyun.p2p_topic(parent_of(parent, self._settings.parent), str(to))
        await self.publish(topic, payload, qos, timeout=timeout)

    def _future(self) -> asyncio.Future[Outcome]:
        loop = asyncio.get_running_loop()
        if (
            loop is not self._engine.loop
            and self._engine.loop is not None
            and not self._engine.loop.is_closed()
        ):
            raise InvalidError(
                "this client lives in another event loop: make one in the loop that runs here, or use mqtt_p2p.Client"
            )
        return loop.create_future()

    async def _have_room(self) -> None:
        self._burst = 0
        engine = self._engine
        engine.flush()
        while engine.is_write_paused:
            await engine.progress()
            self._check_open()
        await asyncio.sleep(0)

    async def _when_there_is_room(self, accept: Callable[..., int], *arguments: Any) -> int:
        self._engine.wake()
        while True:
            await self._engine.progress()
            self._check_open()
            try:
                return accept(*arguments)
            except QueueFull:
                continue

    # ---- subscribing ----

    def subscribe(self, filters: Filters, qos: int = 0) -> Subscription:
        """Subscribes: `await client.subscribe("a/#")`, or `async with client.subscribe("a/#") as messages`. Gives the
        granted QoS, or the messages.

        Raises SubscribeError if the server refuses; InvalidError, DisconnectedError."""
        self._check_open()
        return Subscription(self, filters_of(filters, qos))

    async def unsubscribe(self, filters: str | list[str]) -> None:
        """Ends subscriptions."""
        await self._request(self._core.unsubscribe, [filters] if isinstance(filters, str) else filters)

    async def _subscribe(self, filters: list[tuple[str, int]]) -> list[int]:
        return granted(await self._request(self._core.subscribe, filters), filters)

    async def _request(self, accept: Callable[..., int], filters: list[Any]) -> Outcome:
        self._check_open()
        try:
            ticket = accept(filters, awaited=True)
        except QueueFull:
            ticket = await self._when_there_is_room(accept, filters, True)
        future = self._future()
        self._engine.expect(ticket, _Waiter(future))
        self._engine.wake()
        self._engine.look_at_room()
        return check(await future)

    # ---- receiving ----

    @property
    def messages(self) -> Messages:
        """Every message from the first use on; before that, those that no subscription's queue and no handler took. P2P
        messages come here without a subscription."""
        self._router.read_inbox()
        return self._inbox

    def ack(self, message: Message) -> None:
        """Acknowledges a message, with the option `manual_ack`.

        Raises DisconnectedError if its connection is gone: the server delivers it again."""
        self._ack(message)
        self._engine.wake()

    def on_message(self, filter: str | None = None, qos: int = 0) -> Callable[[_H], _H]:
        """Decorator: subscribes, and calls the function, or coroutine function, with every message, one after the other.
        Without a filter, with every message that comes. What it raises is logged and counted, and changes nothing else."""

        def register(handler: _H) -> _H:
            messages = _ForHandler(self, None if filter is None else (filter,))
            if filter is not None:
                self._subscribe_in_background(filter, qos)
            self._router.add(messages)
            self._handlers.append((messages, handler))
            if self._engine.loop is not None:
                self._engine.wake()
                self._start_handling(messages, handler)
            return handler

        return register

    def _start_handling(self, messages: Messages, handler: Handler) -> None:
        task = asyncio.get_running_loop().create_task(self._handle(messages, handler))
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)

    async def _handle(self, messages: Messages, handler: Handler) -> None:
        filter_ = messages.filters[0] if messages.filters else None
        async for message in messages:
            try:
                result = handler(message)
                if inspect.isawaitable(result):
                    await result
            except Exception as error:  # The user's own code.
                self._handler_failed(filter_, error)

    def events(self) -> Events:
        """Connection events from now on: `async for event in client.events()`."""
        events = Events(self)
        self._listeners.add(events)
        return events


class _Waiter:
    """Hands an outcome to a future, unless nobody waits any more."""

    __slots__ = ("_future",)

    def __init__(self, future: asyncio.Future[Outcome]) -> None:
        self._future = future

    def __call__(self, outcome: Outcome) -> None:
        if not self._future.done():
            self._future.set_result(outcome)


async def _within(work: Coroutine[Any, Any, _T], timeout: float | None, what: str) -> _T:
    if timeout is None:
        return await work
    try:
        async with asyncio.timeout(timeout):
            return await work
    except TimeoutError:
        raise
    except builtins.TimeoutError:
        raise TimeoutError(f"{what} ({timeout} s)") from None
