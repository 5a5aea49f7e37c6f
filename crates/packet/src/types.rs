//! The small values that several packets share.

use core::fmt;
use core::num::NonZeroU16;

use crate::constants::MAX_PACKET_SIZE;

/// Which edition of the protocol the two sides speak; CONNECT says it in its protocol name and level.
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

/// Quality of service of a message (§4.3). There are three in every edition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
#[allow(clippy::exhaustive_enums, reason = "every MQTT version has these three")]
pub enum QoS {
    /// QoS 0: sent once, never acknowledged; lost if the connection is.
    #[default]
    AtMostOnce = 0,
    /// QoS 1: acknowledged by PUBACK; may arrive more than once.
    AtLeastOnce = 1,
    /// QoS 2: acknowledged in two steps; arrives exactly once.
    ExactlyOnce = 2,
}

impl QoS {
    /// From the number on the wire; `None` above 2 ([MQTT-3.3.1-4], [MQTT-3.8.3-4]).
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PacketId(NonZeroU16);

impl PacketId {
    /// The lowest identifier, 1.
    pub const MIN: Self = Self(NonZeroU16::MIN);

    /// The identifier with this number; `None` for 0.
    #[inline]
    pub const fn new(id: u16) -> Option<Self> {
        match NonZeroU16::new(id) {
            Some(id) => Some(Self(id)),
            None => None,
        }
    }

    /// The number on the wire.
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

/// How to read packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Options {
    /// The edition that CONNECT named. A server that has not read CONNECT yet keeps the default.
    pub protocol: Protocol,
    /// The longest packet taken, in bytes, fixed header included. A longer one is refused as soon as its fixed
    /// header has been read. Default: 268,435,460, the longest that MQTT knows.
    pub max_packet_size: u32,
}

impl Options {
    /// MQTT 3.1.1 without a limit of its own.
    pub const fn new() -> Self {
        Self { protocol: Protocol::V311, max_packet_size: MAX_PACKET_SIZE }
    }

    /// The same for another edition.
    #[must_use]
    pub const fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// The same with another longest packet, in bytes with the fixed header.
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
