//! What comes in: messages and their acknowledgement, QoS 2 by identifier, malformed bytes, any split.

mod common;

use common::server::{puback, publish, pubrel};
use common::{Driver, RETRY, Seen, config};
use mqtt_p2p_core::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use mqtt_p2p_core::{AckToken, Config, DecodeError, DisconnectReason, Error, Inline, PacketType};

fn manual() -> Config {
    config().with_manual_ack(true)
}

/// What names the only message that came.
fn token<S: mqtt_p2p_core::Storage>(driver: &mut Driver<S>) -> AckToken {
    let messages = driver.take_messages();
    assert_eq!(messages.len(), 1);
    messages[0].ack.expect("QoS 1 or 2")
}

fn closes(driver: &mut Driver, reason: DisconnectReason) {
    let disconnected = Seen::Disconnected { reason, retry_at: Some(driver.now + RETRY) };
    assert_eq!(driver.take_seen(), [Seen::Close, disconnected]);
}

// ---- the three flows ----

#[test]
fn a_message_is_delivered_with_all_that_it_says() {
    let mut driver = Driver::online(config());
    driver.receive(b"\x31\x06\x00\x03a/bx");
    driver.receive(b"\x3a\x06\x00\x01t\x00\x07y");
    let messages = driver.take_messages();
    assert_eq!(
        (messages[0].topic.as_str(), &messages[0].payload[..], messages[0].qos),
        ("a/b", &b"x"[..], AtMostOnce)
    );
    assert_eq!((messages[0].retain, messages[0].dup, messages[0].ack), (true, false, None));
    assert_eq!(
        (messages[1].topic.as_str(), &messages[1].payload[..], messages[1].qos),
        ("t", &b"y"[..], AtLeastOnce)
    );
    assert_eq!((messages[1].retain, messages[1].dup), (false, true));
}

#[test]
fn the_acknowledgement_goes_out_at_the_next_poll_and_not_before() {
    for (qos, ack) in [(AtLeastOnce, "PUBACK #5"), (ExactlyOnce, "PUBREC #5")] {
        let mut driver = Driver::online(config());
        driver.input = publish(5, qos, false, b"x");
        assert!(driver.step());
        assert_eq!(driver.take_payloads(), ["x"]);
        assert_eq!(driver.take_sent(), [""; 0]);
        assert!(driver.step());
        assert_eq!(driver.take_sent(), [ack]);
    }
}

#[test]
fn qos_0_is_not_acknowledged() {
    let mut driver = Driver::online(config());
    driver.receive(&publish(1, AtMostOnce, false, b"x"));
    assert_eq!(driver.take_payloads(), ["x"]);
    assert_eq!(driver.take_sent(), [""; 0]);
}

#[test]
fn qos_2_ends_with_pubcomp() {
    let mut driver = Driver::online(config());
    driver.receive(&publish(5, ExactlyOnce, false, b"x"));
    driver.receive(&pubrel(5));
    assert_eq!(driver.take_sent(), ["PUBREC #5", "PUBCOMP #5"]);
    assert_eq!(driver.take_payloads(), ["x"]);
}

#[test]
fn a_message_that_the_caller_did_not_come_back_for_is_not_acknowledged() {
    let mut driver = Driver::online(config());
    driver.input = publish(5, AtLeastOnce, false, b"x");
    assert!(driver.step());
    driver.forget();
    driver.reconnect(true);
    assert_eq!(driver.take_sent(), ["CONNECT"], "nothing of the old connection");
    driver.receive(&publish(5, AtLeastOnce, true, b"x"));
    assert_eq!(driver.take_sent(), ["PUBACK #5"]);
    assert_eq!(driver.take_payloads(), ["x"]);
}

// ---- QoS 2 by identifier ----

#[test]
fn qos_2_with_dup_that_is_seen_for_the_first_time_is_delivered() {
    let mut driver = Driver::online(config());
    driver.receive(&publish(5, ExactlyOnce, true, b"x"));
    assert_eq!(driver.take_payloads(), ["x"]);
    assert_eq!(driver.take_sent(), ["PUBREC #5"]);
}

#[test]
fn qos_2_that_comes_again_is_answered_and_not_delivered_with_dup_or_without() {
    for dup in [false, true] {
        let mut driver = Driver::online(config());
        driver.receive(&publish(5, ExactlyOnce, false, b"x"));
        driver.receive(&publish(5, ExactlyOnce, dup, b"x"));
        assert_eq!(driver.take_payloads(), ["x"]);
        driver.reconnect(true);
        driver.receive(&publish(5, ExactlyOnce, dup, b"x"));
        assert_eq!(driver.take_payloads(), [""; 0]);
        assert_eq!(driver.take_sent(), ["PUBREC #5", "PUBREC #5", "CONNECT", "PUBREC #5"]);
        assert_eq!(driver.client.stats().duplicates, 2);
    }
}

#[test]
fn an_identifier_names_a_new_message_after_pubrel() {
    let mut driver = Driver::online(config());
    driver.receive(&publish(5, ExactlyOnce, false, b"x"));
    driver.receive(&pubrel(5));
    driver.receive(&publish(5, ExactlyOnce, false, b"y"));
    assert_eq!(driver.take_payloads(), ["x", "y"]);
}

#[test]
fn an_identifier_names_a_new_message_in_a_new_session() {
    let mut driver = Driver::online(config());
    driver.receive(&publish(5, ExactlyOnce, false, b"x"));
    driver.reconnect(false);
    driver.receive(&publish(5, ExactlyOnce, false, b"y"));
    assert_eq!(driver.take_payloads(), ["x", "y"]);
}

#[test]
fn identifiers_of_both_directions_do_not_meet() {
    let mut driver = Driver::online(config());
    let ticket = driver.publish("t", b"out", ExactlyOnce);
    driver.receive(&publish(1, ExactlyOnce, false, b"in"));
    assert_eq!(driver.take_payloads(), ["in"]);
    driver.receive(&common::server::pubrec(1));
    driver.receive(&pubrel(1));
    driver.receive(&common::server::pubcomp(1));
    assert_eq!(driver.take_seen(), [Seen::Published(ticket)]);
}

#[test]
fn pubrel_is_always_answered() {
    let mut driver = Driver::online(config());
    driver.receive(&pubrel(9));
    assert_eq!(driver.take_sent(), ["PUBCOMP #9"]);
    assert_eq!(driver.client.stats().unexpected_acks, 1);
}

#[test]
fn more_messages_of_qos_2_than_there_is_room_for_close_and_none_is_lost() {
    let mut driver = Driver::online(config());
    for id in 1..=4 {
        driver.receive(&publish(id, ExactlyOnce, false, b"x"));
    }
    driver.forget();
    driver.receive(&publish(5, ExactlyOnce, false, b"y"));
    closes(&mut driver, DisconnectReason::InboundFull);
    assert_eq!(driver.take_sent(), [""; 0], "the fifth is not acknowledged");
    driver.go_online(true);
    driver.receive(&pubrel(1));
    driver.receive(&publish(5, ExactlyOnce, true, b"y"));
    assert_eq!(driver.take_payloads(), ["y"]);
}

#[test]
fn a_full_table_of_qos_2_does_not_touch_the_other_messages() {
    let mut driver = Driver::online(config());
    for id in 1..=4 {
        driver.receive(&publish(id, ExactlyOnce, false, b"x"));
    }
    driver.forget();
    driver.receive(&publish(9, AtLeastOnce, false, b"y"));
    driver.receive(&publish(0, AtMostOnce, false, b"z"));
    assert_eq!(driver.take_payloads(), ["y", "z"]);
    assert_eq!(driver.take_sent(), ["PUBACK #9"]);
}

#[test]
fn acknowledgements_that_wait_for_the_transport_hold_back_the_input() {
    let mut driver = Driver::with(config(), Inline::<64, 4, 32, 0, 4>::new());
    driver.go_online(false);
    driver.forget();
    driver.writable = 0;
    let messages: Vec<u8> = (1..=100).flat_map(|id| publish(id, AtLeastOnce, false, b"x")).collect();
    driver.receive(&messages);
    let delivered = driver.take_payloads().len();
    assert!((1..=9).contains(&delivered), "{delivered}");
    driver.writable = usize::MAX;
    driver.run();
    assert_eq!(driver.take_payloads().len(), 100 - delivered);
    let expected: Vec<String> = (1..=100).map(|id| format!("PUBACK #{id}")).collect();
    assert_eq!(driver.take_sent(), expected);
}

// ---- by hand ----

#[test]
fn by_hand_nothing_is_acknowledged_before_the_caller_says_so() {
    for (qos, ack) in [(AtLeastOnce, "PUBACK #5"), (ExactlyOnce, "PUBREC #5")] {
        let mut driver = Driver::online(manual());
        driver.receive(&publish(5, qos, false, b"x"));
        driver.pass(1_000);
        assert_eq!(driver.take_sent(), [""; 0]);
        let token = token(&mut driver);
        assert_eq!(driver.acknowledge(token), Ok(()));
        assert_eq!(driver.take_sent(), [ack]);
    }
}

#[test]
fn by_hand_messages_may_be_acknowledged_in_any_order() {
    let mut driver = Driver::online(manual());
    for id in [1, 2, 3] {
        driver.receive(&publish(id, AtLeastOnce, false, b"x"));
    }
    for message in driver.take_messages().iter().rev() {
        driver.acknowledge(message.ack.unwrap()).unwrap();
    }
    assert_eq!(driver.take_sent(), ["PUBACK #3", "PUBACK #2", "PUBACK #1"]);
}

#[test]
fn by_hand_qos_1_of_an_earlier_connection_is_stale_and_comes_again() {
    let mut driver = Driver::online(manual());
    driver.receive(&publish(5, AtLeastOnce, false, b"x"));
    let old = token(&mut driver);
    driver.lost();
    assert_eq!(driver.acknowledge(old), Err(Error::Stale));
    driver.go_online(true);
    assert_eq!(driver.acknowledge(old), Err(Error::Stale));
    driver.forget();
    driver.receive(&publish(5, AtLeastOnce, true, b"x"));
    let new = token(&mut driver);
    assert_eq!(driver.acknowledge(new), Ok(()));
    assert_eq!(driver.take_sent(), ["PUBACK #5"]);
}

#[test]
fn by_hand_qos_2_stays_valid_over_the_connections_of_its_session() {
    let mut driver = Driver::online(manual());
    driver.receive(&publish(5, ExactlyOnce, false, b"x"));
    let token = token(&mut driver);
    driver.reconnect(true);
    driver.forget();
    driver.receive(&publish(5, ExactlyOnce, true, b"x"));
    assert_eq!(driver.take_payloads(), [""; 0]);
    assert_eq!(driver.take_sent(), [""; 0], "it is not taken yet");
    assert_eq!(driver.acknowledge(token), Ok(()));
    assert_eq!(driver.take_sent(), ["PUBREC #5"], "the repetition is answered at once");
    assert_eq!(driver.acknowledge(token), Err(Error::Stale));
}

#[test]
fn by_hand_qos_2_taken_while_offline_is_answered_when_it_comes_again() {
    let mut driver = Driver::online(manual());
    driver.receive(&publish(5, ExactlyOnce, false, b"x"));
    let token = token(&mut driver);
    driver.lost();
    assert_eq!(driver.acknowledge(token), Ok(()));
    driver.go_online(true);
    driver.forget();
    driver.receive(&publish(5, ExactlyOnce, true, b"x"));
    assert_eq!(driver.take_payloads(), [""; 0]);
    assert_eq!(driver.take_sent(), ["PUBREC #5"]);
}

#[test]
fn by_hand_qos_2_of_an_earlier_session_is_stale_also_if_its_identifier_is_in_use_again() {
    let mut driver = Driver::online(manual());
    driver.receive(&publish(5, ExactlyOnce, false, b"x"));
    let old = token(&mut driver);
    driver.reconnect(false);
    assert_eq!(driver.acknowledge(old), Err(Error::Stale));
    driver.receive(&publish(5, ExactlyOnce, false, b"y"));
    assert_eq!(driver.acknowledge(old), Err(Error::Stale));
    let new = token(&mut driver);
    assert_eq!(driver.acknowledge(new), Ok(()));
}

#[test]
fn by_hand_an_acknowledgement_without_room_can_be_tried_again() {
    let mut driver = Driver::with(manual(), Inline::<64, 4, 32, 0, 4>::new());
    driver.go_online(false);
    for id in 1..=9 {
        driver.receive(&publish(id, AtLeastOnce, false, b"x"));
    }
    driver.forget();
    driver.writable = 0;
    driver.receive(&publish(10, AtLeastOnce, false, b"x"));
    let token = token(&mut driver);
    let mut accepted = 0;
    let error = loop {
        match driver.acknowledge(token) {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((accepted, error), (8, Error::Full(mqtt_p2p_core::Need::Control(4))));
    driver.writable = usize::MAX;
    driver.run();
    assert_eq!(driver.acknowledge(token), Ok(()));
}

#[cfg(feature = "alloc")]
#[test]
fn by_hand_memory_grows_for_acknowledgements_that_wait() {
    let mut driver = Driver::with(manual(), mqtt_p2p_core::Growing::default());
    driver.go_online(false);
    driver.forget();
    let messages: Vec<u8> = (1..=2_000).flat_map(|id| publish(id, AtLeastOnce, false, b"x")).collect();
    driver.receive(&messages);
    driver.writable = 0;
    for message in driver.take_messages() {
        assert_eq!(driver.acknowledge(message.ack.unwrap()), Ok(()));
    }
    driver.writable = usize::MAX;
    driver.run();
    assert_eq!(driver.take_sent().len(), 2_000);
}

#[cfg(feature = "alloc")]
#[test]
fn memory_grows_for_messages_of_qos_2_that_are_not_released() {
    let mut driver = Driver::with(config(), mqtt_p2p_core::Growing::default());
    driver.go_online(false);
    for id in 1..=1_000 {
        driver.receive(&publish(id, ExactlyOnce, false, b"x"));
    }
    assert!(driver.client.is_connected());
    assert_eq!(driver.take_messages().len(), 1_000);
    for id in 1..=1_000 {
        driver.receive(&publish(id, ExactlyOnce, true, b"x"));
    }
    assert_eq!(driver.take_messages(), [], "each is known");
}

// ---- bad input ----

#[test]
fn malformed_input_closes_with_its_fault() {
    for (bytes, error) in [
        (&b"\x36\x05\x00\x01t\x00\x01"[..], DecodeError::InvalidQoS),
        (b"\x38\x03\x00\x01t", DecodeError::DupWithQoS0),
        (b"\x32\x05\x00\x01t\x00\x00", DecodeError::ZeroPacketId),
        (b"\x30\x03\x00\x01#", DecodeError::InvalidTopicName),
        (b"\x30\x03\x00\x01\xff", DecodeError::InvalidText),
        (b"\x30\x03\x00\x01\x00", DecodeError::InvalidText),
        (b"\x30\x02\x00\x05", DecodeError::Truncated),
        (b"\x40\x02\x00\x00", DecodeError::ZeroPacketId),
        (b"\x40\x03\x00\x01\x00", DecodeError::TrailingBytes),
        (b"\x40\x00", DecodeError::Truncated),
        (b"\x90\x03\x00\x01\x03", DecodeError::InvalidReturnCode(3)),
        (b"\x90\x02\x00\x01", DecodeError::EmptyList),
        (b"\xd0\x01\x00", DecodeError::TrailingBytes),
        (b"\x60\x02\x00\x01", DecodeError::InvalidFlags { packet: PacketType::PubRel, flags: 0 }),
        (b"\x00", DecodeError::ReservedType(0)),
        (b"\xf0", DecodeError::ReservedType(15)),
        (b"\x30\xff\xff\xff\xff", DecodeError::InvalidRemainingLength),
    ] {
        let mut driver = Driver::online(config());
        driver.receive(bytes);
        closes(&mut driver, DisconnectReason::Malformed(error));
    }
}

#[test]
fn what_follows_malformed_input_is_discarded() {
    let mut driver = Driver::online(config());
    let mut bytes = vec![0xff];
    bytes.extend(publish(1, AtMostOnce, false, b"never"));
    let mut rest = bytes.as_slice();
    let _ = driver.client.poll(driver.instant(), &mut rest);
    assert_eq!(rest, b"");
}

#[test]
fn a_packet_over_the_limit_is_refused_at_its_header() {
    let mut driver = Driver::online(config().with_max_packet_size(100));
    driver.receive(&publish(1, AtMostOnce, false, &[b'x'; 84]));
    assert_eq!(driver.take_payloads().len(), 1, "a packet of 100 bytes");
    driver.receive(&[0x30, 99]);
    closes(&mut driver, DisconnectReason::Malformed(DecodeError::TooLarge { size: 101, max: 100 }));
}

#[test]
fn what_is_not_whole_stays_in_the_callers_buffer() {
    let mut driver = Driver::online(config());
    let packet = publish(1, AtMostOnce, false, b"x");
    let (begin, end) = packet.split_at(4);
    driver.receive(begin);
    assert_eq!(driver.input, begin);
    driver.receive(end);
    assert_eq!(driver.input, b"");
    assert_eq!(driver.take_payloads(), ["x"]);
}

#[test]
fn input_split_at_any_byte_gives_the_same_events_and_answers() {
    let stream: Vec<u8> = [
        publish(1, AtLeastOnce, false, b"a"),
        publish(2, ExactlyOnce, false, b"b"),
        puback(1),
        publish(0, AtMostOnce, false, &[b'c'; 200]),
        pubrel(2),
        publish(2, ExactlyOnce, false, b"d"),
        vec![0xd0, 0],
        vec![0x40, 2, 0],
    ]
    .concat();
    let run = |pieces: &[&[u8]]| {
        let mut driver = Driver::online(config());
        driver.publish("t", b"x", AtLeastOnce);
        for piece in pieces {
            driver.receive(piece);
        }
        (driver.take_seen(), driver.take_sent(), driver.input)
    };
    let whole = run(&[&stream]);
    for at in 0..=stream.len() {
        let (first, second) = stream.split_at(at);
        assert_eq!(run(&[first, second]), whole, "split at {at}");
    }
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(run(&bytes), whole, "byte by byte");
}

#[test]
fn a_short_packet_over_the_limit_is_refused_like_a_long_one() {
    for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
        let bytes = publish(5, qos, false, &[b'x'; 60]);
        let size = bytes.len() as u32;
        let mut driver = Driver::online(config().with_max_packet_size(size));
        driver.receive(&bytes);
        assert_eq!(driver.take_messages().len(), 1);
        let mut driver = Driver::online(config().with_max_packet_size(size - 1));
        driver.receive(&bytes);
        let reason = DisconnectReason::Malformed(DecodeError::TooLarge { size, max: size - 1 });
        let retry_at = Some(driver.now + RETRY);
        assert_eq!(driver.take_seen(), [Seen::Close, Seen::Disconnected { reason, retry_at }]);
    }
}
