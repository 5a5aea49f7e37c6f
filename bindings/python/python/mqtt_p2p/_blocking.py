"""The client for threads: the same names as that for asyncio, one thread of its own behind it."""

from __future__ import annotations

import asyncio
import builtins
import concurrent.futures
import threading
import time
from collections.abc import Callable, Coroutine
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, cast

from . import aliyun
from ._client import BaseClient
from ._core import Message
from ._engine import ConnectionEvent, Outcome
from ._options import Options
from ._patience import slices
from ._requests import Filters, check, filters_of, granted, parent_of
from .errors import DisconnectedError, InvalidError, QueueFull, TimeoutError

Handler = Callable[[Message], None]
_H = TypeVar("_H", bound=Handler)
_T = TypeVar("_T")
Payload = bytes | bytearray | memoryview | str | None


class _End:
    """Stands in a queue behind the last item."""


_END = _End()


def _get(items: SimpleQueue[_T], timeout: float | None) -> _T:
    """Raises Empty when the time is over."""
    for slice_ in slices(timeout):
        try:
            return items.get(timeout=slice_)
        except Empty:
            pass
    raise Empty


class Messages:
    """A queue of messages. Iterating ends when the client is closed, and raises if the connection ended for good. Several
    threads may read one: each message goes to one of them."""

    def __init__(self, client: Client, filters: tuple[str, ...] | None) -> None:
        self.filters = filters
        self._client = client
        self._items: SimpleQueue[Message | _End] = SimpleQueue()
        self._is_over = False
        self._error: Exception | None = None
        #: How many ever came.
        self.came = 0

    def __len__(self) -> int:
        return max(self._items.qsize() - self._is_over, 0)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Message:
        return self._next(None)

    def get(self, timeout: float | None = None) -> Message:
        """The next message.

        Raises TimeoutError if none comes in so many seconds; DisconnectedError if the client was closed."""
        try:
            return self._next(timeout)
        except StopIteration:
            raise DisconnectedError(
                "no more messages come: the client or the subscription was closed"
            ) from None
        except Empty:
            raise TimeoutError(f"no message came in time ({timeout} s)") from None

    def _next(self, timeout: float | None) -> Message:
        self._client._check_thread()
        while True:
            item = _get(self._items, timeout)
            engine = self._client._engine
            if engine.is_held and self._items.qsize() <= self._client._router.capacity // 2:
                self._client._call_soon(engine.look_at_room)
            if not isinstance(item, _End):
                return item
            if self._is_over:
                # For the next one who asks.
                self._items.put(item)
                if self._error is not None:
                    raise self._error
                raise StopIteration

    # ---- of the client, in its thread ----

    def put(self, message: Message, /) -> None:
        """Of the client: a message came."""
        self.came += 1
        self._items.put(message)

    def waiting(self) -> int:
        """How many wait to be read."""
        return self._items.qsize()

    def end(self, error: Exception | None) -> None:
        """Of the client: no more will come."""
        if not self._is_over:
            self._is_over, self._error = True, error
            self._items.put(_END)

    def begin_again(self) -> None:
        """Of the client: more may come."""
        self._is_over, self._error = False, None

    def give(self, other: Messages, since: int, wants: Callable[[str], bool]) -> None:
        """Of the client: what another one wants of what came since then goes there."""
        rest: list[Message | _End] = []
        for number in range(self.came - self._items.qsize(), self.came):
            try:
                item = self._items.get_nowait()
            except Empty:
                break
            if number >= since and isinstance(item, Message) and wants(item.topic):
                other.put(item)
            else:
                rest.append(item)
        for item in rest:
            self._items.put(item)


class _ForHandler(Messages):
    """The queue of a handler, which outlives connections that ended for good: `reconnect` may follow."""

    def end(self, error: Exception | None) -> None:
        """Of the client: no more will come, unless it tries again."""
        if error is None:
            super().end(None)


class Subscription:
    """What `subscribe` gives. The messages come to `client.messages` and to handlers; entered with `with`, they come to a
    queue of their own, and leaving unsubscribes."""

    def __init__(self, client: Client, filters: list[tuple[str, int]]) -> None:
        self._client = client
        self._filters = filters
        self._since = client._inbox.came
        self._messages = Messages(client, tuple(filter_ for filter_, _ in filters))
        #: The QoS of each filter.
        self.granted: list[int] = granted(client._request(client._core.subscribe, filters), filters)

    def __enter__(self) -> Messages:
        self._client._call(self._begin)
        return self._messages

    def _begin(self) -> None:
        client, messages = self._client, self._messages
        client._router.add(messages)
        client._use_filters(self._filters)
        if not client._router.is_inbox_read:
            # A retained message comes right behind the answer.
            client._inbox.give(
                messages, self._since, lambda topic: client._router.wants(messages.filters, topic)
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        client = self._client
        if client.is_closed:
            return
        unused = client._call(self._end)
        if not unused:
            return
        if error is None and client.is_connected:
            client.unsubscribe(unused)
        else:
            client._unsubscribe_in_background(unused)
            client._engine.wake_threadsafe()

    def _end(self) -> list[str]:
        client = self._client
        client._router.remove(self._messages)
        self._messages.end(None)
        client._engine.look_at_room()
        return client._release_filters([filter_ for filter_, _ in self._filters])


class Events:
    """Connection events, from the moment it was asked for."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._items: SimpleQueue[ConnectionEvent | None] = SimpleQueue()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ConnectionEvent:
        self._client._check_thread()
        event = _get(self._items, None)
        if event is None:
            self._items.put(None)
            raise StopIteration
        return event

    def _tell(self, event: ConnectionEvent | None) -> None:
        self._items.put(event)


class Client(BaseClient):
    """An MQTT client for programs without asyncio. Use it with `with`, from any thread.

    It reconnects, asks for its subscriptions again, sends again what the server has not acknowledged, and renews its
    tokens, all by itself, in a thread of its own. An exception in the middle of a call, such as KeyboardInterrupt, loses
    nothing: what was accepted goes on.

    `url` is mqtt://, mqtts://, ws://, wss:// with host, or unix:///path. Without a client id, one is made up, with a
    clean session. See `Options` for the rest."""

    def __init__(
        self, url: str, client_id: str | aliyun.ClientId | None = None, **options: Unpack[Options]
    ) -> None:
        self._inbox = Messages(self, None)
        super().__init__(url, client_id, options, self._inbox)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._starting = threading.Lock()
        self._handlers: list[threading.Thread] = []

    # ---- the thread ----

    def _start_thread(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name=f"mqtt_p2p {self.client_id}", daemon=True
                )
                self._thread.start()
            return self._loop

    def _check_thread(self) -> None:
        if self._thread is threading.current_thread():
            raise InvalidError(
                "this would wait for itself: handlers of events run in the client's own thread, and must not wait for it"
            )

    def _call_soon(self, work: Callable[[], object]) -> None:
        if self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(work)
            except RuntimeError:
                self._check_open()

    def _call(self, work: Callable[[], _T]) -> _T:
        """Runs something in the client's thread."""

        async def run() -> _T:
            return work()

        return self._run(run())

    def _run(self, work: Coroutine[Any, Any, _T], timeout: float | None = None) -> _T:
        """Runs a coroutine in the client's thread. If the caller is interrupted, it is cancelled."""
        try:
            self._check_thread()
            if self._loop is None:
                raise DisconnectedError(
                    "the client has not been connected: enter it with `with`, or call connect"
                )
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except BaseException:
            work.close()
            raise
        try:
            for slice_ in slices(timeout):
                if concurrent.futures.wait((future,), slice_).done:
                    break
            return future.result(0)
        except concurrent.futures.CancelledError:
            raise DisconnectedError(self._closed_because) from None
        except BaseException:
            future.cancel()
            raise

    # ---- the connection ----

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> None:
        """Connects; afterwards the client stays connected by itself.

        Raises ConnectError, or one of its kinds, if the first attempt fails; the client is closed then."""
        self._check_open()
        self._start_thread()
        try:
            self._run(self._engine.start())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Leaves for good: what may be sent at once goes out, then DISCONNECT. What waits is given up; `drain` first
        where that matters. To close twice does no harm."""
        self._check_thread()
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            self._engine.is_closed = True
        elif thread.is_alive() and not loop.is_closed():
            try:
                self._run(self._stop())
            finally:
                loop.call_soon_threadsafe(loop.stop)
                thread.join()
                loop.close()
        if not self._ended.is_set():
            self._ended.set()
            self._tell_the_end()

    async def _stop(self) -> None:
        try:
            await self._engine.stop()
        finally:
            # Other threads wait for these.
            for task in asyncio.all_tasks():
                if task is not asyncio.current_task():
                    task.cancel()
            await asyncio.sleep(0)

    def reconnect(self) -> None:
        """Tries again now, also after a refusal that ended the attempts."""
        self._check_open()

        def again() -> None:
            for reader in self._router.readers:
                reader.begin_again()
            self._engine.reconnect()

        self._call(again)

    def ping(self) -> None:
        """Asks the server whether it is there, ahead of time. If it is not, `Disconnected` follows."""
        self._check_open()
        self._core.ping()
        self._engine.wake_threadsafe()

    def run_forever(self) -> None:
        """Blocks until another thread closes the client, or Ctrl-C: for programs that do all in handlers."""
        self._check_thread()
        for slice_ in slices(None):
            if self._ended.wait(slice_):
                return

    # ---- publishing ----

    def publish(
        self,
        topic: str,
        payload: Payload = b"",
        qos: int = 0,
        retain: bool = False,
        *,
        timeout: float | None = None,
    ) -> None:
        """Publishes, and waits: with QoS 1 or 2 for the acknowledgement, with QoS 0 for room.

        Interrupted or timed out, what was accepted goes on. Raises InvalidError, DisconnectedError, TimeoutError."""
        engine = self._engine
        if engine.is_closed:
            self._check_open()
        if qos == 0:
            if engine.is_write_paused:
                self._run(self._progress(), timeout)
            self._accept(timeout, self._core.publish, topic, payload, 0, retain)
            if not engine._flush_due:
                engine.wake_threadsafe()
            return
        self._wait(self._core.publish, (topic, payload, qos, retain, True), timeout)

    def publish_nowait(self, topic: str, payload: Payload = b"", qos: int = 0, retain: bool = False) -> None:
        """Publishes and waits for nothing: see `drain`.

        Raises QueueFull if there is no room; InvalidError, DisconnectedError."""
        engine = self._engine
        if engine.is_closed:
            self._check_open()
        self._core.publish(topic, payload, qos, retain)
        if not engine._flush_due:
            engine.wake_threadsafe()

    def drain(self, timeout: float | None = None) -> None:
        """Waits until all that was accepted so far is through: QoS 0 sent, QoS 1 and 2 acknowledged."""
        self._check_open()
        self._within(self._engine.drain(), timeout, "the server did not take everything in time")

    def send_p2p(
        self,
        to: str | aliyun.ClientId,
        payload: Payload = b"",
        qos: int = 1,
        *,
        parent: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Sends a message to one client id, which needs no subscription; waits as `publish` does.

        `parent` is the parent topic, if not that of the client."""
        topic = aliyun.p2p_topic(parent_of(parent, self._settings.parent), str(to))
        self.publish(topic, payload, qos, timeout=timeout)

    async def _progress(self) -> None:
        while self._engine.is_write_paused:
            await self._engine.progress()
            self._check_open()

    def _accept(self, timeout: float | None, accept: Callable[..., int], *arguments: Any) -> int:
        while True:
            try:
                return accept(*arguments)
            except QueueFull:
                self._engine.wake_threadsafe()
                self._within(self._engine.progress(), timeout, "there is no room for more")
                self._check_open()

    def _wait(self, accept: Callable[..., int], arguments: tuple[Any, ...], timeout: float | None) -> Outcome:
        """Makes a request, and waits for its outcome."""
        self._check_thread()
        begin = time.monotonic()
        slot = _Slot()
        ticket = self._accept(timeout, accept, *arguments)
        engine = self._engine
        engine.expect(ticket, slot)
        if not engine._flush_due:
            engine.wake_threadsafe()
        if engine.is_held:
            self._call_soon(engine.look_at_room)
        if timeout is not None:
            timeout = max(timeout - (time.monotonic() - begin), 0)
        return check(slot.wait(timeout))

    def _within(self, work: Coroutine[Any, Any, _T], timeout: float | None, what: str) -> _T:
        try:
            return self._run(work, timeout)
        except TimeoutError:
            raise
        except builtins.TimeoutError:
            raise TimeoutError(f"{what} ({timeout} s)") from None

    # ---- subscribing ----

    def subscribe(self, filters: Filters, qos: int = 0) -> Subscription:
        """Subscribes; `with client.subscribe("a/#") as messages` gives the messages a queue of their own.

        Raises SubscribeError if the server refuses; InvalidError, DisconnectedError."""
        self._check_open()
        return Subscription(self, filters_of(filters, qos))

    def unsubscribe(self, filters: str | list[str]) -> None:
        """Ends subscriptions."""
        self._request(self._core.unsubscribe, [filters] if isinstance(filters, str) else filters)

    def _request(self, accept: Callable[..., int], filters: list[Any]) -> Outcome:
        self._check_open()
        return self._wait(accept, (filters, True), None)

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
        self._engine.wake_threadsafe()

    def on_message(self, filter: str | None = None, qos: int = 0) -> Callable[[_H], _H]:
        """Decorator: subscribes, and calls the function in a thread of its own with every message, one after the other.
        Without a filter, with every message that comes. What it raises is logged and counted, and changes nothing else."""

        def register(handler: _H) -> _H:
            messages = _ForHandler(self, None if filter is None else (filter,))
            self._router.add(messages)
            if filter is not None:
                self._subscribe_in_background(filter, qos)
                if self._loop is not None:
                    self._engine.wake_threadsafe()
            thread = threading.Thread(target=self._handle, args=(messages, handler), daemon=True)
            self._handlers.append(thread)
            thread.start()
            return handler

        return register

    def _handle(self, messages: Messages, handler: Handler) -> None:
        filter_ = messages.filters[0] if messages.filters else None
        for message in messages:
            try:
                handler(message)
            except Exception as error:  # The user's own code.
                self._handler_failed(filter_, error)

    def events(self) -> Events:
        """Connection events from now on: `for event in client.events()`."""
        events = Events(self)
        self._listeners.add(events)
        return events


class _Slot:
    """Where one thread waits for one outcome."""

    __slots__ = ("_lock", "_outcome")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self._outcome: Outcome | None = None

    def __call__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._lock.release()

    def wait(self, timeout: float | None) -> Outcome:
        for slice_ in slices(timeout):
            if self._lock.acquire(timeout=slice_):
                return cast(Outcome, self._outcome)
        raise TimeoutError(
            f"no acknowledgement in time ({timeout:.3g} s): the message goes on in the background"
        )
