//! CONNACK (§3.2): the server's answer to CONNECT.

use crate::error::{DecodeError, EncodeError};
use crate::frame::{Frame, PacketType};
use crate::read::Reader;
use crate::reason::ReasonCode;
use crate::types::Protocol;
use crate::write::{Writer, packet_size};

/// Whether the server lets the client in, and whether it kept a session for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ConnAck {
    /// The server continues the session of this client identifier ([MQTT-3.2.2-2]). MQTT 3.1 never says so.
    pub session_present: bool,
    /// [`ReasonCode::Success`], or why not.
    pub reason: ReasonCode,
}

impl ConnAck {
    const REMAINING: usize = 2;

    /// Reads it from a frame of this type.
    ///
    /// # Errors
    /// Reserved bits, session present in a refusal, a reserved return code, a wrong length. In MQTT 3.1 the first
    /// byte means nothing.
    pub fn decode(frame: &Frame<'_>, protocol: Protocol) -> Result<Self, DecodeError> {
        frame.check_flags(false)?;
        let mut body = Reader(frame.body);
        let first = body.u8()?;
        let flags = if protocol == Protocol::V31 { 0 } else { first };
        let code = body.u8()?;
        body.end()?;
        let reason = ReasonCode::from_connack(code).ok_or(DecodeError::InvalidReturnCode(code))?;
        if flags > 1 || (flags == 1 && reason.is_error()) {
            return Err(DecodeError::InvalidConnAckFlags(flags));
        }
        Ok(Self { session_present: flags == 1, reason })
    }

    /// The return code, if there is one and it may stand beside session present ([MQTT-3.2.2-4]).
    fn return_code(self) -> Result<u8, EncodeError> {
        match self.reason.connack_code() {
            Some(code) if code == 0 || !self.session_present => Ok(code),
            _ => Err(EncodeError::InvalidConnAck),
        }
    }

    pub(crate) fn encoded_len(self) -> Result<usize, EncodeError> {
        self.return_code()?;
        packet_size(Self::REMAINING)
    }

    pub(crate) fn encode(self, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        let body = u16::from_be_bytes([u8::from(self.session_present), self.return_code()?]);
        let (_, size) = Writer::start(buffer, PacketType::ConnAck.first_byte(), Self::REMAINING, body)?;
        Ok(size)
    }
}
