"""ApsaraMQ's rules and tokens, against the emulator."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import mqtt_p2p
import pytest
from conftest import LONG, eventually, run
from mqtt_p2p import aio, aliyun
from mqtt_p2p.testing import Account, Emulator


def test_the_signature_is_that_of_the_documentation():
    # ApsaraMQ docs, signature authentication: made with openssl dgst -sha1 -hmac.
    assert aliyun.sign("XXXXX", "GID_Test@@@0001") == "vI009IZJZVGRwBwZvnbwjfuXxVM="
    log_in = aliyun.Signature("YYYYY", "XXXXX", "post-cn-example").log_in("GID_Test@@@0001")
    assert log_in == ("Signature|YYYYY|post-cn-example", b"vI009IZJZVGRwBwZvnbwjfuXxVM=")
    precomputed = aliyun.Precomputed("Signature|YYYYY|post-cn-example", "vI009IZJZVGRwBwZvnbwjfuXxVM=")
    assert precomputed.log_in("GID_Test@@@0001") == log_in


def test_credentials_show_no_secret():
    for credentials in (
        aliyun.Signature("AK", "planted", "i"),
        aliyun.DeviceCredential("DC.A", "DC.planted", "i"),
        aliyun.Custom("user", "planted"),
        aliyun.Precomputed("user", "planted"),
        aliyun.IssuedToken("RW", "planted"),
        Account("custom", "user", "planted"),
    ):
        assert "planted" not in repr(credentials)


def test_client_ids_are_checked_and_taken_apart():
    client_id = aliyun.ClientId("GID_Test", "0001")
    assert (str(client_id), client_id.group, client_id.device) == ("GID_Test@@@0001", "GID_Test", "0001")
    assert client_id == aliyun.ClientId("GID_Test@@@0001")
    assert repr(client_id) == "ClientId('GID_Test@@@0001')"
    for wrong in ("Test@@@1", "GID_Test", "GID_Test@@@", "GID_Test@@@" + "x" * 64):
        with pytest.raises(mqtt_p2p.InvalidError):
            aliyun.ClientId(wrong)
    assert str(aliyun.ClientId.custom("anything goes")) == "anything goes"


def test_p2p_topics_are_made_and_taken_apart():
    topic = aliyun.p2p_topic("devices", "GID_Test@@@1")
    match aliyun.parse_p2p(topic):
        case aliyun.P2p(parent, target, None):
            assert (parent, target) == ("devices", "GID_Test@@@1")
        case other:
            pytest.fail(f"{other}")
    assert aliyun.parse_p2p("devices/state") is None
    with pytest.raises(mqtt_p2p.InvalidError):
        aliyun.p2p_topic("a", "GID_Test@@@1")
    assert aliyun.topic_warning("x" * 65) is not None


@pytest.mark.parametrize(
    ("account", "credentials"),
    [
        (Account("access-key", "AK", "SK"), aliyun.Signature("AK", "SK", "post-cn-demo")),
        (
            Account("device", "DC.A", "DC.S", "GID_demo@@@me"),
            aliyun.DeviceCredential("DC.A", "DC.S", "post-cn-demo"),
        ),
        (Account("custom", "user", "secret"), aliyun.Custom("user", "secret")),
        (Account("custom-signed", "user", "secret"), aliyun.Custom("user", "secret", signed=True)),
    ],
)
def test_every_kind_of_credentials_logs_in(account, credentials):
    async def main(url):
        async with aio.Client(url, "GID_demo@@@me", credentials=credentials, parent="demo") as client:
            await client.send_p2p(client.client_id, "x")
            assert (await client.messages.get(LONG)).text == "x"

    with Emulator(accounts=(account,)) as emulator:
        run(main(emulator.url))


def token_client(emulator, source, **options):
    token = aliyun.Token("demo-key", "post-cn-demo", source, **options)
    return aio.Client(
        emulator.url, emulator.client_id("me"), credentials=token, parent="demo", backoff=(0.01, 0)
    )


def test_a_token_is_asked_for_once_and_serves_every_reconnect(emulator):
    asked = []

    async def source(request):
        asked.append(request)
        return await asyncio.to_thread(emulator.issue_token, ["demo/#"])

    async def main():
        async with token_client(emulator, source) as client:
            events = client.events()
            await asyncio.to_thread(emulator.cut_all)
            async for event in events:
                if isinstance(event, mqtt_p2p.Connected):
                    break
            await client.send_p2p(client.client_id, "x", timeout=LONG)
        assert asked == [aliyun.TokenRequest(("RW",), None)]

    run(main())


def test_a_token_is_renewed_on_the_connection_before_it_expires():
    def source(_request):
        return emulator.issue_token(["demo/#"], lifetime=7.0)

    async def main():
        async with token_client(emulator, source) as client:
            async for event in client.events():
                if isinstance(event, mqtt_p2p.TokenRenewed):
                    break
            # The first one has expired by now.
            await asyncio.sleep(max(0, began + 7.2 - time.monotonic()))
            await client.send_p2p(client.client_id, "x", timeout=LONG)
            assert client.stats()["connections"] == 1
        counters = emulator.counters()
        assert counters["uploads"] >= 1
        assert counters["before_upload_ack"] == 0

    with Emulator(min_token_lifetime=1.0) as emulator:
        began = time.monotonic()
        run(main())


def test_a_revoked_token_is_replaced(emulator):
    tokens = []

    def source(_request):
        tokens.append(emulator.issue_token(["demo/#"]))
        return tokens[-1]

    async def main():
        async with token_client(emulator, source) as client:
            events = client.events()
            await asyncio.to_thread(emulator.revoke_token, tokens[0])
            kinds = []
            async for event in events:
                kinds.append(type(event))
                if isinstance(event, mqtt_p2p.Connected):
                    break
            assert mqtt_p2p.TokenInvalid in kinds
            await client.send_p2p(client.client_id, "x", timeout=LONG)
        assert len(tokens) == 2

    run(main())


def test_a_source_that_fails_is_told_and_is_why_there_is_no_connection(emulator):
    def source(_request):
        raise OSError("the token server is away")

    async def main():
        client = token_client(emulator, source)
        failed = []
        client.on_event(lambda event: failed.append(event))
        with pytest.raises(mqtt_p2p.ConnectError) as caught:
            await client.connect()
        assert caught.value.kind == "no-log-in"
        assert any(isinstance(event, mqtt_p2p.TokenFailed) and "away" in event.detail for event in failed)

    run(main())


def test_a_token_at_hand_is_used_first(emulator):
    def source(_request):
        pytest.fail("there is one")

    async def main():
        at_hand = await asyncio.to_thread(emulator.issue_token, ["demo/#"])
        async with token_client(emulator, source, at_hand=(at_hand,)) as client:
            assert client.is_connected

    run(main())


def test_a_suspicion_says_what_the_service_may_have_closed_for():
    async def main(url, me):
        async with aio.Client(url, me, credentials=emulator.credentials, backoff=(5, 0)) as client:
            events = client.events()
            await client.publish("typo/state", "x")
            async for event in events:
                assert event.likely_cause is not None
                assert "typo" in event.likely_cause
                break

    with Emulator(parents=["demo"]) as emulator:
        run(main(emulator.url, emulator.client_id("me")))


def test_the_service_s_limits_hold_with_its_credentials(emulator):
    async def main():
        me = emulator.client_id("me")
        async with aio.Client(emulator.url, me, credentials=emulator.credentials) as client:
            with pytest.raises(mqtt_p2p.InvalidError, match="65536"):
                await client.publish("demo/t", b"x" * 65_537)
            with pytest.raises(mqtt_p2p.InvalidError, match="retain"):
                await client.publish("demo/t", b"x", retain=True)

    run(main())


def test_messages_for_who_is_away_wait(emulator):
    async def main():
        alice, bob = emulator.client_id("alice"), emulator.client_id("bob")
        common = {"credentials": emulator.credentials, "parent": "demo"}
        async with aio.Client(emulator.url, alice, **common) as a:
            await a.send_p2p(bob, "later")
            eventually(lambda: emulator.offline_messages(bob) == 1)
            async with aio.Client(emulator.url, bob, **common) as b:
                assert (await b.messages.get(LONG)).text == "later"

    run(main())


def test_the_fixture_is_a_plugin_of_pytest(tmp_path):
    tmp_path.joinpath("conftest.py").write_text('pytest_plugins = ["mqtt_p2p.testing"]\n')
    tmp_path.joinpath("test_it.py").write_text(
        "import mqtt_p2p\n"
        "def test_it(mqtt_emulator):\n"
        "    me = mqtt_emulator.client_id('me')\n"
        "    with mqtt_p2p.Client(mqtt_emulator.url, me, credentials=mqtt_emulator.credentials) as client:\n"
        "        client.send_p2p(me, 'x', parent='demo')\n"
        "        assert client.messages.get(20).text == 'x'\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"], cwd=tmp_path, capture_output=True, text=True
    )
    assert "1 passed" in done.stdout, done.stdout
