//! The other codecs: what each makes of a packet, and where it differs from the standard.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use mqtt_protocol_core::mqtt::packet::v3_1_1;

use super::reference::{Fault, log_in};

/// What a codec makes of the bytes of one packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It reads a packet, and writes it so.
    Packet(Vec<u8>),
    Refused,
    Incomplete,
    Panicked,
}

/// A good packet that a codec takes otherwise.
pub(crate) struct Differs {
    pub(crate) what: &'static str,
    /// Why the standard is on this crate's side.
    pub(crate) because: &'static str,
    /// Whether that is what happened: by first byte, body and verdict.
    pub(crate) has: fn(u8, &[u8], &Verdict) -> bool,
    pub(crate) example: &'static [u8],
}

pub(crate) struct Oracle {
    pub(crate) name: &'static str,
    pub(crate) read: fn(&[u8]) -> Verdict,
    /// Faults that it does not see, or not always; each with an example.
    pub(crate) lenient: &'static [(Fault, &'static [u8])],
    /// Faults on which it panics.
    pub(crate) panics: &'static [(Fault, &'static [u8])],
    pub(crate) differs: &'static [Differs],
}

/// Runs foreign code that may panic, without its noise.
fn quietly(read: impl FnOnce() -> Verdict) -> Verdict {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Verdict::Panicked)
}

// ---- mqttbytes ----

fn by_mqttbytes(bytes: &[u8]) -> Verdict {
    use mqttbytes::v4::{self, Packet};
    quietly(|| {
        let mut stream = bytes.into();
        let packet = match v4::read(&mut stream, usize::MAX) {
            Ok(packet) => packet,
            Err(mqttbytes::Error::InsufficientBytes(_)) => return Verdict::Incomplete,
            Err(_) => return Verdict::Refused,
        };
        let mut written = Default::default();
        let result = match packet {
            Packet::Connect(packet) => packet.write(&mut written),
            Packet::ConnAck(packet) => packet.write(&mut written),
            Packet::Publish(packet) => packet.write(&mut written),
            Packet::PubAck(packet) => packet.write(&mut written),
            Packet::PubRec(packet) => packet.write(&mut written),
            Packet::PubRel(packet) => packet.write(&mut written),
            Packet::PubComp(packet) => packet.write(&mut written),
            Packet::Subscribe(packet) => packet.write(&mut written),
            Packet::SubAck(packet) => packet.write(&mut written),
            Packet::Unsubscribe(packet) => packet.write(&mut written),
            Packet::UnsubAck(packet) => packet.write(&mut written),
            Packet::PingReq => v4::PingReq.write(&mut written),
            Packet::PingResp => v4::PingResp.write(&mut written),
            Packet::Disconnect => v4::Disconnect.write(&mut written),
        };
        result.map_or(Verdict::Refused, |_| Verdict::Packet(written.to_vec()))
    })
}

// ---- mqttrs ----

fn by_mqttrs(bytes: &[u8]) -> Verdict {
    quietly(|| match mqttrs::decode_slice(bytes) {
        Ok(Some(packet)) => {
            let mut written = vec![0; bytes.len() + 16];
            match mqttrs::encode_slice(&packet, &mut written) {
                Ok(len) => {
                    written.truncate(len);
                    Verdict::Packet(written)
                }
                Err(_) => Verdict::Refused,
            }
        }
        Ok(None) => Verdict::Incomplete,
        Err(_) => Verdict::Refused,
    })
}

// ---- mqtt-protocol-core ----

/// It keeps fixed header and fields apart: its connection looks at the type alone, as here.
fn by_mqtt_protocol_core(bytes: &[u8]) -> Verdict {
    let Some((body, len)) = super::common::extent(bytes) else {
        return Verdict::Incomplete;
    };
    if len > bytes.len() {
        return Verdict::Incomplete;
    }
    // What it leaves unread, its connection refuses.
    macro_rules! exact {
        ($parsed:expr) => {
            match $parsed {
                Ok((packet, read)) if read == body.len() => Verdict::Packet(packet.to_continuous_buffer()),
                _ => Verdict::Refused,
            }
        };
    }
    quietly(|| match bytes[0] >> 4 {
        1 => exact!(v3_1_1::Connect::parse(body)),
        2 => exact!(v3_1_1::Connack::parse(body)),
        3 => exact!(v3_1_1::Publish::parse(bytes[0] & 0x0f, Arc::from(body))),
        4 => exact!(v3_1_1::Puback::parse(body)),
        5 => exact!(v3_1_1::Pubrec::parse(body)),
        6 => exact!(v3_1_1::Pubrel::parse(body)),
        7 => exact!(v3_1_1::Pubcomp::parse(body)),
        8 => exact!(v3_1_1::Subscribe::parse(body)),
        9 => exact!(v3_1_1::Suback::parse(body)),
        10 => exact!(v3_1_1::Unsubscribe::parse(body)),
        11 => exact!(v3_1_1::Unsuback::parse(body)),
        12 => exact!(v3_1_1::Pingreq::parse(body)),
        13 => exact!(v3_1_1::Pingresp::parse(body)),
        14 => exact!(v3_1_1::Disconnect::parse(body)),
        _ => Verdict::Refused,
    })
}

// ---- where they differ ----

const NO_DUP: &[u8] = b"\x38\x03\x00\x01t";
const NUL: &[u8] = b"\x30\x03\x00\x01\x00";
const EMPTY: &[u8] = b"\x30\x02\x00\x00";
const WILDCARD: &[u8] = b"\x30\x03\x00\x01#";
const MISPLACED: &[u8] = b"\x82\x07\x00\x01\x00\x02a#\x00";
const NO_FILTER: &[u8] = b"\x82\x02\x00\x01";
const REQUESTED: &[u8] = b"\x82\x06\x00\x01\x00\x01f\x81";
const TRAILING: &[u8] = b"\x40\x03\x00\x01\x00";
const FLAGS: &[u8] = b"\x41\x02\x00\x01";
const ZERO: &[u8] = b"\x40\x02\x00\x00";
const RESERVED: &[u8] = b"\x10\x0c\x00\x04MQTT\x04\x03\x00\x00\x00\x00";
const WILL_BITS: &[u8] = b"\x10\x0c\x00\x04MQTT\x04\x22\x00\x00\x00\x00";
const PASSWORD: &[u8] = b"\x10\x0f\x00\x04MQTT\x04\x42\x00\x00\x00\x00\x00\x01p";
const LEVEL: &[u8] = b"\x10\x0c\x00\x04MQTT\x05\x02\x00\x00\x00\x00";
const CONNACK: &[u8] = b"\x20\x02\x02\x00";
const SESSION: &[u8] = b"\x20\x02\x01\x05";
const NO_CODE: &[u8] = b"\x90\x02\x00\x01";
const MQTT_3_1: &[u8] = b"\x10\x0e\x00\x06MQIsdp\x03\x02\x00\x00\x00\x00";

const fn is_refusal_of_mqtt_3_1(first: u8, body: &[u8], theirs: &Verdict) -> bool {
    first == 0x10 && matches!(body, [0, 6, ..]) && matches!(theirs, Verdict::Refused)
}

#[rustfmt::skip]
pub(crate) const ORACLES: [Oracle; 3] = [
    Oracle {
        name: "mqttbytes",
        read: by_mqttbytes,
        lenient: &[
            (Fault::Flags, FLAGS), (Fault::DupWithQoS0, NO_DUP), (Fault::ZeroPacketId, ZERO), (Fault::Nul, NUL),
            (Fault::EmptyTopic, EMPTY), (Fault::WildcardInName, WILDCARD), (Fault::MisplacedWildcard, MISPLACED),
            (Fault::NoTopicFilter, NO_FILTER), (Fault::RequestedQoS, REQUESTED), (Fault::TrailingBytes, TRAILING),
            (Fault::ReservedConnectFlag, RESERVED), (Fault::PasswordWithoutUserName, PASSWORD),
            (Fault::ProtocolLevel, LEVEL), (Fault::ConnAckFlags, CONNACK), (Fault::SessionInRefusal, SESSION),
        ],
        panics: &[],
        differs: &[
            Differs {
                what: "a password must be UTF-8",
                because: "§3.1.3.5: a password is binary data",
                has: |first, body, theirs| {
                    first == 0x10
                        && *theirs == Verdict::Refused
                        && log_in(body).is_some_and(|(_, password)| std::str::from_utf8(password).is_err())
                },
                example: b"\x10\x12\x00\x04MQTT\x04\xc2\x00\x00\x00\x00\x00\x01u\x00\x01\xff",
            },
            Differs {
                what: "an empty user name or password is none",
                because: "MQTT-3.1.2-19, MQTT-3.1.2-21: the flag says that there is one",
                has: |first, body, theirs| {
                    first == 0x10
                        && matches!(theirs, Verdict::Packet(_))
                        && log_in(body).is_some_and(|(user_name, password)| user_name.is_empty() || password.is_empty())
                },
                example: b"\x10\x10\x00\x04MQTT\x04\xc2\x00\x00\x00\x00\x00\x00\x00\x00",
            },
            Differs {
                what: "there is no MQTT 3.1",
                because: "MQTT 3.1, §3.1: protocol name MQIsdp, level 3",
                has: is_refusal_of_mqtt_3_1,
                example: MQTT_3_1,
            },
        ],
    },
    Oracle {
        name: "mqttrs",
        read: by_mqttrs,
        lenient: &[
            (Fault::DupWithQoS0, NO_DUP), (Fault::Nul, NUL), (Fault::EmptyTopic, EMPTY), (Fault::WildcardInName, WILDCARD),
            (Fault::MisplacedWildcard, MISPLACED), (Fault::NoTopicFilter, NO_FILTER), (Fault::NoReturnCode, NO_CODE),
            (Fault::TrailingBytes, TRAILING), (Fault::ReservedConnectFlag, RESERVED),
            (Fault::WillBitsWithoutWill, WILL_BITS), (Fault::PasswordWithoutUserName, PASSWORD),
            (Fault::ConnAckFlags, CONNACK), (Fault::SessionInRefusal, SESSION),
        ],
        // It reads the level behind a protocol name without a look at whether it is there.
        panics: &[(Fault::Truncated, b"\x50\x00"), (Fault::ProtocolName, b"\x10\x03\x00\x01\x00")],
        differs: &[
            Differs {
                what: "MQTT 3.1 is written with the length and the level of MQTT 3.1.1",
                because: "MQTT 3.1, §3.1: protocol name MQIsdp, level 3",
                has: |first, body, theirs| {
                    first == 0x10
                        && body.starts_with(&[0, 6])
                        && matches!(theirs, Verdict::Packet(packet) if packet.windows(9).any(|name| name == b"\x00\x04MQisdp\x04"))
                },
                example: MQTT_3_1,
            },
        ],
    },
    Oracle {
        name: "mqtt-protocol-core",
        read: by_mqtt_protocol_core,
        lenient: &[
            (Fault::Flags, FLAGS), (Fault::DupWithQoS0, NO_DUP), (Fault::ZeroPacketId, b"\xb0\x02\x00\x00"), (Fault::Nul, NUL),
            (Fault::EmptyTopic, EMPTY), (Fault::WildcardInName, WILDCARD), (Fault::MisplacedWildcard, MISPLACED),
            (Fault::WillQoS3, b"\x10\x11\x00\x04MQTT\x04\x1e\x00\x00\x00\x00\x00\x01w\x00\x00"),
            // It takes a PUBACK with a reason code, as MQTT 5 has them.
            (Fault::TrailingBytes, b"\x40\x03\x00\x01\x80"),
            // The options that MQTT 5 has beside the QoS.
            (Fault::RequestedQoS, b"\x82\x06\x00\x01\x00\x01f\x08"),
            (Fault::ReservedConnectFlag, RESERVED),
            (Fault::WillBitsWithoutWill, WILL_BITS),
            (Fault::ConnAckFlags, CONNACK), (Fault::SessionInRefusal, SESSION),
        ],
        panics: &[],
        differs: &[
            Differs {
                what: "there is no MQTT 3.1",
                because: "MQTT 3.1, §3.1: protocol name MQIsdp, level 3",
                has: is_refusal_of_mqtt_3_1,
                example: MQTT_3_1,
            },
        ],
    },
];
