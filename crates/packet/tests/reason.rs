//! The reason codes, against the table of the standard.

use std::collections::BTreeSet;

use mqtt_p2p_packet::ReasonCode;

/// OASIS MQTT 5, §2.4, table 2-6, with one name per value.
const TABLE: [(u8, &str); 43] = [
    (0x00, "Success"),
    (0x01, "Granted QoS 1"),
    (0x02, "Granted QoS 2"),
    (0x04, "Disconnect with Will Message"),
    (0x10, "No matching subscribers"),
    (0x11, "No subscription existed"),
    (0x18, "Continue authentication"),
    (0x19, "Re-authenticate"),
    (0x80, "Unspecified error"),
    (0x81, "Malformed Packet"),
    (0x82, "Protocol Error"),
    (0x83, "Implementation specific error"),
    (0x84, "Unsupported Protocol Version"),
    (0x85, "Client Identifier not valid"),
    (0x86, "Bad User Name or Password"),
    (0x87, "Not authorized"),
    (0x88, "Server unavailable"),
    (0x89, "Server busy"),
    (0x8a, "Banned"),
    (0x8b, "Server shutting down"),
    (0x8c, "Bad authentication method"),
    (0x8d, "Keep Alive timeout"),
    (0x8e, "Session taken over"),
    (0x8f, "Topic Filter invalid"),
    (0x90, "Topic Name invalid"),
    (0x91, "Packet Identifier in use"),
    (0x92, "Packet Identifier not found"),
    (0x93, "Receive Maximum exceeded"),
    (0x94, "Topic Alias invalid"),
    (0x95, "Packet too large"),
    (0x96, "Message rate too high"),
    (0x97, "Quota exceeded"),
    (0x98, "Administrative action"),
    (0x99, "Payload format invalid"),
    (0x9a, "Retain not supported"),
    (0x9b, "QoS not supported"),
    (0x9c, "Use another server"),
    (0x9d, "Server moved"),
    (0x9e, "Shared Subscriptions not supported"),
    (0x9f, "Connection rate exceeded"),
    (0xa0, "Maximum connect time"),
    (0xa1, "Subscription Identifiers not supported"),
    (0xa2, "Wildcard Subscriptions not supported"),
];

/// A name without what Rust's names can't have.
fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

#[test]
fn every_reason_code_of_the_standard_has_its_value_and_name() {
    for (value, name) in TABLE {
        let reason = ReasonCode::from_u8(value).expect(name);
        assert_eq!(letters(&format!("{reason:?}")), letters(name));
        assert_eq!((reason as u8, u8::from(reason)), (value, value));
        assert_eq!(ReasonCode::try_from(value), Ok(reason));
        assert_eq!(reason.is_error(), value >= 0x80, "{name}");
    }
}

#[test]
fn no_other_value_is_a_reason_code() {
    for value in 0..=u8::MAX {
        let assigned = TABLE.iter().any(|(other, _)| *other == value);
        assert_eq!(ReasonCode::from_u8(value).is_some(), assigned, "{value:#04x}");
        assert_eq!(ReasonCode::try_from(value).err(), (!assigned).then_some(value));
    }
}

#[test]
fn every_reason_code_has_a_text_of_its_own() {
    let texts = TABLE.map(|(value, name)| ReasonCode::from_u8(value).expect(name).to_string());
    assert!(texts.iter().all(|text| !text.is_empty() && text.len() < 40));
    assert_eq!(BTreeSet::from(texts).len(), TABLE.len());
}
