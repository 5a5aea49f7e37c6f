"""The compiled core by itself: bytes in, events out, on a clock of the test's."""

from __future__ import annotations

import threading

import pytest
from mqtt_p2p import _core
from mqtt_p2p._core import Core
from mqtt_p2p.errors import DisconnectedError, InvalidError, QueueFull

CONNACK = b"\x20\x02\x00\x00"
# PUBLISH, QoS 0, topic a/b, payload hi: MQTT 3.1.1, 3.3.
PUBLISH = b"\x30\x07\x00\x03a/bhi"


def connected(**options: object) -> Core:
    core = Core("me", seed=1, **options)  # type: ignore[arg-type]
    core.connect(0.0)
    assert core.tick(0.0) == [_core.OpenTransport(1)]
    core.connection_made(0.0)
    assert core.data_to_send(0.0)[:1] == b"\x10"
    assert core.receive_data(CONNACK, 0.0) == [_core.Connected(False, False)]
    return core


def test_one_call_takes_many_packets_and_gives_a_list_of_events():
    core = connected()
    events = core.receive_data(PUBLISH * 1000, 1.0)
    assert events == [_core.Message("a/b", b"hi")] * 1000


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_of_any_kind_are_taken(kind):
    assert connected().receive_data(kind(PUBLISH), 1.0) == [_core.Message("a/b", b"hi")]


def test_packets_may_come_byte_by_byte():
    core = connected()
    events = [event for byte in PUBLISH * 3 for event in core.receive_data(bytes([byte]), 1.0)]
    assert events == [_core.Message("a/b", b"hi")] * 3


def test_a_message_may_be_larger_than_what_comes_at_once():
    core = connected(max_packet_size=1 << 20)
    payload = bytes(range(256)) * 2000
    length = len(payload) + 3
    packet = b"\x30" + bytes([0x80 | length & 0x7F, 0x80 | length >> 7 & 0x7F, length >> 14])
    packet += b"\x00\x01t" + payload
    events = []
    for at in range(0, len(packet), 1000):
        events += core.receive_data(packet[at : at + 1000], 1.0)
    assert events == [_core.Message("t", payload)]


def test_events_of_a_call_without_a_list_come_with_the_next_one():
    core = connected()
    ticket = core.publish("t", b"x", 0, awaited=True)
    assert core.data_to_send(1.0) == b"\x30\x04\x00\x01tx"
    assert core.has_events
    assert core.next_timeout(1.0) == 0.0
    assert core.receive_data(PUBLISH, 1.0) == [_core.Published(ticket), _core.Message("a/b", b"hi")]
    assert not core.has_events


def test_a_wrong_argument_raises_and_loses_nothing():
    core = connected()
    core.publish("t", b"x", 0, awaited=True)
    core.data_to_send(1.0)
    with pytest.raises(TypeError):
        core.receive_data(17, 1.0)  # type: ignore[arg-type]
    assert len(core.tick(1.0)) == 1


def test_only_awaited_requests_are_told():
    core = connected()
    core.publish("t", b"", 1)
    awaited = core.publish("t", b"", 1, awaited=True)
    core.data_to_send(1.0)
    assert core.receive_data(b"\x40\x02\x00\x01\x40\x02\x00\x02", 1.0) == [_core.Published(awaited)]


def test_what_is_sent_again_after_a_reconnect_has_dup():
    core = connected()
    core.publish("t", b"x", 1)
    assert core.data_to_send(1.0) == b"\x32\x06\x00\x01t\x00\x01x"
    core.connection_lost(2.0, "broken", "cable cut")
    (lost,) = core.tick(2.0)
    assert (lost.kind, lost.detail) == ("broken", "cable cut")
    assert lost.retry_in is not None
    now = 2.0 + lost.retry_in + 0.001
    assert core.tick(now) == [_core.OpenTransport(2)]
    core.connection_made(now)
    core.data_to_send(now)
    assert core.receive_data(b"\x20\x02\x01\x00", now) == [_core.Connected(True, True)]
    assert core.data_to_send(now) == b"\x3a\x06\x00\x01t\x00\x01x"


def test_a_ping_is_due_after_seven_eighths_of_the_keep_alive():
    core = connected(keep_alive=80)
    assert core.next_timeout(0.0) == 70.0
    assert core.tick(70.0) == []
    assert core.data_to_send(70.0) == b"\xc0\x00"


def test_a_malformed_packet_closes_the_transport_and_says_why():
    core = connected()
    close, lost = core.receive_data(PUBLISH + b"\x36\x00" + PUBLISH, 1.0)[1:]
    assert close == _core.CloseTransport(b"")
    assert lost.kind == "malformed"
    assert lost.advice


def test_leaving_gives_last_words():
    core = connected()
    core.publish("t", b"x")
    core.disconnect(1.0)
    sent = core.data_to_send(1.0)
    close, lost = core.tick(1.0)
    assert sent + close.last_words == b"\x30\x04\x00\x01tx\xe0\x00"
    assert (lost.kind, lost.retry_in) == ("requested", None)


def test_a_session_goes_on_in_another_core():
    core = connected()
    core.publish("t", b"x", 1)
    core.data_to_send(1.0)
    core.tick(1.0)
    later = Core("me", seed=2)
    later.import_session(core.export_session())
    assert len(later.requests()) == 1
    with pytest.raises(InvalidError, match=r"damaged|version"):
        Core("me", seed=2).import_session(b"MP2P nonsense")


def test_memory_for_what_waits_is_bounded():
    core = Core("me", seed=1, max_outgoing_bytes=10_000)

    def fill() -> None:
        for _ in range(1000):
            core.publish("t", b"x" * 100, 1)

    with pytest.raises(QueueFull):
        fill()
    assert len(core.requests()) > 50


def test_what_may_not_wait_is_refused_without_a_connection():
    core = Core("me", seed=1, offline="refuse")
    with pytest.raises(DisconnectedError):
        core.publish("t", b"")


@pytest.mark.parametrize(
    ("options", "word"),
    [({"protocol": 5}, "protocol"), ({"resubscribe": "x"}, "resubscribe"), ({"offline": "x"}, "offline")],
)
def test_an_option_that_is_none_is_named(options, word):
    with pytest.raises(InvalidError, match=word):
        Core("me", seed=1, **options)


def test_topics_and_qos_are_checked_before_anything_is_accepted():
    core = connected()
    for topic in ("a/+", "", "a\0b"):
        with pytest.raises(InvalidError):
            core.publish(topic, b"")
    with pytest.raises(InvalidError, match="qos is 3"):
        core.publish("t", b"", 3)
    with pytest.raises(InvalidError):
        core.subscribe([("a/#/b", 0)])
    assert core.requests() == []


def test_events_are_values():
    event = _core.Refused(5, "not authorized", "ask", None)
    assert repr(event) == "Refused(code=5, reason='not authorized', advice='ask', retry_in=None)"
    match event:
        case _core.Refused(code, retry_in=None):
            assert code == 5
        case _:
            pytest.fail("it does not match")
    assert event == _core.Refused(5, "not authorized", "ask", None)
    assert event != _core.Refused(4, "not authorized", "ask", None)
    with pytest.raises(AttributeError):
        event.code = 4  # type: ignore[misc]


def test_messages_are_values():
    message = _core.Message("a/b", b"x" * 100, 1)
    assert repr(message) == f"Message('a/b', {b'x' * 40!r}..., qos=1)"
    assert message == _core.Message("a/b", b"x" * 100, 1)
    assert message != _core.Message("a/b", b"x" * 100, 0)
    assert message != "a/b"
    assert len({message, _core.Message("a/b", b"x" * 100, 1)}) == 1
    assert _core.Message("a", "温度").text == "温度"
    with pytest.raises(UnicodeDecodeError):
        _ = _core.Message("a", b"\xff").text


def test_topics_that_come_again_are_one_string():
    first, second = connected().receive_data(PUBLISH * 2, 1.0)
    assert first.topic is second.topic


def test_no_secret_is_shown():
    core = Core("me", seed=1)
    core.set_log_in("alice", "open sesame")
    assert "sesame" not in repr(core)


def test_threads_may_share_a_core():
    core = connected(max_outgoing_bytes=1 << 24)
    tickets: list[list[int]] = [[] for _ in range(8)]
    sent = bytearray()

    def publish(mine: list[int]) -> None:
        mine.extend(core.publish("t", b"x") for _ in range(2000))

    threads = [threading.Thread(target=publish, args=(mine,)) for mine in tickets]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        sent += core.data_to_send(1.0)
    while data := core.data_to_send(1.0):
        sent += data
    assert len(sent) == 8 * 2000 * 6
    assert len({ticket for mine in tickets for ticket in mine}) == 16_000


def test_filters_match_as_the_standard_says():
    # MQTT 3.1.1, 4.7.1 and 4.7.2.
    for filter_, topic, matches in [
        ("sport/#", "sport", True),
        ("sport/+", "sport", False),
        ("+/+", "/finance", True),
        ("#", "$SYS/x", False),
        ("#", "温度/1", True),
    ]:
        assert _core.topic_matches(filter_, topic) is matches
