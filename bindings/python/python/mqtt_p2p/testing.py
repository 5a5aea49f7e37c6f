"""A stand-in for ApsaraMQ in your tests: no cloud, no Docker, no broker.

>>> from mqtt_p2p.testing import Emulator
>>> with Emulator() as emulator:
...     print(emulator.client_id("alice"))
GID_demo@@@alice

With pytest, `pytest_plugins = ["mqtt_p2p.testing"]` in your `conftest.py` gives the fixture `mqtt_emulator`.

It listens on 127.0.0.1 and holds everything in memory. It is for development and tests, never for production.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from . import _core
from ._websocket_server import WebSocketServer
from .aliyun import IssuedToken, Signature

__all__ = ["Account", "Emulator"]

_T = TypeVar("_T")

_INSTANCE = "post-cn-demo"
_KEY = "demo-key"
_SECRET = "demo-secret"


@dataclass(frozen=True, slots=True)
class Account:
    """Who may log in: `mode` is `access-key`, `device` (for one client id), `custom` or `custom-signed`."""

    mode: str
    id: str
    secret: str = field(repr=False)
    client_id: str | None = None


class Emulator:
    """An instance of the service on sockets of its own, in a thread of its own: for tests of either client.

    Without accounts there is one access key, whose log-in is `credentials`. `standard` makes it an ordinary broker,
    without the service's quirks; `anonymous` lets in who has no user name; `delays` adds those of the service. With an
    `ssl_context` it also listens for TLS."""

    parent = "demo"
    """A parent topic for `send_p2p`. Any other will do, unless `parents` says which there are."""

    def __init__(
        self,
        *,
        accounts: tuple[Account, ...] = (Account("access-key", _KEY, _SECRET),),
        anonymous: bool = False,
        standard: bool = False,
        delays: bool = False,
        parents: list[str] | None = None,
        min_token_lifetime: float = 60.0,
        ssl_context: ssl.SSLContext | None = None,
        seed: int = 1,
    ) -> None:
        self._heart = _core.Emulator(
            seed,
            instance_id=_INSTANCE,
            accounts=[(account.mode, account.id, account.secret, account.client_id) for account in accounts],
            anonymous=anonymous,
            parents=parents,
            standard=standard,
            delays=delays,
            min_token_lifetime=min_token_lifetime,
        )
        self._ssl_context = ssl_context
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._servers: dict[str, asyncio.Server] = {}
        self._connections: dict[int, _Connection] = {}
        self._timer: asyncio.TimerHandle | None = None

    # ---- where it is, and how to log in ----

    @property
    def url(self) -> str:
        """For TCP."""
        return self._url("mqtt")

    @property
    def ws_url(self) -> str:
        """For WebSocket."""
        return self._url("ws")

    @property
    def tls_url(self) -> str:
        """For TLS."""
        return self._url("mqtts")

    @property
    def wss_url(self) -> str:
        """For WebSocket over TLS."""
        return self._url("wss")

    @property
    def credentials(self) -> Signature:
        """A log-in for any client id."""
        return Signature(_KEY, _SECRET, _INSTANCE)

    @staticmethod
    def client_id(device: str) -> str:
        """A client id for a device."""
        return f"GID_demo@@@{device}"

    def _url(self, scheme: str) -> str:
        port = self._servers[scheme].sockets[0].getsockname()[1]
        return f"{scheme}://127.0.0.1:{port}"

    # ---- its life ----

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listens from now on."""
        self._thread = threading.Thread(target=self._loop.run_forever, name="mqtt_p2p emulator", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def stop(self) -> None:
        """Ends all connections."""
        if self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._thread = None

    async def _listen(self) -> None:
        self._heart.set_unix_time(self._loop.time(), time.time())
        schemes: list[tuple[str, ssl.SSLContext | None]] = [("mqtt", None), ("ws", None)]
        if self._ssl_context is not None:
            schemes += [("mqtts", self._ssl_context), ("wss", self._ssl_context)]
        for scheme, context in schemes:
            self._servers[scheme] = await self._loop.create_server(
                functools.partial(_Connection, self, scheme.startswith("ws")),
                "127.0.0.1",
                0,
                ssl=context,
            )

    async def _end(self) -> None:
        for server in self._servers.values():
            server.close()
        for connection in list(self._connections.values()):
            connection.abort()
        if self._timer is not None:
            self._timer.cancel()
        while self._connections:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    def _pump(self) -> None:
        """Does what the state machine says."""
        for number, data in self._heart.outputs():
            connection = self._connections.get(number)
            if connection is not None:
                connection.send(data)
        if self._timer is not None:
            self._timer.cancel()
        deadline = self._heart.next_deadline()
        self._timer = None if deadline is None else self._loop.call_at(deadline, self._advance)

    def _advance(self) -> None:
        self._heart.advance(self._loop.time())
        self._pump()

    def _do(self, work: Callable[[float], _T]) -> _T:
        """Runs something in its thread."""

        async def run() -> _T:
            try:
                return work(self._loop.time())
            finally:
                self._pump()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    # ---- what a test asks for ----

    def cut(self, client_id: str) -> bool:
        """Cuts the connection of a client, as a broken link does. Whether there was one."""
        return self._do(lambda now: self._heart.cut(now, client_id))

    def cut_all(self) -> None:
        """Cuts all connections."""
        self._do(self._heart.cut_all)

    def set_refusing(self, refusing: bool) -> None:
        """Closes every new connection, or no longer does."""
        self._do(lambda _: self._heart.set_refusing(refusing))

    def set_faults(self, **faults: Any) -> None:
        """What goes wrong from now on: `client_id` (only for this one), `refuse_log_ins` (a return code),
        `silent_connack`, `half_open`, `lose_publishes`, `lose_pubacks`, `lose_subacks`, `duplicate_publishes` (how many of
        the next), `delay` (seconds). Without arguments nothing does."""
        self._do(lambda _: self._heart.set_faults(**faults))

    def issue_token(self, resources: list[str], kind: str = "RW", lifetime: float = 3600.0) -> IssuedToken:
        """A token for these topics, as ApplyToken of the service gives it."""
        text, expires_at = self._do(lambda now: self._heart.issue_token(now, resources, kind, lifetime))
        return IssuedToken(kind, text, expires_at)

    def revoke_token(self, token: IssuedToken) -> None:
        """Makes a token invalid: who is connected with it is told so and closed."""
        self._do(lambda now: self._heart.revoke_token(now, token.text))

    def connected_clients(self) -> list[str]:
        """Who is logged in."""
        return self._heart.connected_clients()

    def offline_messages(self, client_id: str) -> int:
        """How many messages wait for a client that is away."""
        return self._heart.offline_messages(client_id)

    def events(self) -> list[str]:
        """What happened since the last call, in words: why connections were closed, for instance."""
        return self._heart.events()

    def counters(self) -> dict[str, int]:
        """How many messages went which way."""
        return self._heart.counters()


class _Connection(asyncio.Protocol):
    """A client's connection."""

    def __init__(self, emulator: Emulator, is_websocket: bool) -> None:
        self._emulator = emulator
        self._websocket = WebSocketServer() if is_websocket else None
        self._transport: asyncio.Transport | None = None
        self._number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._number = self._emulator._heart.connection_opened(self._now())
        self._emulator._connections[self._number] = self
        self._emulator._pump()

    def data_received(self, data: bytes) -> None:
        if self._websocket is not None and self._transport is not None:
            data, answer = self._websocket.receive(data)
            self._transport.write(answer)
        if data:
            self._emulator._heart.bytes_received(self._now(), self._number, data)
            self._emulator._pump()
        if self._websocket is not None and self._websocket.is_over and self._transport is not None:
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        if self._emulator._connections.pop(self._number, None) is not None:
            self._emulator._heart.connection_closed(self._now(), self._number)
            self._emulator._pump()

    def send(self, data: bytes | None) -> None:
        """A packet; None: that was all."""
        if self._transport is None:
            return
        if data is None:
            self._transport.close()
        else:
            self._transport.write(data if self._websocket is None else self._websocket.frame(data))

    def abort(self) -> None:
        """At once."""
        if self._transport is not None:
            self._transport.abort()

    def _now(self) -> float:
        return self._emulator._loop.time()


with contextlib.suppress(ImportError):
    import pytest

    @pytest.fixture
    def mqtt_emulator() -> Iterator[Emulator]:
        """An emulator with the service's quirks and without its delays."""
        with Emulator() as emulator:
            yield emulator
