"""Writes a sensor's values to a CSV file while a plot of them grows, and saves the plot as PNG.

    python sensor_to_csv.py mqtt://localhost sensors/temperature values.csv values.png --count 100
    python sensor_to_csv.py --demo values.csv values.png     # with an invented sensor, on the emulator

Where there is a screen, the plot is live. It needs matplotlib.
"""

from __future__ import annotations

import argparse
import csv
import math
import threading
import time
from pathlib import Path

import matplotlib.pyplot as plt
from mqtt_p2p import Client
from mqtt_p2p.testing import Emulator


def record(url: str, topic: str, table: Path, picture: Path, count: int) -> None:
    """Takes so many values."""
    times: list[float] = []
    values: list[float] = []
    plt.ion()
    figure, axes = plt.subplots()
    (line,) = axes.plot(times, values)
    axes.set(xlabel="seconds", ylabel=topic)
    with (
        table.open("w", newline="") as file,
        Client(url) as client,
        client.subscribe(topic, qos=1) as messages,
    ):
        rows = csv.writer(file)
        rows.writerow(["seconds", "value"])
        began = time.monotonic()
        for message in messages:
            times.append(time.monotonic() - began)
            values.append(float(message.text))
            rows.writerow([f"{times[-1]:.3f}", values[-1]])
            # Drawing is slow: not while more values wait. Meanwhile the client holds them back, and loses none.
            if not len(messages):
                line.set_data(times, values)
                axes.relim()
                axes.autoscale_view()
                figure.canvas.draw_idle()
                figure.canvas.flush_events()
            if len(values) == count:
                break
    line.set_data(times, values)
    axes.relim()
    axes.autoscale_view()
    figure.savefig(picture)
    print(f"{len(values)} values in {table}, their plot in {picture}")


def invent(url: str, topic: str, count: int) -> None:
    """A sensor that is none."""
    with Client(url) as sensor:
        for number in range(count):
            sensor.publish(topic, f"{20 + math.sin(number / 10):.2f}", qos=1)
            time.sleep(0.005)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Writes a sensor's values to a CSV file and plots them.")
    parser.add_argument("source", nargs="*", metavar="URL TOPIC", help="where the values come from")
    parser.add_argument("table", type=Path, help="the CSV file")
    parser.add_argument("picture", type=Path, help="the PNG file")
    parser.add_argument("--count", type=int, default=100, help="how many values (100)")
    parser.add_argument("--demo", action="store_true", help="invent a sensor, on the emulator")
    options = parser.parse_args()
    if not options.demo:
        if len(options.source) != 2:
            parser.error("give URL and TOPIC, or --demo")
        url, topic = options.source
        record(url, topic, options.table, options.picture, options.count)
        return
    with Emulator(anonymous=True, standard=True) as broker:
        topic = "sensors/invented"
        # Some more than are read: the first may come before somebody listens.
        sensor = threading.Thread(target=invent, args=(broker.url, topic, options.count + 100))
        sensor.start()
        record(broker.url, topic, options.table, options.picture, options.count)
        sensor.join()


if __name__ == "__main__":
    main()
