"""What the checks of the C binding share: tests that are counted, programs that are built, servers that are started."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

C = Path(__file__).resolve().parent.parent
ROOT = C.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
OUT = TARGET / "c"

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
STANDARD = {".c": ["-std=c99"], ".cpp": ["-std=c++17"]}
COMPILERS = {"gcc": {".c": "gcc", ".cpp": "g++"}, "clang": {".c": "clang", ".cpp": "clang++"}}

passed = 0
failed = 0


class Failure(Exception):
    """A test that failed, and how."""


def check(condition, what):
    if not condition:
        raise Failure(what)


@contextlib.contextmanager
def test(name):
    """Counts one test."""
    global passed, failed
    try:
        yield
        passed += 1
        print(f"test {name} ... ok", flush=True)
    except (Failure, OSError, subprocess.TimeoutExpired) as failure:
        failed += 1
        print(f"test {name} ... FAILED\n{failure}", flush=True)


def count(output):
    """Counts what a program of tests counted itself."""
    global passed, failed
    found = re.search(r"^test result: (\d+) passed; (\d+) failed", output, re.M)
    check(found, f"no result in:\n{output}")
    passed += int(found[1])
    failed += int(found[2])
    return int(found[2])


def close_and_exit():
    print(f"test result: {'ok' if failed == 0 else 'FAILED'}. {passed} passed; {failed} failed")
    sys.exit(failed != 0)


def run(*command, timeout=600, env=None, cwd=None, ok=True, stdin=None):
    """Runs a command to its end; gives the status, and stdout with stderr."""
    done = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=timeout,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        input=stdin,
    )
    if ok:
        check(done.returncode == 0, f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}")
    return done.returncode, done.stdout


# ---- building ----


def cargo_library(*, profile="dev", args=(), env=None, target=None, target_dir=None):
    """Builds the static library, and says where it lies."""
    command = ["cargo", "rustc", "-q", "-p", "mqtt-p2p-c", "--lib", "--crate-type", "staticlib", "--profile", profile]
    if target:
        command += ["--target", target]
    if target_dir:
        command += ["--target-dir", target_dir]
    run(*command, *args, cwd=ROOT, env=env)
    directory = Path(target_dir or TARGET) / (target or "") / {"dev": "debug"}.get(profile, profile)
    return directory / "libmqttp2p.a"


def sanitized_library():
    """The static library with AddressSanitizer in it as well. The switch is not stable, the sanitizer is."""
    host = re.search(r"host: (.*)", run("rustc", "-vV")[1])[1]
    env = {"RUSTC_BOOTSTRAP": "1", "RUSTFLAGS": "-Zsanitizer=address"}
    return cargo_library(env=env, target=host, target_dir=TARGET / "asan")


def compile_program(compiler, source, out, *, flags=(), libraries=(), helpers=()):
    """Compiles one program, with no warning, and its helpers in C."""
    out.parent.mkdir(parents=True, exist_ok=True)
    objects = []
    for file in [source, *helpers]:
        compiled = out.parent / f"{out.name}-{file.stem}.o"
        command = [COMPILERS[compiler][file.suffix], *STANDARD[file.suffix], *WARNINGS, "-g", *flags]
        run(*command, "-I", C / "include", "-I", C / "tests", "-c", file, "-o", compiled)
        objects.append(compiled)
    run(COMPILERS[compiler][source.suffix], "-g", *flags, *objects, *libraries, "-o", out)
    return out


SYSTEM = ["-lpthread", "-ldl", "-lm"]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
POSIX = C / "posix" / "mqttp2p_posix.c"
OPENSSL = C / "posix" / "mqttp2p_openssl.c"
EXAMPLES = {"send": ".c", "listen": ".c", "p2p_echo": ".c", "offline_queue": ".c", "tls": ".c", "echo": ".cpp"}


def compile_examples(compiler, directory, *, flags=(), library):
    for name, suffix in EXAMPLES.items():
        helpers = [POSIX, OPENSSL] if name == "tls" else [POSIX]
        libraries = [*library, *(["-lssl", "-lcrypto"] if name == "tls" else []), *SYSTEM]
        source = C / "examples" / f"{name}{suffix}"
        compile_program(compiler, source, directory / name, flags=flags, libraries=libraries, helpers=helpers)
    return directory


# ---- servers ----


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise Failure(f"nobody listens on port {port}")


def certificates(directory):
    """An authority, and a server's certificate of it for 127.0.0.1."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"]
    quiet = {"cwd": directory}
    run("openssl", "req", "-x509", *key, "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem", **quiet)
    run("openssl", "req", *key[:-2], "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr", **quiet)
    (directory / "names").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n")
    run("openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", "30", "-extfile", "names", "-out", "server.pem", **quiet)
    for name in ["server.key", "server.pem", "ca.pem"]:
        (directory / name).chmod(0o644)


class Mosquitto:
    """Debian's mosquitto over tcp, tls, ws and wss."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="mqttp2p-c-"))
        self.directory.chmod(0o755)
        certificates(self.directory)
        self.ca = self.directory / "ca.pem"
        self.ports = {scheme: free_port() for scheme in ["mqtt", "mqtts", "ws", "wss"]}
        tls = f"certfile {self.directory}/server.pem\nkeyfile {self.directory}/server.key\n"
        websocket = "protocol websockets\nsocket_domain ipv4\n"
        parts = {"mqtt": "", "mqtts": tls, "ws": websocket, "wss": websocket + tls}
        config = "".join(f"listener {self.ports[scheme]} 127.0.0.1\n{part}" for scheme, part in parts.items())
        (self.directory / "mosquitto.conf").write_text(
            f"{config}allow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n"
        )
        self.start()

    def start(self):
        binary = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        self.log = open(self.directory / "log", "ab")
        command = [binary, "-c", self.directory / "mosquitto.conf"]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        wait_for_port(self.ports["mqtt"])

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()

    def url(self, scheme="mqtt"):
        return f"{scheme}://127.0.0.1:{self.ports[scheme]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory)


class Emulator:
    """The stand-in for ApsaraMQ, with the access key AK and the secret SK."""

    def __init__(self, tcp_port=0):
        run("cargo", "build", "-q", "-p", "mqtt-p2p-cli", cwd=ROOT)
        ports = [f"--{kind}-port=0" for kind in ["ws", "tls", "wss"]]
        command = [TARGET / "debug" / "mqtt-p2p", "emulator", f"--tcp-port={tcp_port}", *ports, "--json"]
        env = {**os.environ, "MQTT_P2P_SECRET_KEY": "SK"}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env
        )
        self.urls = json.loads(self.process.stdout.readline())
        self.directory = Path(tempfile.mkdtemp(prefix="mqttp2p-c-"))
        self.ca = self.directory / "ca.pem"
        self.ca.write_text(self.urls["ca_pem"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.directory)


class Background:
    """A program that runs meanwhile."""

    def __init__(self, *command, env=None):
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(env or {})},
        )

    def line(self, expected):
        got = self.process.stdout.readline().rstrip("\n")
        check(got == expected, f"{self.process.args[0]}: {got!r}, not {expected!r}")

    def end(self, status=0, timeout=60):
        rest, _ = self.process.communicate(timeout=timeout)
        check(self.process.returncode == status, f"{self.process.args[0]} ended with {self.process.returncode}: {rest}")
        return rest

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
