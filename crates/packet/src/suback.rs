//! SUBACK (§3.9): an answer to each topic filter of a SUBSCRIBE.

use core::fmt;

use crate::error::{DecodeError, EncodeError};
use crate::frame::{Frame, PacketType};
use crate::read::Reader;
use crate::reason::ReasonCode;
use crate::types::PacketId;
use crate::write::{Writer, packet_size};

/// The server's answers to one SUBSCRIBE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SubAck<'a> {
    /// The SUBSCRIBE's packet identifier.
    pub packet_id: PacketId,
    /// One for each topic filter, in their order ([MQTT-3.9.3-1]).
    pub return_codes: ReturnCodes<'a>,
}

/// The return codes of a SUBACK: granted QoS 0, 1 or 2, or refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReturnCodes<'a>(&'a [u8]);

impl<'a> ReturnCodes<'a> {
    /// From codes as on the wire.
    ///
    /// # Errors
    /// An empty list; a code other than 0, 1, 2 and 0x80 ([MQTT-3.9.3-2]).
    pub fn new(codes: &'a [u8]) -> Result<Self, DecodeError> {
        if codes.is_empty() {
            return Err(DecodeError::EmptyList);
        }
        match codes.iter().find(|code| ReasonCode::from_suback(**code).is_none()) {
            Some(code) => Err(DecodeError::InvalidReturnCode(*code)),
            None => Ok(Self(codes)),
        }
    }

    /// The answers in the order of the topic filters.
    pub fn iter(&self) -> impl Iterator<Item = ReasonCode> + use<'a> {
        self.0.iter().filter_map(|code| ReasonCode::from_suback(*code))
    }

    /// How many answers there are: at least one.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The codes as on the wire.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Whether every filter was granted.
    pub fn all_granted(&self) -> bool {
        !self.iter().any(ReasonCode::is_error)
    }
}

impl fmt::Debug for ReturnCodes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> SubAck<'a> {
    /// Reads it from a frame of this type.
    ///
    /// # Errors
    /// Identifier 0, no return code, a reserved one. MQTT 3.1 has no 0x80, but brokers send it there too.
    pub fn decode(frame: &Frame<'a>) -> Result<Self, DecodeError> {
        frame.check_flags(false)?;
        let mut body = Reader(frame.body);
        Ok(Self { packet_id: body.packet_id()?, return_codes: ReturnCodes::new(body.0)? })
    }

    fn remaining(&self) -> Result<usize, EncodeError> {
        self.return_codes.len().checked_add(2).ok_or(EncodeError::PacketTooLarge)
    }

    pub(crate) fn encoded_len(&self) -> Result<usize, EncodeError> {
        packet_size(self.remaining()?)
    }

    pub(crate) fn encode(&self, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        let (first, id) = (PacketType::SubAck.first_byte(), self.packet_id.get());
        let (mut writer, size) = Writer::start(buffer, first, self.remaining()?, id)?;
        writer.raw(self.return_codes.as_bytes());
        Ok(size)
    }
}
