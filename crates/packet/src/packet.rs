//! Any of the fourteen packets, both directions.

use crate::ack::Ack;
use crate::connack::ConnAck;
use crate::connect::Connect;
use crate::error::{DecodeError, EncodeError};
use crate::frame::{Frame, Framed, frame};
use crate::packet_type::PacketType;
use crate::publish::Publish;
use crate::suback::SubAck;
use crate::subscribe::Subscribe;
use crate::types::{Options, Protocol};
use crate::unsubscribe::Unsubscribe;
use crate::write::{self, packet_size};

/// A control packet (§3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are the standard's; each payload says what it is")]
pub enum Packet<'a> {
    Connect(Connect<'a>),
    ConnAck(ConnAck),
    Publish(Publish<'a>),
    PubAck(Ack),
    PubRec(Ack),
    PubRel(Ack),
    PubComp(Ack),
    Subscribe(Subscribe<'a>),
    SubAck(SubAck<'a>),
    Unsubscribe(Unsubscribe<'a>),
    UnsubAck(Ack),
    PingReq,
    PingResp,
    Disconnect,
}

/// What [`decode`] finds at the start of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[allow(clippy::exhaustive_enums, reason = "a packet is complete or it is not")]
pub enum Decoded<'a> {
    /// A whole packet.
    Packet {
        /// The packet; its text and payload lie in the input.
        packet: Packet<'a>,
        /// How many bytes of the input it took. What follows is the next packet.
        len: usize,
    },
    /// The packet goes on behind the input.
    Incomplete {
        /// At least so many bytes more; exactly what the packet lacks once its fixed header is there.
        needed: usize,
    },
}

/// Reads the packet at the start of `input`. It needs nothing kept between calls: after more bytes came, call it
/// again from the same start.
///
/// # Errors
/// What the standard calls malformed, and a packet over the limit of `options`. Reserved types, lengths and the limit
/// are judged by the fixed header alone, the rest once the packet is whole.
#[inline]
pub fn decode<'a>(input: &'a [u8], options: &Options) -> Result<Decoded<'a>, DecodeError> {
    match frame(input, options.max_packet_size)? {
        Framed::Complete(frame, rest) => Ok(Decoded::Packet {
            packet: Packet::decode(&frame, options.protocol)?,
            len: input.len().wrapping_sub(rest.len()),
        }),
        Framed::Incomplete { needed } => Ok(Decoded::Incomplete { needed }),
    }
}

impl<'a> Packet<'a> {
    /// Reads the fields of a packet that [`frame()`](crate::frame()) has found.
    ///
    /// # Errors
    /// What the standard calls malformed.
    #[inline]
    pub fn decode(frame: &Frame<'a>, protocol: Protocol) -> Result<Self, DecodeError> {
        Ok(match frame.packet_type {
            PacketType::Connect => Self::Connect(Connect::decode(frame)?),
            PacketType::ConnAck => Self::ConnAck(ConnAck::decode(frame, protocol)?),
            PacketType::Publish => Self::Publish(Publish::decode(frame)?),
            PacketType::PubAck => Self::PubAck(Ack::decode(frame, protocol)?),
            PacketType::PubRec => Self::PubRec(Ack::decode(frame, protocol)?),
            PacketType::PubRel => Self::PubRel(Ack::decode(frame, protocol)?),
            PacketType::PubComp => Self::PubComp(Ack::decode(frame, protocol)?),
            PacketType::Subscribe => Self::Subscribe(Subscribe::decode(frame, protocol)?),
            PacketType::SubAck => Self::SubAck(SubAck::decode(frame)?),
            PacketType::Unsubscribe => Self::Unsubscribe(Unsubscribe::decode(frame, protocol)?),
            PacketType::UnsubAck => Self::UnsubAck(Ack::decode(frame, protocol)?),
            PacketType::PingReq => frame.empty(Self::PingReq)?,
            PacketType::PingResp => frame.empty(Self::PingResp)?,
            PacketType::Disconnect => frame.empty(Self::Disconnect)?,
        })
    }

    /// The packet's type.
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::ConnAck(_) => PacketType::ConnAck,
            Self::Publish(_) => PacketType::Publish,
            Self::PubAck(_) => PacketType::PubAck,
            Self::PubRec(_) => PacketType::PubRec,
            Self::PubRel(_) => PacketType::PubRel,
            Self::PubComp(_) => PacketType::PubComp,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::SubAck(_) => PacketType::SubAck,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::UnsubAck(_) => PacketType::UnsubAck,
            Self::PingReq => PacketType::PingReq,
            Self::PingResp => PacketType::PingResp,
            Self::Disconnect => PacketType::Disconnect,
        }
    }

    /// The packet's exact length in bytes.
    ///
    /// # Errors
    /// What makes it impossible to write, but for the buffer.
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        match self {
            Self::Connect(packet) => packet.encoded_len(),
            Self::ConnAck(packet) => packet.encoded_len(),
            Self::Publish(packet) => packet.encoded_len(),
            Self::Subscribe(packet) => packet.encoded_len(),
            Self::SubAck(packet) => packet.encoded_len(),
            Self::Unsubscribe(packet) => packet.encoded_len(),
            Self::PubAck(_) | Self::PubRec(_) | Self::PubRel(_) | Self::PubComp(_) | Self::UnsubAck(_) => {
                Ok(Ack::LEN)
            }
            Self::PingReq | Self::PingResp | Self::Disconnect => packet_size(0),
        }
    }

    /// Writes the packet to the start of `buffer`, and gives its length.
    ///
    /// # Errors
    /// As [`Self::encoded_len`], and [`EncodeError::BufferTooSmall`]. Nothing is written then.
    pub fn encode(&self, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        match self {
            Self::Connect(packet) => packet.encode(buffer),
            Self::ConnAck(packet) => packet.encode(buffer),
            Self::Publish(packet) => packet.encode(buffer),
            Self::Subscribe(packet) => packet.encode(buffer),
            Self::SubAck(packet) => packet.encode(buffer),
            Self::Unsubscribe(packet) => packet.encode(buffer),
            Self::PubAck(ack)
            | Self::PubRec(ack)
            | Self::PubRel(ack)
            | Self::PubComp(ack)
            | Self::UnsubAck(ack) => ack.encode(self.packet_type(), buffer),
            Self::PingReq | Self::PingResp | Self::Disconnect => {
                write::bare(buffer, self.packet_type().first_byte())
            }
        }
    }
}
