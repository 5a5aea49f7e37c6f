"""The compiled part: a client's state machine, events, ApsaraMQ's rules, the emulator."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self, final

__all__ = [
    "ClientId",
    "CloseTransport",
    "Connected",
    "Core",
    "Disconnected",
    "Dropped",
    "Emulator",
    "Message",
    "OpenTransport",
    "P2p",
    "Published",
    "Refused",
    "Rejected",
    "Subscribed",
    "SubscriptionLost",
    "TokenExpires",
    "TokenFailed",
    "TokenInvalid",
    "TokenNeeded",
    "TokenRenewed",
    "Unsubscribed",
    "limits",
    "p2p_topic",
    "parse_p2p",
    "sign",
    "topic_matches",
    "topic_warning",
    "user_name_and_password",
]

_Payload = bytes | bytearray | memoryview | str | None

# ---- events ----

@final
class OpenTransport:
    """Dial, and answer with `connection_made` or `connection_lost`."""

    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(cls, attempt: int) -> Self: ...
    @property
    def attempt(self) -> int:
        """Counts the attempts since the last stable connection, from 1."""

@final
class CloseTransport:
    """Close the transport, or give up dialling."""

    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(cls, last_words: bytes) -> Self: ...
    @property
    def last_words(self) -> bytes:
        """What is to go out before; empty: close it at once."""

@final
class Connected:
    """The server accepted the log-in."""

    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(cls, session_present: bool, again: bool) -> Self: ...
    @property
    def session_present(self) -> bool:
        """Whether it continues a session."""
    @property
    def again(self) -> bool:
        """Whether there was a connection before."""

@final
class Refused:
    """The server refused the log-in."""

    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(cls, code: int, reason: str, advice: str, retry_in: float | None) -> Self: ...
    @property
    def code(self) -> int:
        """CONNACK's return code, 1 to 5."""
    @property
    def reason(self) -> str:
        """In words."""
    @property
    def advice(self) -> str:
        """What to do about it."""
    @property
    def retry_in(self) -> float | None:
        """Seconds until the next attempt; None: not before `reconnect`."""

@final
class Disconnected:
    """The connection ended, or an attempt failed."""

    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(
        cls,
        kind: str,
        reason: str,
        detail: str | None,
        advice: str,
        likely_cause: str | None,
        retry_in: float | None,
    ) -> Self: ...
    @property
    def kind(self) -> str:
        """A word for programs: requested, connect-timeout, keep-alive-timeout, takeover-suspected, name-not-found,
        connection-refused, unreachable, no-log-in, tls, not-tls, unknown-authority, certificate-expired, wrong-name,
        client-certificate, upgrade, closed-by-peer, broken, malformed and others."""
    @property
    def reason(self) -> str:
        """In words."""
    @property
    def detail(self) -> str | None:
        """What the operating system, TLS or the server said."""
    @property
    def advice(self) -> str:
        """What to do about it."""
    @property
    def likely_cause(self) -> str | None:
        """What the service may have done it for, if there is a hint."""
    @property
    def retry_in(self) -> float | None:
        """Seconds until the next attempt; None: not before `reconnect`."""

@final
class Published:
    """A publication is through: sent (QoS 0) or acknowledged."""

    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(cls, ticket: int) -> Self: ...
    @property
    def ticket(self) -> int:
        """What `publish` gave."""

@final
class Rejected:
    """The server refused a publication. Only MQTT 5 servers can."""

    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(cls, ticket: int, code: int, reason: str) -> Self: ...
    @property
    def ticket(self) -> int:
        """What `publish` gave."""
    @property
    def code(self) -> int:
        """The MQTT 5 reason code."""
    @property
    def reason(self) -> str:
        """In words."""

@final
class Subscribed:
    """A SUBSCRIBE was answered."""

    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(cls, ticket: int, granted: list[int]) -> Self: ...
    @property
    def ticket(self) -> int:
        """What `subscribe` gave."""
    @property
    def granted(self) -> list[int]:
        """For each filter the QoS, or 128: refused."""

@final
class Unsubscribed:
    """An UNSUBSCRIBE was answered."""

    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(cls, ticket: int) -> Self: ...
    @property
    def ticket(self) -> int:
        """What `unsubscribe` gave."""

@final
class Dropped:
    """A request was given up."""

    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(cls, ticket: int, reason: str) -> Self: ...
    @property
    def ticket(self) -> int:
        """What the request gave."""
    @property
    def reason(self) -> str:
        """Why it was given up, in words."""

@final
class SubscriptionLost:
    """After a reconnect the server no longer granted a subscription."""

    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(cls, filter: str) -> Self: ...
    @property
    def filter(self) -> str:
        """Its topic filter."""

@final
class TokenNeeded:
    """Tokens are to be got, and handed over with `token_obtained` or `tokens_failed`, and then `tokens_answered`."""

    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(cls, kinds: list[str], invalid: str | None) -> Self: ...
    @property
    def kinds(self) -> list[str]:
        """Of these types."""
    @property
    def invalid(self) -> str | None:
        """What the service had against the last one."""

@final
class TokenExpires:
    """The service says that a token is about to expire."""

    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(cls, kind: str, at: float) -> Self: ...
    @property
    def kind(self) -> str:
        """Its type."""
    @property
    def at(self) -> float:
        """When, in seconds since 1970."""

@final
class TokenInvalid:
    """The service says that a token is not valid; it is about to end the connection."""

    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(cls, kind: str, reason: str, advice: str) -> Self: ...
    @property
    def kind(self) -> str:
        """Its type."""
    @property
    def reason(self) -> str:
        """Why."""
    @property
    def advice(self) -> str:
        """What to do about it."""

@final
class TokenRenewed:
    """The service has taken a new token, without a reconnect."""

    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(cls, kind: str) -> Self: ...
    @property
    def kind(self) -> str:
        """Its type."""

@final
class TokenFailed:
    """There is no new token, or one that can't be used. The source is asked again later."""

    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(cls, detail: str) -> Self: ...
    @property
    def detail(self) -> str:
        """What is wrong."""

@final
class Message:
    """A message. Two are equal if all that is shown here is."""

    __match_args__: ClassVar[tuple[str, ...]]
    def __new__(
        cls, topic: str, payload: _Payload = None, qos: int = 0, retain: bool = False, dup: bool = False
    ) -> Self: ...
    @property
    def topic(self) -> str:
        """Where it was published to. ApsaraMQ may deliver a P2P message under any topic."""
    @property
    def payload(self) -> bytes:
        """Any bytes."""
    @property
    def text(self) -> str:
        """The payload as text.

        Raises UnicodeDecodeError."""
    @property
    def qos(self) -> int:
        """The QoS at which it was delivered."""
    @property
    def retain(self) -> bool:
        """The server had kept it for new subscribers."""
    @property
    def dup(self) -> bool:
        """The server believes to have sent it before, which says nothing about whether it arrived."""
    @property
    def p2p(self) -> P2p | None:
        """What the topic says of a P2P message: advice only."""
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __lt__(self, other: object, /) -> bool: ...
    def __le__(self, other: object, /) -> bool: ...
    def __gt__(self, other: object, /) -> bool: ...
    def __ge__(self, other: object, /) -> bool: ...

# ---- the client ----

@final
class Core:
    """A client's state machine, without sockets and clock: bytes in, a list of events out. Safe to use from any thread.

    Say what happens, then take the events of `receive_data` or `tick` and the bytes of `data_to_send`. `now` is in
    seconds on a monotonic clock of the caller's choice. The events name tickets of requests that were `awaited`."""

    def __new__(
        cls,
        client_id: str,
        *,
        seed: int,
        aliyun: bool = False,
        will: tuple[str, bytes, int, bool] | None = None,
        tokens: tuple[str, str, Sequence[str]] | None = None,
        max_outgoing_bytes: int = 67_108_864,
        protocol: int | None = None,
        clean_session: bool | None = None,
        keep_alive: int | None = None,
        ping_timeout: float | None = None,
        connect_timeout: float | None = None,
        backoff: tuple[float, float] | None = None,
        stable_after: float | None = None,
        takeover_delay: float | None = None,
        max_in_flight: int | None = None,
        max_packet_size: int | None = None,
        resubscribe: str | None = None,
        offline: str | None = None,
        manual_ack: bool | None = None,
        max_requests_per_sec: int | None = None,
    ) -> Self: ...
    @property
    def client_id(self) -> str:
        """Who this is."""
    def set_log_in(self, user_name: str | None, password: bytes | str | None = None) -> None:
        """User name and password of the next CONNECT."""
    def token_obtained(self, kind: str, text: str, expires_at: float | None = None) -> list[TokenFailed]:
        """A token came; gives what is wrong with it."""
    def tokens_failed(self, kinds: Sequence[str]) -> None:
        """No tokens of these types came."""
    def tokens_answered(self) -> None:
        """Whoever was asked by `TokenNeeded` has said all."""
    def connect(self, now: float) -> None:
        """Wants a connection from now on."""
    def disconnect(self, now: float) -> None:
        """Wants none any more."""
    def abandon(self) -> None:
        """Gives up all requests, while there is no connection."""
    def ping(self) -> None:
        """Asks the server at once whether it is there."""
    def pause(self, now: float) -> None:
        """The host goes to the background: no timer runs."""
    def resume(self, now: float) -> None:
        """The host is back."""
    def connection_made(self, now: float, websocket: tuple[str, str, bytes] | None = None) -> None:
        """The transport is open. `websocket`: host with port, path, and 16 random bytes."""
    def connection_lost(self, now: float, kind: str = "closed-by-peer", detail: str = "") -> None:
        """The transport is gone, or could not be opened; `kind` as in `Disconnected`."""
    def hold_reading(self, now: float, held: bool) -> None:
        """The caller stops reading, or goes on."""
    def receive_data(self, data: bytes | bytearray | memoryview, now: float) -> list[Any]:
        """Takes bytes that came, any number of packets, and gives what they lead to."""
    def tick(self, now: float) -> list[Any]:
        """The time has come, or something was asked for: gives what that leads to."""
    def data_to_send(self, now: float, max: int = 262_144) -> bytes:
        """The next bytes for the transport, about so many at most; empty if there is nothing."""
    def next_timeout(self, now: float) -> float | None:
        """Seconds until `tick` has to be called."""
    @property
    def has_events(self) -> bool:
        """Whether `tick` has something to tell already."""
    @property
    def has_output(self) -> bool:
        """Whether `data_to_send` is likely to have something."""
    @property
    def is_blocked(self) -> bool:
        """Whether what came can't be read before more has been sent."""
    @property
    def is_connected(self) -> bool:
        """Whether the server has accepted the log-in and the connection has not ended."""
    @property
    def is_idle(self) -> bool:
        """Whether there is no connection, and none is wanted."""
    def publish(
        self, topic: str, payload: _Payload, qos: int = 0, retain: bool = False, awaited: bool = False
    ) -> int:
        """Accepts a message; gives its ticket."""
    def publish_p2p(
        self, parent: str, to: str, payload: _Payload, qos: int = 1, awaited: bool = False
    ) -> int:
        """Accepts a message for one client id."""
    def subscribe(self, filters: Sequence[tuple[str, int]], awaited: bool = False) -> int:
        """Asks for the messages of topic filters."""
    def unsubscribe(self, filters: Sequence[str], awaited: bool = False) -> int:
        """Ends subscriptions."""
    def ack(self, message: Message) -> None:
        """Acknowledges a message, with `manual_ack`."""
    @property
    def oldest_request(self) -> int | None:
        """The number of the oldest request that has not ended: they count up."""
    @property
    def newest_request(self) -> int | None:
        """The number of the newest one."""
    def requests(self) -> list[int]:
        """The tickets of all that have not ended, oldest first."""
    def subscriptions(self) -> list[tuple[str, int]]:
        """What the server granted."""
    def stats(self) -> dict[str, int]:
        """Counters."""
    def export_session(self) -> bytes:
        """Returns the session, to be imported after a restart of the program."""
    def import_session(self, session: bytes | bytearray | memoryview) -> None:
        """Takes over what `export_session` of this or an earlier version returned, before anything else."""

def topic_matches(filter: str, topic: str) -> bool:
    """Whether a topic filter, with or without wildcards, takes a topic."""

# ---- ApsaraMQ ----

@final
class ClientId:
    """A client id that the service accepts: `<GroupID>@@@<DeviceID>`, from both parts or from the whole."""

    def __new__(cls, group_or_whole: str, device: str | None = None) -> Self: ...
    @staticmethod
    def custom(text: str) -> ClientId:
        """Any text of 1 to 64 bytes, for custom authentication."""
    @property
    def group(self) -> str | None:
        """What stands before `@@@`."""
    @property
    def device(self) -> str | None:
        """What stands behind it."""
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class P2p:
    """A P2P topic, taken apart."""

    __match_args__: ClassVar[tuple[str, str, str]]
    @property
    def parent(self) -> str:
        """The parent topic."""
    @property
    def target(self) -> str:
        """The client id of the receiver."""
    @property
    def rest(self) -> str | None:
        """What follows it."""
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

def p2p_topic(parent: str, to: str) -> str:
    """The topic that reaches one client: `<parent>/p2p/<client id>`."""

def parse_p2p(topic: str) -> P2p | None:
    """Takes a topic apart if it looks like a P2P topic: advice only."""

def sign(secret: str, client_id: str) -> str:
    """The password of signature authentication: Base64 of HMAC-SHA1 of the client id."""

def topic_warning(topic: str) -> str | None:
    """What the service may have against a topic."""

def user_name_and_password(
    mode: str, id: str, secret: str, instance_id: str, client_id: str
) -> tuple[str, bytes]:
    """What CONNECT carries; `mode` is signature, device, custom, custom-signed or precomputed."""

def limits() -> dict[str, int]:
    """The service's limits, by name."""

# ---- the emulator ----

@final
class Emulator:
    """A stand-in for an instance of ApsaraMQ without sockets: see `mqtt_p2p.testing`."""

    def __new__(
        cls,
        seed: int,
        *,
        instance_id: str,
        accounts: Sequence[tuple[str, str, str, str | None]],
        anonymous: bool = False,
        parents: Sequence[str] | None = None,
        groups: Sequence[str] | None = None,
        standard: bool = False,
        delays: bool = False,
        min_token_lifetime: float = 60.0,
    ) -> Self: ...
    def set_unix_time(self, now: float, unix_time: float) -> None:
        """Says what time it is."""
    def connection_opened(self, now: float) -> int:
        """A client's transport is there; gives its number."""
    def connection_closed(self, now: float, connection: int) -> None:
        """It is gone."""
    def bytes_received(self, now: float, connection: int, data: bytes | bytearray | memoryview) -> None:
        """Bytes came over it."""
    def advance(self, now: float) -> None:
        """The time has come."""
    def next_deadline(self) -> float | None:
        """When `advance` has to be called."""
    def outputs(self) -> list[tuple[int, bytes | None]]:
        """What to send over which connection; None: close it."""
    def events(self) -> list[str]:
        """What happened, in words."""
    def connected_clients(self) -> list[str]:
        """Who is logged in."""
    def offline_messages(self, client_id: str) -> int:
        """How many messages wait for a client that is away."""
    def cut(self, now: float, client_id: str) -> bool:
        """Cuts the connection of a client."""
    def cut_all(self, now: float) -> None:
        """Cuts all."""
    def set_refusing(self, refusing: bool) -> None:
        """Closes every new connection, or no longer does."""
    def issue_token(
        self, now: float, resources: Sequence[str], kind: str = "RW", lifetime: float = 3600.0
    ) -> tuple[str, float]:
        """A token's text, and when it expires."""
    def revoke_token(self, now: float, token: str) -> None:
        """Makes a token invalid."""
    def set_faults(
        self,
        *,
        client_id: str | None = None,
        refuse_log_ins: int | None = None,
        silent_connack: bool = False,
        half_open: bool = False,
        lose_publishes: int = 0,
        lose_pubacks: int = 0,
        lose_subacks: int = 0,
        duplicate_publishes: int = 0,
        delay: float = 0.0,
    ) -> None:
        """What goes wrong from now on."""
    def counters(self) -> dict[str, int]:
        """How many messages went which way."""
