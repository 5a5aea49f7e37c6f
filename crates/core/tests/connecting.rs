//! The life of a connection: log-in, refusal, loss, back-off, takeover, leaving, pause.

mod common;

use common::{Driver, LOGIN, RETRY, Seen, config, filter, message, server};
use mqtt_p2p_core::{
    Backoff, Config, DecodeError, DisconnectReason, EncodeError, Inline, Limits, Login, PacketType, Protocol,
    QoS, ReasonCode, TopicName, TransportError, Will,
};
use mqtt_p2p_packet::{Connect, Packet};

fn will() -> Will<'static> {
    Will::new(TopicName::new("site/gone").unwrap(), b"bye").with_qos(QoS::AtLeastOnce).with_retain(true)
}

fn disconnected(reason: DisconnectReason, retry_at: Option<u64>) -> Seen {
    Seen::Disconnected { reason, retry_at }
}

fn broken(retry_at: Option<u64>) -> Seen {
    disconnected(DisconnectReason::Transport(TransportError::Broken), retry_at)
}

/// What the client says after it has been let go of: nothing, however long one waits.
fn assert_stays_away(driver: &mut Driver) {
    driver.pass(1_000_000);
    assert_eq!(driver.take_seen(), []);
    assert_eq!(driver.wait, None);
}

// ---- CONNECT ----

#[test]
fn connect_carries_what_login_and_configuration_say() {
    for protocol in [Protocol::V31, Protocol::V311] {
        for clean_session in [false, true] {
            let login = Login::new("GID_a@@@1").with_password("user", b"pass\0word").with_will(will());
            let mut driver = Driver::new(
                config().with_protocol(protocol).with_clean_session(clean_session).with_keep_alive_secs(77),
            );
            driver.connect();
            driver.opened_as(&login);
            driver.only_sent(|packet| {
                assert_eq!(
                    packet,
                    Packet::Connect(
                        Connect::new("GID_a@@@1")
                            .with_protocol(protocol)
                            .with_clean_session(clean_session)
                            .with_keep_alive(77)
                            .with_will(will())
                            .with_user_name("user")
                            .with_password(b"pass\0word")
                    )
                );
            });
        }
    }
}

#[test]
fn after_a_refused_protocol_version_an_older_one_can_be_spoken() {
    let mut driver = Driver::new(config());
    driver.connect();
    driver.opened();
    driver.only_sent(|packet| assert!(matches!(packet, Packet::Connect(c) if c.protocol == Protocol::V311)));
    // CONNECT has gone out: its edition is settled.
    assert!(!driver.client.set_protocol(Protocol::V31));
    driver.receive(&server::refusal(ReasonCode::UnsupportedProtocolVersion));
    assert!(driver.client.set_protocol(Protocol::V31));
    driver.connect();
    driver.opened();
    driver.only_sent(|packet| assert!(matches!(packet, Packet::Connect(c) if c.protocol == Protocol::V31)));
    driver.receive(&server::connack(false));
    assert!(driver.client.is_connected());
    assert!(!driver.client.set_protocol(Protocol::V311));
    assert_eq!(driver.client.config().protocol, Protocol::V31);
}

#[test]
fn nothing_goes_out_before_connack_but_connect() {
    let mut driver = Driver::new(config());
    driver.publish("t", b"early", QoS::AtLeastOnce);
    driver.connect();
    driver.opened();
    driver.publish("t", b"still early", QoS::AtMostOnce);
    assert_eq!(driver.take_sent(), ["CONNECT"]);
    driver.receive(&server::connack(false));
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #1 t=early", "PUBLISH q0 t=still early"]);
}

#[test]
fn keep_alive_stays_within_the_limits_and_is_not_turned_off_where_there_is_one() {
    let limited = Limits::none().with_max_keep_alive_secs(90);
    for (keep_alive_secs, limits, carried) in [
        (0, Limits::none(), 0),
        (65_535, Limits::none(), 65_535),
        (0, limited, 90),
        (30, limited, 30),
        (91, limited, 90),
    ] {
        let mut driver = Driver::new(config().with_keep_alive_secs(keep_alive_secs).with_limits(limits));
        driver.connect();
        driver.opened();
        driver.only_sent(|packet| {
            let Packet::Connect(connect) = packet else { panic!("{packet:?}") };
            assert_eq!(connect.keep_alive, carried);
        });
    }
}

#[test]
fn a_will_is_refused_where_the_service_knows_none() {
    let mut driver = Driver::new(config().with_limits(Limits::none().with_will(false)));
    driver.connect();
    driver.forget();
    driver.opened_as(&LOGIN.with_will(will()));
    assert_eq!(driver.take_seen(), [Seen::Close, disconnected(DisconnectReason::WillUnsupported, None)]);
    assert_eq!(driver.take_sent(), [""; 0]);
    assert_stays_away(&mut driver);
}

#[test]
fn a_login_that_can_not_be_sent_is_reported_and_not_tried_again() {
    let long = "x".repeat(65_536);
    let mut without_user_name = LOGIN;
    without_user_name.password = Some(b"secret");
    for (login, error) in [
        (Login::new(&long), EncodeError::FieldTooLong),
        (Login::new("a\0b"), EncodeError::InvalidText),
        (without_user_name, EncodeError::PasswordWithoutUserName),
        (Login::new(""), EncodeError::EmptyClientId),
        (Login::new(&long[..600]), EncodeError::BufferTooSmall { needed: 615 }),
    ] {
        let mut driver = Driver::new(config());
        driver.connect();
        driver.forget();
        driver.opened_as(&login);
        assert_eq!(
            driver.take_seen(),
            [Seen::Close, disconnected(DisconnectReason::InvalidLogin(error), None)]
        );
        assert_stays_away(&mut driver);
    }
}

#[cfg(feature = "alloc")]
#[test]
fn a_log_in_makes_memory_grow_that_can() {
    let mut driver = Driver::with(config(), mqtt_p2p_core::Growing::default());
    driver.connect();
    driver.opened_as(&LOGIN.with_password("user", &[b'x'; 3_000]));
    assert_eq!(driver.take_sent(), ["CONNECT"]);
}

// ---- the answer ----

#[test]
fn connected_is_reported_with_the_word_on_the_session() {
    for session_present in [false, true] {
        let mut driver = Driver::new(config());
        driver.connect();
        assert_eq!(driver.take_seen(), [Seen::Open(1)]);
        driver.opened();
        assert!(!driver.client.is_connected());
        driver.receive(&server::connack(session_present));
        assert_eq!(driver.take_seen(), [Seen::Connected { session_present }]);
        assert!(driver.client.is_connected());
        assert_eq!(driver.client.stats().connections, 1);
    }
}

#[test]
fn a_session_that_was_to_be_clean_is_a_contradiction() {
    let mut driver = Driver::new(config().with_clean_session(true));
    driver.connect();
    driver.opened();
    driver.forget();
    driver.receive(&server::connack(true));
    assert_eq!(
        driver.take_seen(),
        [Seen::Close, disconnected(DisconnectReason::Contradiction, Some(driver.now + RETRY))]
    );
}

#[test]
fn a_refusal_that_would_come_again_is_not_retried() {
    for reason in [
        ReasonCode::UnsupportedProtocolVersion,
        ReasonCode::ClientIdentifierNotValid,
        ReasonCode::BadUserNameOrPassword,
        ReasonCode::NotAuthorized,
    ] {
        let mut driver = Driver::new(config());
        driver.connect();
        driver.opened();
        driver.forget();
        driver.receive(&server::refusal(reason));
        let refused = Seen::Refused { reason, retry_at: None };
        assert_eq!(driver.take_seen(), [Seen::Close, refused]);
        assert_stays_away(&mut driver);
        driver.connect();
        assert_eq!(driver.take_seen(), [Seen::Open(2)], "with other credentials, say");
    }
}

#[test]
fn an_unavailable_server_is_asked_again() {
    let mut driver = Driver::new(config());
    driver.connect();
    driver.opened();
    driver.forget();
    driver.receive(&server::refusal(ReasonCode::ServerUnavailable));
    let refused = Seen::Refused { reason: ReasonCode::ServerUnavailable, retry_at: Some(driver.now + RETRY) };
    assert_eq!(driver.take_seen(), [Seen::Close, refused]);
    driver.pass(RETRY);
    assert_eq!(driver.take_seen(), [Seen::Open(2)]);
}

#[test]
fn a_packet_other_than_connack_before_it_closes() {
    for (bytes, packet) in [
        (server::pingresp(), PacketType::PingResp),
        (server::publish(1, QoS::AtMostOnce, false, b"x"), PacketType::Publish),
        (server::suback(1, &[0]), PacketType::SubAck),
    ] {
        let mut driver = Driver::new(config());
        driver.connect();
        driver.opened();
        driver.forget();
        driver.receive(&bytes);
        assert_eq!(
            driver.take_seen(),
            [Seen::Close, disconnected(DisconnectReason::Unexpected(packet), Some(driver.now + RETRY))]
        );
    }
}

#[test]
fn a_second_connack_closes_and_so_does_what_only_a_client_may_send() {
    for (bytes, packet) in [
        (server::connack(false), PacketType::ConnAck),
        (server::encoded(&Packet::PingReq), PacketType::PingReq),
        (server::encoded(&Packet::Disconnect), PacketType::Disconnect),
    ] {
        let mut driver = Driver::online(config());
        driver.receive(&bytes);
        assert_eq!(
            driver.take_seen(),
            [Seen::Close, disconnected(DisconnectReason::Unexpected(packet), Some(driver.now + RETRY))]
        );
    }
}

#[test]
fn a_malformed_connack_closes_with_its_fault() {
    for (bytes, fault) in [
        ([0x20, 2, 0, 9], DecodeError::InvalidReturnCode(9)),
        ([0x20, 2, 2, 0], DecodeError::InvalidConnAckFlags(2)),
        // A refusal with a session.
        ([0x20, 2, 1, 5], DecodeError::InvalidConnAckFlags(1)),
    ] {
        let mut driver = Driver::new(config());
        driver.connect();
        driver.opened();
        driver.forget();
        driver.receive(&bytes);
        let retry_at = Some(driver.now + RETRY);
        assert_eq!(
            driver.take_seen(),
            [Seen::Close, disconnected(DisconnectReason::Malformed(fault), retry_at)]
        );
    }
}

#[test]
fn a_connack_before_connect_has_gone_out_closes() {
    let mut driver = Driver::new(config());
    driver.connect();
    driver.writable = 3;
    driver.opened();
    driver.forget();
    driver.receive(&server::connack(false));
    assert_eq!(
        driver.take_seen(),
        [
            Seen::Close,
            disconnected(DisconnectReason::Unexpected(PacketType::ConnAck), Some(driver.now + RETRY))
        ]
    );
}

// ---- the deadline ----

#[test]
fn the_deadline_covers_dialling_handshake_and_connack() {
    let config = config().with_connect_timeout_ms(3_000);
    let timeout = |driver: &Driver| {
        [Seen::Close, disconnected(DisconnectReason::ConnectTimeout, Some(driver.now + RETRY))]
    };

    let mut driver = Driver::new(config);
    driver.connect();
    driver.forget();
    assert_eq!(driver.wait, Some(driver.now + 3_000));
    driver.pass(2_999);
    assert_eq!(driver.take_seen(), []);
    driver.pass(1);
    assert_eq!(driver.take_seen(), timeout(&driver), "while dialling");

    let mut driver = Driver::new(config);
    driver.connect();
    driver.pass(2_000);
    driver.opened();
    driver.forget();
    assert_eq!(driver.wait, Some(driver.now + 1_000));
    driver.pass(1_000);
    assert_eq!(driver.take_seen(), timeout(&driver), "waiting for CONNACK");

    let mut driver = Driver::new(config);
    driver.connect();
    driver.writable = 5;
    driver.opened();
    driver.forget();
    driver.pass(3_000);
    assert_eq!(driver.take_seen(), timeout(&driver), "with CONNECT still on its way");
}

#[test]
fn connack_at_the_last_moment_is_in_time() {
    let mut driver = Driver::new(config());
    driver.connect();
    driver.opened();
    driver.now += 10_000;
    driver.receive(&server::connack(false));
    assert!(driver.client.is_connected());
}

// ---- leaving ----

#[test]
fn disconnect_while_dialling_gives_up_and_stays_away() {
    let mut driver = Driver::new(config());
    driver.connect();
    driver.forget();
    driver.disconnect();
    assert_eq!(driver.take_seen(), [Seen::Close, disconnected(DisconnectReason::Requested, None)]);
    driver.opened();
    driver.lost();
    driver.lost();
    assert_eq!(driver.take_sent(), [""; 0]);
    assert_stays_away(&mut driver);
}

#[test]
fn disconnect_before_connack_says_so_once_connack_has_come() {
    let mut driver = Driver::new(config());
    driver.connect();
    driver.opened();
    driver.publish("t", b"x", QoS::AtLeastOnce);
    driver.forget();
    driver.disconnect();
    assert_eq!((driver.take_sent(), driver.take_seen()), (vec![], vec![]));
    driver.receive(&server::connack(false));
    // Without DISCONNECT the server would publish the will ([MQTT-3.1.2-8]).
    assert_eq!(driver.take_sent(), ["DISCONNECT"]);
    assert_eq!(driver.take_seen(), [Seen::Close, disconnected(DisconnectReason::Requested, None)]);
    driver.lost();
    driver.lost();
    assert_stays_away(&mut driver);
}

#[test]
fn disconnect_before_connack_waits_for_it_no_longer_than_an_attempt_may_take() {
    let mut driver = Driver::new(config());
    driver.connect();
    driver.opened();
    driver.disconnect();
    driver.forget();
    driver.pass(u64::from(config().connect_timeout_ms));
    assert_eq!(driver.take_sent(), [""; 0]);
    assert_eq!(driver.take_seen(), [Seen::Close, disconnected(DisconnectReason::Requested, None)]);
    assert_stays_away(&mut driver);
}

#[test]
fn disconnect_before_connect_has_gone_out_closes_at_once() {
    let mut driver = Driver::new(config());
    driver.connect();
    driver.writable = 5;
    driver.opened();
    driver.forget();
    driver.disconnect();
    assert_eq!(driver.take_seen(), [Seen::Close, disconnected(DisconnectReason::Requested, None)]);
    driver.receive(&server::connack(false));
    driver.lost();
    assert_stays_away(&mut driver);
}

#[test]
fn connect_after_a_disconnect_that_waits_for_connack_takes_it() {
    let mut driver = Driver::new(config());
    driver.connect();
    driver.opened();
    driver.disconnect();
    driver.connect();
    driver.forget();
    driver.receive(&server::connack(false));
    assert_eq!(driver.take_seen(), [Seen::Connected { session_present: false }]);
}

#[test]
fn disconnect_while_a_retry_is_waited_for_stays_away() {
    let mut driver = Driver::online(config());
    driver.lost();
    driver.forget();
    driver.disconnect();
    assert_stays_away(&mut driver);
}

#[test]
fn disconnect_before_the_loss_is_reported_promises_no_retry() {
    let mut driver = Driver::online(config());
    driver.checks.closed();
    driver.client.transport_closed(driver.instant(), TransportError::Broken);
    driver.disconnect();
    assert_eq!(driver.take_seen(), [broken(None)]);
    assert_stays_away(&mut driver);
}

#[test]
fn disconnect_sends_what_may_be_sent_then_disconnect_then_closes() {
    let mut driver = Driver::online(config());
    let ticket = driver.try_publish(&message("t", b"last words", QoS::AtMostOnce)).unwrap();
    driver.disconnect();
    assert_eq!(driver.take_sent(), ["PUBLISH q0 t=last words", "DISCONNECT"]);
    assert_eq!(
        driver.take_seen(),
        [Seen::Published(ticket), Seen::Close, disconnected(DisconnectReason::Requested, None)]
    );
    driver.lost();
    driver.lost();
    assert_stays_away(&mut driver);
}

#[test]
fn disconnect_twice_says_it_once() {
    let mut driver = Driver::online(config());
    driver.client.disconnect(driver.instant());
    driver.disconnect();
    driver.disconnect();
    assert_eq!(driver.take_sent(), ["DISCONNECT"]);
    assert_eq!(driver.take_seen(), [Seen::Close, disconnected(DisconnectReason::Requested, None)]);
}

#[test]
fn the_peer_may_close_while_the_client_leaves() {
    for sent in [0, 1] {
        let mut driver = Driver::online(config());
        driver.writable = sent;
        driver.disconnect();
        driver.closed(TransportError::ClosedByPeer);
        let seen = driver.take_seen();
        assert!(matches!(seen[..], [Seen::Disconnected { retry_at: None, .. }]), "{seen:?}");
        assert_stays_away(&mut driver);
    }
}

#[test]
fn leaving_has_a_deadline() {
    for accepted in [0, 1, 7] {
        let mut driver = Driver::online(config());
        driver.writable = accepted;
        driver.try_publish(&message("t", b"stuck", QoS::AtLeastOnce)).unwrap();
        driver.disconnect();
        driver.pass(9_999);
        assert_eq!(driver.take_seen(), []);
        driver.pass(1);
        assert_eq!(driver.take_seen(), [Seen::Close, disconnected(DisconnectReason::Requested, None)]);
        assert_stays_away(&mut driver);
    }
}

#[test]
fn what_is_published_while_leaving_waits_for_the_next_connection() {
    let mut driver = Driver::online(config());
    driver.writable = 0;
    driver.disconnect();
    driver.publish("t", b"later", QoS::AtLeastOnce);
    driver.writable = usize::MAX;
    driver.run();
    assert_eq!(driver.take_sent(), ["DISCONNECT"]);
    driver.go_online(false);
    assert_eq!(driver.take_sent(), ["CONNECT", "PUBLISH q1 #1 t=later"]);
}

#[test]
fn messages_that_come_while_leaving_are_delivered_and_acknowledged() {
    let mut driver = Driver::online(config());
    driver.writable = 0;
    driver.publish("t", b"y", QoS::AtMostOnce);
    driver.disconnect();
    driver.receive(&server::publish(5, QoS::AtLeastOnce, false, b"x"));
    driver.writable = usize::MAX;
    driver.run();
    assert_eq!(driver.take_payloads(), ["x"]);
    assert_eq!(driver.take_sent(), ["PUBACK #5", "PUBLISH q0 t=y", "DISCONNECT"]);
}

#[test]
fn connect_while_leaving_comes_back_at_once() {
    let mut driver = Driver::online(config());
    driver.writable = 0;
    driver.disconnect();
    driver.connect();
    driver.writable = usize::MAX;
    driver.run();
    assert_eq!(driver.take_sent(), ["DISCONNECT"]);
    assert_eq!(
        driver.take_seen(),
        [Seen::Close, disconnected(DisconnectReason::Requested, Some(driver.now)), Seen::Open(2)]
    );
}

#[test]
fn every_attempt_ends_once_however_often_its_end_is_reported() {
    let mut driver = Driver::online(config());
    driver.lost();
    driver.lost();
    driver.lost();
    assert_eq!(driver.take_seen(), [broken(Some(driver.now + RETRY))]);
    driver.pass(RETRY);
    driver.opened();
    driver.receive(&server::connack(true));
    assert_eq!(driver.take_seen(), [Seen::Open(2), Seen::Connected { session_present: true }]);
}

#[test]
fn a_transport_that_opens_without_having_been_asked_for_is_ignored() {
    let mut driver = Driver::new(config());
    driver.opened();
    driver.lost();
    assert_eq!(driver.take_seen(), []);
    assert_eq!(driver.take_sent(), [""; 0]);
}

#[test]
fn bytes_that_follow_the_end_are_discarded() {
    let mut driver = Driver::online(config());
    let mut rest: &[u8] = &server::publish(1, QoS::AtMostOnce, false, b"old");
    driver.disconnect();
    let _ = driver.client.poll(driver.instant(), &mut rest);
    assert_eq!(rest, b"");
}

// ---- back-off ----

/// The wait after each of so many failures to dial in a row.
fn delays(backoff: Backoff, seed: u64, failures: usize) -> Vec<u64> {
    let client = mqtt_p2p_core::Client::new(config().with_backoff(backoff), seed, common::Small::new());
    let mut driver = Driver::around(client);
    driver.connect();
    let delays = (0..failures).map(|_| {
        driver.forget();
        driver.lost();
        let seen = driver.take_seen();
        let Seen::Disconnected { retry_at: Some(at), .. } = seen[0] else { panic!("{seen:?}") };
        let delay = at - driver.now;
        driver.pass(delay);
        delay
    });
    delays.collect()
}

#[test]
fn back_off_takes_any_time_up_to_a_bound_that_doubles_up_to_its_cap() {
    let backoff = Backoff::Exponential { base_ms: 1_000, cap_ms: 5_000 };
    let bounds = [1_000, 2_000, 4_000, 5_000, 5_000];
    let mut longest = [0; 5];
    let mut shortest = [u64::MAX; 5];
    for seed in 0..500 {
        for (index, delay) in delays(backoff, seed, 5).into_iter().enumerate() {
            assert!(delay <= bounds[index], "{delay} after failure {index}");
            longest[index] = longest[index].max(delay);
            shortest[index] = shortest[index].min(delay);
        }
    }
    for index in 0..5 {
        assert!(longest[index] > bounds[index] * 95 / 100, "up to {} after failure {index}", longest[index]);
        assert!(shortest[index] < bounds[index] / 20, "from {} after failure {index}", shortest[index]);
    }
}

#[test]
fn back_off_outlives_any_number_of_failures() {
    let backoff = Backoff::Exponential { base_ms: 1, cap_ms: u32::MAX };
    assert!(delays(backoff, 7, 100).iter().all(|delay| *delay <= u64::from(u32::MAX)));
}

#[test]
fn two_seeds_do_not_come_back_in_step() {
    let backoff = Config::new().backoff;
    assert_ne!(delays(backoff, 1, 5), delays(backoff, 2, 5));
    assert_eq!(delays(backoff, 1, 5), delays(backoff, 1, 5));
}

#[test]
fn a_fixed_delay_stays_the_same() {
    assert_eq!(delays(Backoff::Fixed { delay_ms: 2_000 }, 3, 4), [2_000; 4]);
}

/// The attempt that follows a connection which ended in this way after so long.
fn attempt_after(lasted: u64, end: impl FnOnce(&mut Driver)) -> u32 {
    let mut driver = Driver::new(config());
    driver.connect();
    driver.lost();
    driver.pass(RETRY);
    driver.opened();
    driver.receive(&server::connack(false));
    for _ in 0..lasted / 1_000 {
        driver.pass(1_000);
        driver.receive(&server::pingresp());
    }
    driver.forget();
    end(&mut driver);
    driver.connect();
    match driver.take_seen().last() {
        Some(Seen::Open(attempt)) => *attempt,
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_a_stable_connection_resets_the_back_off() {
    assert_eq!(attempt_after(29_000, Driver::lost), 3);
    assert_eq!(attempt_after(30_000, Driver::lost), 1);
}

#[test]
fn a_stable_connection_resets_the_back_off_also_if_it_is_left_on_purpose() {
    assert_eq!(attempt_after(29_000, Driver::disconnect), 3);
    assert_eq!(attempt_after(30_000, Driver::disconnect), 1);
}

#[test]
fn connect_brings_a_retry_forward() {
    let mut driver = Driver::online(config());
    driver.lost();
    driver.forget();
    driver.connect();
    assert_eq!(driver.take_seen(), [Seen::Open(2)]);
}

// ---- takeover ----

#[test]
fn three_short_lives_in_a_row_look_like_a_takeover_and_are_backed_off_long() {
    let mut driver = Driver::new(config());
    driver.connect();
    for life in 1..=4 {
        driver.opened();
        driver.receive(&server::connack(true));
        driver.pass(5_000);
        driver.forget();
        driver.closed(TransportError::ClosedByPeer);
        let seen = driver.take_seen();
        let Seen::Disconnected { reason, retry_at: Some(at) } = seen[0] else { panic!("{seen:?}") };
        let delay = at - driver.now;
        if life < 3 {
            assert_eq!(reason, DisconnectReason::Transport(TransportError::ClosedByPeer));
            assert_eq!(delay, RETRY);
        } else {
            assert_eq!(reason, DisconnectReason::TakeoverSuspected);
            assert!((30_000..=60_000).contains(&delay), "{delay}");
        }
        driver.pass(delay);
    }
}

#[test]
fn a_stable_connection_ends_the_suspicion() {
    let mut driver = Driver::new(config());
    driver.connect();
    for stays in [0, 0, 30_000, 0, 0] {
        driver.opened();
        driver.receive(&server::connack(true));
        driver.pass(stays);
        driver.forget();
        driver.lost();
        assert_eq!(driver.take_seen(), [broken(Some(driver.now + RETRY))]);
        driver.pass(RETRY);
    }
}

#[test]
fn closes_for_what_the_server_sent_are_no_takeover() {
    let mut driver = Driver::new(config());
    driver.connect();
    for _ in 0..5 {
        driver.opened();
        driver.receive(&server::connack(true));
        driver.forget();
        driver.receive(&[0xf0, 0]);
        let seen = driver.take_seen();
        assert!(
            matches!(
                seen[..],
                [Seen::Close, Seen::Disconnected { reason: DisconnectReason::Malformed(_), .. }]
            ),
            "{seen:?}"
        );
        driver.pass(RETRY);
    }
}

#[test]
fn closes_that_the_client_itself_brought_about_are_no_takeover() {
    let mut driver = Driver::new(config());
    for _ in 0..5 {
        driver.go_online(true);
        driver.forget();
        driver.disconnect();
        assert_eq!(driver.take_seen(), [Seen::Close, disconnected(DisconnectReason::Requested, None)]);
    }
}

// ---- pause and resume ----

#[test]
fn pause_while_dialling_gives_up_until_resume() {
    for opened in [false, true] {
        let mut driver = Driver::new(config());
        driver.connect();
        if opened {
            driver.opened();
        }
        driver.forget();
        driver.pause();
        assert_eq!(driver.take_seen(), [Seen::Close, disconnected(DisconnectReason::Paused, None)]);
        assert_stays_away(&mut driver);
        driver.resume();
        assert_eq!(driver.take_seen(), [Seen::Open(2)]);
    }
}

#[test]
fn while_paused_no_timer_runs() {
    let mut driver = Driver::online(config());
    driver.pause();
    assert_eq!(driver.wait, None);
    driver.pass(10_000_000);
    assert_eq!(driver.take_sent(), [""; 0]);
    assert_eq!(driver.take_seen(), []);
}

#[test]
fn while_paused_what_comes_is_delivered_and_what_is_published_goes_out() {
    let mut driver = Driver::online(config());
    driver.pause();
    driver.receive(&server::publish(1, QoS::AtLeastOnce, false, b"x"));
    driver.publish("t", b"y", QoS::AtMostOnce);
    assert_eq!(driver.take_payloads(), ["x"]);
    assert_eq!(driver.take_sent(), ["PUBACK #1", "PUBLISH q0 t=y"]);
}

#[test]
fn a_connection_closed_while_paused_is_dialled_at_resume() {
    let mut driver = Driver::online(config());
    driver.pause();
    driver.lost();
    assert_eq!(driver.take_seen(), [broken(None)]);
    assert_stays_away(&mut driver);
    driver.resume();
    assert_eq!(driver.take_seen(), [Seen::Open(2)]);
}

#[test]
fn a_back_off_that_was_paused_is_over_at_resume() {
    let mut driver = Driver::online(config());
    driver.lost();
    driver.forget();
    driver.pause();
    driver.resume();
    assert_eq!(driver.take_seen(), [Seen::Open(2)]);
}

#[test]
fn connect_while_paused_waits_for_resume() {
    let mut driver = Driver::new(config());
    driver.pause();
    driver.connect();
    assert_stays_away(&mut driver);
    driver.resume();
    assert_eq!(driver.take_seen(), [Seen::Open(1)]);
}

#[test]
fn resume_pings_at_once_and_gives_the_answer_its_time() {
    let mut driver = Driver::online(config().with_keep_alive_secs(0));
    driver.pause();
    driver.pass(1_000_000);
    driver.resume();
    assert_eq!(driver.take_sent(), ["PINGREQ"]);
    assert_eq!(driver.wait, Some(driver.now + 20_000));
    driver.pass(20_000);
    assert_eq!(
        driver.take_seen(),
        [Seen::Close, disconnected(DisconnectReason::KeepAliveTimeout, Some(driver.now + RETRY))]
    );
}

#[test]
fn a_ping_that_was_under_way_at_pause_is_no_reason_to_close_at_resume() {
    let mut driver = Driver::online(config());
    driver.pass(52_500);
    assert_eq!(driver.take_sent(), ["PINGREQ"]);
    driver.pause();
    driver.pass(1_000_000);
    driver.resume();
    assert_eq!(driver.take_sent(), ["PINGREQ"]);
    assert_eq!(driver.take_seen(), []);
    driver.receive(&server::pingresp());
    driver.pass(20_000);
    assert_eq!(driver.take_seen(), []);
}

#[test]
fn resume_after_disconnect_does_not_connect() {
    let mut driver = Driver::online(config());
    driver.pause();
    driver.disconnect();
    driver.forget();
    driver.resume();
    assert_stays_away(&mut driver);
}

// ---- a growing log-in ----

#[test]
fn a_login_takes_all_the_control_memory_there_is() {
    let mut driver = Driver::with(config(), Inline::<64, 4, 26, 64>::new());
    driver.connect();
    driver.opened_as(&Login::new("twelve bytes"));
    driver.receive(&server::connack(false));
    assert!(driver.client.is_connected());
    assert_eq!(
        driver.try_subscribe(&[filter("17 bytes fit here", QoS::AtMostOnce)]).map(|_| ()),
        Err(mqtt_p2p_core::Error::TooLarge { size: 20, max: 19 })
    );
}

#[test]
fn a_client_says_whether_it_has_left_and_whether_it_wants_nothing() {
    let mut driver = Driver::new(config());
    let state = |driver: &Driver| (driver.client.is_idle(), driver.client.has_left());
    assert_eq!(state(&driver), (true, false));
    driver.connect();
    assert_eq!(state(&driver), (false, false));
    driver.opened();
    driver.receive(&server::connack(false));
    assert_eq!(state(&driver), (false, false));
    driver.writable = 1;
    driver.disconnect();
    assert_eq!(state(&driver), (false, true), "the second byte of DISCONNECT waits");
    driver.writable = usize::MAX;
    driver.run();
    assert_eq!(state(&driver), (true, false));
}

#[test]
fn what_comes_behind_a_disconnect_is_not_read() {
    let mut driver = Driver::online(config());
    driver.writable = 1;
    driver.disconnect();
    driver.receive(&server::publish(7, QoS::AtLeastOnce, false, b"x"));
    assert_eq!(driver.take_messages(), []);
    assert!(driver.input.is_empty(), "it is thrown away");
}

#[test]
fn what_comes_at_the_end_of_the_time_to_leave_is_not_read() {
    let mut driver = Driver::online(config());
    driver.writable = 0;
    driver.publish("t", b"x", QoS::AtLeastOnce);
    driver.disconnect();
    driver.forget();
    driver.now += 1_000_000;
    driver.receive(&server::publish(7, QoS::AtLeastOnce, false, b"x"));
    assert!(matches!(driver.take_seen()[..], [Seen::Close, Seen::Disconnected { .. }]));
}
