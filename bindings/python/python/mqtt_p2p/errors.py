"""What can go wrong. Every error says what happened and what to do next; none shows a secret."""

from __future__ import annotations

import builtins

__all__ = [
    "AuthError",
    "ConnectError",
    "DisconnectedError",
    "InvalidError",
    "MqttError",
    "ProtocolError",
    "PublishError",
    "QueueFull",
    "RefusedError",
    "SubscribeError",
    "TimeoutError",
]


class MqttError(Exception):
    """The base of all of them."""


class ConnectError(MqttError, ConnectionError):
    """No connection came about. `kind` is a word for programs, such as `connection-refused`; `advice` says what to
    do."""

    def __init__(self, reason: str, *, kind: str = "other", advice: str = "") -> None:
        super().__init__(f"{reason}: {advice}" if advice else reason)
        self.reason = reason
        self.kind = kind
        self.advice = advice


class RefusedError(ConnectError):
    """The server refused the log-in. `code` is the return code of CONNACK; `hint` says what to do."""

    def __init__(self, code: int, reason: str, hint: str) -> None:
        super().__init__(
            f"the server refused the log-in: {reason} (return code {code})", kind="refused", advice=hint
        )
        self.code = code
        self.reason = reason
        self.hint = hint


class AuthError(RefusedError):
    """The server refused user name and password (return code 4), or whom they stand for (5)."""


class ProtocolError(ConnectError):
    """The server sent what no MQTT server sends, or what answers on this port is none."""


class DisconnectedError(MqttError, ConnectionError):
    """There is no connection, and what was asked for can't wait for one; or the client was closed before it ended."""


class TimeoutError(MqttError, builtins.TimeoutError):
    """It took longer than the caller wanted to wait. What was accepted goes on in the background."""


class QueueFull(MqttError):
    """There is no room for more that waits to be sent. Await `publish`, or `drain` before the next try."""


class InvalidError(MqttError, ValueError):
    """The caller's fault: a topic, a filter, a client id or another value that can't be."""


class PublishError(MqttError):
    """The server refused a message. `code` is the MQTT 5 reason code; `reason` says it in words. Servers that speak
    MQTT 3.1.1 never refuse a message in this way."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(
            f"the server refused the message: {reason} (reason code {code}): check the permission for this topic"
        )
        self.code = code
        self.reason = reason


class SubscribeError(MqttError):
    """The server refused a subscription. `filter` is which."""

    def __init__(self, filter: str) -> None:
        super().__init__(
            f"the server refused the subscription to {filter}: check the permission for this topic"
        )
        self.filter = filter
