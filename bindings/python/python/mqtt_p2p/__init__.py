"""MQTT 3.1.1 for asyncio and for threads, with ApsaraMQ's log-ins and P2P messages. The protocol is compiled.

`mqtt_p2p.aio.Client` is for asyncio, `mqtt_p2p.Client` for threads; both have the same names.
"""

from __future__ import annotations

import logging

from . import aio, aliyun
from ._blocking import Client
from ._core import (
    Connected,
    Disconnected,
    Message,
    Refused,
    SubscriptionLost,
    TokenExpires,
    TokenFailed,
    TokenInvalid,
    TokenRenewed,
    topic_matches,
)
from ._engine import ConnectionEvent, HandlerFailed
from ._one_liners import publish, receive
from ._options import Options, Will
from .errors import (
    AuthError,
    ConnectError,
    DisconnectedError,
    InvalidError,
    MqttError,
    ProtocolError,
    PublishError,
    QueueFull,
    RefusedError,
    SubscribeError,
    TimeoutError,
)

__all__ = [
    "AuthError",
    "Client",
    "ConnectError",
    "Connected",
    "ConnectionEvent",
    "Disconnected",
    "DisconnectedError",
    "HandlerFailed",
    "InvalidError",
    "Message",
    "MqttError",
    "Options",
    "ProtocolError",
    "PublishError",
    "QueueFull",
    "Refused",
    "RefusedError",
    "SubscribeError",
    "SubscriptionLost",
    "TimeoutError",
    "TokenExpires",
    "TokenFailed",
    "TokenInvalid",
    "TokenRenewed",
    "Will",
    "aio",
    "aliyun",
    "publish",
    "receive",
    "topic_matches",
]

logging.getLogger("mqtt_p2p").addHandler(logging.NullHandler())
