//! Decoding and encoding of packets of any type.

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

/// A control packet of any type (§3).
///
/// ```
/// use mqtt_p2p_packet::{Packet, PacketType};
///
/// let mut buffer = [0; 2];
/// assert_eq!(Packet::PingReq.encode(&mut buffer)?, 2);
/// assert_eq!((Packet::PingReq.packet_type(), buffer), (PacketType::PingReq, [0xc0, 0]));
/// # Ok::<(), mqtt_p2p_packet::EncodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are those of the standard, and the content types are documented")]
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

/// The result of [`decode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[allow(clippy::exhaustive_enums, reason = "a packet is complete or it is not")]
pub enum Decoded<'a> {
    /// The input starts with a complete packet.
    Packet {
        /// The packet, whose strings and payload borrow from the input.
        packet: Packet<'a>,
        /// The length of the packet, in bytes. The next packet starts there.
        len: usize,
    },
    /// The input ends before the packet does.
    Incomplete {
        /// The number of missing bytes. It is exact if the fixed header is complete, and otherwise the minimum.
        needed: usize,
    },
}

/// Decodes the packet at the start of `input`.
///
/// No state is kept between calls: if the packet is incomplete, the caller appends more bytes to the same input and calls
/// again. The examples of the [crate](crate) show both cases.
///
/// # Errors
/// Returns an error if the packet violates the standard or exceeds [`Options::max_packet_size`]. Errors of the fixed header
/// are returned before the packet is complete.
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
    /// Decodes the fields of a packet from its [frame](crate::frame()).
    ///
    /// # Errors
    /// Returns an error if the packet violates the standard.
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

    /// Returns the packet type.
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

    /// Returns the exact length of the encoded packet, in bytes.
    ///
    /// # Errors
    /// Returns the errors of [`encode`](Self::encode) except [`EncodeError::BufferTooSmall`].
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

    /// Encodes the packet to the start of `buffer` and returns its length in bytes.
    ///
    /// # Errors
    /// Returns an error if the standard does not allow the packet, or the buffer is too small. The buffer is then unchanged.
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
                write::fixed_header_only(buffer, self.packet_type().first_byte())
            }
        }
    }
}
