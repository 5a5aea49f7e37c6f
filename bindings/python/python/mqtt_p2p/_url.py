"""Where the server is, out of a URL."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from .errors import InvalidError

_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server's address. For `unix` it is the path of a socket, and there is no host."""

    scheme: str
    host: str
    port: int
    path: str
    user_name: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def is_secure(self) -> bool:
        """Whether the server has to prove who it is."""
        return self.scheme in ("mqtts", "wss")

    @property
    def is_websocket(self) -> bool:
        """Whether the packets come in WebSocket messages."""
        return self.scheme in ("ws", "wss")

    @property
    def authority(self) -> str:
        """Host and port as an HTTP request has them: the scheme's own port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS.get(self.scheme) else f"{host}:{self.port}"

    def __str__(self) -> str:
        return (
            f"unix://{self.path}" if self.scheme == "unix" else f"{self.scheme}://{self.authority}{self.path}"
        )


def parse_url(url: str) -> Endpoint:
    """`mqtt`, `mqtts`, `ws`, `wss` with host and perhaps port, path (WebSocket only), user and password; or
    `unix:///path`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidError(f"this is no URL ({error}): write it as mqtt://host:port") from None
    if parts.scheme == "unix":
        if not parts.path or parts.netloc:
            raise InvalidError("the URL names no socket: write it as unix:///path/to/socket")
        return Endpoint("unix", "", 0, unquote(parts.path))
    default = _PORTS.get(parts.scheme)
    if default is None:
        raise InvalidError(
            f"the URL's scheme is {parts.scheme or 'missing'}: use mqtt, mqtts, ws, wss or unix, as in mqtt://localhost"
        )
    if not parts.hostname or port == 0:
        raise InvalidError("the URL has no host, or port 0: write it as mqtt://host:port")
    path = parts.path
    if parts.query:
        path = f"{path}?{parts.query}"
    if parts.scheme in ("ws", "wss"):
        path = path if path not in ("", "/") else "/mqtt"
    elif path not in ("", "/"):
        raise InvalidError(f"{parts.scheme}:// takes no path: topics are not part of the URL")
    else:
        path = ""
    return Endpoint(
        parts.scheme,
        parts.hostname,
        port or default,
        path,
        None if parts.username is None else unquote(parts.username),
        None if parts.password is None else unquote(parts.password),
    )
