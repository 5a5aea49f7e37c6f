"""`python -m mqtt_p2p`."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from conftest import eventually

SIGNED = ["--access-key", "demo-key", "--instance", "post-cn-demo"]


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mqtt_p2p", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def run(*arguments: str, typed: str = "", status: int = 0, **environment: str) -> tuple[str, str]:
    process = start(*arguments, **environment)
    out, err = process.communicate(typed, timeout=60)
    assert process.returncode == status, err
    return out, err


def test_what_is_published_is_printed_by_who_subscribed(broker):
    process = start(
        "sub", broker.url, "-i", "reader", "-t", "a/#", "-q", "1", "-C", "3", "--json", "-W", "30"
    )
    eventually(lambda: "reader" in broker.connected_clients())
    eventually(lambda: _published(broker) or process.poll() is not None)
    run("pub", broker.url, "-t", "a/2", "-l", typed="two\nthree\n")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    printed = [json.loads(line) for line in out.splitlines()]
    assert [(message["topic"], message["payload"], message["qos"]) for message in printed][-2:] == [
        ("a/2", "two", 1),
        ("a/2", "three", 1),
    ]


def _published(broker, topic: str = "a/1", payload: str = "one") -> bool:
    """Publishes until it reaches the subscription."""
    before = broker.counters()["delivered"]
    run("pub", broker.url, "-t", topic, "-m", payload)
    return broker.counters()["delivered"] > before


def test_a_p2p_message_is_sent_and_listened_to(emulator):
    bob = emulator.client_id("bob")
    listening = start(
        "listen", emulator.url, "-i", bob, *SIGNED, "-C", "1", "-W", "30", MQTT_P2P_SECRET_KEY="demo-secret"
    )
    eventually(lambda: bob in emulator.connected_clients())
    alice = emulator.client_id("alice")
    run(
        "send", emulator.url, bob, "-i", alice, *SIGNED, "--parent", "demo", "-m", "hello",
        MQTT_P2P_SECRET_KEY="demo-secret",
    )  # fmt: skip
    out, err = listening.communicate(timeout=60)
    assert (out, err) == (f"demo/p2p/{bob} hello\n", "")


@pytest.mark.parametrize("how", [[], ["--json"]])
def test_escape_sequences_in_topic_and_payload_are_neutralised(broker, how):
    hostile = "a\x1b]0;title\x07\x1b[2J\r\nb\x9b31m\u202ec\u6e29"
    process = start("sub", broker.url, "-i", "reader", "-t", "#", "-C", "1", "-W", "30", *how)
    eventually(lambda: "reader" in broker.connected_clients())
    eventually(lambda: _published(broker, "x\x1b[31m", hostile) or process.poll() is not None)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.removesuffix("\n").isprintable(), repr(out)
    if how:
        message = json.loads(out)
        assert (message["topic"], message["payload"]) == ("x\x1b[31m", hostile)
    else:
        assert out == (r"x\x1b[31m a\x1b]0;title\x07\x1b[2J\r\nb\x9b31m\u202ec" "\u6e29\n")


def test_a_log_in_is_signed():
    out, _ = run(
        "sign", "GID_Test@@@0001", "--access-key", "YYYYY", "--instance", "post-cn-example", MQTT_P2P_SECRET_KEY="XXXXX"
    )  # fmt: skip
    assert out == "user name: Signature|YYYYY|post-cn-example\npassword:  vI009IZJZVGRwBwZvnbwjfuXxVM=\n"


@pytest.mark.parametrize("qos", ["0", "1", "2"])
def test_bench_says_how_fast_it_was(broker, qos):
    out, _ = run("bench", broker.url, "-n", "2000", "-q", qos)
    assert out.startswith(f"2,000 messages of QoS {qos} and 64 bytes: ")


def test_errors_say_what_to_do_and_the_exit_status_tells_them_apart(broker):
    _, err = run("pub", "mqtt://127.0.0.1:1", "-t", "t", "-m", "x", status=1)
    assert "connection was refused" in err
    assert "Traceback" not in err
    run("pub", broker.url, status=2)
    _, err = run("pub", broker.url, "-t", "t", "-m", "x", "-u", "user", status=1, MQTT_P2P_PASSWORD="")
    assert "environment" in err
    _, err = run("sub", broker.url, "-t", "t", "-W", "0.05", status=1)
    assert "in time" in err
