//! This crate beside `mqttbytes`, an MQTT 3.1.1 codec by other people, on the same bytes.
//!
//! Where both take a packet they must agree on every field. Where only one does, the difference must be in one of
//! the two lists below, which say why this crate is right; anything else fails. An entry of a list is told by a
//! look at the bytes or at what `mqttbytes` made of them, never by this crate's word alone, and has an example
//! that shows that it is still needed.

mod common;

use std::mem::discriminant;

use common::packets::{Owned, config, input, levels, packet};
use common::{V311, decoded, encoded, extent, is_filter};
use mqtt_p2p_packet::{
    DecodeError, Decoded, Packet, PacketId, PacketType, Protocol, QoS, ReasonCode, decode,
};
use mqttbytes::v4::{self, ConnectReturnCode, SubscribeReasonCode};
use proptest::prelude::*;

// The same packet in both.

fn qos(qos: QoS) -> mqttbytes::QoS {
    mqttbytes::qos(qos as u8).expect("the same three numbers")
}

/// What `mqttbytes` should make of this packet; `None` if it can't hold it.
fn translated(packet: &Packet<'_>) -> Option<v4::Packet> {
    Some(match packet {
        Packet::Connect(connect) => v4::Packet::Connect(v4::Connect {
            protocol: match connect.protocol {
                Protocol::V311 => mqttbytes::Protocol::V4,
                _ => return None,
            },
            keep_alive: connect.keep_alive,
            client_id: connect.client_id.into(),
            clean_session: connect.clean_session,
            last_will: connect
                .will
                .map(|will| v4::LastWill::new(will.topic.as_str(), will.payload, qos(will.qos), will.retain)),
            login: {
                let username = connect.user_name.unwrap_or_default();
                let password = std::str::from_utf8(connect.password.unwrap_or_default()).ok()?;
                // It knows no empty ones.
                (!username.is_empty() || !password.is_empty()).then(|| v4::Login::new(username, password))
            },
        }),
        Packet::ConnAck(connack) => v4::Packet::ConnAck(v4::ConnAck::new(
            match connack.reason {
                ReasonCode::Success => ConnectReturnCode::Success,
                ReasonCode::UnsupportedProtocolVersion => ConnectReturnCode::RefusedProtocolVersion,
                ReasonCode::ClientIdentifierNotValid => ConnectReturnCode::BadClientId,
                ReasonCode::ServerUnavailable => ConnectReturnCode::ServiceUnavailable,
                ReasonCode::BadUserNameOrPassword => ConnectReturnCode::BadUserNamePassword,
                ReasonCode::NotAuthorized => ConnectReturnCode::NotAuthorized,
                _ => return None,
            },
            connack.session_present,
        )),
        Packet::Publish(publish) => v4::Packet::Publish(v4::Publish {
            dup: publish.dup,
            retain: publish.retain,
            pkid: publish.packet_id().map_or(0, PacketId::get),
            ..v4::Publish::new(publish.topic.as_str(), qos(publish.qos()), publish.payload)
        }),
        Packet::PubAck(ack) => v4::Packet::PubAck(v4::PubAck::new(ack.packet_id.get())),
        Packet::PubRec(ack) => v4::Packet::PubRec(v4::PubRec::new(ack.packet_id.get())),
        Packet::PubRel(ack) => v4::Packet::PubRel(v4::PubRel::new(ack.packet_id.get())),
        Packet::PubComp(ack) => v4::Packet::PubComp(v4::PubComp::new(ack.packet_id.get())),
        Packet::Subscribe(subscribe) => v4::Packet::Subscribe(v4::Subscribe {
            pkid: subscribe.packet_id.get(),
            filters: subscribe
                .filters
                .iter()
                .map(|entry| v4::SubscribeFilter::new(entry.filter.as_str().into(), qos(entry.qos)))
                .collect(),
        }),
        Packet::SubAck(suback) => v4::Packet::SubAck(v4::SubAck::new(
            suback.packet_id.get(),
            suback
                .return_codes
                .iter()
                .map(|code| match code {
                    ReasonCode::Success => SubscribeReasonCode::Success(mqttbytes::QoS::AtMostOnce),
                    ReasonCode::GrantedQoS1 => SubscribeReasonCode::Success(mqttbytes::QoS::AtLeastOnce),
                    ReasonCode::GrantedQoS2 => SubscribeReasonCode::Success(mqttbytes::QoS::ExactlyOnce),
                    _ => SubscribeReasonCode::Failure,
                })
                .collect(),
        )),
        Packet::Unsubscribe(unsubscribe) => v4::Packet::Unsubscribe(v4::Unsubscribe {
            pkid: unsubscribe.packet_id.get(),
            topics: unsubscribe.filters.iter().map(|filter| filter.as_str().into()).collect(),
        }),
        Packet::UnsubAck(ack) => v4::Packet::UnsubAck(v4::UnsubAck::new(ack.packet_id.get())),
        Packet::PingReq => v4::Packet::PingReq,
        Packet::PingResp => v4::Packet::PingResp,
        Packet::Disconnect => v4::Packet::Disconnect,
        _ => return None,
    })
}

/// The first packet of `bytes` by `mqttbytes`, and how many bytes it took.
fn read_by_mqttbytes(bytes: &[u8]) -> Result<(v4::Packet, usize), mqttbytes::Error> {
    let mut stream = bytes.into();
    let packet = v4::read(&mut stream, usize::MAX)?;
    Ok((packet, bytes.len() - stream.len()))
}

fn written_by_mqttbytes(packet: &v4::Packet) -> Vec<u8> {
    let mut bytes = Default::default();
    match packet {
        v4::Packet::Connect(packet) => packet.write(&mut bytes),
        v4::Packet::ConnAck(packet) => packet.write(&mut bytes),
        v4::Packet::Publish(packet) => packet.write(&mut bytes),
        v4::Packet::PubAck(packet) => packet.write(&mut bytes),
        v4::Packet::PubRec(packet) => packet.write(&mut bytes),
        v4::Packet::PubRel(packet) => packet.write(&mut bytes),
        v4::Packet::PubComp(packet) => packet.write(&mut bytes),
        v4::Packet::Subscribe(packet) => packet.write(&mut bytes),
        v4::Packet::SubAck(packet) => packet.write(&mut bytes),
        v4::Packet::Unsubscribe(packet) => packet.write(&mut bytes),
        v4::Packet::UnsubAck(packet) => packet.write(&mut bytes),
        v4::Packet::PingReq => v4::PingReq.write(&mut bytes),
        v4::Packet::PingResp => v4::PingResp.write(&mut bytes),
        v4::Packet::Disconnect => v4::Disconnect.write(&mut bytes),
    }
    .expect("every packet here can be written");
    bytes.to_vec()
}

// Where they differ.

/// A malformed packet that `mqttbytes` takes and this crate refuses.
struct Lenient {
    what: &'static str,
    statement: &'static str,
    error: DecodeError,
    /// Whether the packet really has this fault: from its bytes, and from what `mqttbytes` read.
    has: fn(&[u8], &v4::Packet) -> bool,
    example: &'static [u8],
}

#[rustfmt::skip]
const LENIENT: &[Lenient] = &[
    Lenient {
        what: "flags of the fixed header are not looked at",
        statement: "MQTT-2.2.2-2",
        error: DecodeError::InvalidFlags { packet: PacketType::PubAck, flags: 0 },
        has: |bytes, _| match bytes[0] >> 4 {
            3 => false,
            6 | 8 | 10 => bytes[0] & 0x0f != 0b0010,
            _ => bytes[0] & 0x0f != 0,
        },
        example: b"\x60\x02\x00\x01",
    },
    Lenient {
        what: "QoS 0 may have DUP",
        statement: "MQTT-3.3.1-2",
        error: DecodeError::DupWithQoS0,
        has: |_, packet| matches!(
            packet,
            v4::Packet::Publish(v4::Publish { dup: true, qos: mqttbytes::QoS::AtMostOnce, .. })
        ),
        example: b"\x38\x03\x00\x01t",
    },
    Lenient {
        what: "packet identifier 0 is taken in all but PUBLISH",
        statement: "MQTT-2.3.1-1",
        error: DecodeError::ZeroPacketId,
        has: |bytes, packet| !matches!(packet, v4::Packet::Publish(_)) && body(bytes).starts_with(&[0, 0]),
        example: b"\x40\x02\x00\x00",
    },
    Lenient {
        what: "text may hold U+0000",
        statement: "MQTT-1.5.3-2",
        error: DecodeError::InvalidText,
        has: |_, packet| topic_names(packet)
            .into_iter()
            .chain(topic_filters(packet))
            .chain(client_id_and_user_name(packet))
            .any(|text| text.contains('\0')),
        example: b"\x30\x03\x00\x01\x00",
    },
    Lenient {
        what: "a topic name may be empty or hold wildcards",
        statement: "MQTT-4.7.1-1, MQTT-4.7.3-1",
        error: DecodeError::InvalidTopicName,
        has: |_, packet| topic_names(packet)
            .into_iter()
            .any(|name| name.is_empty() || name.contains(['+', '#'])),
        example: b"\x30\x05\x00\x03a/#",
    },
    Lenient {
        what: "a topic filter may be anything",
        statement: "MQTT-4.7.1-2, MQTT-4.7.1-3, MQTT-4.7.3-1",
        error: DecodeError::InvalidTopicFilter,
        has: |_, packet| topic_filters(packet).into_iter().any(|filter| !is_filter(filter)),
        example: b"\x82\x07\x00\x01\x00\x02a#\x00",
    },
    Lenient {
        what: "SUBSCRIBE and UNSUBSCRIBE may lack a topic filter",
        statement: "MQTT-3.8.3-3, MQTT-3.10.3-2",
        error: DecodeError::EmptyList,
        has: |bytes, packet| {
            matches!(packet, v4::Packet::Subscribe(_) | v4::Packet::Unsubscribe(_)) && body(bytes).len() == 2
        },
        example: b"\x82\x02\x00\x01",
    },
    Lenient {
        what: "reserved bits beside the QoS of SUBSCRIBE are not looked at",
        statement: "MQTT-3.8.3-4",
        error: DecodeError::InvalidQoS,
        // They are gone when it writes the packet again.
        has: |bytes, packet| {
            matches!(packet, v4::Packet::Subscribe(_)) && body(&written_by_mqttbytes(packet)) != body(bytes)
        },
        example: b"\x82\x06\x00\x01\x00\x01f\x81",
    },
    Lenient {
        what: "bytes may follow the last field",
        statement: "§3.1.3, §3.2.1, §3.4.2 to §3.7.2, §3.12.2 to §3.14.2",
        error: DecodeError::TrailingBytes,
        has: |bytes, packet| match packet {
            v4::Packet::Connect(connect) => body(bytes).len() > connect_size(connect, body(bytes)[7]),
            v4::Packet::PingReq | v4::Packet::PingResp | v4::Packet::Disconnect => !body(bytes).is_empty(),
            v4::Packet::ConnAck(_)
            | v4::Packet::PubAck(_)
            | v4::Packet::PubRec(_)
            | v4::Packet::PubRel(_)
            | v4::Packet::PubComp(_) => body(bytes).len() > 2,
            _ => false,
        },
        example: b"\x40\x03\x00\x01\x00",
    },
    Lenient {
        what: "CONNECT may set the reserved flag, or have a password without a user name",
        statement: "MQTT-3.1.2-3, MQTT-3.1.2-22",
        error: DecodeError::InvalidConnectFlags(0),
        has: |bytes, packet| {
            matches!(packet, v4::Packet::Connect(_))
                && (body(bytes)[7] & 1 == 1 || body(bytes)[7] >> 6 == 0b01)
        },
        example: b"\x10\x0c\x00\x04MQTT\x04\x03\x00\x00\x00\x00",
    },
    Lenient {
        what: "CONNECT of MQTT 5 is read as if it were one of MQTT 3.1.1",
        statement: "MQTT-3.1.2-2",
        error: DecodeError::UnsupportedProtocolLevel(5),
        has: |_, packet| matches!(
            packet,
            v4::Packet::Connect(v4::Connect { protocol: mqttbytes::Protocol::V5, .. })
        ),
        example: b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x00",
    },
    Lenient {
        what: "CONNACK may set reserved bits, or refuse with session present",
        statement: "§3.2.2.1, MQTT-3.2.2-4",
        error: DecodeError::InvalidConnAckFlags(0),
        has: |bytes, packet| {
            matches!(packet, v4::Packet::ConnAck(_))
                && (body(bytes)[0] > 1 || (body(bytes)[0] == 1 && body(bytes)[1] != 0))
        },
        example: b"\x20\x02\x01\x05",
    },
];

/// A packet that the standard allows, that this crate takes and `mqttbytes` refuses.
struct Strict {
    what: &'static str,
    section: &'static str,
    error: mqttbytes::Error,
    has: fn(&Packet<'_>) -> bool,
    example: &'static [u8],
}

#[rustfmt::skip]
const STRICT: &[Strict] = &[
    Strict {
        what: "a password must be UTF-8",
        section: "§3.1.3.5: binary data",
        error: mqttbytes::Error::TopicNotUtf8,
        has: |packet| matches!(
            packet,
            Packet::Connect(connect) if std::str::from_utf8(connect.password.unwrap_or_default()).is_err()
        ),
        example: b"\x10\x12\x00\x04MQTT\x04\xc2\x00\x00\x00\x00\x00\x01u\x00\x01\xff",
    },
    Strict {
        what: "there is no MQTT 3.1",
        section: "MQTT 3.1, §3.1",
        error: mqttbytes::Error::InvalidProtocol,
        has: |packet| matches!(packet, Packet::Connect(connect) if connect.protocol == Protocol::V31),
        example: b"\x10\x0e\x00\x06MQIsdp\x03\x02\x00\x00\x00\x00",
    },
];

fn body(bytes: &[u8]) -> &[u8] {
    extent(bytes).expect("mqttbytes found a whole packet").0
}

fn topic_names(packet: &v4::Packet) -> Option<&str> {
    match packet {
        v4::Packet::Connect(connect) => connect.last_will.as_ref().map(|will| will.topic.as_str()),
        v4::Packet::Publish(publish) => Some(&publish.topic),
        _ => None,
    }
}

fn topic_filters(packet: &v4::Packet) -> Vec<&str> {
    match packet {
        v4::Packet::Subscribe(subscribe) => {
            subscribe.filters.iter().map(|entry| entry.path.as_str()).collect()
        }
        v4::Packet::Unsubscribe(unsubscribe) => unsubscribe.topics.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

fn client_id_and_user_name(packet: &v4::Packet) -> Vec<&str> {
    match packet {
        v4::Packet::Connect(connect) => {
            let user_name = connect.login.as_ref().map_or("", |login| &login.username);
            vec![&connect.client_id, user_name]
        }
        _ => Vec::new(),
    }
}

/// How long the body of CONNECT is up to the end of the last field that `flags` announce.
fn connect_size(connect: &v4::Connect, flags: u8) -> usize {
    let login = connect.login.clone().unwrap_or_else(|| v4::Login::new("", ""));
    let will = connect.last_will.as_ref().map_or(0, |will| 4 + will.topic.len() + will.message.len());
    let user_name = if flags & 0x80 != 0 { 2 + login.username.len() } else { 0 };
    let password = if flags & 0x40 != 0 { 2 + login.password.len() } else { 0 };
    12 + connect.client_id.len() + will + user_name + password
}

/// Reads `bytes` with both. `Ok` names the entry of a list under which they differ, if they do; `Err` is a
/// difference that no list has.
fn compare(bytes: &[u8]) -> Result<Option<&'static str>, String> {
    let ours = decode(bytes, &V311);
    let theirs = read_by_mqttbytes(bytes);
    let listed = match (&ours, &theirs) {
        (Ok(Decoded::Packet { packet, len }), Ok((their_packet, their_len))) => {
            if len == their_len && translated(packet).as_ref() == Some(their_packet) {
                return Ok(None);
            }
            None
        }
        (Ok(Decoded::Incomplete { needed }), Err(mqttbytes::Error::InsufficientBytes(their_needed))) => {
            if needed == their_needed {
                return Ok(None);
            }
            None
        }
        // Both see it, this crate at the first byte.
        (Err(DecodeError::ReservedType(_)), Err(_)) => return Ok(None),
        (Ok(Decoded::Incomplete { .. }), _) | (_, Err(mqttbytes::Error::InsufficientBytes(_))) => None,
        (Err(_), Err(_)) => return Ok(None),
        (Err(error), Ok((packet, _))) => LENIENT
            .iter()
            .find(|entry| discriminant(&entry.error) == discriminant(error) && (entry.has)(bytes, packet))
            .map(|entry| entry.what),
        (Ok(Decoded::Packet { packet, .. }), Err(error)) => {
            STRICT.iter().find(|entry| entry.error == *error && (entry.has)(packet)).map(|entry| entry.what)
        }
    };
    match listed {
        Some(what) => Ok(Some(what)),
        None => Err(format!("{bytes:02x?}: {ours:?}, but mqttbytes: {theirs:?}")),
    }
}

#[test]
fn every_listed_difference_is_still_there() {
    for entry in LENIENT {
        assert_eq!(compare(entry.example), Ok(Some(entry.what)), "[{}]", entry.statement);
    }
    for entry in STRICT {
        assert_eq!(compare(entry.example), Ok(Some(entry.what)), "{}", entry.section);
    }
}

#[test]
fn the_smallest_packet_of_every_type_is_the_same_to_both() {
    for (_, bytes) in common::SMALLEST {
        assert_eq!(compare(bytes), Ok(None));
    }
}

proptest! {
    #![proptest_config(config(
        2048,
        concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/differential.txt"),
    ))]

    #[test]
    fn a_packet_written_here_is_read_there(owned in packet(Protocol::V311)) {
        let differs = compare(&owned.encoded());
        let password_is_binary = owned.with(|packet| translated(&packet).is_none());
        prop_assert_eq!(differs, Ok(password_is_binary.then_some("a password must be UTF-8")));
    }

    #[test]
    fn a_packet_written_there_is_read_here(owned in packet(Protocol::V311)) {
        if has_empty_credentials(&owned) {
            return Ok(());
        }
        owned.with(|packet| {
            let Some(theirs) = translated(&packet) else { return Ok(()) };
            let bytes = written_by_mqttbytes(&theirs);
            prop_assert_eq!(decoded(&bytes, &V311), packet);
            prop_assert_eq!(encoded(&packet), Ok(bytes));
            Ok(())
        })?;
    }

    #[test]
    fn any_bytes_are_the_same_to_both_or_the_difference_is_listed(bytes in input(Protocol::V311)) {
        if let Err(difference) = compare(&bytes) {
            return Err(TestCaseError::fail(difference));
        }
    }

    #[test]
    fn any_filter_and_topic_match_in_both_but_for_two_faults_of_mqttbytes(
        filter in levels("[+]|[a$]?", "[+#]|[a$]?|温"),
        topic in levels("[a$]?", "[a$]?|温"),
    ) {
        // It denies a topic that begins with $ to every filter, and panics on a first character of many bytes.
        if topic.starts_with('$') || !topic.is_char_boundary(1) {
            return Ok(());
        }
        let ours = common::filter(&filter).matches(common::topic(&topic));
        prop_assert_eq!(ours, mqttbytes::matches(&topic, &filter));
    }
}

/// `mqttbytes` leaves out a user name or password that is empty, and with it the flag: a user name of no
/// characters makes its CONNECT break [MQTT-3.1.2-22].
fn has_empty_credentials(owned: &Owned) -> bool {
    owned.with(|packet| {
        matches!(
            packet,
            Packet::Connect(connect) if connect.user_name == Some("") || connect.password == Some(b"")
        )
    })
}

#[test]
fn mqttbytes_still_writes_an_empty_user_name_as_none() {
    let mut connect = v4::Connect::new("c");
    connect.set_login("", "p");
    let bytes = written_by_mqttbytes(&v4::Packet::Connect(connect));
    assert_eq!(decode(&bytes, &V311), Err(DecodeError::InvalidConnectFlags(0x42)));
}

#[test]
fn mqttbytes_still_panics_on_a_topic_of_many_byte_characters() {
    assert!(std::panic::catch_unwind(|| mqttbytes::matches("温度/1", "#")).is_err());
}

#[test]
fn mqttbytes_still_denies_dollar_topics_to_their_own_filter() {
    assert!(!mqttbytes::matches("$SYS/x", "$SYS/#"));
}
