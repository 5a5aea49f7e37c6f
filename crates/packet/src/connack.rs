//! CONNACK (§3.2), the server's answer to CONNECT.

use crate::error::{DecodeError, EncodeError};
use crate::frame::Frame;
use crate::packet_type::PacketType;
use crate::read::Reader;
use crate::reason::ReasonCode;
use crate::types::Protocol;
use crate::write::{Writer, packet_size};

/// A CONNACK packet (§3.2): whether the server accepts the connection, and whether it has a session for the client.
///
/// ```
/// use mqtt_p2p_packet::{ConnAck, Packet, ReasonCode};
///
/// let mut buffer = [0; 4];
/// let refusal = ConnAck::new(false, ReasonCode::NotAuthorized);
/// Packet::ConnAck(refusal).encode(&mut buffer)?;
/// assert_eq!(buffer, [0x20, 2, 0, 5]);
/// # Ok::<(), mqtt_p2p_packet::EncodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct ConnAck {
    /// Whether the server resumes a stored session of this client identifier ([MQTT-3.2.2-2]). Always `false` in MQTT 3.1.
    pub session_present: bool,
    /// [`ReasonCode::Success`], or the reason for the refusal.
    pub reason: ReasonCode,
}

impl ConnAck {
    const REMAINING_LENGTH: usize = 2;

    /// Creates a CONNACK. Encoding fails if `reason` is an error and `session_present` is set, or if MQTT 3.1.1 has no
    /// return code for `reason`.
    #[inline]
    pub const fn new(session_present: bool, reason: ReasonCode) -> Self {
        Self { session_present, reason }
    }

    /// Decodes a CONNACK from a frame of this type. In MQTT 3.1 the first byte is reserved and ignored.
    ///
    /// # Errors
    /// Returns an error if a reserved bit is set, a refusal has session present set ([MQTT-3.2.2-4]), the return code is
    /// reserved, or the remaining length is not 2.
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

    /// Returns the return code, if there is one and session present is valid with it ([MQTT-3.2.2-4]).
    fn return_code(self) -> Result<u8, EncodeError> {
        match self.reason.connack_code() {
            Some(code) if code == 0 || !self.session_present => Ok(code),
            _ => Err(EncodeError::InvalidConnAck),
        }
    }

    pub(crate) fn encoded_len(self) -> Result<usize, EncodeError> {
        self.return_code()?;
        packet_size(Self::REMAINING_LENGTH)
    }

    pub(crate) fn encode(self, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        let body = u16::from_be_bytes([u8::from(self.session_present), self.return_code()?]);
        let (_, size) =
            Writer::start(buffer, PacketType::ConnAck.first_byte(), Self::REMAINING_LENGTH, body)?;
        Ok(size)
    }
}
