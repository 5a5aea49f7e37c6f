"""Alibaba Cloud's ApsaraMQ for MQTT: client ids, log-ins, P2P topics, tokens.

>>> from mqtt_p2p import aliyun
>>> aliyun.sign("XXXXX", "GID_Test@@@0001")
'vI009IZJZVGRwBwZvnbwjfuXxVM='
>>> aliyun.p2p_topic("devices", "GID_Test@@@0001")
'devices/p2p/GID_Test@@@0001'
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from ._core import ClientId, P2p, limits, p2p_topic, parse_p2p, sign, topic_warning, user_name_and_password

__all__ = [
    "ClientId",
    "Credentials",
    "Custom",
    "DeviceCredential",
    "IssuedToken",
    "P2p",
    "Precomputed",
    "Signature",
    "Token",
    "TokenRequest",
    "limits",
    "p2p_topic",
    "parse_p2p",
    "sign",
    "topic_warning",
]


class Credentials(Protocol):
    """What a client proves itself with: makes user name and password of CONNECT for a client id."""

    def log_in(self, client_id: str) -> tuple[str, bytes]:
        """User name and password.

        Raises InvalidError for what is against the service's rules."""
        ...


@dataclass(frozen=True, slots=True)
class Signature:
    """The account's key signs the client id. Not for devices that others can open: the secret rules the account."""

    access_key_id: str
    access_key_secret: str = field(repr=False)
    instance_id: str

    def log_in(self, client_id: str) -> tuple[str, bytes]:
        """User name and password."""
        return user_name_and_password(
            "signature", self.access_key_id, self.access_key_secret, self.instance_id, client_id
        )


@dataclass(frozen=True, slots=True)
class DeviceCredential:
    """The device's own key signs the client id; both its id and its secret start with `DC.`."""

    device_access_key_id: str
    device_access_key_secret: str = field(repr=False)
    instance_id: str

    def log_in(self, client_id: str) -> tuple[str, bytes]:
        """User name and password."""
        return user_name_and_password(
            "device", self.device_access_key_id, self.device_access_key_secret, self.instance_id, client_id
        )


@dataclass(frozen=True, slots=True)
class Custom:
    """A registered user name, and a secret that is the password or, with `signed`, signs the client id."""

    user_name: str
    secret: str = field(repr=False)
    signed: bool = False

    def log_in(self, client_id: str) -> tuple[str, bytes]:
        """User name and password."""
        mode = "custom-signed" if self.signed else "custom"
        return user_name_and_password(mode, self.user_name, self.secret, "", client_id)


@dataclass(frozen=True, slots=True)
class Precomputed:
    """A password that a server computed with `sign`, so that the device never holds the secret."""

    user_name: str
    password: str = field(repr=False)

    def log_in(self, client_id: str) -> tuple[str, bytes]:
        """User name and password."""
        return user_name_and_password("precomputed", self.user_name, self.password, "", client_id)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token as the service issued it. `expires_at` is in seconds since 1970; None: nobody knows."""

    kind: str
    text: str = field(repr=False)
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a source of tokens is asked for: one of each of these types (`R`, `W`, `RW`). `invalid` is what the service
    had against the last one, if it said so."""

    kinds: tuple[str, ...]
    invalid: str | None


Tokens = IssuedToken | Iterable[IssuedToken]
TokenSource = Callable[[TokenRequest], Awaitable[Tokens] | Tokens]


@dataclass(frozen=True, slots=True)
class Token:
    """Tokens that a server of yours applies for. `source` is asked, as a coroutine or in a thread, when there is none,
    before one expires, when the service says so, and after a refused log-in; never because of a reconnect."""

    access_key_id: str
    instance_id: str
    source: TokenSource = field(repr=False)
    kinds: tuple[str, ...] = ("RW",)
    at_hand: tuple[IssuedToken, ...] = ()
