"""What goes wrong around a client: slow readers, cancellation, forks, closed loops, Ctrl-C. Either it stays usable or it
is closed, and it says which."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import threading
import time
import tracemalloc
import warnings
from pathlib import Path

import mqtt_p2p
import pytest
from conftest import LONG, eventually, run
from mqtt_p2p import Client, aio

BURST = 100_000
#: 100 bytes of payload; the number is in front.
_PACKET = 0x30


def packets() -> bytes:
    payloads = (str(number).encode().ljust(100) for number in range(BURST))
    return b"".join(bytes([_PACKET, len(payload) + 3]) + b"\x00\x01t" + payload for payload in payloads)


PACKETS = packets()


def burst(connection: socket.socket) -> None:
    """Sends it as fast as the client takes it."""
    connection.sendall(PACKETS)
    connection.recv(1)


#: What asyncio reads at once.
ONE_READ = 64 * 1024 // 105


def test_a_burst_into_a_slow_reader_loses_nothing_and_memory_stays_bounded(script):
    async def main(url):
        most = 0
        async with aio.Client(url, queue_size=500) as client:
            tracemalloc.start()
            async for message in client.messages:
                most = max(most, len(client.messages))
                number = int(message.payload)
                assert number == expected[0]
                expected[0] += 1
                if number % 1000 == 0:
                    await asyncio.sleep(0.001)
                if expected[0] == BURST:
                    break
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert most <= 500 + ONE_READ
        assert peak < 2 << 20

    expected = [0]
    run(main(script(burst)))
    assert expected == [BURST]


def test_a_burst_into_a_slow_thread_loses_nothing(script):
    with Client(script(burst), queue_size=500) as client:
        for number in range(BURST):
            assert int(client.messages.get(LONG).payload) == number
            assert len(client._inbox) <= 500 + ONE_READ
            if number % 10_000 == 0:
                time.sleep(0.02)


def test_a_reader_may_await_publications_though_its_queue_is_full(broker):
    async def main():
        async with (
            aio.Client(broker.url, queue_size=10) as client,
            aio.Client(broker.url) as other,
            client.subscribe("in") as messages,
        ):
            for number in range(100):
                other.publish_nowait("in", str(number))
            await other.drain()
            for _ in range(100):
                message = await messages.get(LONG)
                await client.publish("out", message.payload, 1, timeout=LONG)

    run(main())


class CancelledAt:
    """Awaits a coroutine, and cancels it where it waits for the n-th time."""

    def __init__(self, work, at: int) -> None:
        self._work = work
        self._at = at

    def __await__(self):
        steps = self._work.__await__()
        waits = 0
        while True:
            try:
                waiting_for = next(steps)
            except StopIteration as end:
                return end.value
            if waits == self._at:
                steps.throw(asyncio.CancelledError)
                raise AssertionError("it went on after it was cancelled")
            waits += 1
            yield waiting_for


async def is_usable(client: aio.Client) -> None:
    async with client.subscribe("usable") as messages:
        await client.publish("usable", "yes", 1, timeout=LONG)
        assert (await messages.get(LONG)).text == "yes"


async def many(client: aio.Client) -> None:
    for _ in range(600):
        await client.publish("t", b"x" * 100)


async def in_and_out(client: aio.Client) -> None:
    async with client.subscribe("t"):
        pass


OPERATIONS = {
    "publish QoS 0": many,
    "publish QoS 1": lambda client: client.publish("t", "x", 1),
    "publish QoS 2": lambda client: client.publish("t", "x", 2),
    "publish with a timeout": lambda client: client.publish("t", "x", 1, timeout=LONG),
    "publish a large message": lambda client: client.publish("t", b"x" * 60_000, 1),
    "publish P2P": lambda client: client.send_p2p("somebody", "x", parent="demo"),
    "drain": lambda client: client.drain(),
    "subscribe": lambda client: client._subscribe([("t", 1)]),
    "a subscription": in_and_out,
    "unsubscribe": lambda client: client.unsubscribe("t"),
    "ping": lambda client: client.ping(),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_client_is_usable_wherever_an_operation_is_cancelled(broker, name):
    async def main():
        async with aio.Client(broker.url) as client:
            for at in range(20):
                if name == "drain":
                    client.publish_nowait("t", "x", 1)
                try:
                    await CancelledAt(OPERATIONS[name](client), at)
                except asyncio.CancelledError:
                    assert client.is_connected
                    await is_usable(client)
                else:
                    # It has no more places to wait.
                    return
            pytest.fail("it waits at more places than were tried")

    run(main())


def test_a_message_that_comes_after_who_waited_was_cancelled_is_not_lost(broker):
    async def main():
        async with aio.Client(broker.url) as client, client.subscribe("t") as messages:
            for work in (messages.get, lambda: messages.get(LONG), messages.__anext__):
                with pytest.raises(asyncio.CancelledError):
                    await CancelledAt(work(), 0)
            await client.publish("t", "x", 1)
            assert (await messages.get(LONG)).text == "x"

    run(main())


def test_a_client_is_closed_wherever_connecting_or_closing_is_cancelled(broker):
    async def main():
        for operation in ("connect", "close"):
            places = 0
            while True:
                client = aio.Client(broker.url)
                if operation == "close":
                    await client.connect()
                try:
                    await CancelledAt(getattr(client, operation)(), places)
                except asyncio.CancelledError:
                    assert client.is_closed
                    with pytest.raises(mqtt_p2p.DisconnectedError, match="closed"):
                        await client.publish("t", "x")
                    places += 1
                else:
                    break
                finally:
                    await client.close()
            assert places >= 1

    run(main())
    eventually(lambda: not broker.connected_clients())


def test_a_fork_leaves_the_parent_its_client_and_the_child_an_error_that_says_so(broker):
    with Client(broker.url, backoff=(0.01, 0)) as client, client.subscribe("from/#") as messages:
        number = client._engine._transport.get_extra_info("socket").fileno()
        with warnings.catch_warnings():
            # That is what is tested.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            os._exit(in_child(client, broker.url, number))
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        client.publish("from/parent", "still here", 1, timeout=LONG)
        assert {messages.get(LONG).topic, messages.get(LONG).topic} == {"from/parent", "from/child"}
        assert client.stats()["connections"] == 1


def in_child(client: Client, url: str, number: int) -> int:
    try:
        client.publish("t", "x", 1)
    except mqtt_p2p.DisconnectedError as error:
        if "forked" not in str(error) or not client.is_closed:
            return 1
    else:
        return 2
    if str(Path(f"/proc/self/fd/{number}").readlink()) != os.devnull:
        return 3
    mqtt_p2p.publish(url, "from/child", "hello", timeout=LONG)
    return 0


def test_a_client_of_a_closed_loop_says_so(broker):
    clients = []

    async def connect():
        client = aio.Client(broker.url)
        await client.connect()
        clients.append(client)

    async def use():
        with pytest.raises(mqtt_p2p.DisconnectedError, match="loop"):
            await clients[0].publish("t", "x", 1)
        assert clients[0].is_closed
        await clients[0].close()
        async with aio.Client(broker.url) as client:
            await is_usable(client)

    with warnings.catch_warnings():
        # asyncio complains about the transport that nobody closed.
        warnings.simplefilter("ignore", ResourceWarning)
        asyncio.run(connect())
        asyncio.run(use())
        clients.clear()
        gc.collect()


def interrupt_soon() -> threading.Timer:
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    return timer


def test_ctrl_c_in_a_blocking_publish_leaves_the_client_usable(broker):
    with Client(broker.url, "me", backoff=(0.01, 0)) as client, client.subscribe("t", 1) as messages:
        broker.set_faults(half_open=True)
        timer = interrupt_soon()
        with pytest.raises(KeyboardInterrupt):
            client.publish("t", "interrupted", 1)
        timer.join()
        assert not client.is_closed
        broker.set_faults()
        broker.cut("me")
        assert messages.get(LONG).text == "interrupted"
        client.publish("t", "next", 1, timeout=LONG)
        assert messages.get(LONG).text == "next"


def test_ctrl_c_while_waiting_for_a_message_leaves_the_client_usable(broker):
    with Client(broker.url) as client:
        timer = interrupt_soon()
        with pytest.raises(KeyboardInterrupt):
            client.messages.get()
        timer.join()
        client.subscribe("t")
        client.publish("t", "next", 1, timeout=LONG)
        assert client.messages.get(LONG).text == "next"


WAITS = {
    "publish": lambda client: client.publish("t", "x", 1),
    "drain": lambda client: (client.publish_nowait("t", "x", 1), client.drain()),
    "a message": lambda client: client.messages.get(),
    "an event": lambda client: next(iter(client.events())),
    "the end": lambda client: client.run_forever(),
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_a_signal_that_another_thread_took_ends_a_wait_too(broker, wait):
    done = threading.Event()

    def take() -> None:
        done.wait(0.1)
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        done.wait()

    with Client(broker.url, "me", connect_timeout=0.5) as client:
        broker.set_faults(half_open=True)
        thread = threading.Thread(target=take)
        thread.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                wait(client)
        finally:
            done.set()
            thread.join()


def test_ctrl_c_in_an_awaited_publish_closes_the_client_cleanly(broker):
    clients = []

    async def main():
        async with aio.Client(broker.url, "me", connect_timeout=0.5) as client:
            clients.append(client)
            broker.set_faults(lose_pubacks=1)
            await client.publish("t", "x", 1)

    timer = interrupt_soon()
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    timer.join()
    assert clients[0].is_closed
    eventually(lambda: not broker.connected_clients())
    assert any("the client disconnected" in event for event in broker.events())


def test_a_server_that_takes_nothing_does_not_fill_the_memory(script):
    stop = threading.Event()

    async def main(url):
        async with aio.Client(url, max_outgoing_bytes=1 << 20, connect_timeout=0.2) as client:
            accepted = []

            async def fill():
                while True:
                    await client.publish("t", b"x" * 10_000, timeout=0.3)
                    accepted.append(1)

            with pytest.raises(mqtt_p2p.TimeoutError):
                await fill()
            assert 10 < len(accepted) < 3000

    url = script(lambda connection: stop.wait(LONG))
    try:
        run(main(url))
    finally:
        stop.set()
