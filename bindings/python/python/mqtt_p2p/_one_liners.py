"""For scripts that do one thing."""

from __future__ import annotations

import time
from typing import Unpack

from . import aliyun
from ._blocking import Client, Payload
from ._core import Message
from ._options import Options


def publish(
    url: str,
    topic: str,
    payload: Payload = b"",
    qos: int = 1,
    retain: bool = False,
    *,
    client_id: str | aliyun.ClientId | None = None,
    timeout: float | None = None,
    **options: Unpack[Options],
) -> None:
    """Connects, publishes one message, and returns once the server has it.

    Raises MqttError."""
    with Client(url, client_id, **options) as client:
        client.publish(topic, payload, qos, retain, timeout=timeout)
        client.drain(timeout)


def receive(
    url: str,
    filter: str | None = None,
    count: int = 1,
    *,
    qos: int = 0,
    client_id: str | aliyun.ClientId | None = None,
    timeout: float | None = None,
    **options: Unpack[Options],
) -> list[Message]:
    """Connects, and returns the next messages: of a topic filter, or P2P messages if there is none.

    Raises MqttError; TimeoutError if they do not come in so many seconds."""
    deadline = None if timeout is None else time.monotonic() + timeout
    messages: list[Message] = []
    with Client(url, client_id, **options) as client:
        if filter is not None:
            client.subscribe(filter, qos)
        while len(messages) < count:
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            messages.append(client.messages.get(left))
    return messages
