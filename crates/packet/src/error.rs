//! The errors of decoding, of encoding, and of topics.

use core::fmt;

use crate::packet_type::PacketType;

/// A violation of the standard in received bytes.
///
/// The fault is the sender's. The receiver must close the connection ([MQTT-4.8.0-1]).
///
/// ```
/// use mqtt_p2p_packet::{DecodeError, Options, decode};
///
/// // A PINGREQ with a body.
/// assert_eq!(decode(&[0xc0, 1, 0], &Options::new()), Err(DecodeError::TrailingBytes));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DecodeError {
    /// The packet type is 0 or 15, which are reserved (§2.2.1).
    ReservedType(u8),
    /// The flags of the fixed header are invalid for the packet type ([MQTT-2.2.2-2]).
    InvalidFlags {
        /// The packet type.
        packet: PacketType,
        /// The flags, in the low four bits.
        flags: u8,
    },
    /// The QoS is 3 in a PUBLISH, a will or a SUBSCRIBE ([MQTT-3.3.1-4], [MQTT-3.1.2-14], [MQTT-3.8.3-4]).
    InvalidQoS,
    /// A PUBLISH with QoS 0 has DUP set ([MQTT-3.3.1-2]).
    DupWithQoS0,
    /// The remaining length takes more than four bytes (§2.2.3).
    InvalidRemainingLength,
    /// The packet is longer than the receiver's limit. The fixed header alone shows it.
    TooLarge {
        /// The size of the whole packet, in bytes.
        size: u32,
        /// The limit, in bytes.
        max: u32,
    },
    /// The packet ends within a field.
    Truncated,
    /// Bytes follow the last field of the packet.
    TrailingBytes,
    /// The packet identifier is 0 ([MQTT-2.3.1-1]).
    ZeroPacketId,
    /// A string is not UTF-8 or contains U+0000 ([MQTT-1.5.3-1], [MQTT-1.5.3-2]).
    InvalidText,
    /// A topic name is empty or contains a wildcard ([MQTT-4.7.3-1], [MQTT-3.3.2-2]).
    InvalidTopicName,
    /// A topic filter is empty or has a misplaced wildcard ([MQTT-4.7.1-2], [MQTT-4.7.1-3]).
    InvalidTopicFilter,
    /// A SUBSCRIBE or UNSUBSCRIBE has no topic filter ([MQTT-3.8.3-3], [MQTT-3.10.3-2]), or a SUBACK has no return code.
    EmptyList,
    /// The protocol name is neither `MQTT` nor `MQIsdp` ([MQTT-3.1.2-1]).
    InvalidProtocolName,
    /// The protocol level is not supported. A server answers it with CONNACK return code 1 ([MQTT-3.1.2-2]).
    UnsupportedProtocolLevel(u8),
    /// The CONNECT flags contradict one another or set the reserved bit ([MQTT-3.1.2-3], [MQTT-3.1.2-11],
    /// [MQTT-3.1.2-13], [MQTT-3.1.2-15], [MQTT-3.1.2-22]).
    InvalidConnectFlags(u8),
    /// A CONNACK sets reserved bits, or session present in a refusal ([MQTT-3.2.2-4]).
    InvalidConnAckFlags(u8),
    /// The return code of a CONNACK or SUBACK is reserved (§3.2.2.3, [MQTT-3.9.3-2]).
    InvalidReturnCode(u8),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ReservedType(t) => write!(f, "packet type {t} is reserved"),
            Self::InvalidFlags { packet, flags } => {
                write!(f, "{packet} with fixed-header flags {flags:#06b}")
            }
            Self::InvalidQoS => f.write_str("QoS 3"),
            Self::DupWithQoS0 => f.write_str("a PUBLISH of QoS 0 with DUP set"),
            Self::InvalidRemainingLength => f.write_str("a remaining length of more than four bytes"),
            Self::TooLarge { size, max } => {
                write!(f, "a packet of {size} bytes, over the limit of {max}")
            }
            Self::Truncated => f.write_str("a packet that ends in the middle of a field"),
            Self::TrailingBytes => f.write_str("bytes behind the packet's last field"),
            Self::ZeroPacketId => f.write_str("packet identifier 0"),
            Self::InvalidText => f.write_str("text that is not UTF-8 or holds U+0000"),
            Self::InvalidTopicName => f.write_str("a topic name that is empty or holds a wildcard"),
            Self::InvalidTopicFilter => {
                f.write_str("a topic filter that is empty or has a wildcard out of place")
            }
            Self::EmptyList => f.write_str("a list of topic filters or return codes without an entry"),
            Self::InvalidProtocolName => f.write_str("a protocol name other than MQTT or MQIsdp"),
            Self::UnsupportedProtocolLevel(level) => write!(f, "protocol level {level}"),
            Self::InvalidConnectFlags(flags) => write!(f, "CONNECT flags {flags:#010b}"),
            Self::InvalidConnAckFlags(flags) => write!(f, "CONNACK flags {flags:#010b}"),
            Self::InvalidReturnCode(code) => write!(f, "return code {code:#04x}"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// The reason why a packet can't be encoded. The fault is the caller's, and the buffer is unchanged.
///
/// ```
/// use mqtt_p2p_packet::{EncodeError, Packet};
///
/// assert_eq!(Packet::PingReq.encode(&mut [0]), Err(EncodeError::BufferTooSmall { needed: 2 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EncodeError {
    /// The buffer is shorter than the packet.
    BufferTooSmall {
        /// The length of the packet, in bytes.
        needed: usize,
    },
    /// The remaining length exceeds 268,435,455 bytes (§2.2.3).
    PacketTooLarge,
    /// A string or binary field is longer than 65,535 bytes (§1.5.3).
    FieldTooLong,
    /// A string contains U+0000 ([MQTT-1.5.3-2]).
    InvalidText,
    /// There is a password but no user name ([MQTT-3.1.2-22]).
    PasswordWithoutUserName,
    /// The client identifier is empty, but clean session is not set ([MQTT-3.1.3-7]).
    EmptyClientId,
    /// A SUBSCRIBE or UNSUBSCRIBE has no topic filter ([MQTT-3.8.3-3], [MQTT-3.10.3-2]).
    EmptyList,
    /// MQTT 3.1.1 has no CONNACK return code for the reason, or a refusal has session present set ([MQTT-3.2.2-4]).
    InvalidConnAck,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::BufferTooSmall { needed } => {
                write!(f, "the packet takes {needed} bytes, more than the buffer has")
            }
            Self::PacketTooLarge => f.write_str("longer than the 268,435,455 bytes that a packet may have"),
            Self::FieldTooLong => f.write_str("a text or binary field is longer than 65,535 bytes"),
            Self::InvalidText => f.write_str("text may not hold U+0000"),
            Self::PasswordWithoutUserName => f.write_str("a password needs a user name"),
            Self::EmptyClientId => {
                f.write_str("a session that is to be kept needs a client identifier; or ask for a clean one")
            }
            Self::EmptyList => f.write_str("at least one topic filter or return code is needed"),
            Self::InvalidConnAck => {
                f.write_str("CONNACK has no such return code, or a refusal claims a session")
            }
        }
    }
}

impl core::error::Error for EncodeError {}

/// The reason why a string is not a valid topic name or topic filter (§4.7).
///
/// ```
/// use mqtt_p2p_packet::{TopicError, TopicFilter, TopicName};
///
/// assert_eq!(TopicName::new("a/+"), Err(TopicError::WildcardInName));
/// assert_eq!(TopicFilter::new("a/#/b"), Err(TopicError::MisplacedWildcard));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TopicError {
    /// The string is empty ([MQTT-4.7.3-1]).
    Empty,
    /// The string is longer than 65,535 bytes ([MQTT-4.7.3-3]).
    TooLong,
    /// The bytes are not UTF-8 ([MQTT-1.5.3-1]) or contain U+0000 ([MQTT-4.7.3-2]).
    InvalidText,
    /// A topic name contains `+` or `#` ([MQTT-4.7.1-1]).
    WildcardInName,
    /// `+` does not occupy an entire level ([MQTT-4.7.1-3]), or `#` does not occupy the entire last level ([MQTT-4.7.1-2]).
    MisplacedWildcard,
}

impl fmt::Display for TopicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "a topic needs at least one character",
            Self::TooLong => "a topic may have at most 65,535 bytes",
            Self::InvalidText => "a topic must be UTF-8 without U+0000",
            Self::WildcardInName => "messages are published to a topic name, which may not hold + or #",
            Self::MisplacedWildcard => "+ and # stand alone in their level, and # only in the last one",
        })
    }
}

impl core::error::Error for TopicError {}
