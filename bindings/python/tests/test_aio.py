"""The client for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import mqtt_p2p
import pytest
from conftest import LONG, eventually, run
from mqtt_p2p import aio

TRANSPORTS = ["mqtt", "mqtts", "ws", "wss", "unix"]


@pytest.mark.parametrize("scheme", TRANSPORTS)
def test_messages_of_every_qos_go_there_and_back_over_every_transport(mosquitto, scheme):
    async def main():
        async with (
            aio.Client(mosquitto.url(scheme), **mosquitto.options(scheme)) as client,
            client.subscribe(f"aio/{scheme}/#", 2) as messages,
        ):
            for qos in (0, 1, 2):
                payload = bytes(range(256)) * 12  # mosquitto sends 4 KiB in 100 ms over WebSocket.
                await client.publish(f"aio/{scheme}/{qos}", payload, qos)
                message = await messages.get(LONG)
                assert message == mqtt_p2p.Message(f"aio/{scheme}/{qos}", payload, qos)

    run(main())


@pytest.mark.parametrize("scheme", TRANSPORTS)
def test_a_connection_ends_cleanly_over_every_transport(mosquitto, scheme):
    async def main():
        client = aio.Client(mosquitto.url(scheme), **mosquitto.options(scheme))
        events = client.events()
        async with client:
            pass
        kinds = [event.kind async for event in events if isinstance(event, mqtt_p2p.Disconnected)]
        assert kinds == ["requested"]
        assert client.is_closed

    run(main())


@pytest.mark.parametrize("secure", [False, True])
def test_the_emulator_is_reached_over_tls_and_websocket(authority, secure):
    from mqtt_p2p.testing import Emulator

    async def main(url, emulator):
        options = {"ssl": authority.trusted} if secure else {}
        me = emulator.client_id("me")
        async with aio.Client(url, me, credentials=emulator.credentials, parent="demo", **options) as client:
            await client.send_p2p(me, b"x" * 1000)
            assert (await client.messages.get(LONG)).payload == b"x" * 1000

    with Emulator(ssl_context=authority.server) as emulator:
        for url in (emulator.tls_url, emulator.wss_url) if secure else (emulator.url, emulator.ws_url):
            run(main(url, emulator))


def test_uvloop_drives_it_as_well(mosquitto):
    uvloop = pytest.importorskip("uvloop", reason="a test dependency: see `check`")

    async def main():
        async with aio.Client(mosquitto.url("mqtt")) as client, client.subscribe("uvloop") as messages:
            await client.publish("uvloop", "hello", 1)
            assert (await messages.get(LONG)).text == "hello"

    uvloop.run(main())


def test_p2p_messages_come_to_client_messages_without_a_subscription(emulator):
    async def main():
        alice, bob = emulator.client_id("alice"), emulator.client_id("bob")
        common = {"credentials": emulator.credentials, "parent": emulator.parent}
        async with (
            aio.Client(emulator.url, alice, **common) as a,
            aio.Client(emulator.ws_url, bob, **common) as b,
        ):
            await a.send_p2p(bob, "hello, bob")
            message = await b.messages.get(LONG)
            assert (message.text, message.p2p.target) == ("hello, bob", bob)
            # It came before anybody looked.
            await b.send_p2p(alice, "hello, alice", parent="demo")
            assert (await a.messages.get(LONG)).text == "hello, alice"

    run(main())


def test_before_somebody_reads_client_messages_it_gets_what_nobody_else_wants(broker):
    async def main():
        async with aio.Client(broker.url) as client, client.subscribe("mine") as mine:
            await client.subscribe("other")
            await client.publish("mine", "1", 1)
            await client.publish("other", "2", 1)
            assert (await client.messages.get(LONG)).topic == "other"
            await client.publish("mine", "3", 1)
            assert (await client.messages.get(LONG)).text == "3"
            assert [(await mine.get(LONG)).text, (await mine.get(LONG)).text] == ["1", "3"]

    run(main())


def test_several_filters_share_a_queue_and_a_message_comes_once(broker):
    async def main():
        async with aio.Client(broker.url) as client, client.subscribe(["a/#", ("b", 1)]) as messages:
            for topic in ("a/1", "b", "c"):
                await client.publish(topic, qos=1)
            assert [(await messages.get(LONG)).topic for _ in range(2)] == ["a/1", "b"]
            assert len(messages) == 0

    run(main())


def test_leaving_a_subscription_unsubscribes_once_nobody_uses_the_filter(broker):
    async def main():
        async with aio.Client(broker.url) as client:
            async with client.subscribe("t"):
                async with client.subscribe("t"):
                    pass
                assert client.subscriptions == [("t", 0)]
            assert client.subscriptions == []

    run(main())


def test_a_refused_subscription_raises_and_names_the_filter(script):
    def play(connection):
        subscribe = connection.recv(4096)
        connection.sendall(b"\x90\x03" + subscribe[2:4] + b"\x80")
        connection.recv(4096)

    async def main():
        async with aio.Client(script(play)) as client:
            with pytest.raises(mqtt_p2p.SubscribeError, match="secret/#") as caught:
                await client.subscribe("secret/#")
            assert caught.value.filter == "secret/#"

    run(main())


def test_it_reconnects_subscribes_again_and_sends_again(emulator):
    async def main():
        me = emulator.client_id("me")
        async with aio.Client(
            emulator.url, me, credentials=emulator.credentials, backoff=(0.01, 0)
        ) as client:
            events = client.events()
            async with client.subscribe("demo/t", 1) as messages:
                emulator.set_faults(lose_pubacks=1)
                publishing = asyncio.create_task(client.publish("demo/t", "kept", 1))
                assert (await messages.get(LONG)).text == "kept"
                await asyncio.to_thread(emulator.cut, me)
                await publishing
                async for event in events:
                    if isinstance(event, mqtt_p2p.Connected):
                        break
                await client.publish("demo/t", "after", 1)
                texts = {(await messages.get(LONG)).text for _ in range(2)}
                assert texts >= {"after"} or (await messages.get(LONG)).text == "after"
            assert client.stats()["connections"] == 2

    run(main())


def test_what_is_published_without_a_connection_goes_out_later(mosquitto):
    async def main():
        async with aio.Client(mosquitto.url("mqtt"), "offline", backoff=(0.01, 0)) as client:
            mosquitto.stop()
            publishing = asyncio.create_task(client.publish("t", "x", 1))
            await asyncio.sleep(0.05)
            assert not publishing.done()
            mosquitto.start()
            await publishing

    run(main())


def test_manual_acknowledgement_holds_back_the_ack(broker):
    async def main():
        async with (
            aio.Client(broker.url, "careful", manual_ack=True, backoff=(0.01, 0)) as client,
            aio.Client(broker.url) as other,
        ):
            await client.subscribe("t", 1)
            await other.publish("t", "x", 1)
            first = await client.messages.get(LONG)
            await asyncio.to_thread(broker.cut, "careful")
            again = await client.messages.get(LONG)
            assert again.text == first.text
            client.ack(again)
            with pytest.raises(mqtt_p2p.DisconnectedError, match="nothing to acknowledge"):
                client.ack(first)

    run(main())


def test_handlers_get_messages_and_what_they_raise_changes_nothing(broker, caplog):
    async def main():
        client = aio.Client(broker.url)
        got = []

        @client.on_message("sync/#", qos=1)
        def sync(message):
            got.append(message.text)
            if message.text == "bad":
                raise ValueError("a handler of the user's")

        @client.on_message("async/#")
        async def asynchronous(message):
            await asyncio.sleep(0)
            got.append(message.text)

        events = client.events()
        async with client:
            for topic, text in [("sync/1", "bad"), ("sync/2", "good"), ("async/1", "also")]:
                await client.publish(topic, text, 1)
            await asyncio.to_thread(eventually, lambda: len(got) == 3)
            assert client.is_connected
            assert client.stats()["handler_errors"] == 1
        assert sorted(got) == ["also", "bad", "good"]
        failed = [event async for event in events if isinstance(event, mqtt_p2p.HandlerFailed)]
        assert [(event.filter, str(event.error)) for event in failed] == [
            ("sync/#", "a handler of the user's")
        ]

    with caplog.at_level(logging.ERROR, "mqtt_p2p"):
        run(main())
    (record,) = caplog.records
    assert record.exc_info is not None


def test_drain_waits_until_all_that_was_accepted_is_through(broker):
    async def main():
        async with aio.Client(broker.url) as client:
            for number in range(5000):
                client.publish_nowait("t", b"x", number % 2)
            await client.drain()
            assert client.stats()["in_flight"] == 0
            assert broker.counters()["published"] == 5000

    run(main())


def test_publish_waits_for_room_and_publish_nowait_says_that_there_is_none(broker):
    async def main():
        async with aio.Client(broker.url, max_outgoing_bytes=20_000) as client:

            def fill():
                while True:
                    client.publish_nowait("t", b"x" * 1000, 1)

            with pytest.raises(mqtt_p2p.QueueFull):
                fill()
            await asyncio.gather(*(client.publish("t", b"x" * 1000, 1) for _ in range(100)))

    run(main())


def test_a_session_outlives_the_program(broker):
    async def first():
        async with aio.Client(broker.url, "sleeper") as client:
            await client.subscribe("t", 1)
            broker.set_faults(half_open=True)
            publishing = asyncio.create_task(client.publish("t", "kept", 1))
            await asyncio.sleep(0.02)
            session = client.export_session()
            publishing.cancel()
        return session

    async def second(session):
        async with aio.Client(broker.url, "sleeper", session=session) as client:
            assert client.subscriptions == [("t", 1)]
            assert (await client.messages.get(LONG)).text == "kept"

    session = run(first())
    broker.set_faults()
    run(second(session))


def test_a_wrong_password_is_an_auth_error_with_a_hint(emulator):
    async def main():
        wrong = mqtt_p2p.aliyun.Signature("demo-key", "wrong", "post-cn-demo")
        client = aio.Client(emulator.url, emulator.client_id("me"), credentials=wrong)
        with pytest.raises(mqtt_p2p.AuthError, match="return code 4") as caught:
            await client.connect()
        assert "wrong" not in str(caught.value)
        assert "secret" in caught.value.hint
        assert client.is_closed

    run(main())


def test_who_cannot_connect_is_told_why_and_what_to_do(authority, mosquitto, emulator):
    async def failing(url, **options):
        with pytest.raises(mqtt_p2p.ConnectError) as caught:
            async with aio.Client(url, connect_timeout=2, **options):
                pass
        assert caught.value.advice
        return caught.value.kind

    async def main():
        assert await failing("mqtt://127.0.0.1:1") == "connection-refused"
        assert await failing("unix:///nonexistent/socket") == "connection-refused"
        assert await failing("mqtt://name.invalid") == "name-not-found"
        assert await failing(mosquitto.url("mqtts")) == "unknown-authority"
        tls_to_plain = mosquitto.url("mqtt").replace("mqtt:", "mqtts:")
        assert await failing(tls_to_plain) == "not-tls"
        localhost = mosquitto.url("mqtts").replace("127.0.0.1", "localhost")
        assert await failing(localhost, ssl=authority.trusted) == "wrong-name"
        assert await failing(emulator.ws_url + "/nowhere") == "upgrade"

    run(main())


def test_credentials_may_be_asked_for_before_every_attempt(emulator):
    asked = []

    async def log_in():
        asked.append(1)
        return emulator.credentials.log_in(emulator.client_id("me"))

    async def main():
        async with aio.Client(
            emulator.url, emulator.client_id("me"), credentials=log_in, backoff=(0.01, 0)
        ) as client:
            events = client.events()
            await asyncio.to_thread(emulator.cut_all)
            async for event in events:
                if isinstance(event, mqtt_p2p.Connected):
                    break
            assert len(asked) == 2

    run(main())


def test_after_a_refusal_the_streams_end_with_the_reason_and_reconnect_goes_on(emulator):
    async def main():
        client = aio.Client(
            emulator.url, emulator.client_id("me"), credentials=emulator.credentials, backoff=(0.01, 0)
        )
        async with client:
            emulator.set_faults(refuse_log_ins=5)
            await asyncio.to_thread(emulator.cut_all)
            with pytest.raises(mqtt_p2p.AuthError):
                await client.messages.get(LONG)
            emulator.set_faults()
            client.reconnect()
            await client.send_p2p(client.client_id, "still here", parent="demo", timeout=LONG)
            assert (await client.messages.get(LONG)).text == "still here"

    run(main())


def test_handlers_outlive_a_refusal(emulator):
    async def main():
        me = emulator.client_id("me")
        async with aio.Client(
            emulator.url, me, credentials=emulator.credentials, backoff=(0.01, 0)
        ) as client:
            got = asyncio.Event()

            @client.on_message()
            def note(message):
                got.set()

            emulator.set_faults(refuse_log_ins=5)
            events = client.events()
            await asyncio.to_thread(emulator.cut_all)
            async for event in events:
                if isinstance(event, mqtt_p2p.Refused):
                    break
            emulator.set_faults()
            client.reconnect()
            await client.send_p2p(me, "x", parent="demo", timeout=LONG)
            await got.wait()

    run(main())


def test_leaving_a_subscription_without_a_connection_is_leaving_it(mosquitto):
    async def main():
        async with aio.Client(mosquitto.url("mqtt"), "leaver", backoff=(0.01, 0)) as client:
            events = client.events()
            async with client.subscribe("left/#"):
                mosquitto.stop()
                async for event in events:
                    if isinstance(event, mqtt_p2p.Disconnected):
                        break
            mosquitto.start()
            await client.publish("left/1", "x", 1)
            assert client.subscriptions == []

    run(main())


def test_another_loop_is_told_that_the_client_is_not_its(broker):
    async def elsewhere(client):
        with pytest.raises(mqtt_p2p.InvalidError, match="another event loop"):
            await client.publish("t", "x", 1)

    async def main():
        async with aio.Client(broker.url) as client:
            await asyncio.to_thread(lambda: asyncio.run(elsewhere(client)))
            await client.publish("t", "x", 1)

    run(main())


def test_the_api_says_what_was_misused(broker):
    async def main():
        client = aio.Client(broker.url)
        with pytest.raises(mqtt_p2p.DisconnectedError, match="connect"):
            await client.publish("t", "x", timeout=1)
        async with client:
            with pytest.raises(mqtt_p2p.InvalidError, match="parent"):
                await client.send_p2p("somebody", "x")
            with pytest.raises(mqtt_p2p.InvalidError):
                await client.publish("a/#", "x")
            with pytest.raises(mqtt_p2p.TimeoutError):
                await client.messages.get(0.01)
        with pytest.raises(mqtt_p2p.DisconnectedError, match="closed"):
            await client.publish("t", "x")
        with pytest.raises(TypeError, match="colour"):
            aio.Client(broker.url, colour="red")  # type: ignore[call-arg]
        for url in ("localhost", "http://x", "mqtt://", "mqtt://x/topic", "unix://x", "mqtt://x:99999"):
            with pytest.raises(mqtt_p2p.InvalidError):
                aio.Client(url)
        with contextlib.suppress(StopAsyncIteration):
            await client.messages.__anext__()

    run(main())
