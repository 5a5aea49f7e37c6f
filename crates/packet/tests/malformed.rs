//! What the standard calls malformed, with the statement that says so, is refused with its own error.

mod common;

use std::mem::discriminant;

use DecodeError::{
    DupWithQoS0, EmptyList, InvalidConnAckFlags, InvalidConnectFlags, InvalidFlags, InvalidProtocolName,
    InvalidQoS, InvalidRemainingLength, InvalidReturnCode, InvalidText, InvalidTopicFilter, InvalidTopicName,
    ReservedType, TooLarge, TrailingBytes, Truncated, UnsupportedProtocolLevel, ZeroPacketId,
};
use common::{SMALLEST, V31, V311, framed};
use mqtt_p2p_packet::{DecodeError, Options, PacketType, decode};

struct Case {
    what: &'static str,
    statement: &'static str,
    bytes: &'static [u8],
    error: DecodeError,
}

const fn case(what: &'static str, statement: &'static str, bytes: &'static [u8], error: DecodeError) -> Case {
    Case { what, statement, bytes, error }
}

const fn flags(packet: PacketType, flags: u8) -> DecodeError {
    InvalidFlags { packet, flags }
}

/// Refused in MQTT 3.1 and 3.1.1 alike.
#[rustfmt::skip]
const CASES: &[Case] = &[
    // The fixed header.
    case("packet type 0", "§2.2.1", b"\x00\x00", ReservedType(0)),
    case("packet type 15", "§2.2.1", b"\xf0\x00", ReservedType(15)),
    case("a remaining length of five digits", "§2.2.3", b"\x30\xff\xff\xff\xff\x01", InvalidRemainingLength),
    case("a fourth digit that promises a fifth", "§2.2.3", b"\x30\x80\x80\x80\x80", InvalidRemainingLength),

    // CONNECT.
    case("flags", "MQTT-2.2.2-2", b"\x11\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00", flags(PacketType::Connect, 1)),
    case("no protocol name", "§3.1.2.1", b"\x10\x00", Truncated),
    case("a protocol name cut short", "§3.1.2.1", b"\x10\x04\x00\x04MQ", Truncated),
    case("nothing behind the protocol name", "§3.1.2.2", b"\x10\x06\x00\x04MQTT", Truncated),
    case("nothing behind the protocol level", "§3.1.2.3", b"\x10\x07\x00\x04MQTT\x04", Truncated),
    case("half a keep alive", "§3.1.2.10", b"\x10\x09\x00\x04MQTT\x04\x02\x00", Truncated),
    case("no client identifier", "MQTT-3.1.3-3", b"\x10\x0a\x00\x04MQTT\x04\x02\x00\x00", Truncated),
    case("a client identifier cut short", "§1.5.3", b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x02c", Truncated),
    case("a will flag without a will", "MQTT-3.1.2-9", b"\x10\x0c\x00\x04MQTT\x04\x06\x00\x00\x00\x00", Truncated),
    case("a will without a message", "MQTT-3.1.2-9", b"\x10\x0f\x00\x04MQTT\x04\x06\x00\x00\x00\x00\x00\x01w", Truncated),
    case("a user name flag without a user name", "MQTT-3.1.2-19", b"\x10\x0c\x00\x04MQTT\x04\x82\x00\x00\x00\x00", Truncated),
    case("a password flag without a password", "MQTT-3.1.2-21", b"\x10\x0f\x00\x04MQTT\x04\xc2\x00\x00\x00\x00\x00\x01u", Truncated),
    case("bytes behind the client identifier", "§3.1.3", b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x00\x00", TrailingBytes),
    case("a user name that no flag announces", "MQTT-3.1.2-18", b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x00\x00\x00\x00\x01u", TrailingBytes),
    case("a password that no flag announces", "MQTT-3.1.2-20", b"\x10\x12\x00\x04MQTT\x04\x82\x00\x00\x00\x00\x00\x01u\x00\x01p", TrailingBytes),
    case("an empty protocol name", "MQTT-3.1.2-1", b"\x10\x08\x00\x00\x04\x02\x00\x00\x00\x00", InvalidProtocolName),
    case("another protocol name", "MQTT-3.1.2-1", b"\x10\x0c\x00\x04mqtt\x04\x02\x00\x00\x00\x00", InvalidProtocolName),
    case("a longer protocol name", "MQTT-3.1.2-1", b"\x10\x0d\x00\x05MQTTX\x04\x02\x00\x00\x00\x00", InvalidProtocolName),
    case("level 3 of MQTT", "MQTT-3.1.2-2", b"\x10\x0c\x00\x04MQTT\x03\x02\x00\x00\x00\x00", UnsupportedProtocolLevel(3)),
    case("level 5 of MQTT", "MQTT-3.1.2-2", b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x00", UnsupportedProtocolLevel(5)),
    case("level 4 of MQIsdp", "MQTT-3.1.2-2", b"\x10\x0e\x00\x06MQIsdp\x04\x02\x00\x00\x00\x00", UnsupportedProtocolLevel(4)),
    case("the bridge bit of some brokers", "MQTT-3.1.2-2", b"\x10\x0c\x00\x04MQTT\x84\x02\x00\x00\x00\x00", UnsupportedProtocolLevel(0x84)),
    case("the reserved flag", "MQTT-3.1.2-3", b"\x10\x0c\x00\x04MQTT\x04\x03\x00\x00\x00\x00", InvalidConnectFlags(0x03)),
    case("will QoS 1 without a will", "MQTT-3.1.2-13", b"\x10\x0c\x00\x04MQTT\x04\x0a\x00\x00\x00\x00", InvalidConnectFlags(0x0a)),
    case("will QoS 2 without a will", "MQTT-3.1.2-13", b"\x10\x0c\x00\x04MQTT\x04\x12\x00\x00\x00\x00", InvalidConnectFlags(0x12)),
    case("will retain without a will", "MQTT-3.1.2-15", b"\x10\x0c\x00\x04MQTT\x04\x22\x00\x00\x00\x00", InvalidConnectFlags(0x22)),
    case("a password without a user name", "MQTT-3.1.2-22", b"\x10\x0f\x00\x04MQTT\x04\x42\x00\x00\x00\x00\x00\x01p", InvalidConnectFlags(0x42)),
    case("will QoS 3", "MQTT-3.1.2-14", b"\x10\x11\x00\x04MQTT\x04\x1e\x00\x00\x00\x00\x00\x01w\x00\x00", InvalidQoS),
    case("an empty will topic", "MQTT-4.7.3-1", b"\x10\x10\x00\x04MQTT\x04\x06\x00\x00\x00\x00\x00\x00\x00\x00", InvalidTopicName),
    case("a wildcard in the will topic", "MQTT-4.7.1-1", b"\x10\x11\x00\x04MQTT\x04\x06\x00\x00\x00\x00\x00\x01#\x00\x00", InvalidTopicName),

    // CONNACK.
    case("flags", "MQTT-2.2.2-2", b"\x28\x02\x00\x00", flags(PacketType::ConnAck, 8)),
    case("no return code", "§3.2.1", b"\x20\x01\x00", Truncated),
    case("a third byte", "§3.2.1", b"\x20\x03\x00\x00\x00", TrailingBytes),
    case("return code 6", "§3.2.2.3", b"\x20\x02\x00\x06", InvalidReturnCode(6)),
    case("return code 255", "§3.2.2.3", b"\x20\x02\x00\xff", InvalidReturnCode(255)),

    // PUBLISH.
    case("QoS 3", "MQTT-3.3.1-4", b"\x36\x05\x00\x01t\x00\x01", InvalidQoS),
    case("QoS 3 with DUP", "MQTT-3.3.1-4", b"\x3e\x05\x00\x01t\x00\x01", InvalidQoS),
    case("QoS 0 with DUP", "MQTT-3.3.1-2", b"\x38\x03\x00\x01t", DupWithQoS0),
    case("QoS 0 with DUP and RETAIN", "MQTT-3.3.1-2", b"\x39\x03\x00\x01t", DupWithQoS0),
    case("no topic name", "§3.3.2.1", b"\x30\x00", Truncated),
    case("half a length of the topic name", "§3.3.2.1", b"\x30\x01\x00", Truncated),
    case("a topic name that goes on behind the packet", "§1.5.3", b"\x30\x03\x00\x02t", Truncated),
    case("QoS 1 without a packet identifier", "MQTT-2.3.1-1", b"\x32\x03\x00\x01t", Truncated),
    case("half a packet identifier", "MQTT-2.3.1-1", b"\x34\x04\x00\x01t\x00", Truncated),
    case("packet identifier 0 with QoS 1", "MQTT-2.3.1-1", b"\x32\x05\x00\x01t\x00\x00", ZeroPacketId),
    case("packet identifier 0 with QoS 2", "MQTT-2.3.1-1", b"\x34\x05\x00\x01t\x00\x00", ZeroPacketId),
    case("an empty topic name", "MQTT-4.7.3-1", b"\x30\x03\x00\x00x", InvalidTopicName),
    case("# in a topic name", "MQTT-3.3.2-2", b"\x30\x05\x00\x03a/#", InvalidTopicName),
    case("+ in a topic name", "MQTT-3.3.2-2", b"\x30\x07\x00\x05a/+/c", InvalidTopicName),
    case("# within a level of a topic name", "MQTT-4.7.1-1", b"\x30\x0b\x00\x09long/a#/z", InvalidTopicName),

    // The acknowledgements.
    case("flags", "MQTT-2.2.2-2", b"\x42\x02\x00\x01", flags(PacketType::PubAck, 2)),
    case("flags", "MQTT-2.2.2-2", b"\x52\x02\x00\x01", flags(PacketType::PubRec, 2)),
    case("flags", "MQTT-3.6.1-1", b"\x60\x02\x00\x01", flags(PacketType::PubRel, 0)),
    case("flags", "MQTT-2.2.2-2", b"\x72\x02\x00\x01", flags(PacketType::PubComp, 2)),
    case("flags", "MQTT-2.2.2-2", b"\xb2\x02\x00\x01", flags(PacketType::UnsubAck, 2)),

    // SUBSCRIBE.
    case("flags", "MQTT-3.8.1-1", b"\x80\x06\x00\x01\x00\x01f\x00", flags(PacketType::Subscribe, 0)),
    case("no topic filter", "MQTT-3.8.3-3", b"\x82\x02\x00\x01", EmptyList),
    case("a topic filter without QoS", "§3.8.3", b"\x82\x05\x00\x01\x00\x01f", Truncated),
    case("a second topic filter cut short", "§3.8.3", b"\x82\x09\x00\x01\x00\x01f\x00\x00\x02f", Truncated),
    case("an empty topic filter", "MQTT-4.7.3-1", b"\x82\x05\x00\x01\x00\x00\x00", InvalidTopicFilter),
    case("QoS 3", "MQTT-3.8.3-4", b"\x82\x06\x00\x01\x00\x01f\x03", InvalidQoS),
    case("the lowest reserved bit beside the QoS", "MQTT-3.8.3-4", b"\x82\x06\x00\x01\x00\x01f\x04", InvalidQoS),
    case("the highest reserved bit beside the QoS", "MQTT-3.8.3-4", b"\x82\x06\x00\x01\x00\x01f\x81", InvalidQoS),
    case("# before the last level", "MQTT-4.7.1-2", b"\x82\x08\x00\x01\x00\x03#/a\x00", InvalidTopicFilter),
    case("# beside other characters", "MQTT-4.7.1-2", b"\x82\x07\x00\x01\x00\x02a#\x00", InvalidTopicFilter),
    case("+ beside other characters", "MQTT-4.7.1-3", b"\x82\x07\x00\x01\x00\x02+a\x00", InvalidTopicFilter),
    case("a misplaced wildcard in the second topic filter", "MQTT-4.7.1-3", b"\x82\x0b\x00\x01\x00\x01f\x00\x00\x02++\x00", InvalidTopicFilter),

    // SUBACK.
    case("flags", "MQTT-2.2.2-2", b"\x92\x03\x00\x01\x00", flags(PacketType::SubAck, 2)),
    case("no return code", "MQTT-3.9.3-1", b"\x90\x02\x00\x01", EmptyList),
    case("return code 3", "MQTT-3.9.3-2", b"\x90\x03\x00\x01\x03", InvalidReturnCode(3)),
    case("return code 0x7f behind a good one", "MQTT-3.9.3-2", b"\x90\x04\x00\x01\x00\x7f", InvalidReturnCode(0x7f)),
    case("return code 0x81", "MQTT-3.9.3-2", b"\x90\x03\x00\x01\x81", InvalidReturnCode(0x81)),

    // UNSUBSCRIBE.
    case("flags", "MQTT-3.10.1-1", b"\xa0\x05\x00\x01\x00\x01f", flags(PacketType::Unsubscribe, 0)),
    case("no topic filter", "MQTT-3.10.3-2", b"\xa2\x02\x00\x01", EmptyList),
    case("a topic filter cut short", "§3.10.3", b"\xa2\x05\x00\x01\x00\x02f", Truncated),
    case("half a length of a topic filter", "§3.10.3", b"\xa2\x06\x00\x01\x00\x01f\x00", Truncated),
    case("an empty topic filter", "MQTT-4.7.3-1", b"\xa2\x04\x00\x01\x00\x00", InvalidTopicFilter),
    case("# before the last level", "MQTT-4.7.1-2", b"\xa2\x07\x00\x01\x00\x03#/a", InvalidTopicFilter),

    // The packets without a body.
    case("flags", "MQTT-2.2.2-2", b"\xc1\x00", flags(PacketType::PingReq, 1)),
    case("a body", "§3.12.2", b"\xc0\x01\x00", TrailingBytes),
    case("flags", "MQTT-2.2.2-2", b"\xd8\x00", flags(PacketType::PingResp, 8)),
    case("a body", "§3.13.2", b"\xd0\x01\x00", TrailingBytes),
    case("flags", "MQTT-3.14.1-1", b"\xe4\x00", flags(PacketType::Disconnect, 4)),
    case("a body", "§3.14.2", b"\xe0\x01\x00", TrailingBytes),
];

/// Refused in MQTT 3.1.1 only.
#[rustfmt::skip]
const CASES_3_1_1: &[Case] = &[
    case("DUP of MQTT 3.1 in PUBREL", "MQTT-3.6.1-1", b"\x6a\x02\x00\x01", flags(PacketType::PubRel, 10)),
    case("DUP of MQTT 3.1 in SUBSCRIBE", "MQTT-3.8.1-1", b"\x8a\x06\x00\x01\x00\x01f\x00", flags(PacketType::Subscribe, 10)),
    case("DUP of MQTT 3.1 in UNSUBSCRIBE", "MQTT-3.10.1-1", b"\xaa\x05\x00\x01\x00\x01f", flags(PacketType::Unsubscribe, 10)),
    case("the lowest reserved bit of CONNACK", "§3.2.2.1", b"\x20\x02\x02\x00", InvalidConnAckFlags(0x02)),
    case("the highest reserved bit of CONNACK", "§3.2.2.1", b"\x20\x02\x81\x00", InvalidConnAckFlags(0x81)),
    case("session present in a refusal", "MQTT-3.2.2-4", b"\x20\x02\x01\x05", InvalidConnAckFlags(0x01)),
];

#[track_caller]
fn refused(bytes: &[u8], options: &Options, error: DecodeError, what: &str) {
    assert_eq!(decode(bytes, options), Err(error), "{what}: {bytes:02x?}");
}

#[test]
fn every_malformed_packet_is_refused_with_its_own_error() {
    for case in CASES.iter().chain(CASES_3_1_1) {
        refused(case.bytes, &V311, case.error, &format!("{} [{}]", case.what, case.statement));
    }
    for case in CASES {
        refused(case.bytes, &V31, case.error, &format!("MQTT 3.1, {}", case.what));
    }
}

#[test]
fn what_only_mqtt_3_1_1_forbids_is_read_in_mqtt_3_1() {
    for case in CASES_3_1_1 {
        assert!(decode(case.bytes, &V31).is_ok(), "{}", case.what);
    }
}

#[test]
fn the_table_has_every_error_and_every_packet_type() {
    // InvalidText and TooLarge have tests of their own below.
    let errors = [
        ReservedType(0),
        flags(PacketType::Connect, 0),
        InvalidQoS,
        DupWithQoS0,
        InvalidRemainingLength,
        Truncated,
        TrailingBytes,
        InvalidTopicName,
        InvalidTopicFilter,
        EmptyList,
        ZeroPacketId,
        InvalidProtocolName,
        UnsupportedProtocolLevel(0),
        InvalidConnectFlags(0),
        InvalidConnAckFlags(0),
        InvalidReturnCode(0),
    ];
    let cases = || CASES.iter().chain(CASES_3_1_1);
    for error in errors {
        assert!(cases().any(|case| discriminant(&case.error) == discriminant(&error)), "{error:?}");
    }
    for packet_type in 0..=15 {
        assert!(cases().any(|case| case.bytes[0] >> 4 == packet_type), "{packet_type}");
    }
}

#[test]
fn every_wrong_combination_of_flags_is_refused_for_every_type() {
    // Table 2.2, [MQTT-2.2.2-1], [MQTT-2.2.2-2]. PUBLISH has flags of its own.
    for (packet, bytes) in SMALLEST {
        let right = bytes[0] & 0x0f;
        for wrong in (0..16).filter(|flags| packet != PacketType::Publish && *flags != right) {
            let bytes = [&[bytes[0] & 0xf0 | wrong], &bytes[1..]].concat();
            refused(&bytes, &V311, flags(packet, wrong), "MQTT 3.1.1");
            let dup_of_3_1 = right == 0b0010 && wrong == 0b1010;
            if !dup_of_3_1 {
                refused(&bytes, &V31, flags(packet, wrong), "MQTT 3.1");
            }
        }
    }
}

#[test]
fn packet_identifier_0_is_refused_wherever_there_is_one() {
    // [MQTT-2.3.1-1]; an acknowledgement has the identifier of what it acknowledges.
    let at_the_start = SMALLEST.into_iter().filter(|(_, bytes)| bytes[2..].starts_with(&[0, 1]));
    let mut types = Vec::new();
    for (packet, bytes) in at_the_start.filter(|(packet, _)| *packet != PacketType::Publish) {
        let bytes = [&bytes[..2], &[0, 0], &bytes[4..]].concat();
        refused(&bytes, &V311, ZeroPacketId, "MQTT 3.1.1");
        refused(&bytes, &V31, ZeroPacketId, "MQTT 3.1");
        types.push(packet);
    }
    assert_eq!(types.len(), 8, "PUBLISH is in the table: {types:?}");
}

#[test]
fn a_byte_less_than_the_smallest_packet_is_refused_for_every_type() {
    for (packet, bytes) in SMALLEST {
        let Some((_, shorter)) = bytes[2..].split_last() else {
            continue;
        };
        let error = match packet {
            PacketType::SubAck => EmptyList,
            _ => Truncated,
        };
        refused(&framed(bytes[0], shorter), &V311, error, "a byte less");
    }
}

#[test]
fn a_byte_more_is_refused_for_every_type_that_has_an_end_of_its_own() {
    for (packet, bytes) in SMALLEST {
        let error = match packet {
            // A payload, or the start of another entry.
            PacketType::Publish => continue,
            PacketType::SubAck => InvalidReturnCode(0x7f),
            PacketType::Subscribe | PacketType::Unsubscribe => Truncated,
            _ => TrailingBytes,
        };
        let longer = [&bytes[2..], &[0x7f]].concat();
        refused(&framed(bytes[0], &longer), &V311, error, "a byte more");
    }
}

#[test]
fn a_body_of_any_packet_ends_with_its_packet_and_not_with_the_input() {
    // Were bounds those of the input, the fields would go on into the packet behind.
    let behind = [b'x'; 16];
    for case in CASES.iter().filter(|case| case.error == Truncated) {
        let input = [case.bytes, &behind].concat();
        refused(&input, &V311, Truncated, case.what);
    }
}

/// Text that no field may hold.
const BAD_TEXT: &[(&str, &str, &[u8])] = &[
    ("U+0000", "MQTT-1.5.3-2", b"\x00"),
    ("U+0000 behind text", "MQTT-1.5.3-2", b"temperature\x00"),
    ("a lone continuation byte", "MQTT-1.5.3-1", b"\x80"),
    ("a character cut short", "MQTT-1.5.3-1", b"a\xe6\xb8"),
    ("U+002F in two bytes", "MQTT-1.5.3-1", b"\xc0\xaf"),
    ("U+0000 in two bytes", "MQTT-1.5.3-1", b"\xc0\x80"),
    ("U+007F in two bytes", "MQTT-1.5.3-1", b"\xc1\xbf"),
    ("U+07FF in three bytes", "MQTT-1.5.3-1", b"\xe0\x9f\xbf"),
    ("U+FFFF in four bytes", "MQTT-1.5.3-1", b"\xf0\x8f\xbf\xbf"),
    ("the first surrogate", "MQTT-1.5.3-1", b"\xed\xa0\x80"),
    ("the last surrogate", "MQTT-1.5.3-1", b"\xed\xbf\xbf"),
    ("a pair of surrogates", "MQTT-1.5.3-1", b"\xed\xa0\x81\xed\xb0\x80"),
    ("U+110000", "MQTT-1.5.3-1", b"\xf4\x90\x80\x80"),
    ("a lead byte above U+10FFFF", "MQTT-1.5.3-1", b"\xf5\x80\x80\x80"),
    ("a byte of no character", "MQTT-1.5.3-1", b"0123456789abcdef\xff"),
];

/// Makes a packet of a text with its length in front.
type PacketWith = fn(&[u8]) -> Vec<u8>;

/// Every field that holds text.
const TEXT_FIELDS: &[(&str, PacketWith)] = &[
    ("topic name", |text| framed(0x30, text)),
    ("topic filter", |text| framed(0x82, &[b"\x00\x01", text, b"\x00"].concat())),
    ("second topic filter", |text| framed(0xa2, &[b"\x00\x01\x00\x01f", text].concat())),
    ("client identifier", |text| framed(0x10, &[b"\x00\x04MQTT\x04\x02\x00\x00", text].concat())),
    ("will topic", |text| {
        framed(0x10, &[b"\x00\x04MQTT\x04\x06\x00\x00\x00\x00", text, b"\x00\x00"].concat())
    }),
    ("user name", |text| framed(0x10, &[b"\x00\x04MQTT\x04\x82\x00\x00\x00\x00", text].concat())),
];

#[test]
fn text_that_is_not_utf8_or_holds_nul_is_refused_in_every_field() {
    for (field, packet) in TEXT_FIELDS {
        let good = b"\x00\x03a/b";
        assert!(decode(&packet(good), &V311).is_ok(), "{field}");
        for (what, statement, text) in BAD_TEXT {
            let field_with_length = [&[0, text.len() as u8], *text].concat();
            let what = format!("{what} in the {field} [{statement}]");
            refused(&packet(&field_with_length), &V311, InvalidText, &what);
            refused(&packet(&field_with_length), &V31, InvalidText, &what);
        }
    }
}

#[test]
fn payload_password_and_will_message_may_be_any_bytes() {
    // §3.1.3.3, §3.1.3.5, §3.3.3.
    for (what, _, bytes) in BAD_TEXT {
        let field = [&[0, bytes.len() as u8], *bytes].concat();
        let connect =
            [b"\x00\x04MQTT\x04\xc6\x00\x00\x00\x00\x00\x01w", &field[..], b"\x00\x01u", &field].concat();
        assert!(decode(&framed(0x10, &connect), &V311).is_ok(), "{what}");
        let publish = [b"\x00\x01t", *bytes].concat();
        assert!(decode(&framed(0x30, &publish), &V311).is_ok(), "{what}");
    }
}

#[test]
fn a_packet_over_the_readers_limit_is_refused_for_every_type() {
    for (_, bytes) in SMALLEST {
        let size = bytes.len() as u32;
        assert!(decode(bytes, &V311.max_packet_size(size)).is_ok());
        let error = TooLarge { size, max: size - 1 };
        refused(bytes, &V311.max_packet_size(size - 1), error, "whole");
        refused(&bytes[..2], &V311.max_packet_size(size - 1), error, "its fixed header");
    }
}

#[test]
fn every_error_says_what_is_wrong() {
    let others = [InvalidText, TooLarge { size: 2, max: 1 }];
    for error in CASES.iter().chain(CASES_3_1_1).map(|case| case.error).chain(others) {
        assert!(error.to_string().len() > 4, "{error:?} is {error}");
    }
}
