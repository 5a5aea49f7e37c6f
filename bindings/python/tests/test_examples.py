"""The examples run."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"


def output_of(name: str, *arguments: object) -> str:
    command = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    environment = {**os.environ, "MPLBACKEND": "agg"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_chat_over_p2p_messages():
    heard = output_of("p2p_chat.py", "--demo").splitlines()
    assert sorted(line for line in heard if line.startswith("GID_demo@@@bob")) == [
        "GID_demo@@@bob hears: Hello, Bob.",
        "GID_demo@@@bob hears: How are you?",
    ]


def test_a_sensor_s_values_become_a_table_and_a_picture(tmp_path):
    table, picture = tmp_path / "values.csv", tmp_path / "values.png"
    output_of("sensor_to_csv.py", "--demo", table, picture)
    with table.open() as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["seconds", "value"]
    assert len(rows) == 101
    assert all(19 <= float(value) <= 21 for _, value in rows[1:])
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_notebook_runs_from_top_to_bottom():
    assert output_of("notebook.py") == "Message('lab/pressure', b'1013', qos=0)\n3 values, 20.0 on average\n"
