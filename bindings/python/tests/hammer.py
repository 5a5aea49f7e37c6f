"""8 threads hammer one blocking client over a link that breaks: nothing of QoS 2 is lost or doubled, and nobody waits for
ever. `check` runs it with the core's debug assertions on: `python tests/hammer.py SECONDS`."""

from __future__ import annotations

import sys
import threading
import time

from mqtt_p2p import Client
from mqtt_p2p.testing import Emulator

THREADS = 8


def main(seconds: float) -> None:
    """Raises what is wrong."""
    sent: list[list[str]] = [[] for _ in range(THREADS)]
    errors: list[BaseException] = []
    got: list[str] = []
    with (
        Emulator(standard=True, anonymous=True) as emulator,
        Client(emulator.url, "hammered", backoff=(0.01, 0), takeover_delay=0.02, max_in_flight=50) as client,
        client.subscribe("hammer/#", 2) as messages,
    ):
        end = time.monotonic() + seconds

        def publish(thread: int, mine: list[str]) -> None:
            try:
                while time.monotonic() < end:
                    for _ in range(20):
                        text = f"{thread}/{len(mine)}"
                        mine.append(text)
                        client.publish(f"hammer/{thread}", text, 2, timeout=60)
                    client.publish("elsewhere", b"x" * 100)
                    client.publish("elsewhere", b"x", 1, timeout=60)
            except BaseException as error:
                errors.append(error)

        def read() -> None:
            got.extend(message.text for message in messages)

        reader = threading.Thread(target=read)
        reader.start()
        threads = [threading.Thread(target=publish, args=item) for item in enumerate(sent)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            time.sleep(0.25)
            emulator.cut("hammered")
        for thread in threads:
            thread.join()
        expected = sum(map(len, sent))
        deadline = time.monotonic() + 60
        while len(got) < expected and time.monotonic() < deadline:
            time.sleep(0.01)
        stats = client.stats()
    reader.join()
    assert not errors, errors
    assert len(got) == len(set(got)), "doubled"
    assert set(got) == {text for mine in sent for text in mine}, "lost"
    for thread, mine in enumerate(sent):
        assert [text for text in got if text.startswith(f"{thread}/")] == mine, "out of order"
    print(
        f"{expected} messages of QoS 2 from {THREADS} threads, {stats['connections']} connections: none lost or doubled"
    )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 30)
