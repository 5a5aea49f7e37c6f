"""Ways to the server: asyncio's transports, and what their failures mean."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import errno
import os
import socket
import ssl
from typing import TYPE_CHECKING, cast

from .errors import InvalidError

if TYPE_CHECKING:
    from ._engine import Engine
    from ._url import Endpoint

#: How much may wait in a transport before nothing more is written to it.
WRITE_AHEAD = 256 * 1024

#: How much is read at once.
READ = 64 * 1024

#: How long a closed connection's last bytes may take, in seconds.
_LINGER = 1.0

#: OpenSSL's numbers for what is wrong with a certificate.
_CERTIFICATE = {
    9: "certificate-not-yet-valid",
    10: "certificate-expired",
    18: "unknown-authority",
    19: "unknown-authority",
    20: "unknown-authority",
    21: "unknown-authority",
    62: "wrong-name",
    64: "wrong-name",
}


def kind_of(error: BaseException | None, *, dialling: bool, secure: bool = False) -> str:
    """What a failure means, in the words of `Disconnected.kind`."""
    match error:
        case None:
            return "closed-by-peer"
        case ssl.SSLCertVerificationError(verify_code=code):
            return _CERTIFICATE.get(code, "tls")
        case ssl.SSLError(reason=str(reason)):
            if "WRONG_VERSION" in reason or "UNEXPECTED_EOF" in reason or "RECORD_LAYER" in reason:
                return "not-tls"
            if (
                "CERTIFICATE_REQUIRED" in reason
                or "ALERT_BAD_CERTIFICATE" in reason
                or "UNKNOWN_CA" in reason
            ):
                return "client-certificate"
            return "tls"
        case ssl.SSLError():
            return "tls"
        case socket.gaierror():
            return "name-not-found"
        case ConnectionRefusedError() | FileNotFoundError():
            return "connection-refused"
        case ConnectionResetError() | ConnectionAbortedError() if dialling and secure:
            return "not-tls"
        case ConnectionResetError() | BrokenPipeError() if not dialling:
            return "closed-by-peer"
        case OSError() if dialling:
            refused = os.strerror(errno.ECONNREFUSED)
            return "connection-refused" if refused in str(error) else "unreachable"
        case _:
            return "unreachable" if dialling else "broken"


class Connection(asyncio.BufferedProtocol):
    """One connection, between its transport and the engine. It brings its own buffer: asyncio's own, of 256 KiB for each
    read, costs ten times as much as a short read itself."""

    def __init__(self, engine: Engine, endpoint: Endpoint) -> None:
        self._engine = engine
        self._endpoint = endpoint
        self._transport: asyncio.Transport | None = None
        #: The engine has nothing more to do with it.
        self.is_over = False
        #: The transport has ended.
        self.gone = asyncio.Event()
        self._buffer = memoryview(bytearray(READ))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The transport is there, TLS included."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WRITE_AHEAD)
        sock = transport.get_extra_info("socket")
        if sock is not None and self._endpoint.scheme != "unix":
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.is_over:
            self._transport.abort()
        else:
            self._engine.connection_made(self, self._transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to read to."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """So much was read."""
        if not self.is_over:
            self._engine.data_received(bytes(self._buffer[:nbytes]))

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport has ended."""
        self.gone.set()
        if not self.is_over:
            self.is_over = True
            self._engine.connection_lost(kind_of(exc, dialling=False), "" if exc is None else str(exc))

    def pause_writing(self) -> None:
        """The server does not take as much as there is."""
        if not self.is_over:
            self._engine.pause_writing()

    def resume_writing(self) -> None:
        """It takes more."""
        if not self.is_over:
            self._engine.resume_writing()

    def close(self, last_words: bytes) -> None:
        """Ends it: after the last words, or at once if there are none."""
        self.is_over = True
        if self._transport is None:
            self.gone.set()
        elif last_words:
            self._transport.write(last_words)
            self._transport.close()
        else:
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Waits for the last words to go out, and what TLS has to say, but not long."""
        try:
            async with asyncio.timeout(_LINGER):
                await self.gone.wait()
        except builtins.TimeoutError:
            if self._transport is not None:
                self._transport.abort()


async def dial(endpoint: Endpoint, protocol: Connection, context: ssl.SSLContext | None) -> None:
    """Connects. The protocol hears of it."""
    loop = asyncio.get_running_loop()
    if endpoint.scheme == "unix":
        if not hasattr(loop, "create_unix_connection"):
            raise InvalidError("this platform's event loop has no Unix sockets: use mqtt://")
        await loop.create_unix_connection(lambda: protocol, endpoint.path)
        return
    await loop.create_connection(
        lambda: protocol,
        endpoint.host,
        endpoint.port,
        ssl=context if endpoint.is_secure else None,
        server_hostname=endpoint.host if endpoint.is_secure else None,
    )
