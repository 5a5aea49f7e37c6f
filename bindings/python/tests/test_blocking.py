"""The client for threads."""

from __future__ import annotations

import logging
import threading
import time

import mqtt_p2p
import pytest
from conftest import LONG, eventually, run
from mqtt_p2p import Client

TRANSPORTS = ["mqtt", "mqtts", "ws", "wss", "unix"]


@pytest.mark.parametrize("scheme", TRANSPORTS)
def test_messages_of_every_qos_go_there_and_back_over_every_transport(mosquitto, scheme):
    with (
        Client(mosquitto.url(scheme), **mosquitto.options(scheme)) as client,
        client.subscribe(f"blocking/{scheme}/#", 2) as messages,
    ):
        for qos in (0, 1, 2):
            payload = bytes(range(256)) * 12  # mosquitto sends 4 KiB in 100 ms over WebSocket.
            client.publish(f"blocking/{scheme}/{qos}", payload, qos)
            assert messages.get(LONG) == mqtt_p2p.Message(f"blocking/{scheme}/{qos}", payload, qos)


def test_p2p_messages_come_to_client_messages_without_a_subscription(emulator):
    me = emulator.client_id("me")
    with Client(emulator.url, me, credentials=emulator.credentials, parent="demo") as client:
        client.send_p2p(me, "hello, me")
        assert client.messages.get(LONG).text == "hello, me"


def test_a_retained_message_comes_to_the_queue_of_its_subscription(mosquitto):
    with Client(mosquitto.url("mqtt")) as client:
        client.publish("retained/1", "kept", 1, retain=True)
        for _ in range(50):
            with client.subscribe("retained/#", 1) as messages:
                message = messages.get(LONG)
                assert (message.text, message.retain) == ("kept", True)
            assert len(client._inbox) == 0
        client.publish("retained/1", b"", 1, retain=True)


def test_a_subscription_without_a_queue_is_read_from_client_messages(broker):
    with Client(broker.url) as client:
        assert client.subscribe([("a", 1), "b"]).granted == [1, 0]
        client.publish("b", "x", 1)
        assert client.messages.get(LONG).topic == "b"


def test_iterating_ends_when_the_client_is_closed(broker):
    client = Client(broker.url)
    client.connect()
    got = []
    reader = threading.Thread(target=lambda: got.extend(client.messages))
    reader.start()
    client.subscribe("t")
    client.publish("t", "1", 1)
    eventually(lambda: got)
    client.close()
    reader.join()
    assert [message.text for message in got] == ["1"]
    client.close()


def test_several_threads_may_read_one_queue(broker):
    got: list[str] = []
    with Client(broker.url) as client, client.subscribe("t", 1) as messages:
        readers = [threading.Thread(target=lambda: got.extend(m.text for m in messages)) for _ in range(4)]
        for reader in readers:
            reader.start()
        for number in range(200):
            client.publish("t", str(number), 1)
        eventually(lambda: len(got) == 200)
    for reader in readers:
        reader.join()
    assert sorted(got, key=int) == [str(number) for number in range(200)]


def test_handlers_run_in_threads_and_may_publish(broker, caplog):
    answered = threading.Event()
    client = Client(broker.url)

    @client.on_message("question", qos=1)
    def answer(message):
        client.publish("answer", message.text.upper(), 1)
        raise ValueError("a handler of the user's")

    @client.on_message("answer")
    def note(message):
        assert message.text == "WHY?"
        answered.set()

    with caplog.at_level(logging.ERROR, "mqtt_p2p"), client:
        client.publish("question", "why?", 1)
        assert answered.wait(LONG)
        eventually(lambda: client.stats()["handler_errors"] == 1)
        assert client.is_connected
    assert "handler" in caplog.text
    assert "a handler of the user's" in caplog.text


def test_a_handler_of_events_must_not_wait_for_the_client_and_is_told_so(broker):
    client = Client(broker.url)
    errors = []

    @client.on_event
    def publish(event):
        try:
            client.publish("t", "x", 1)
        except mqtt_p2p.InvalidError as error:
            errors.append(str(error))

    with client:
        eventually(lambda: errors)
    assert "wait for itself" in errors[0]


def test_it_reconnects_subscribes_again_and_tells(emulator):
    me = emulator.client_id("me")
    with Client(emulator.url, me, credentials=emulator.credentials, backoff=(0.01, 0)) as client:
        events = client.events()
        with client.subscribe("demo/t", 1) as messages:
            emulator.cut(me)
            kinds = [type(event).__name__ for _, event in zip(range(2), events, strict=False)]
            assert kinds == ["Disconnected", "Connected"]
            client.publish("demo/t", "after", 1)
            assert messages.get(LONG).text == "after"


def test_a_publish_that_times_out_goes_on_in_the_background(emulator):
    me = emulator.client_id("me")
    with Client(
        emulator.url, me, credentials=emulator.credentials, parent="demo", backoff=(0.01, 0)
    ) as client:
        emulator.set_faults(half_open=True)
        with pytest.raises(mqtt_p2p.TimeoutError, match="goes on"):
            client.send_p2p(me, "late", timeout=0.05)
        assert isinstance(mqtt_p2p.TimeoutError(), TimeoutError)
        emulator.set_faults()
        emulator.cut(me)
        assert client.messages.get(LONG).text == "late"


def test_errors_are_those_of_the_other_client(emulator):
    wrong = mqtt_p2p.aliyun.Signature("demo-key", "wrong", "post-cn-demo")
    with pytest.raises(mqtt_p2p.AuthError):
        Client(emulator.url, emulator.client_id("me"), credentials=wrong).connect()
    with pytest.raises(mqtt_p2p.ConnectError) as caught:
        Client("mqtt://127.0.0.1:1").connect()
    assert caught.value.kind == "connection-refused"
    client = Client(emulator.url)
    with pytest.raises(mqtt_p2p.DisconnectedError, match="not been connected"):
        client.publish("t", "x", 1)
    client.close()
    with pytest.raises(mqtt_p2p.DisconnectedError, match="closed"):
        client.publish("t")


def test_it_works_where_an_event_loop_runs_as_in_jupyter(broker):
    async def cell():
        with Client(broker.url) as client, client.subscribe("t") as messages:
            client.publish("t", "x", 1)
            return messages.get(LONG).text

    assert run(cell()) == "x"


def test_a_handler_outlives_a_refusal(emulator):
    me = emulator.client_id("me")
    got = threading.Event()
    with Client(
        emulator.url, me, credentials=emulator.credentials, parent="demo", backoff=(0.01, 0)
    ) as client:
        client.on_message()(lambda _: got.set())
        emulator.set_faults(refuse_log_ins=5)
        emulator.cut_all()
        with pytest.raises(mqtt_p2p.AuthError):
            client.messages.get(LONG)
        emulator.set_faults()
        client.reconnect()
        client.send_p2p(me, "x", timeout=LONG)
        assert got.wait(LONG)


def test_closing_ends_whatever_other_threads_wait_for(broker):
    outcomes: dict[str, BaseException | None] = {}

    def waits(name, work):
        try:
            work()
        except BaseException as error:
            outcomes[name] = error
        else:
            outcomes[name] = None

    client = Client(broker.url, "closing", max_outgoing_bytes=100_000, connect_timeout=0.3)
    client.connect()
    broker.set_faults(half_open=True)
    work = {
        "publish": lambda: client.publish("t", "x", 1),
        "publish QoS 2": lambda: client.publish("t", "x", 2),
        "publish without room": lambda: [client.publish("t", b"x" * 10_000, 1) for _ in range(2)],
        "drain": client.drain,
        "subscribe": lambda: client.subscribe("t"),
        "unsubscribe": lambda: client.unsubscribe("t"),
        "get": client.messages.get,
        "iterate": lambda: list(client.messages),
        "events": lambda: list(client.events()),
        "run_forever": client.run_forever,
    }
    threads = [threading.Thread(target=waits, args=item, daemon=True) for item in work.items()]
    for _ in range(7):
        client.publish_nowait("t", b"x" * 10_000, 1)
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    client.close()
    for thread in threads:
        thread.join(LONG)
    assert outcomes.keys() == work.keys()
    fine = {name for name, error in outcomes.items() if error is None}
    assert fine == {"iterate", "events", "run_forever"}
    assert all(isinstance(outcomes[name], mqtt_p2p.DisconnectedError) for name in work.keys() - fine)


def test_no_thread_is_left_behind(broker):
    before = threading.active_count()
    for _ in range(5):
        with Client(broker.url) as client:

            @client.on_message("t")
            def ignore(message):
                pass

            client.publish("t", "x", 1)
    eventually(lambda: threading.active_count() == before)


def test_one_liners_publish_and_receive(broker):
    def publish():
        time.sleep(0.05)
        mqtt_p2p.publish(broker.url, "one/line", "hello", qos=1)
        mqtt_p2p.publish(broker.url, "one/line", "again", qos=1)

    publisher = threading.Thread(target=publish)
    publisher.start()
    messages = mqtt_p2p.receive(broker.url, "one/#", count=2, timeout=LONG)
    publisher.join()
    assert [message.text for message in messages] == ["hello", "again"]
    with pytest.raises(mqtt_p2p.TimeoutError):
        mqtt_p2p.receive(broker.url, "one/#", timeout=0.01)
