//! SUBACK (§3.9), the server's answer to SUBSCRIBE.

use core::fmt;

use crate::error::{DecodeError, EncodeError};
use crate::frame::Frame;
use crate::packet_type::PacketType;
use crate::read::Reader;
use crate::reason::ReasonCode;
use crate::types::PacketId;
use crate::write::{Writer, packet_size};

/// A SUBACK packet (§3.9): one return code for each topic filter of a SUBSCRIBE.
///
/// ```
/// use mqtt_p2p_packet::{PacketId, ReturnCodes, SubAck};
///
/// let suback = SubAck::new(PacketId::MIN, ReturnCodes::new(&[1, 0x80])?);
/// assert!(!suback.return_codes.all_granted());
/// # Ok::<(), mqtt_p2p_packet::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct SubAck<'a> {
    /// The packet identifier of the SUBSCRIBE.
    pub packet_id: PacketId,
    /// One return code for each topic filter, in the same order ([MQTT-3.9.3-1]).
    pub return_codes: ReturnCodes<'a>,
}

/// The return codes of a SUBACK: granted with QoS 0, 1 or 2, or refused. Never empty.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReturnCodes<'a>(&'a [u8]);

impl<'a> ReturnCodes<'a> {
    /// Checks encoded return codes.
    ///
    /// # Errors
    /// Returns an error if there are none, or one is not 0, 1, 2 or 0x80 ([MQTT-3.9.3-2]).
    pub fn new(codes: &'a [u8]) -> Result<Self, DecodeError> {
        if codes.is_empty() {
            return Err(DecodeError::EmptyList);
        }
        match codes.iter().find(|code| ReasonCode::from_suback(**code).is_none()) {
            Some(code) => Err(DecodeError::InvalidReturnCode(*code)),
            None => Ok(Self(codes)),
        }
    }

    /// Returns the reason codes in the order of the topic filters.
    pub fn iter(&self) -> impl Iterator<Item = ReasonCode> + use<'a> {
        self.0.iter().filter_map(|code| ReasonCode::from_suback(*code))
    }

    /// Returns the number of return codes, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the encoded return codes.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Returns whether the server granted every subscription.
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
    /// Creates a SUBACK for the SUBSCRIBE with this packet identifier.
    #[inline]
    pub const fn new(packet_id: PacketId, return_codes: ReturnCodes<'a>) -> Self {
        Self { packet_id, return_codes }
    }

    /// Decodes a SUBACK from a frame of this type. The return code 0x80 is accepted in MQTT 3.1 too, because brokers send
    /// it there.
    ///
    /// # Errors
    /// Returns an error if the flags are wrong, the packet identifier is 0, or a return code is missing or reserved.
    pub fn decode(frame: &Frame<'a>) -> Result<Self, DecodeError> {
        frame.check_flags(false)?;
        let mut body = Reader(frame.body);
        Ok(Self { packet_id: body.packet_id()?, return_codes: ReturnCodes::new(body.0)? })
    }

    fn remaining_length(&self) -> Result<usize, EncodeError> {
        self.return_codes.len().checked_add(2).ok_or(EncodeError::PacketTooLarge)
    }

    pub(crate) fn encoded_len(&self) -> Result<usize, EncodeError> {
        packet_size(self.remaining_length()?)
    }

    pub(crate) fn encode(&self, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        let (first, id) = (PacketType::SubAck.first_byte(), self.packet_id.get());
        let (mut writer, size) = Writer::start(buffer, first, self.remaining_length()?, id)?;
        writer.raw(self.return_codes.as_bytes());
        Ok(size)
    }
}
