//! What can be wrong with bytes that came in, or with what should go out.

use core::fmt;

use crate::packet_type::PacketType;

/// Why bytes are not an MQTT packet. It is always the sender's fault, and always final: the standard asks to
/// close the connection ([MQTT-4.8.0-1]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DecodeError {
    /// Packet type 0 or 15 (§2.2.1).
    ReservedType(u8),
    /// Fixed-header flags that this packet type may not have ([MQTT-2.2.2-2]).
    InvalidFlags {
        /// The packet's type.
        packet: PacketType,
        /// Its low four bits.
        flags: u8,
    },
    /// QoS 3 in a PUBLISH, a will or a SUBSCRIBE ([MQTT-3.3.1-4], [MQTT-3.1.2-14], [MQTT-3.8.3-4]).
    InvalidQoS,
    /// A PUBLISH of QoS 0 with DUP set ([MQTT-3.3.1-2]).
    DupWithQoS0,
    /// A remaining length of more than four bytes (§2.2.3).
    InvalidRemainingLength,
    /// Longer than the reader's own limit, told by the fixed header alone.
    TooLarge {
        /// The whole packet's size in bytes.
        size: u32,
        /// The limit in bytes.
        max: u32,
    },
    /// The packet ends in the middle of a field.
    Truncated,
    /// Bytes are left behind the packet's last field.
    TrailingBytes,
    /// Packet identifier 0 ([MQTT-2.3.1-1]).
    ZeroPacketId,
    /// Text that is not UTF-8, or holds U+0000 ([MQTT-1.5.3-1], [MQTT-1.5.3-2]).
    InvalidText,
    /// A topic name that is empty or holds a wildcard ([MQTT-4.7.3-1], [MQTT-3.3.2-2]).
    InvalidTopicName,
    /// A topic filter that is empty or has a wildcard out of place ([MQTT-4.7.1-2], [MQTT-4.7.1-3]).
    InvalidTopicFilter,
    /// SUBSCRIBE or UNSUBSCRIBE without a topic filter ([MQTT-3.8.3-3], [MQTT-3.10.3-2]), or SUBACK without a
    /// return code.
    EmptyList,
    /// A protocol name other than `MQTT` or `MQIsdp` ([MQTT-3.1.2-1]).
    InvalidProtocolName,
    /// A protocol level that does not belong to the name; a server answers it with return code 1
    /// ([MQTT-3.1.2-2]).
    UnsupportedProtocolLevel(u8),
    /// CONNECT flags that contradict one another or set the reserved bit ([MQTT-3.1.2-3], [MQTT-3.1.2-11],
    /// [MQTT-3.1.2-13], [MQTT-3.1.2-15], [MQTT-3.1.2-22]).
    InvalidConnectFlags(u8),
    /// Reserved bits in CONNACK's first byte, or session present in a refusal ([MQTT-3.2.2-4]).
    InvalidConnAckFlags(u8),
    /// A return code that CONNACK or SUBACK does not have (§3.2.2.3, [MQTT-3.9.3-2]).
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

/// Why a packet can't be written. It is the caller's fault; nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EncodeError {
    /// The buffer is shorter than the packet.
    BufferTooSmall {
        /// How many bytes the packet takes.
        needed: usize,
    },
    /// Longer than 268,435,455 bytes behind the fixed header (§2.2.3).
    PacketTooLarge,
    /// A text or a field of binary data is longer than 65,535 bytes (§1.5.3).
    FieldTooLong,
    /// Text with U+0000 ([MQTT-1.5.3-2]).
    InvalidText,
    /// A password without a user name ([MQTT-3.1.2-22]).
    PasswordWithoutUserName,
    /// No client identifier, and a session that is to be kept ([MQTT-3.1.3-7]).
    EmptyClientId,
    /// SUBSCRIBE or UNSUBSCRIBE without a topic filter, SUBACK without a return code.
    EmptyList,
    /// A return code that CONNACK of MQTT 3.1.1 does not have, or session present in a refusal.
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

/// Why text is not a topic name or a topic filter (§4.7). It is the caller's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TopicError {
    /// No character at all ([MQTT-4.7.3-1]).
    Empty,
    /// More than 65,535 bytes ([MQTT-4.7.3-3]).
    TooLong,
    /// Bytes that are not UTF-8 ([MQTT-1.5.3-1]), or U+0000 ([MQTT-4.7.3-2]).
    InvalidText,
    /// `+` or `#` in a topic name ([MQTT-4.7.1-1]).
    WildcardInName,
    /// `+` that shares its level with other characters ([MQTT-4.7.1-3]), or `#` that does or is not the last
    /// level ([MQTT-4.7.1-2]).
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
