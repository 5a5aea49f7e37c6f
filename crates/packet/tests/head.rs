//! The beginning of a PUBLISH that is too long to be read whole.

mod common;

use common::{id, topic};
use mqtt_p2p_packet::{AckedQoS, DecodeError, Publish, PublishHead};

/// QoS 1, RETAIN, topic "a/b", identifier 7, a payload of 100 bytes of which three are there: 109 bytes with the header,
/// of which the head has 9.
const BEGUN: &[u8] = b"\x33\x6b\x00\x03a/b\x00\x07xyz";
const SIZE: u32 = 109;
const HEAD: u32 = 9;

fn head(input: &[u8], max: u32) -> Result<Option<PublishHead<'_>>, DecodeError> {
    Publish::decode_head(input, max)
}

#[test]
fn a_head_says_all_but_the_payload_and_how_long_that_is() {
    let publish =
        Publish::new(topic("a/b"), b"").with_retain(true).with_delivery(Some((AckedQoS::AtLeastOnce, id(7))));
    let PublishHead { publish: read, payload_len, rest, .. } = head(BEGUN, 20).unwrap().expect("a head");
    assert_eq!((read, payload_len, rest), (publish, 100, &b"xyz"[..]));
}

#[test]
fn a_head_of_qos_0_has_no_identifier() {
    // The same bytes without QoS: what was the identifier is payload.
    let begun = [b"\x31", &BEGUN[1..]].concat();
    let head = head(&begun, 20).unwrap().expect("a head");
    assert_eq!((head.publish.delivery, head.payload_len), (None, 102));
    assert_eq!(head.rest, b"\x00\x07xyz");
}

#[test]
fn a_head_of_qos_2_has_an_identifier() {
    let begun = [b"\x3c", &BEGUN[1..]].concat();
    let head = head(&begun, 20).unwrap().expect("a head");
    assert_eq!(head.publish.delivery, Some((AckedQoS::ExactlyOnce, id(7))));
    assert!(head.publish.dup && !head.publish.retain);
    assert_eq!((head.payload_len, head.rest), (100, &b"xyz"[..]));
}

#[test]
fn a_packet_that_may_be_read_whole_has_no_head() {
    assert_eq!(head(BEGUN, SIZE), Ok(None));
    assert_eq!(head(BEGUN, SIZE + 1), Ok(None));
    assert!(head(BEGUN, SIZE - 1).unwrap().is_some());
}

#[test]
fn whoever_has_room_for_the_head_can_read_it() {
    assert!(head(BEGUN, HEAD).unwrap().is_some());
    assert_eq!(head(BEGUN, HEAD - 1), Err(DecodeError::TooLarge { size: HEAD, max: HEAD - 1 }));
}

#[test]
fn a_head_that_is_not_whole_is_waited_for() {
    let end = HEAD as usize;
    for len in 0..end {
        assert_eq!(head(&BEGUN[..len], 20), Ok(None), "{len} bytes");
    }
    assert_eq!(head(&BEGUN[..end], 20).unwrap().expect("a head").rest, b"");
}

#[test]
fn other_packets_have_no_head() {
    let subscribe = b"\x82\x6b\x00\x03a/b\x00\x07xyz";
    assert_eq!(head(subscribe, 20), Ok(None));
}

#[test]
fn a_topic_longer_than_its_packet_is_truncated() {
    // 34 bytes with the header, 4 of them topic's length and identifier.
    let one_byte_left = b"\x32\x20\x00\x1babc";
    assert_eq!(head(one_byte_left, 33), Ok(None));
    let none_left = b"\x32\x20\x00\x1cabc";
    assert_eq!(head(none_left, 33), Err(DecodeError::TooLarge { size: 34, max: 33 }));
    let too_long = b"\x32\x20\x00\x1dabc";
    assert_eq!(head(too_long, 33), Err(DecodeError::Truncated));
}

#[test]
fn a_head_is_checked_as_a_whole_packet_is() {
    for (first, rest, error) in [
        (0x36, &b"\x6b\x00\x03a/b\x00\x07"[..], DecodeError::InvalidQoS),
        (0x38, b"\x6b\x00\x03a/b\x00\x07", DecodeError::DupWithQoS0),
        (0x32, b"\x6b\x00\x03a/b\x00\x00", DecodeError::ZeroPacketId),
        (0x32, b"\x6b\x00\x03a/#\x00\x07", DecodeError::InvalidTopicName),
    ] {
        assert_eq!(head(&[&[first], rest].concat(), 20), Err(error));
    }
}
