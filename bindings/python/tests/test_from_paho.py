"""The page for who comes from paho-mqtt names only what there is."""

from __future__ import annotations

import re
from pathlib import Path

import mqtt_p2p
import pytest

PAGE = (Path(__file__).parent.parent / "from-paho.md").read_text()
HERE = [row.split("|")[2] for row in PAGE.splitlines() if row.startswith("| ")]


@pytest.mark.parametrize(
    "name",
    sorted(set(re.findall(r"`(?:with )?(?:mqtt_p2p\.)?((?:aio\.)?(?:Client|Message)\.\w+)", str(HERE)))),
)
def test_what_the_page_names_exists(name):
    found = mqtt_p2p
    for part in name.split("."):
        found = getattr(found, part)
    if name.startswith("Client."):
        assert hasattr(mqtt_p2p.aio.Client, name.split(".")[1]) or name == "Client.run_forever"


@pytest.mark.parametrize("option", sorted(set(re.findall(r"options? `(\w+)", str(HERE)))))
def test_what_the_page_calls_an_option_is_one(option):
    assert option in mqtt_p2p.Options.__annotations__


@pytest.mark.parametrize("error", sorted(set(re.findall(r"`([A-Z]\w+(?:Error|Full))`", PAGE))))
def test_the_errors_of_the_page_exist(error):
    assert issubclass(getattr(mqtt_p2p, error), mqtt_p2p.MqttError)
