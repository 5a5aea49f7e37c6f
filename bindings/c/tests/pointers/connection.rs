//! From the wish to be connected to the end of a connection, and what is to be seen of it.

use std::ptr::{null, null_mut};

use mqttp2p::*;

use crate::driver::{Heap, NOTHING, bytes, c, login, ok, with_each_memory};

/// MQTT 3.1.1, figures 3.2 to 3.6: name, level, flags, keep alive, then the payload's fields.
#[test]
fn a_log_in_may_be_freed_as_soon_as_it_was_told() {
    with_each_memory(
        |_| {},
        |driver| {
            ok!(mqttp2p_connect(driver.client(), driver.now));
            assert_eq!(driver.expect(MQTTP2P_ACTION_OPEN_TRANSPORT).count, 1);
            let texts = [&b"me"[..], b"u", b"pw", b"w", b"gone"].map(Heap::of);
            let [client_id, user_name, password, will_topic, will_payload] =
                texts.each_ref().map(Heap::range);
            let told = Heap::array(&[mqttp2p_login_t {
                client_id,
                user_name,
                password,
                will_topic,
                will_payload,
                will_qos: 1,
                will_retain: 1,
                ..login(b"")
            }]);
            ok!(mqttp2p_transport_opened(driver.client(), driver.now, told.at()));
            texts.iter().for_each(|text| text.fill(0xee));
            drop((told, texts));
            driver.sends(b"\x10\x1e\0\x04MQTT\x04\xec\0\x3c\0\x02me\0\x01w\0\x04gone\0\x01u\0\x02pw");
            assert_eq!(driver.action().at_ms, driver.now + 10_000);
        },
    );
}

#[test]
fn a_log_in_that_is_wrong_gets_a_status_and_the_attempt_goes_on() {
    with_each_memory(
        |_| {},
        |driver| {
            ok!(mqttp2p_connect(driver.client(), driver.now));
            driver.expect(MQTTP2P_ACTION_OPEN_TRANSPORT);
            let (client, now) = (driver.client(), driver.now);
            let tell = |login: mqttp2p_login_t| c!(mqttp2p_transport_opened(client, now, &raw const login));
            assert_eq!(c!(mqttp2p_transport_opened(client, now, null())), MQTTP2P_E_NULL);
            assert_eq!(tell(login(b"\xff")), MQTTP2P_E_TEXT);
            let nowhere = mqttp2p_bytes_t { len: 1, ..NOTHING };
            assert_eq!(tell(mqttp2p_login_t { client_id: nowhere, ..login(b"") }), MQTTP2P_E_NULL);
            assert_eq!(tell(mqttp2p_login_t { password: nowhere, ..login(b"c") }), MQTTP2P_E_NULL);
            let endless = mqttp2p_bytes_t { len: usize::MAX, ..bytes(b"x") };
            assert_eq!(tell(mqttp2p_login_t { user_name: endless, ..login(b"c") }), MQTTP2P_E_TOO_LARGE);
            assert_eq!(
                tell(mqttp2p_login_t { will_topic: bytes(b"#"), ..login(b"c") }),
                MQTTP2P_E_TOPIC_NAME
            );
            assert_eq!(tell(mqttp2p_login_t { reserved: 1, ..login(b"c") }), MQTTP2P_E_INVALID_ARGUMENT);
            assert_eq!(tell(login(b"c")), MQTTP2P_OK);
            driver.sends(b"\x10\x0d\0\x04MQTT\x04\0\0\x3c\0\x01c");
            // CONNACK 4.
            driver.receive(b"\x20\x02\0\x04");
            driver.expect(MQTTP2P_ACTION_CLOSE_TRANSPORT);
            let refused = driver.expect(MQTTP2P_EVENT_REFUSED);
            assert_eq!((refused.reason, refused.at_ms), (MQTTP2P_REASON_REFUSED_PASSWORD, MQTTP2P_NEVER));
        },
    );
}

#[test]
fn a_connection_is_lost_and_made_again_with_what_was_under_way() {
    with_each_memory(
        |config| (config.backoff_base_ms, config.backoff_cap_ms) = (2000, 0),
        |driver| {
            driver.go_online(0);
            assert_eq!(driver.publish(b"t", b"x", 1), MQTTP2P_OK);
            driver.sends(b"\x32\x06\0\x01t\0\x01x");
            // Half a PUBACK.
            driver.receive(b"\x40\x02");
            driver.expect(MQTTP2P_ACTION_WAIT);
            assert_eq!(driver.left(), 2);
            let closed = |reason| c!(mqttp2p_transport_closed(driver.client(), driver.now, reason));
            assert_eq!(closed(MQTTP2P_REASON_REQUESTED), MQTTP2P_E_INVALID_ARGUMENT);
            driver.lose();
            assert_eq!(driver.action().at_ms, driver.now + 2000);
            driver.sends(b"");
            driver.now += 2000;
            assert_eq!(driver.expect(MQTTP2P_ACTION_OPEN_TRANSPORT).count, 2);
            ok!(mqttp2p_transport_opened(driver.client(), driver.now, &raw const *Box::new(login(b"c"))));
            driver.sends(b"\x10\x0d\0\x04MQTT\x04\0\0\x3c\0\x01c");
            driver.receive(b"\x20\x02\x01\0");
            assert_eq!(driver.expect(MQTTP2P_EVENT_CONNECTED).flag, 1);
            driver.sends(b"\x3a\x06\0\x01t\0\x01x");
            driver.receive(b"\x40\x02\0\x01");
            assert_eq!(driver.expect(MQTTP2P_EVENT_PUBLISHED).ticket, driver.ticket());

            let mut stats = mqttp2p_stats_t::default();
            ok!(mqttp2p_stats(driver.client(), &raw mut stats));
            let counted = mqttp2p_stats_t { connections: 2, resends: 1, ..Default::default() };
            assert_eq!(stats, counted);
            assert_eq!(c!(mqttp2p_stats(driver.client(), null_mut())), MQTTP2P_E_NULL);
        },
    );
}

#[test]
fn pings_go_out_when_they_are_due_or_asked_for() {
    with_each_memory(
        |_| {},
        |driver| {
            driver.go_online(0);
            driver.sends(b"");
            let mut due = 0;
            ok!(mqttp2p_due_at(driver.client(), &raw mut due));
            assert_eq!((due, due), (driver.now + 60_000 / 8 * 7, driver.action().at_ms));
            assert_eq!(c!(mqttp2p_due_at(driver.client(), null_mut())), MQTTP2P_E_NULL);
            driver.now = due;
            driver.sends(b"\xc0\0");
            assert_eq!(c!(mqttp2p_awaits_ping(driver.client())), 1);
            driver.receive(b"\xd0\0");
            driver.sends(b"");
            assert_eq!(c!(mqttp2p_awaits_ping(driver.client())), 0);
            ok!(mqttp2p_ping(driver.client()));
            driver.sends(b"\xc0\0");
            ok!(mqttp2p_hold_reading(driver.client(), driver.now, 1));
            ok!(mqttp2p_hold_reading(driver.client(), driver.now, 0));
            assert_eq!(c!(mqttp2p_hold_reading(driver.client(), driver.now, 2)), MQTTP2P_E_INVALID_ARGUMENT);
        },
    );
}

#[test]
fn a_client_leaves_and_what_waits_can_be_given_up() {
    with_each_memory(
        |_| {},
        |driver| {
            let asked = |driver: &crate::driver::Driver| {
                let client = driver.client();
                [c!(mqttp2p_is_idle(client)), c!(mqttp2p_is_connected(client)), c!(mqttp2p_has_left(client))]
            };
            assert_eq!(c!(mqttp2p_set_protocol(driver.client(), 5)), MQTTP2P_E_INVALID_ARGUMENT);
            ok!(mqttp2p_set_protocol(driver.client(), MQTTP2P_PROTOCOL_V31));
            ok!(mqttp2p_set_protocol(driver.client(), MQTTP2P_PROTOCOL_V311));
            assert_eq!(asked(driver), [1, 0, 0]);
            ok!(mqttp2p_connect(driver.client(), driver.now));
            ok!(mqttp2p_pause(driver.client(), driver.now));
            assert_eq!(driver.expect(MQTTP2P_ACTION_WAIT).at_ms, MQTTP2P_NEVER);
            ok!(mqttp2p_resume(driver.client(), driver.now));
            driver.go_online(0);
            assert_eq!(asked(driver), [0, 1, 0]);
            assert_eq!(c!(mqttp2p_set_protocol(driver.client(), MQTTP2P_PROTOCOL_V31)), MQTTP2P_E_IN_USE);
            ok!(mqttp2p_disconnect(driver.client(), driver.now));
            driver.expect(MQTTP2P_ACTION_CLOSE_TRANSPORT);
            driver.sent(b"\xe0\0");
            assert_eq!(driver.expect(MQTTP2P_EVENT_DISCONNECTED).reason, MQTTP2P_REASON_REQUESTED);
            assert_eq!(driver.publish(b"t", b"x", 2), MQTTP2P_OK);
            driver.sends(b"");
            ok!(mqttp2p_abandon(driver.client()));
            assert_eq!(driver.expect(MQTTP2P_EVENT_DROPPED).ticket, driver.ticket());
            assert_eq!(asked(driver)[..2], [1, 0]);
        },
    );
}
