//! PUBACK, PUBREC, PUBREL, PUBCOMP and UNSUBACK (§3.4 to §3.7, §3.11): a packet identifier and nothing else.

use crate::error::{DecodeError, EncodeError};
use crate::frame::{Frame, PacketType};
use crate::read::Reader;
use crate::types::{PacketId, Protocol};
use crate::write::Writer;

/// The packet identifier that one of the five two-byte acknowledgements carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ack {
    /// What is acknowledged.
    pub packet_id: PacketId,
}

impl Ack {
    /// The length of each of the five, in bytes.
    pub const LEN: usize = 4;

    /// Reads it from a frame of one of the five types.
    ///
    /// # Errors
    /// Wrong flags, a length other than two, identifier 0.
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

    /// The packet's four bytes.
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
