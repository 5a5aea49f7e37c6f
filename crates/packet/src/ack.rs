//! PUBACK, PUBREC, PUBREL, PUBCOMP and UNSUBACK (§3.4 to §3.7, §3.11), which carry only a packet identifier.

use crate::error::{DecodeError, EncodeError};
use crate::frame::Frame;
use crate::packet_type::PacketType;
use crate::read::Reader;
use crate::types::{PacketId, Protocol};
use crate::write::Writer;

/// The content of PUBACK, PUBREC, PUBREL, PUBCOMP or UNSUBACK: a packet identifier.
///
/// ```
/// use mqtt_p2p_packet::{Ack, PacketId, PacketType};
///
/// let ack = Ack::new(PacketId::MIN);
/// assert_eq!(ack.to_bytes(PacketType::PubAck), [0x40, 2, 0, 1]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Ack {
    /// The packet identifier of the acknowledged packet.
    pub packet_id: PacketId,
}

impl Ack {
    /// The length of each of the five packets, in bytes.
    pub const LEN: usize = 4;

    /// Creates an acknowledgement of the packet with this identifier.
    #[inline]
    pub const fn new(packet_id: PacketId) -> Self {
        Self { packet_id }
    }

    /// Decodes an acknowledgement from a frame of one of the five types.
    ///
    /// # Errors
    /// Returns an error if the flags are wrong, the remaining length is not 2, or the packet identifier is 0.
    #[inline]
    pub fn decode(frame: &Frame<'_>, protocol: Protocol) -> Result<Self, DecodeError> {
        frame.check_flags(protocol == Protocol::V31)?;
        let mut body = Reader(frame.body);
        let packet_id = body.packet_id()?;
        body.end()?;
        Ok(Self { packet_id })
    }

    /// Reads the acknowledgement of this type that begins `input`, and returns it with the bytes behind it: in one step,
    /// where [`frame`](crate::frame) and [`decode`](Self::decode) would find it in two. `None` for anything else.
    ///
    /// ```
    /// use mqtt_p2p_packet::{Ack, PacketType};
    ///
    /// let (ack, rest) = Ack::split_first(&[0x40, 2, 0, 7, 0xd0], PacketType::PubAck).unwrap();
    /// assert_eq!((ack.packet_id.get(), rest), (7, &[0xd0][..]));
    /// assert_eq!(Ack::split_first(&[0x40, 2, 0, 0], PacketType::PubAck), None);
    /// ```
    #[inline]
    pub fn split_first(input: &[u8], packet_type: PacketType) -> Option<(Self, &[u8])> {
        match input {
            [first, 2, high, low, rest @ ..] if *first == packet_type.first_byte() => {
                let packet_id = PacketId::new(u16::from_be_bytes([*high, *low]))?;
                Some((Self { packet_id }, rest))
            }
            _ => None,
        }
    }

    /// Returns the four bytes of the packet of this type.
    #[inline]
    pub const fn to_bytes(self, packet_type: PacketType) -> [u8; Self::LEN] {
        let [high, low] = self.packet_id.get().to_be_bytes();
        [packet_type.first_byte(), 2, high, low]
    }

    pub(crate) fn encode(self, packet_type: PacketType, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        let (_, size) = Writer::start(buffer, packet_type.first_byte(), 2, self.packet_id.get())?;
        Ok(size)
    }
}
