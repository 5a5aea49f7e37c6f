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
