//! Messages longer than the caller's receive buffer, told in parts.

mod common;

use common::server::{publish, pubrel};
use common::{Driver, RETRY, Seen, config};
use mqtt_p2p_core::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use mqtt_p2p_core::{Config, DecodeError, DisconnectReason, QoS};
use proptest::prelude::*;

/// The caller's receive buffer.
const BUFFER: usize = 32;

fn in_parts() -> Config {
    config().with_max_whole_message(BUFFER as u32)
}

/// Bytes come in as far as a buffer of this size has room for them.
fn receive_through(driver: &mut Driver, mut bytes: &[u8], buffer: usize) {
    while !bytes.is_empty() && driver.client.is_connected() {
        let room = buffer - driver.input.len();
        assert!(room > 0, "the client takes nothing from a full buffer");
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        driver.receive(now);
        bytes = later;
    }
}

/// A message put together from its parts: QoS, payload, the length that was announced, whether it ended.
fn whole(driver: &mut Driver) -> Option<(QoS, Vec<u8>, usize, bool)> {
    let mut message = None;
    for seen in driver.take_seen() {
        match (seen, &mut message) {
            (Seen::Begin(begin, len), None) => {
                assert!(begin.payload.is_empty());
                message = Some((begin.qos, Vec::new(), len as usize, false));
            }
            (Seen::Part(part), Some((_, payload, _, false))) => payload.extend(part),
            (Seen::End(_), Some((_, _, _, ended))) => *ended = true,
            (other, _) => panic!("{other:?} out of place"),
        }
    }
    message
}

#[test]
fn a_long_message_is_told_in_parts_and_acknowledged_at_its_end() {
    for (qos, ack) in [(AtMostOnce, None), (AtLeastOnce, Some("PUBACK #5")), (ExactlyOnce, Some("PUBREC #5"))]
    {
        let mut driver = Driver::online(in_parts());
        let payload: Vec<u8> = (0..200).collect();
        let bytes = publish(5, qos, false, &payload);
        receive_through(&mut driver, &bytes[..bytes.len() - 1], BUFFER);
        assert_eq!(driver.take_sent(), [""; 0], "it has not come entirely");
        receive_through(&mut driver, &bytes[bytes.len() - 1..], BUFFER);
        assert_eq!(whole(&mut driver), Some((qos, payload, 200, true)));
        assert_eq!(driver.take_sent(), Vec::from_iter(ack));
    }
}

#[test]
fn a_message_that_fits_is_told_as_a_whole() {
    let mut driver = Driver::online(in_parts());
    receive_through(&mut driver, &publish(5, AtLeastOnce, false, b"short"), BUFFER);
    assert_eq!(driver.take_payloads(), ["short"]);
}

#[test]
fn a_repeated_message_of_qos_2_is_read_but_not_told() {
    let mut driver = Driver::online(in_parts());
    let bytes = publish(5, ExactlyOnce, true, &[7; 100]);
    receive_through(&mut driver, &bytes, BUFFER);
    driver.forget();
    receive_through(&mut driver, &bytes, BUFFER);
    assert_eq!((driver.take_seen(), driver.take_sent()), (vec![], vec!["PUBREC #5".into()]));
    driver.receive(&pubrel(5));
    driver.forget();
    receive_through(&mut driver, &bytes, BUFFER);
    assert!(whole(&mut driver).is_some(), "after PUBREL it is another message");
}

#[test]
fn what_comes_right_behind_a_repeated_message_without_an_answer_is_read_at_once() {
    let mut driver = Driver::online(in_parts().with_manual_ack(true));
    let bytes = publish(5, ExactlyOnce, true, &[7; 100]);
    receive_through(&mut driver, &bytes, BUFFER);
    let (begin, end) = bytes.split_at(100);
    receive_through(&mut driver, begin, BUFFER);
    driver.forget();
    driver.receive(&[end, &publish(0, AtMostOnce, false, &[8])].concat());
    assert!(matches!(driver.take_seen()[..], [Seen::Message(_)]));
}

#[test]
fn a_message_that_breaks_off_comes_again_from_its_beginning() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let mut driver = Driver::online(in_parts());
        let bytes = publish(5, qos, false, &[7; 100]);
        receive_through(&mut driver, &bytes[..60], BUFFER);
        assert_eq!(whole(&mut driver).map(|(.., ended)| ended), Some(false));
        driver.reconnect(true);
        driver.forget();
        receive_through(&mut driver, &publish(5, qos, true, &[7; 100]), BUFFER);
        assert_eq!(whole(&mut driver), Some((qos, vec![7; 100], 100, true)));
    }
}

#[test]
fn manual_acknowledgement_takes_what_the_end_names() {
    let mut driver = Driver::online(in_parts().with_manual_ack(true));
    receive_through(&mut driver, &publish(5, ExactlyOnce, false, &[7; 100]), BUFFER);
    let Some(Seen::End(Some(token))) = driver.take_seen().pop() else {
        panic!("no end");
    };
    assert_eq!(driver.take_sent(), [""; 0]);
    driver.acknowledge(token).expect("it was not acknowledged");
    assert_eq!(driver.take_sent(), ["PUBREC #5"]);
}

#[test]
fn a_head_that_no_buffer_holds_or_that_its_packet_has_no_room_for_ends_the_connection() {
    let topic = "x".repeat(BUFFER);
    let long = [&[0x30, 100, 0, BUFFER as u8], topic.as_bytes(), &[0; 66]].concat();
    let short = [&[0x32, 100, 0, 99][..], &[b'x'; 98]].concat();
    let too_large = DecodeError::TooLarge { size: BUFFER as u32 + 4, max: BUFFER as u32 };
    for (bytes, error) in [(long, too_large), (short, DecodeError::Truncated)] {
        let mut driver = Driver::online(in_parts());
        receive_through(&mut driver, &bytes, BUFFER);
        let reason = DisconnectReason::Malformed(error);
        let disconnected = Seen::Disconnected { reason, retry_at: Some(driver.now + RETRY) };
        assert_eq!(driver.take_seen(), [Seen::Close, disconnected]);
    }
}

#[test]
fn a_long_message_before_connack_is_not_begun() {
    let mut driver = Driver::new(in_parts());
    driver.connect();
    driver.opened();
    driver.forget();
    let bytes = publish(5, AtLeastOnce, false, &[0; 200]);
    driver.receive(&bytes[..BUFFER]);
    assert_eq!(driver.take_seen(), []);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_messages_come_through_any_buffer(
        messages in prop::collection::vec((0..3_u8, 0..300_usize), 1..8),
        buffer in BUFFER..100,
    ) {
        let mut driver = Driver::online(in_parts());
        for (index, (qos, len)) in messages.into_iter().enumerate() {
            let qos = [AtMostOnce, AtLeastOnce, ExactlyOnce][usize::from(qos)];
            let payload = vec![index as u8; len];
            receive_through(&mut driver, &publish(index as u16 + 1, qos, false, &payload), buffer);
            let mut told = Vec::new();
            let mut ended = false;
            for seen in driver.take_seen() {
                match seen {
                    Seen::Message(message) => { told = message.payload; ended = true; }
                    Seen::Part(part) => told.extend(part),
                    Seen::End(_) => ended = true,
                    _ => {}
                }
            }
            prop_assert!(ended);
            prop_assert_eq!(told, payload);
            driver.receive(&pubrel(index as u16 + 1));
            driver.forget();
        }
    }
}
