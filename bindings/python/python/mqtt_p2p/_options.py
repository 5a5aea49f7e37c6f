"""What a client is told once."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypedDict

from . import aliyun
from ._core import Core
from ._url import Endpoint, parse_url
from .errors import InvalidError

LogIn = tuple[str, str | bytes]
"""User name and password."""

AnyCredentials = LogIn | aliyun.Credentials | aliyun.Token | Callable[[], LogIn | Awaitable[LogIn]]
"""User name and password, one of `mqtt_p2p.aliyun`, or a function (also a coroutine function) that gives user name and
password and is asked before every attempt."""


@dataclass(frozen=True, slots=True)
class Will:
    """What the server publishes if this client vanishes. ApsaraMQ knows no wills."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False


class Options(TypedDict, total=False):
    """Keyword arguments of both clients. Times are in seconds."""

    credentials: AnyCredentials | None
    """How to log in. Without it: user and password of the URL, or none."""
    parent: str | None
    """The parent topic of `send_p2p`."""
    ssl: ssl.SSLContext | None
    """Whom to trust with mqtts and wss. Without it: whom the platform trusts."""
    will: Will | None
    clean_session: bool | None
    """Ask the server to forget the session when the connection ends. False if a client id is given, otherwise True."""
    keep_alive: int | None
    """60; for ApsaraMQ 90."""
    connect_timeout: float | None
    """For each attempt: 10; for ApsaraMQ 3."""
    ping_timeout: float | None
    """20."""
    backoff: tuple[float, float] | None
    """Wait before the next attempt: any time up to the first, doubled with each failure up to the second. (2, 0) is 2
    seconds always."""
    stable_after: float | None
    takeover_delay: float | None
    max_in_flight: int | None
    """Publications of QoS 1 and 2 that are under way at once: 20."""
    max_packet_size: int | None
    """The longest packet taken from the server: 66,560 bytes. A longer one ends the connection."""
    max_outgoing_bytes: int
    """What may wait to be sent: 64 MiB."""
    resubscribe: str | None
    """When subscriptions are asked for again: `without-session`, `always` (ApsaraMQ) or `never`."""
    offline: str | None
    """What waits while there is no connection: `queue-all`, `queue-acknowledged` or `refuse`."""
    manual_ack: bool | None
    """Acknowledge a message only by `ack`."""
    max_requests_per_sec: int | None
    protocol: int | None
    """4: MQTT 3.1.1; 3: MQTT 3.1."""
    queue_size: int
    """How many messages wait for a reader before the reading from the server stops: 1,024."""
    session: bytes | None
    """Continues a session that `export_session` of this or an earlier version returned."""
    aliyun: bool | None
    """The service's waiting times and limits. True if the credentials are the service's."""


_CORE = (
    "clean_session",
    "keep_alive",
    "connect_timeout",
    "ping_timeout",
    "backoff",
    "stable_after",
    "takeover_delay",
    "max_in_flight",
    "max_packet_size",
    "max_outgoing_bytes",
    "resubscribe",
    "offline",
    "manual_ack",
    "max_requests_per_sec",
    "protocol",
)


class Settings:
    """The options, checked."""

    def __init__(self, url: str, client_id: str | aliyun.ClientId | None, options: Options) -> None:
        unknown = set(options) - set(Options.__annotations__)
        if unknown:
            raise TypeError(f"unknown option {sorted(unknown)[0]!r}: see mqtt_p2p.Options")
        self.endpoint: Endpoint = parse_url(url)
        self.credentials = options.get("credentials")
        if self.credentials is None and self.endpoint.user_name is not None:
            self.credentials = (self.endpoint.user_name, self.endpoint.password or "")
        self.parent = options.get("parent")
        self.ssl = options.get("ssl")
        self.queue_size = options.get("queue_size", 1024)
        if self.queue_size < 1:
            raise InvalidError("queue_size is below 1: a reader needs room for one message")
        is_service = isinstance(
            self.credentials,
            aliyun.Signature | aliyun.DeviceCredential | aliyun.Precomputed | aliyun.Custom | aliyun.Token,
        )
        given = options.get("aliyun")
        self.aliyun = is_service if given is None else given
        will = options.get("will")
        core: dict[str, Any] = {name: options[name] for name in _CORE if name in options}  # type: ignore[literal-required]
        if client_id is None:
            client_id = f"py-{secrets.token_hex(8)}"
            core.setdefault("clean_session", True)
        if isinstance(self.credentials, aliyun.Token):
            token = self.credentials
            core["tokens"] = (token.access_key_id, token.instance_id, list(token.kinds))
        self.core = Core(
            str(client_id),
            seed=secrets.randbits(64),
            aliyun=self.aliyun,
            will=None if will is None else (will.topic, will.payload, will.qos, will.retain),
            **core,
        )
        session = options.get("session")
        if session is not None:
            self.core.import_session(session)
        if isinstance(self.credentials, aliyun.Token):
            for issued in self.credentials.at_hand:
                self.core.token_obtained(issued.kind, issued.text, issued.expires_at)
        elif isinstance(self.credentials, tuple):
            self.core.set_log_in(*self.credentials)
        elif self.credentials is not None and not callable(self.credentials):
            self.core.set_log_in(*self.credentials.log_in(self.core.client_id))
