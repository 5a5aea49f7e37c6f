//! Values that several packets share.

use core::fmt;
use core::num::NonZeroU16;

use crate::constants::MAX_PACKET_SIZE;

/// A version of the protocol, which CONNECT names by protocol name and level (§3.1.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Protocol {
    /// MQTT 3.1: protocol name `MQIsdp`, level 3.
    V31,
    /// MQTT 3.1.1: protocol name `MQTT`, level 4.
    #[default]
    V311,
}

/// The quality of service of a message (§4.3).
///
/// ```
/// use mqtt_p2p_packet::QoS;
///
/// assert_eq!(QoS::from_bits(1), Some(QoS::AtLeastOnce));
/// assert_eq!(QoS::AtLeastOnce as u8, 1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
#[allow(clippy::exhaustive_enums, reason = "every MQTT version has these three")]
pub enum QoS {
    /// QoS 0: the message is not acknowledged, and is lost if the connection is.
    #[default]
    AtMostOnce = 0,
    /// QoS 1: the message is acknowledged by PUBACK, and may arrive more than once.
    AtLeastOnce = 1,
    /// QoS 2: the message is acknowledged in two steps, and arrives exactly once.
    ExactlyOnce = 2,
}

impl QoS {
    /// Converts the encoded value; returns `None` if it is above 2 ([MQTT-3.3.1-4], [MQTT-3.8.3-4]).
    #[inline]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }
}

impl fmt::Display for QoS {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&(*self as u8), f)
    }
}

/// A packet identifier: 1 to 65,535, never 0 ([MQTT-2.3.1-1]).
///
/// ```
/// use mqtt_p2p_packet::PacketId;
///
/// assert_eq!(PacketId::new(7).map(PacketId::get), Some(7));
/// assert_eq!(PacketId::new(0), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PacketId(NonZeroU16);

impl PacketId {
    /// The lowest identifier, 1.
    pub const MIN: Self = Self(NonZeroU16::MIN);

    /// Creates a packet identifier; returns `None` for 0.
    #[inline]
    pub const fn new(id: u16) -> Option<Self> {
        match NonZeroU16::new(id) {
            Some(id) => Some(Self(id)),
            None => None,
        }
    }

    /// Returns the value of the packet identifier.
    #[inline]
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl From<NonZeroU16> for PacketId {
    fn from(id: NonZeroU16) -> Self {
        Self(id)
    }
}

impl fmt::Display for PacketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The options of [`decode`](crate::decode).
///
/// ```
/// use mqtt_p2p_packet::{DecodeError, Options, decode};
///
/// let options = Options::new().max_packet_size(1024);
/// let error = decode(&[0x30, 0x80, 0x10], &options).unwrap_err();
/// assert_eq!(error, DecodeError::TooLarge { size: 2051, max: 1024 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Options {
    /// The protocol version that CONNECT names. A server that has not decoded the CONNECT yet uses the default, which is MQTT
    /// 3.1.1.
    pub protocol: Protocol,
    /// The maximum size of a packet, in bytes, including the fixed header. A larger packet is rejected by its fixed header.
    /// The default is 268,435,460, the maximum that MQTT allows.
    pub max_packet_size: u32,
}

impl Options {
    /// Creates options for MQTT 3.1.1 and packets of any size.
    pub const fn new() -> Self {
        Self { protocol: Protocol::V311, max_packet_size: MAX_PACKET_SIZE }
    }

    /// Sets the protocol version.
    #[must_use]
    pub const fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Sets the maximum size of a packet, in bytes, including the fixed header.
    #[must_use]
    pub const fn max_packet_size(mut self, bytes: u32) -> Self {
        self.max_packet_size = bytes;
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}
