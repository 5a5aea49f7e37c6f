//! What people read.

mod common;

use common::{filter, id, topic};
use mqtt_p2p_packet::{DecodeError, EncodeError, PacketType, QoS, ReasonCode, ReturnCodes, TopicError};

#[test]
fn packets_are_called_as_in_table_2_1() {
    let names: Vec<_> = common::SMALLEST.map(|(packet_type, _)| packet_type.to_string()).into();
    assert_eq!(
        names,
        [
            "CONNECT",
            "CONNACK",
            "PUBLISH",
            "PUBACK",
            "PUBREC",
            "PUBREL",
            "PUBCOMP",
            "SUBSCRIBE",
            "SUBACK",
            "UNSUBSCRIBE",
            "UNSUBACK",
            "PINGREQ",
            "PINGRESP",
            "DISCONNECT"
        ]
    );
}

#[test]
fn qualities_and_identifiers_are_numbers() {
    assert_eq!(
        [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce].map(|qos| qos.to_string()),
        ["0", "1", "2"]
    );
    assert_eq!(id(65_535).to_string(), "65535");
}

#[test]
fn topics_are_their_text() {
    assert_eq!((topic("温度/1").to_string(), filter("a/+").to_string()), ("温度/1".into(), "a/+".into()));
    assert_eq!(format!("{:?} {:?}", topic("a/b"), filter("#")), r##""a/b" "#""##);
}

#[test]
fn an_error_names_what_it_is_about() {
    let flags = DecodeError::InvalidFlags { packet: PacketType::PubRel, flags: 0b1000 };
    for (shown, words) in [
        (flags.to_string(), &["PUBREL", "1000"][..]),
        (DecodeError::TooLarge { size: 300, max: 256 }.to_string(), &["300", "256"]),
        (EncodeError::BufferTooSmall { needed: 17 }.to_string(), &["17"]),
        (TopicError::WildcardInName.to_string(), &["+ or #"]),
        (ReasonCode::NotAuthorized.to_string(), &["not authorized"]),
    ] {
        assert!(words.iter().all(|word| shown.contains(word)), "{shown}");
    }
}

#[test]
fn return_codes_are_shown_as_what_they_mean() {
    let codes = ReturnCodes::new(&[0, 2, 0x80]).unwrap();
    assert_eq!(format!("{codes:?}"), "[Success, GrantedQoS2, UnspecifiedError]");
}
