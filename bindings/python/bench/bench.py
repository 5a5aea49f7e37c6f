"""Client CPU per message beside paho-mqtt, gmqtt and aiomqtt, against mosquitto.

    python bench/bench.py [--quick]

Each workload runs in a process of its own, pinned with `taskset` to the broker's CPU, so that runs can be compared. CPU
time is that of the client's process, all threads, user and system. It needs the packages above; those that are missing are
left out, and it says so. The lines `budget` are those of the design, and decide the exit status.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import logging
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

TOPIC = "devices/temperature/kitchen/0001"  # 32 bytes
PAYLOAD = b"x" * 64
WINDOW = 20

LIBRARIES = {"mqtt_p2p": "mqtt_p2p", "paho": "paho.mqtt", "gmqtt": "gmqtt", "aiomqtt": "aiomqtt"}
WORKLOADS = {
    "publish QoS 0": 40_000,
    "publish QoS 0, 1 at once": 10_000,
    "publish QoS 0, 10 at once": 40_000,
    "publish QoS 0, 100 at once": 40_000,
    "publish QoS 1 awaited": 10_000,
    "publish QoS 1, 10 at once": 10_000,
    "publish QoS 1, 100 at once": 10_000,
    "receive QoS 0": 40_000,
    "round trip QoS 0": 10_000,
    "round trip QoS 1": 10_000,
    "sequential QoS 1": 3_000,
}
#: Microseconds of CPU per message.
BUDGETS = {
    "publish QoS 0": 1.5,
    "publish QoS 1 awaited": 10.0,
    "receive QoS 0": 5.0,
    "round trip QoS 0": 7.0,
}
CODEC_BUDGET = 0.2
#: Milliseconds.
ROUND_TRIP_BUDGET = 0.1


def at_once(workload: str) -> tuple[int, int]:
    """The QoS of "publish QoS 0, 10 at once", and how many are published before the client waits for all of them."""
    qos, batch = re.findall(r"\d+", workload)
    return int(qos), int(batch)


def window(workload: str) -> int:
    """How many publications of QoS 1 may be in flight."""
    return max(WINDOW, at_once(workload)[1]) if workload.endswith("at once") else WINDOW


class Clock:
    """CPU and wall time, from the start."""

    def __init__(self) -> None:
        self.wall = time.perf_counter()
        self.cpu = time.process_time()

    def stop(self, **more: float) -> dict[str, float]:
        """So far."""
        return {"cpu": time.process_time() - self.cpu, "wall": time.perf_counter() - self.wall, **more}


def latencies(times: list[float]) -> dict[str, float]:
    """In milliseconds."""
    times.sort()
    return {"p50": statistics.median(times) * 1e3, "p99": times[len(times) * 99 // 100] * 1e3}


# ---- the libraries ----


async def mqtt_p2p_worker(port: int, workload: str, count: int) -> dict[str, float]:
    """This one."""
    from mqtt_p2p import aio

    async with aio.Client(f"mqtt://127.0.0.1:{port}", max_in_flight=window(workload)) as client:
        match workload:
            case "publish QoS 0":
                clock = Clock()
                for _ in range(count):
                    await client.publish(TOPIC, PAYLOAD)
                await client.drain()
            case "publish QoS 1 awaited":

                async def publisher() -> None:
                    for _ in range(count // WINDOW):
                        await client.publish(TOPIC, PAYLOAD, qos=1)

                clock = Clock()
                await asyncio.gather(*(publisher() for _ in range(WINDOW)))
            case _ if workload.endswith("at once"):
                qos, batch = at_once(workload)
                clock = Clock()
                for _ in range(count // batch):
                    for _ in range(batch):
                        client.publish_nowait(TOPIC, PAYLOAD, qos)
                    await client.drain()
            case "receive QoS 0":
                async with client.subscribe("receive/#") as messages:
                    ready()
                    await messages.get()
                    clock = Clock()
                    for _ in range(count - 1):
                        await messages.__anext__()
                    return clock.stop()
            case "round trip QoS 0" | "round trip QoS 1":
                qos = int(workload[-1])
                async with client.subscribe(TOPIC, qos) as messages:
                    clock = Clock()
                    for _ in range(count // WINDOW):
                        for _ in range(WINDOW):
                            client.publish_nowait(TOPIC, PAYLOAD, qos)
                        for _ in range(WINDOW):
                            await messages.__anext__()
                    return clock.stop()
            case _:
                clock = Clock()
                times = []
                for _ in range(count):
                    began = time.perf_counter()
                    await client.publish(TOPIC, PAYLOAD, qos=1)
                    times.append(time.perf_counter() - began)
                return clock.stop(**latencies(times))
        return clock.stop()


def paho_worker(port: int, workload: str, count: int) -> dict[str, float]:
    """With its own thread, as its documentation has it."""
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    arrived = threading.Semaphore(0)
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(window(workload))
    client.on_message = lambda *_: arrived.release()
    subscribed = threading.Event()
    client.on_subscribe = lambda *_: subscribed.set()
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    connected.wait()

    def subscribe(topic: str, qos: int) -> None:
        client.subscribe(topic, qos)
        subscribed.wait()

    def take(number: int) -> None:
        for _ in range(number):
            arrived.acquire()

    match workload:
        case "publish QoS 0":
            clock = Clock()
            for _ in range(count):
                info = client.publish(TOPIC, PAYLOAD)
            info.wait_for_publish()
        case "publish QoS 1 awaited":
            clock = Clock()
            for _ in range(count // WINDOW):
                for info in [client.publish(TOPIC, PAYLOAD, 1) for _ in range(WINDOW)]:
                    info.wait_for_publish()
        case _ if workload.endswith("at once"):
            qos, batch = at_once(workload)
            clock = Clock()
            for _ in range(count // batch):
                for info in [client.publish(TOPIC, PAYLOAD, qos) for _ in range(batch)]:
                    info.wait_for_publish()
        case "receive QoS 0":
            subscribe("receive/#", 0)
            ready()
            take(1)
            clock = Clock()
            take(count - 1)
        case "round trip QoS 0" | "round trip QoS 1":
            qos = int(workload[-1])
            subscribe(TOPIC, qos)
            clock = Clock()
            for _ in range(count // WINDOW):
                for _ in range(WINDOW):
                    client.publish(TOPIC, PAYLOAD, qos)
                take(WINDOW)
        case _:
            clock = Clock()
            times = []
            for _ in range(count):
                began = time.perf_counter()
                client.publish(TOPIC, PAYLOAD, 1).wait_for_publish()
                times.append(time.perf_counter() - began)
            return clock.stop(**latencies(times))
    return clock.stop()


async def gmqtt_worker(port: int, workload: str, count: int) -> dict[str, float]:
    """It has no call that awaits an acknowledgement: what waits for one is looked at."""
    import gmqtt

    client = gmqtt.Client(f"bench-{time.time_ns()}")
    arrived = asyncio.Semaphore(0)

    def on_message(*_: Any) -> int:
        arrived.release()
        return 0

    subscribed = asyncio.Event()
    client.on_message = on_message
    client.on_subscribe = lambda *_: subscribed.set()
    await client.connect("127.0.0.1", port, version=4)
    storage = client._persistent_storage

    async def acknowledged() -> None:
        while not storage.is_empty:  # noqa: ASYNC110
            await asyncio.sleep(0)

    async def subscribe(topic: str, qos: int) -> None:
        client.subscribe(topic, qos)
        await subscribed.wait()

    async def take(number: int) -> None:
        for _ in range(number):
            await arrived.acquire()

    match workload:
        case "publish QoS 0":
            clock = Clock()
            for number in range(count):
                client.publish(TOPIC, PAYLOAD)
                if number % 256 == 0:
                    await asyncio.sleep(0)
        case "publish QoS 1 awaited":
            clock = Clock()
            for _ in range(count // WINDOW):
                for _ in range(WINDOW):
                    client.publish(TOPIC, PAYLOAD, qos=1)
                await acknowledged()
        case _ if workload.endswith("at once"):
            qos, batch = at_once(workload)
            clock = Clock()
            for _ in range(count // batch):
                for _ in range(batch):
                    client.publish(TOPIC, PAYLOAD, qos=qos)
                await asyncio.sleep(0)
                await acknowledged()
        case "receive QoS 0":
            await subscribe("receive/#", 0)
            ready()
            await take(1)
            clock = Clock()
            await take(count - 1)
        case "round trip QoS 0" | "round trip QoS 1":
            qos = int(workload[-1])
            await subscribe(TOPIC, qos)
            clock = Clock()
            for _ in range(count // WINDOW):
                for _ in range(WINDOW):
                    client.publish(TOPIC, PAYLOAD, qos=qos)
                await take(WINDOW)
        case _:
            clock = Clock()
            times = []
            for _ in range(count):
                began = time.perf_counter()
                client.publish(TOPIC, PAYLOAD, qos=1)
                await acknowledged()
                times.append(time.perf_counter() - began)
            return clock.stop(**latencies(times))
    return clock.stop()


async def aiomqtt_worker(port: int, workload: str, count: int) -> dict[str, float]:
    """On paho, in asyncio."""
    import aiomqtt

    async with aiomqtt.Client(
        "127.0.0.1",
        port,
        max_concurrent_outgoing_calls=10_000,
        max_inflight_messages=window(workload),
    ) as client:
        messages = aiter(client.messages)
        match workload:
            case "publish QoS 0":
                clock = Clock()
                for _ in range(count):
                    await client.publish(TOPIC, PAYLOAD)
            case "publish QoS 1 awaited":

                async def publisher() -> None:
                    for _ in range(count // WINDOW):
                        await client.publish(TOPIC, PAYLOAD, qos=1)

                clock = Clock()
                await asyncio.gather(*(publisher() for _ in range(WINDOW)))
            case _ if workload.endswith("at once"):
                qos, batch = at_once(workload)
                clock = Clock()
                for _ in range(count // batch):
                    await asyncio.gather(*(client.publish(TOPIC, PAYLOAD, qos=qos) for _ in range(batch)))
            case "receive QoS 0":
                await client.subscribe("receive/#")
                ready()
                await anext(messages)
                clock = Clock()
                for _ in range(count - 1):
                    await anext(messages)
            case "round trip QoS 0" | "round trip QoS 1":
                qos = int(workload[-1])
                await client.subscribe(TOPIC, qos)
                clock = Clock()
                for _ in range(count // WINDOW):
                    await asyncio.gather(*(client.publish(TOPIC, PAYLOAD, qos=qos) for _ in range(WINDOW)))
                    for _ in range(WINDOW):
                        await anext(messages)
            case _:
                clock = Clock()
                times = []
                for _ in range(count):
                    began = time.perf_counter()
                    await client.publish(TOPIC, PAYLOAD, qos=1)
                    times.append(time.perf_counter() - began)
                return clock.stop(**latencies(times))
        return clock.stop()


def ready() -> None:
    """The subscription is there."""
    print("ready", flush=True)


def work(library: str, workload: str, port: int, count: int) -> None:
    """One workload in this process."""
    # aiomqtt warns of every publication that waits with ten others.
    logging.disable()
    match library:
        case "paho":
            result = paho_worker(port, workload, count)
        case "gmqtt":
            result = asyncio.run(gmqtt_worker(port, workload, count))
        case "aiomqtt":
            result = asyncio.run(aiomqtt_worker(port, workload, count))
        case _:
            result = asyncio.run(mqtt_p2p_worker(port, workload, count))
    print(json.dumps(result), flush=True)


# ---- the codec ----


def codec() -> dict[str, float]:
    """Microseconds for one PUBLISH of QoS 0, through the calls that a client makes."""
    from mqtt_p2p._core import Core

    core = Core("bench", seed=1)
    core.connect(0.0)
    core.tick(0.0)
    core.connection_made(0.0)
    core.data_to_send(0.0)
    core.receive_data(b"\x20\x02\x00\x00", 0.0)
    packet = bytes([0x30, 2 + len(TOPIC) + len(PAYLOAD)]) + len(TOPIC).to_bytes(2) + TOPIC.encode() + PAYLOAD
    chunk = packet * 500

    def decode() -> None:
        core.receive_data(chunk, 0.0)

    def encode(batch: int = 500) -> None:
        publish = core.publish
        for _ in range(500 // batch):
            for _ in range(batch):
                publish(TOPIC, PAYLOAD)
            while core.data_to_send(0.0):
                pass

    speed = {"decode": best(decode) / 500, "encode": best(encode) / 500}
    for batch in (1, 10, 100):
        speed[f"encode, {batch} at once"] = best(partial(encode, batch)) / 500
    return speed


def best(run: Callable[[], None]) -> float:
    """Microseconds of CPU, the best of many."""
    times = []
    for _ in range(200):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return min(times) * 1e6


# ---- the run ----


@contextmanager
def mosquitto() -> Iterator[int]:
    """A broker; gives its port."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = int(sock.getsockname()[1])
    with tempfile.TemporaryDirectory() as directory:
        conf = Path(directory, "conf")
        conf.write_text(
            "user root\nallow_anonymous true\nset_tcp_nodelay true\nmax_inflight_messages 0\nmax_queued_messages 0\n"
            f"log_dest none\nlistener {port} 127.0.0.1\n"
        )
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        process = subprocess.Popen(
            ["taskset", "-c", "1", program, "-c", str(conf)], stderr=subprocess.DEVNULL
        )
        try:
            while True:
                with socket.socket() as sock:
                    if sock.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.01)
            yield port
        finally:
            process.terminate()
            process.wait()


def measure(library: str, workload: str, port: int, count: int) -> dict[str, float]:
    """In a process on the broker's CPU."""
    command = [
        "taskset",
        "-c",
        "1",
        sys.executable,
        __file__,
        "--worker",
        library,
        workload,
        str(port),
        str(count),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    if line.strip() == "ready":
        feed(port, count)
        line = process.stdout.readline()
    process.wait()
    if process.returncode != 0:
        raise SystemExit(f"{library}, {workload}: it failed")
    result: dict[str, float] = json.loads(line)
    return result


def feed(port: int, count: int) -> None:
    """Sends messages, not faster than any of the clients takes them."""
    import mqtt_p2p

    with mqtt_p2p.Client(f"mqtt://127.0.0.1:{port}") as client:
        for number in range(count):
            client.publish_nowait("receive/" + TOPIC[8:], PAYLOAD)
            if number % 100 == 0:
                client.drain()
                time.sleep(0.0005)
        client.drain()


def main(quick: bool) -> int:
    """All of it; the exit status."""
    known = {
        name: module for name, module in LIBRARIES.items() if importlib.util.find_spec(module.split(".")[0])
    }
    for name in LIBRARIES.keys() - known.keys():
        print(f"{name} is not installed: left out")
    broken = 0

    def check(what: str, value: float, budget: float, unit: str) -> None:
        nonlocal broken
        good = value <= budget
        broken += not good
        print(f"    budget {budget:g} {unit}: {'holds' if good else 'BROKEN'} ({what} {value:.3g})")

    speed = codec()
    for name, value in speed.items():
        print(f"{name}: {value:.3f} us for a PUBLISH")
        if name in ("decode", "encode"):
            check(name, value, CODEC_BUDGET, "us")
    with mosquitto() as port:
        for workload, count in WORKLOADS.items():
            print(f"{workload}")
            for library in known:
                result = measure(library, workload, port, count // (10 if quick else 1))
                number = count // (10 if quick else 1)
                cpu = result["cpu"] / number * 1e6
                text = (
                    f"    {library:9} {cpu:8.2f} us CPU a message {number / result['wall']:10,.0f} messages/s"
                )
                if "p50" in result:
                    text += f"   p50 {result['p50']:.3f} ms, p99 {result['p99']:.3f} ms"
                print(text, flush=True)
                if library == "mqtt_p2p":
                    if workload in BUDGETS:
                        check("CPU", cpu, BUDGETS[workload], "us")
                    if "p50" in result:
                        check("p50", result["p50"], ROUND_TRIP_BUDGET, "ms")
    return 1 if broken else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    else:
        parser = argparse.ArgumentParser(description="Client CPU per message beside other libraries.")
        parser.add_argument("--quick", action="store_true", help="a tenth of the messages")
        sys.exit(main(parser.parse_args().quick))
