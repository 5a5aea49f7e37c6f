//! Traps that other MQTT libraries fell into: a test for each that concerns packets.

mod common;

use common::{V311, filter, topic};
use mqtt_p2p_packet::{AckedQoS, DecodeError, Decoded, Publish, decode};

#[track_caller]
fn refused(bytes: &[u8], error: DecodeError) {
    assert_eq!(decode(bytes, &V311), Err(error));
}

#[track_caller]
fn incomplete(bytes: &[u8], needed: usize) {
    assert_eq!(decode(bytes, &V311), Ok(Decoded::Incomplete { needed }));
}

#[test]
fn trap_topic_match_panics_on_a_multi_byte_first_character() {
    assert!(filter("#").matches(topic("温度/1")));
    assert!(filter("+/1").matches(topic("温度/1")));
    assert!(filter("温度/#").matches(topic("温度/1")));
    assert!(!filter("$SYS/#").matches(topic("温度/1")));
}

#[test]
fn trap_topic_match_denies_dollar_topics_to_their_own_filter() {
    assert!(filter("$SYS/#").matches(topic("$SYS/x")));
    assert!(filter("$SYS/+").matches(topic("$SYS/x")));
    assert!(filter("$SYS/x").matches(topic("$SYS/x")));
}

#[test]
fn trap_connack_without_a_body_panics() {
    refused(b"\x20\x00", DecodeError::Truncated);
}

#[test]
fn trap_connack_of_one_byte_panics() {
    refused(b"\x20\x01\x05", DecodeError::Truncated);
}

#[test]
fn trap_pubrel_without_a_body_panics() {
    refused(b"\x62\x00", DecodeError::Truncated);
}

#[test]
fn trap_publish_without_a_body_reads_into_the_bytes_behind() {
    // The packet is 30 00: what follows is another, and no topic length.
    refused(b"\x30\x00\x00\x00", DecodeError::Truncated);
}

#[test]
fn trap_subscribe_whose_length_cuts_its_filter_panics() {
    // 82 04 takes four bytes: identifier C6 01, an empty topic filter, and no QoS.
    refused(b"\x82\x04\xc6\x01\x00\x00", DecodeError::InvalidTopicFilter);
}

#[test]
fn trap_connect_of_three_bytes_panics() {
    // A protocol name of the one byte 00, and no level.
    refused(b"\x10\x03\x00\x01\x00", DecodeError::Truncated);
    incomplete(b"\x10\x03\x00\x01", 1);
}

#[test]
fn trap_a_header_alone_reserves_what_it_promises() {
    // Nothing is kept between calls, so there is nothing to reserve; a limit refuses it at its fifth byte.
    let header = b"\x30\xff\xff\xff\x7f";
    incomplete(header, 268_435_455);
    let limited = V311.max_packet_size(64 * 1024);
    assert_eq!(decode(header, &limited), Err(DecodeError::TooLarge { size: 268_435_460, max: 65_536 }));
    assert_eq!(decode(&header[..4], &limited), Ok(Decoded::Incomplete { needed: 1 }));
}

#[test]
fn trap_a_publication_is_sent_again_without_dup() {
    let mut buffer = [0; 16];
    for (qos, first) in [(AckedQoS::AtLeastOnce, 0x33), (AckedQoS::ExactlyOnce, 0x35)] {
        let publish =
            Publish::new(topic("t"), b"x").with_retain(true).with_delivery(Some((qos, common::id(7))));
        let len = publish.encode(&mut buffer).expect("it fits");
        let sent = buffer;
        assert!(!Publish::is_dup(&buffer));
        for _ in 0..2 {
            Publish::set_dup(&mut buffer[..len], true);
            assert_eq!(buffer[0], first | 0x08);
            assert_eq!(buffer[1..], sent[1..], "DUP is all that changes");
            assert!(Publish::is_dup(&buffer));
        }
        Publish::set_dup(&mut buffer[..len], false);
        assert_eq!(buffer, sent);
    }
}

#[test]
fn trap_dup_is_set_on_what_may_not_have_it() {
    // QoS 0 ([MQTT-3.3.1-2]), PUBREL ([MQTT-3.6.1-1]), and nothing at all.
    for packet in [&b"\x30\x03\x00\x01t"[..], b"\x62\x02\x00\x01", b""] {
        let mut bytes = packet.to_vec();
        Publish::set_dup(&mut bytes, true);
        assert_eq!(bytes, packet);
        assert!(!Publish::is_dup(packet));
    }
    // Bit 3 is DUP in PUBLISH only.
    assert!(!Publish::is_dup(b"\x6a\x02\x00\x01"));
}
