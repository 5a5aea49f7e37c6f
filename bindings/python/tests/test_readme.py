"""The README's programs, exactly as they stand there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
PROGRAMS = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
EXPECTED = ["demo/p2p/GID_demo@@@me hello, me\n", "", "sensors/kitchen 21.5\n"]


def test_there_is_a_p2p_message_in_at_most_12_lines():
    assert "send_p2p" in PROGRAMS[0]
    assert len(PROGRAMS[0].splitlines()) <= 12


@pytest.mark.parametrize(("program", "expected"), list(zip(PROGRAMS, EXPECTED, strict=True)))
def test_a_program_does_what_the_readme_says(tmp_path, program, expected):
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == (expected, "")
