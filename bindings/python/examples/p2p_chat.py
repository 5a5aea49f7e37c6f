"""A chat over P2P messages: what one types goes to the other, and what the other types appears.

    python p2p_chat.py URL ME OTHER        # the access key comes from the environment, see below
    python p2p_chat.py --demo              # both sides at once, on the emulator

MQTT_P2P_ACCESS_KEY_ID, MQTT_P2P_SECRET_KEY and MQTT_P2P_INSTANCE say how to log in; MQTT_P2P_PARENT is the parent topic.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator

from mqtt_p2p import MqttError, aio, aliyun
from mqtt_p2p.testing import Emulator


async def lines() -> AsyncIterator[str]:
    """What is typed, until the end of the input."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield line.rstrip("\n")


async def chat(client: aio.Client, other: str, typed: AsyncIterator[str]) -> None:
    """Sends what is typed, and shows what comes, until nothing more is typed."""

    async def show() -> None:
        async for message in client.messages:
            print(f"{client.client_id} hears: {message.text}", flush=True)

    showing = asyncio.create_task(show())
    try:
        async for line in typed:
            # It waits for the acknowledgement; a receiver that is away gets it later.
            await client.send_p2p(other, line)
    finally:
        showing.cancel()


async def demo() -> None:
    """Two clients, each with something to say."""
    with Emulator() as emulator:
        alice, bob = emulator.client_id("alice"), emulator.client_id("bob")

        async def says(*texts: str) -> AsyncIterator[str]:
            for text in texts:
                yield text
                await asyncio.sleep(0.1)

        async def side(me: str, other: str, *texts: str) -> None:
            async with aio.Client(
                emulator.url, me, credentials=emulator.credentials, parent="demo"
            ) as client:
                await chat(client, other, says(*texts))

        await asyncio.gather(
            side(alice, bob, "Hello, Bob.", "How are you?"), side(bob, alice, "Hello, Alice.", "Fine.")
        )


async def main(url: str, me: str, other: str) -> None:
    """One side."""
    key = aliyun.Signature(
        os.environ["MQTT_P2P_ACCESS_KEY_ID"],
        os.environ["MQTT_P2P_SECRET_KEY"],
        os.environ["MQTT_P2P_INSTANCE"],
    )
    async with aio.Client(url, me, credentials=key, parent=os.environ["MQTT_P2P_PARENT"]) as client:
        await chat(client, other, lines())


if __name__ == "__main__":
    try:
        asyncio.run(demo() if sys.argv[1:] == ["--demo"] else main(*sys.argv[1:4]))
    except MqttError as error:
        sys.exit(f"p2p_chat: {error}")
