//! The traps that other clients fell into, one test for each that the state machine has to pass.

mod common;

use common::server::{puback, pubcomp, publish, pubrec, pubrel, suback};
use common::{Driver, RETRY, Seen, config, message};
use mqtt_p2p_core::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use mqtt_p2p_core::{Action, DecodeError, DisconnectReason, Error, Event, Inline, Need, TransportError};

/// rumqttc
#[test]
fn trap_a_qos_2_duplicate_is_delivered_twice() {
    let mut driver = Driver::online(config());
    driver.receive(&publish(1, ExactlyOnce, false, b"x"));
    driver.receive(&publish(1, ExactlyOnce, true, b"x"));
    assert_eq!(driver.take_payloads(), ["x"]);
}

/// rumqttc
#[test]
fn trap_dup_is_never_set_when_a_message_is_sent_again() {
    let mut driver = Driver::online(config());
    driver.publish("t", b"x", AtLeastOnce);
    driver.publish("t", b"y", ExactlyOnce);
    driver.forget();
    driver.reconnect(true);
    assert_eq!(driver.take_sent()[1..], ["PUBLISH q1 #1 dup t=x", "PUBLISH q2 #2 dup t=y"]);
}

/// rumqttc
#[test]
fn trap_a_packet_identifier_is_reused_while_pubcomp_is_due() {
    let mut driver = Driver::online(config());
    let stuck = driver.publish("t", b"stuck", ExactlyOnce);
    driver.receive(&pubrec(1));
    for _ in 0..65_532 {
        driver.publish("t", b"x", AtMostOnce);
    }
    driver.forget();
    let next = driver.publish("t", b"next", AtLeastOnce);
    assert_eq!(next.packet_id(), 1);
    assert_eq!(driver.take_sent(), [""; 0], "PUBCOMP is due for identifier 1");
    driver.receive(&pubcomp(1));
    assert_eq!(driver.take_seen(), [Seen::Published(stuck)]);
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #1 t=next"]);
}

/// rumqttc
#[test]
fn trap_subscribe_takes_an_identifier_in_flight() {
    let mut driver = Driver::online(config());
    driver.publish("t", b"stuck", AtLeastOnce);
    for _ in 0..65_532 {
        driver.publish("t", b"x", AtMostOnce);
    }
    driver.forget();
    let ticket = driver.subscribe(&[("f", AtMostOnce)]);
    assert_eq!(ticket.packet_id(), 1);
    assert_eq!(driver.take_sent(), [""; 0], "identifier 1 is in flight");
    driver.receive(&puback(1));
    assert_eq!(driver.take_sent(), ["SUBSCRIBE #1 f:0"]);
    driver.receive(&suback(1, &[0]));
    assert_eq!(driver.take_seen().last(), Some(&Seen::Subscribed(ticket, vec![0])));
}

/// rumqttc
#[test]
fn trap_unsent_requests_are_dropped_when_the_session_is_gone() {
    let mut driver = Driver::online(config().with_max_in_flight(1));
    driver.publish("t", b"under way", AtLeastOnce);
    driver.publish("t", b"waits", AtLeastOnce);
    driver.lost();
    driver.subscribe(&[("f", AtMostOnce)]);
    driver.publish("t", b"offline", AtMostOnce);
    driver.go_online(false);
    assert_eq!(
        driver.take_sent()[2..],
        ["PUBLISH q1 #1 t=under way", "SUBSCRIBE #3 f:0", "PUBLISH q0 t=offline"]
    );
    driver.receive(&puback(1));
    assert_eq!(driver.take_sent(), ["PUBLISH q1 #2 t=waits"]);
}

/// rumqttc
#[test]
fn trap_publishing_while_holding_a_message_deadlocks() {
    let mut driver = Driver::online(config());
    let input = publish(1, AtLeastOnce, false, b"question");
    let mut received = input.as_slice();
    let now = driver.instant();
    let Action::Event(Event::Message(held)) = driver.client.poll(now, &mut received) else {
        panic!("a message came in")
    };
    // The event borrows the input and not the client, so that both can be used.
    let answer = driver.try_publish(&message("answers", held.payload, AtLeastOnce));
    driver.run();
    assert_eq!(answer.map(mqtt_p2p_core::Ticket::packet_id), Ok(1));
    assert_eq!(held.payload, b"question");
    assert_eq!(driver.take_sent(), ["PUBACK #1", "PUBLISH q1 #1 answers=question"]);
}

/// mqrstt
#[test]
fn trap_a_first_seen_qos_2_message_with_dup_is_acknowledged_but_never_delivered() {
    let mut driver = Driver::online(config());
    driver.receive(&publish(1, ExactlyOnce, true, b"x"));
    assert_eq!(driver.take_payloads(), ["x"]);
    assert_eq!(driver.take_sent(), ["PUBREC #1"]);
}

/// mqttrust
#[test]
fn trap_a_full_receive_table_drops_a_qos_1_message() {
    let mut driver = Driver::online(config());
    for id in 1..=4 {
        driver.receive(&publish(id, ExactlyOnce, false, b"fills the table"));
    }
    driver.forget();
    for id in 5..=50 {
        driver.receive(&publish(id, AtLeastOnce, false, b"x"));
    }
    assert_eq!(driver.take_payloads().len(), 46);
}

/// paho embedded-c
#[test]
fn trap_a_partial_write_sends_the_whole_length_again() {
    let mut driver = Driver::online(config());
    driver.write_at_most = 3;
    driver.publish("t", b"a longer payload", AtMostOnce);
    assert_eq!(driver.take_sent(), ["PUBLISH q0 t=a longer payload"]);
    let bytes = driver.written.last().expect("a transport");
    assert!(bytes.ends_with(b"\x30\x13\x00\x01ta longer payload"));
}

/// MQTT-C
#[test]
fn trap_a_full_send_buffer_is_a_sticky_error() {
    let mut driver = Driver::with(config(), Inline::<32, 4, 64, 0, 1>::new());
    driver.go_online(false);
    let large = message("t", &[0; 20], AtLeastOnce);
    driver.try_publish(&large).unwrap();
    driver.run();
    for _ in 0..3 {
        assert_eq!(driver.try_publish(&large), Err(Error::Full(Need::Bytes(27))));
    }
    assert!(driver.client.is_connected());
    driver.receive(&puback(1));
    assert!(driver.try_publish(&large).is_ok());
}

/// rust-mqtt
#[test]
fn trap_nobody_pings() {
    let mut driver = Driver::online(config());
    let until = driver.wait.expect("a wait with an end");
    driver.pass(until - driver.now);
    assert_eq!(driver.take_sent(), ["PINGREQ"]);
}

/// several
#[test]
fn trap_dup_is_used_to_tell_duplicates() {
    let mut driver = Driver::online(config());
    // Without DUP and a duplicate all the same; with DUP and a new message all the same.
    driver.receive(&publish(1, ExactlyOnce, false, b"x"));
    driver.receive(&publish(1, ExactlyOnce, false, b"x"));
    driver.receive(&pubrel(1));
    driver.receive(&publish(1, ExactlyOnce, true, b"y"));
    assert_eq!(driver.take_payloads(), ["x", "y"]);
}

/// Paho JS
#[test]
fn trap_the_ghost_connection_disconnect_before_connack_does_nothing() {
    let mut driver = Driver::new(config());
    driver.connect();
    driver.opened();
    driver.forget();
    driver.disconnect();
    driver.receive(&common::server::connack(false));
    assert_eq!(driver.take_sent(), ["DISCONNECT"]);
    assert_eq!(driver.take_seen()[0], Seen::Close);
    driver.pass(1_000_000);
    assert!(!driver.client.is_connected());
    assert_eq!(driver.wait, None);
}

/// The Paho JS port
#[test]
fn trap_one_close_reported_twice_lets_a_deliberate_disconnect_reconnect() {
    let mut driver = Driver::online(config());
    driver.disconnect();
    driver.forget();
    driver.closed(TransportError::ClosedByPeer);
    driver.closed(TransportError::Broken);
    driver.pass(10 * RETRY);
    assert_eq!(driver.take_seen(), []);
    assert_eq!(driver.wait, None);
}

/// mqtt-protocol-core
#[test]
fn trap_a_header_alone_reserves_255_mib() {
    let mut driver = Driver::online(config());
    driver.receive(b"\x30\xff\xff\xff\x7f");
    let Some(Seen::Disconnected { reason, .. }) = driver.take_seen().pop() else {
        panic!("it is refused at its header")
    };
    assert_eq!(reason, DisconnectReason::Malformed(DecodeError::TooLarge { size: 268_435_460, max: 66_560 }));
}

/// paho embedded-c
#[test]
fn trap_no_data_and_an_error_share_a_code() {
    let mut driver = Driver::online(config());
    driver.receive(&[]);
    driver.receive(b"\x30\x05\x00\x01t");
    // Nothing, and too little, are no events at all.
    assert_eq!(driver.take_seen(), []);
    driver.receive(b"\x36");
    driver.closed(TransportError::ClosedByPeer);
    assert!(matches!(
        driver.take_seen()[..],
        [Seen::Disconnected { reason: DisconnectReason::Transport(TransportError::ClosedByPeer), .. }]
    ));
    driver.go_online(true);
    driver.forget();
    driver.receive(b"\x36\x00");
    assert!(matches!(
        driver.take_seen()[..],
        [
            Seen::Close,
            Seen::Disconnected { reason: DisconnectReason::Malformed(DecodeError::InvalidQoS), .. }
        ]
    ));
}
