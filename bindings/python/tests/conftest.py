"""Servers for the tests: the emulator, and mosquitto. All of them listen on 127.0.0.1."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from mqtt_p2p.testing import Emulator

_T = TypeVar("_T")

#: Nothing that a test waits for takes so long unless it is broken.
LONG = 20.0


@pytest.fixture(autouse=True, scope="session")
def hears_ctrl_c() -> None:
    """A shell without job control has what it starts in the background ignore Ctrl-C, and that is inherited."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Runs a test in a loop of its own, and not for ever."""

    async def bounded() -> _T:
        async with asyncio.timeout(60):
            return await work

    return asyncio.run(bounded())


def eventually(what: Callable[[], object]) -> None:
    """Waits until something is so."""
    deadline = time.monotonic() + LONG
    while not what():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Authority:
    """A certificate authority, and a server's certificate for 127.0.0.1 that it signed."""

    def __init__(self, directory: Path) -> None:
        self.ca = directory / "ca.pem"
        self.certificate = directory / "server.pem"
        self.key = directory / "server.key"
        extensions = directory / "extensions"
        extensions.write_text(
            "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n"
            "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
        )
        ca_key, request = directory / "ca.key", directory / "server.csr"
        new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        for command in (
            ("req", "-x509", *new, "-keyout", ca_key, "-out", self.ca, "-days", "2", "-subj", "/CN=test authority",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
            ("req", *new, "-keyout", self.key, "-out", request, "-subj", "/CN=test server"),
            ("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2",
             "-extfile", extensions, "-out", self.certificate),
        ):  # fmt: skip
            subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True)

    @property
    def trusted(self) -> ssl.SSLContext:
        """For clients."""
        return ssl.create_default_context(cafile=str(self.ca))

    @property
    def server(self) -> ssl.SSLContext:
        """For servers."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


class Mosquitto:
    """Debian's broker, on every transport."""

    def __init__(self, directory: Path, authority: Authority) -> None:
        self.authority = authority
        self.socket = directory / "socket"
        self._directory = directory
        self._ports = {scheme: free_port() for scheme in ("mqtt", "ws", "mqtts", "wss")}
        tls = f"certfile {authority.certificate}\nkeyfile {authority.key}\n"
        (directory / "conf").write_text(
            "user root\nallow_anonymous true\nset_tcp_nodelay true\nmax_inflight_messages 100\nmax_queued_messages 0\n"
            f"log_dest file {directory}/log\n"
            f"listener {self._ports['mqtt']} 127.0.0.1\n"
            f"listener {self._ports['ws']} 127.0.0.1\nprotocol websockets\nsocket_domain ipv4\n"
            f"listener {self._ports['mqtts']} 127.0.0.1\n{tls}"
            f"listener {self._ports['wss']} 127.0.0.1\nprotocol websockets\nsocket_domain ipv4\n{tls}"
            f"listener 0 {self.socket}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self._process = subprocess.Popen(
            [program, "-c", str(self._directory / "conf")], stderr=subprocess.DEVNULL
        )
        for port in self._ports.values():
            eventually(lambda port=port: _accepts(port))

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait()

    def url(self, scheme: str) -> str:
        return f"unix://{self.socket}" if scheme == "unix" else f"{scheme}://127.0.0.1:{self._ports[scheme]}"

    def options(self, scheme: str) -> dict[str, Any]:
        return {"ssl": self.authority.trusted} if scheme in ("mqtts", "wss") else {}


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path_factory.mktemp("mosquitto"), authority)
    yield broker
    broker.stop()


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def broker() -> Iterator[Emulator]:
    """The emulator as an ordinary broker."""
    with Emulator(standard=True, anonymous=True) as emulator:
        yield emulator


class Script:
    """A server that does what a test says, for what no real one does: it answers CONNECT, and then runs the script."""

    def __init__(self, play: Callable[[socket.socket], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"mqtt://127.0.0.1:{self._listener.getsockname()[1]}"
        self._play = play
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if connection.recv(4096)[:1] != b"\x10":
                    continue
                connection.sendall(b"\x20\x02\x00\x00")
                try:
                    self._play(connection)
                except OSError:
                    continue

    def stop(self) -> None:
        # Closing alone does not wake who accepts.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def script() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Starts a server with a script; gives its URL."""
    servers = []

    def start(play: Callable[[socket.socket], None]) -> str:
        server = Script(play)
        servers.append(server)
        return server.url

    yield start
    for server in servers:
        server.stop()
