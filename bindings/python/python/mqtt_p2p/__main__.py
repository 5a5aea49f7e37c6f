"""`python -m mqtt_p2p`: publish, subscribe, send and receive P2P messages, sign, measure."""

from __future__ import annotations

import argparse
import json
import os
import ssl
import sys
import time
from collections.abc import Iterable, Iterator

from . import aliyun
from ._blocking import Client
from ._core import Message
from ._options import AnyCredentials, Options
from .errors import InvalidError, MqttError

_SECRET = "MQTT_P2P_SECRET_KEY"
_PASSWORD = "MQTT_P2P_PASSWORD"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mqtt_p2p",
        description="MQTT on the command line.",
        epilog=f"Secrets come from the environment: {_PASSWORD}, or for ApsaraMQ {_SECRET}. "
        "Exit status: 0, 1 for an error of MQTT, 2 for a wrong command line, 130 after Ctrl-C.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("url", metavar="URL", help="mqtt://, mqtts://, ws://, wss:// or unix:///path")
    common.add_argument("-i", "--id", help="the client id")
    common.add_argument("-u", "--user", help=f"the user name; its password is {_PASSWORD}")
    common.add_argument("--ca", metavar="FILE", help="trust this authority instead of the platform's")
    common.add_argument("-W", "--timeout", type=float, metavar="SECONDS", help="wait no longer")
    common.add_argument(
        "--access-key", metavar="ID", help=f"ApsaraMQ: the access key; its secret is {_SECRET}"
    )
    common.add_argument("--instance", metavar="ID", help="ApsaraMQ: the instance")

    sender = argparse.ArgumentParser(add_help=False)
    sender.add_argument("-q", "--qos", type=int, choices=(0, 1, 2), default=1, help="1 unless given")
    what = sender.add_mutually_exclusive_group()
    what.add_argument("-m", "--message", help="the payload")
    what.add_argument("-l", "--lines", action="store_true", help="a message for each line of the input")

    receiver = argparse.ArgumentParser(add_help=False)
    receiver.add_argument("-C", "--count", type=int, metavar="N", help="end after so many messages")
    receiver.add_argument("--json", action="store_true", help="one JSON object for each message")

    pub = commands.add_parser("pub", parents=[common, sender], help="publish")
    pub.add_argument("-t", "--topic", required=True)
    pub.add_argument("-r", "--retain", action="store_true", help="the server keeps it for later subscribers")

    sub = commands.add_parser("sub", parents=[common, receiver], help="subscribe, and print what comes")
    sub.add_argument("-t", "--topic", action="append", required=True, help="a topic filter; may be repeated")
    sub.add_argument("-q", "--qos", type=int, choices=(0, 1, 2), default=0)

    send = commands.add_parser("send", parents=[common, sender], help="send a P2P message")
    send.add_argument("to", metavar="CLIENT_ID", help="who gets it")
    send.add_argument("--parent", required=True, metavar="TOPIC", help="the parent topic")

    commands.add_parser("listen", parents=[common, receiver], help="print the P2P messages that come")

    sign = commands.add_parser("sign", help=f"user name and password for a client id, with {_SECRET}")
    sign.add_argument("id", metavar="CLIENT_ID")
    sign.add_argument("--access-key", metavar="ID", required=True)
    sign.add_argument("--instance", metavar="ID", required=True)

    bench = commands.add_parser("bench", parents=[common], help="measure how fast a server takes messages")
    bench.add_argument("-t", "--topic", default="bench/python")
    bench.add_argument("-q", "--qos", type=int, choices=(0, 1, 2), default=0)
    bench.add_argument("-n", "--messages", type=int, default=100_000, metavar="N")
    bench.add_argument("-s", "--size", type=int, default=64, metavar="BYTES", help="of a payload")
    return parser


def _secret(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise InvalidError(
            f"{name} is not set: secrets come from the environment, never from the command line"
        )
    return value


def _client(arguments: argparse.Namespace) -> Client:
    credentials: AnyCredentials | None = None
    if arguments.access_key is not None:
        if arguments.instance is None:
            raise InvalidError("--access-key takes --instance as well")
        credentials = aliyun.Signature(arguments.access_key, _secret(_SECRET), arguments.instance)
    elif arguments.user is not None:
        credentials = (arguments.user, _secret(_PASSWORD))
    options: Options = {"credentials": credentials}
    if arguments.ca is not None:
        options["ssl"] = ssl.create_default_context(cafile=arguments.ca)
    return Client(arguments.url, arguments.id, **options)


def _payloads(arguments: argparse.Namespace) -> Iterator[bytes]:
    if arguments.lines:
        for line in sys.stdin.buffer:
            yield line.rstrip(b"\r\n")
    elif arguments.message is not None:
        yield arguments.message.encode()
    else:
        yield sys.stdin.buffer.read()


def _visible(text: str) -> str:
    """Text from others, made harmless: what could move the cursor, change the title or turn the direction of writing is
    written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _json(fields: dict[str, object]) -> str:
    """The same in JSON, which says it by escapes of its own."""
    text = json.dumps(fields, ensure_ascii=False)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _print(messages: Iterable[Message], arguments: argparse.Namespace) -> None:
    for number, message in enumerate(messages, 1):
        text = message.payload.decode(errors="replace")
        if arguments.json:
            fields = {"topic": message.topic, "payload": text, "qos": message.qos, "retain": message.retain}
            print(_json(fields), flush=True)
        else:
            print(f"{_visible(message.topic)} {_visible(text)}", flush=True)
        if number == arguments.count:
            return


def _until(client: Client, timeout: float | None) -> Iterator[Message]:
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        yield client.messages.get(None if deadline is None else max(deadline - time.monotonic(), 0))


class _Progress:
    """A bar on a terminal, nothing elsewhere."""

    _WIDTH = 40

    def __init__(self, total: int) -> None:
        self._total = total
        self._is_shown = sys.stderr.isatty()
        self._drawn_at = 0.0

    def show(self, done: int) -> None:
        """Draws it, not too often."""
        now = time.monotonic()
        if self._is_shown and (now - self._drawn_at > 0.1 or done == self._total):
            self._drawn_at = now
            full = self._WIDTH * done // self._total
            bar = "#" * full + "-" * (self._WIDTH - full)
            print(f"\r[{bar}] {done:,} of {self._total:,}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leaves the line."""
        if self._is_shown:
            print(file=sys.stderr)


def _bench(client: Client, arguments: argparse.Namespace) -> None:
    payload = bytes(arguments.size)
    progress = _Progress(arguments.messages)
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        done = 0
        while done < arguments.messages:
            batch = min(1000, arguments.messages - done)
            for _ in range(batch):
                client.publish_nowait(arguments.topic, payload, arguments.qos)
            client.drain(arguments.timeout)
            done += batch
            progress.show(done)
    finally:
        progress.end()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        f"{arguments.messages:,} messages of QoS {arguments.qos} and {arguments.size} bytes: "
        f"{arguments.messages / wall:,.0f} a second, {cpu / arguments.messages * 1e6:.2f} us of CPU each"
    )


def _run(arguments: argparse.Namespace) -> None:
    if arguments.command == "sign":
        key = aliyun.Signature(arguments.access_key, _secret(_SECRET), arguments.instance)
        user_name, password = key.log_in(arguments.id)
        print(f"user name: {user_name}\npassword:  {password.decode()}")
        return
    with _client(arguments) as client:
        match arguments.command:
            case "pub":
                for payload in _payloads(arguments):
                    client.publish(
                        arguments.topic, payload, arguments.qos, arguments.retain, timeout=arguments.timeout
                    )
                client.drain(arguments.timeout)
            case "send":
                for payload in _payloads(arguments):
                    client.send_p2p(
                        arguments.to,
                        payload,
                        arguments.qos,
                        parent=arguments.parent,
                        timeout=arguments.timeout,
                    )
                client.drain(arguments.timeout)
            case "sub":
                client.subscribe(arguments.topic, arguments.qos)
                _print(_until(client, arguments.timeout), arguments)
            case "listen":
                _print(_until(client, arguments.timeout), arguments)
            case "bench":
                _bench(client, arguments)


def main(arguments: list[str] | None = None) -> int:
    """The command; gives the exit status."""
    try:
        _run(_parser().parse_args(arguments))
    except MqttError as error:
        print(f"mqtt_p2p: {_visible(str(error))}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"mqtt_p2p: {_visible(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
