"""MQTT over WebSocket, through the core: bytes of RFC 6455."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from mqtt_p2p import _core
from mqtt_p2p._core import Core
from mqtt_p2p.errors import InvalidError

SEED = bytes(range(16))


def opened() -> Core:
    core = Core("me", seed=1)
    core.connect(0.0)
    core.tick(0.0)
    core.connection_made(0.0, ("broker.example:8083", "/mqtt", SEED))
    return core


def answer(core: Core) -> bytes:
    request = core.data_to_send(0.0).decode()
    assert request.startswith("GET /mqtt HTTP/1.1\r\nHost: broker.example:8083\r\n")
    key = re.search(r"Sec-WebSocket-Key: (\S+)", request, re.IGNORECASE)
    assert key is not None
    # RFC 6455, 4.2.2.
    accept = base64.b64encode(
        hashlib.sha1(key[1].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    )
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def unmasked(frame: bytes) -> tuple[int, bytes]:
    """First byte and payload of a short frame of a client's."""
    assert frame[1] & 0x80, "a client masks"
    length = frame[1] & 0x7F
    mask, payload = frame[2:6], frame[6 : 6 + length]
    assert len(frame) == 6 + length
    return frame[0], bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def connected() -> Core:
    core = opened()
    # The answer may come in pieces, and with what follows it.
    whole = answer(core)
    assert core.receive_data(whole[:50], 0.0) == []
    assert core.data_to_send(0.0) == b""
    assert core.receive_data(whole[50:], 0.0) == []
    first, packet = unmasked(core.data_to_send(0.0))
    assert (first, packet[:1]) == (0x82, b"\x10")
    assert core.receive_data(b"\x82\x04\x20\x02\x00\x00", 0.0) == [_core.Connected(False, False)]
    return core


def test_a_packet_is_a_message_of_its_own():
    core = connected()
    core.publish("t", b"x")
    core.publish("t", b"y")
    frames = core.data_to_send(0.0)
    assert [unmasked(frames[:12]), unmasked(frames[12:])] == [
        (0x82, b"\x30\x04\x00\x01tx"),
        (0x82, b"\x30\x04\x00\x01ty"),
    ]


def test_a_packet_may_come_in_fragments_and_several_in_a_message():
    core = connected()
    events = core.receive_data(b"\x02\x02\x30\x04\x80\x04\x00\x01tx\x82\x0c" + b"\x30\x04\x00\x01ty" * 2, 0.0)
    assert [event.payload for event in events] == [b"x", b"y", b"y"]


def test_a_ping_is_answered_with_what_it_says():
    core = connected()
    assert core.receive_data(b"\x89\x05Hello", 0.0) == []
    assert core.has_output
    assert unmasked(core.data_to_send(0.0)) == (0x8A, b"Hello")


def test_a_server_that_closes_is_answered_and_told_as_the_end():
    core = connected()
    # 1001: it goes away.
    close, lost = core.receive_data(b"\x88\x02\x03\xe9", 0.0)
    assert unmasked(close.last_words)[0] == 0x88
    assert (lost.kind, lost.retry_in is not None) == ("closed-by-peer", True)
    assert "1001" in lost.detail


def test_what_is_no_frame_ends_the_connection():
    core = connected()
    close, lost = core.receive_data(b"\xf2\x00", 0.0)
    assert isinstance(close, _core.CloseTransport)
    assert lost.kind == "not-mqtt"


def test_a_refused_upgrade_says_the_status():
    core = opened()
    core.data_to_send(0.0)
    close, lost = core.receive_data(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 0.0)
    assert isinstance(close, _core.CloseTransport)
    assert lost.kind == "upgrade"
    assert "404" in lost.detail


def test_leaving_ends_with_disconnect_and_a_close_frame():
    core = connected()
    core.disconnect(1.0)
    sent = core.data_to_send(1.0)
    close, lost = core.tick(1.0)
    words = sent + close.last_words
    assert unmasked(words[:8]) == (0x82, b"\xe0\x00")
    assert unmasked(words[8:]) == (0x88, b"\x03\xe8")
    assert lost.kind == "requested"


def test_a_path_that_can_be_none_is_refused():
    core = Core("me", seed=1)
    core.connect(0.0)
    core.tick(0.0)
    with pytest.raises(InvalidError, match="path"):
        core.connection_made(0.0, ("host", "no slash", SEED))
