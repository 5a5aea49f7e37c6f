"""What the examples and the helper with sockets do, against mosquitto and the emulator."""

import time
from pathlib import Path

from harness import Background, Failure, check, run, test

POSIX_TESTS = [
    "another_thread_wakes_it",
    "a_flood_to_itself_comes_back_whole",
    "a_loop_of_the_programs_own_drives_it",
    "closing_acknowledges_nothing_that_was_not_taken",
    "options_that_are_asked_for_are_asked",
    "what_is_wrong_gets_a_status",
]


def subscriber(mosquitto, topic, messages):
    """mosquitto_sub, once it has subscribed."""
    port = mosquitto.ports["mqtt"]
    process = Background("stdbuf", "-oL", "mosquitto_sub", "-d", "-p", port, "-t", topic, "-C", messages, "-q", "2")
    for line in process.process.stdout:
        if "SUBACK" in line:
            return process
    raise Failure("mosquitto_sub did not subscribe")


def told(process):
    """What mosquitto_sub printed of messages, without its notes."""
    return [line for line in process.end().splitlines() if line and not line.startswith(("Client ", "Subscribed"))]


def run_examples(label, directory, mosquitto, emulator, wrapper=()):
    """Every example of one build. `wrapper` stands before each command: valgrind, for instance."""

    def program(name, *args, **options):
        return run(*wrapper, directory / name, *args, timeout=120, **options)

    def background(name, *args):
        return Background(*wrapper, directory / name, *args)

    for scheme in ["mqtt", "ws"]:
        with test(f"{label}: send and listen over {scheme}"):
            url = mosquitto.url(scheme)
            with background("listen", url, "c/heard/+", 2) as listener:
                listener.line("listening")
                for topic, text in [("c/heard/1", "hello"), ("c/heard/2", "wörld")]:
                    check(program("send", url, topic, text)[1] == "sent\n", "send says so")
                listener.line("c/heard/1: hello")
                listener.line("c/heard/2: wörld")
                listener.end()

    with test(f"{label}: send to nobody says why and ends"):
        status, out = program("send", "mqtt://127.0.0.1:1", "t", "x", ok=False)
        check(status == 1 and "the connection was refused: check the port" in out, out)

    secret = {"MQTT_P2P_SECRET_KEY": "SK"}
    key = ["AK", "post-cn-demo", "GID_demo", "dev1", "parent", "hello, me"]
    for transport in ["tcp", "ws"]:
        with test(f"{label}: a P2P message to itself on the emulator over {transport}"):
            _, out = program("p2p_echo", emulator.urls[transport], *key, env=secret)
            check(out == "for GID_demo@@@dev1: hello, me\n", out)
    with test(f"{label}: a wrong secret is told"):
        wrong = {"MQTT_P2P_SECRET_KEY": "no"}
        status, out = program("p2p_echo", emulator.urls["tcp"], *key, env=wrong, ok=False)
        check(status == 1 and "bad user name or password" in out, out)

    with test(f"{label}: what was accepted offline goes out in another run"):
        kept = Path(mosquitto.directory) / f"queue-{time.monotonic_ns()}"
        _, out = program("offline_queue", "mqtt://127.0.0.1:1", kept, "c/queue", "one", "two", "three")
        check(out == "sent 0, left 3\n", out)
        with subscriber(mosquitto, "c/queue", 3) as listener:
            _, out = program("offline_queue", mosquitto.url(), kept, "c/queue")
            check(out == "sent 3, left 0\n", out)
            check(told(listener) == ["one", "two", "three"], "in their order")

    for scheme in ["mqtts", "wss"]:
        with test(f"{label}: TLS over {scheme}"):
            _, out = program("tls", mosquitto.url(scheme), mosquitto.ca, "c/tls", "secretly")
            check(out == "secretly\n", out)
    faults = [
        ("an unknown authority", mosquitto.url("mqtts"), "-", "comes from an unknown authority"),
        ("a port without TLS", f"mqtts://127.0.0.1:{mosquitto.ports['mqtt']}", mosquitto.ca, "does not speak TLS"),
        ("another name", f"mqtts://localhost:{mosquitto.ports['mqtts']}", mosquitto.ca, "is for another name"),
    ]
    for name, url, ca, text in faults:
        with test(f"{label}: TLS tells {name}"):
            status, out = program("tls", url, ca, "c/tls", "x", ok=False)
            check(status == 1 and text in out, out)

    with test(f"{label}: C++ answers what it hears"):
        with background("echo", mosquitto.url(), "c/cpp", 2) as echo:
            echo.line("listening")
            with subscriber(mosquitto, "c/cpp/echo", 2) as listener:
                for text in ["1", "2"]:
                    run("mosquitto_pub", "-p", mosquitto.ports["mqtt"], "-t", "c/cpp", "-m", text, "-q", "2")
                check(told(listener) == ["1", "2"], "both came back")
            echo.end()


def run_posix_tests(label, program, mosquitto, wrapper=()):
    """The tests of the helper with sockets."""
    for scheme in ["mqtt", "ws"]:
        for name in POSIX_TESTS:
            with test(f"{label}: {name} over {scheme}"):
                run(*wrapper, program, name, mosquitto.url(scheme), timeout=120)
    with test(f"{label}: what_tls_could_not_write_comes_again_first"):
        run(*wrapper, program, "what_tls_could_not_write_comes_again_first", mosquitto.url(), timeout=120)
    with test(f"{label}: a_server_that_restarts_gets_what_was_published_meanwhile"):
        name = "a_server_that_restarts_gets_what_was_published_meanwhile"
        with Background(*wrapper, program, name, mosquitto.url()) as process:
            try:
                process.line("connected")
                mosquitto.stop()
                time.sleep(0.5)
            finally:
                if mosquitto.process.poll() is not None:
                    mosquitto.start()
            process.end()
