//! The fixed header (§2.2): where a packet ends, and of what type it is.

use core::fmt;

use crate::constants::SIZE_OPTIMIZED;
use crate::error::DecodeError;
use crate::packet_type::PacketType;

/// One packet's bytes, told apart from what follows, its fields not yet read.
///
/// [`crate::Packet::decode`] reads any type; the packets' own `decode` read one, for who knows which to expect
/// and does not want to pay for the others. `Debug` shows how long the body is: that of CONNECT has the password.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "every MQTT version frames packets in this way")]
pub struct Frame<'a> {
    /// The type, reserved ones excluded.
    pub packet_type: PacketType,
    /// The low four bits of the first byte.
    pub flags: u8,
    /// All that the remaining length counts.
    pub body: &'a [u8],
}

/// What [`frame`] finds at the start of its input. `Debug` shows no content.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a packet is complete or it is not")]
pub enum Framed<'a> {
    /// A whole packet, and the bytes behind it.
    Complete(Frame<'a>, &'a [u8]),
    /// The packet goes on behind the input.
    Incomplete {
        /// So many bytes more: all that the packet lacks once its fixed header is there, and before that the
        /// least that can complete the header.
        needed: usize,
    },
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { packet_type, flags, body } = self;
        write!(f, "Frame({packet_type:?}, flags {flags:#x}, {} bytes)", body.len())
    }
}

impl fmt::Debug for Framed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete(frame, rest) => write!(f, "Complete({frame:?}, {} bytes)", rest.len()),
            Self::Incomplete { needed } => write!(f, "Incomplete({needed} bytes needed)"),
        }
    }
}

impl Frame<'_> {
    /// Refuses flags other than those that table 2.2 fixes for the type ([MQTT-2.2.2-2]). MQTT 3.1 lets PUBREL,
    /// SUBSCRIBE and UNSUBSCRIBE carry DUP.
    #[inline]
    pub(crate) fn check_flags(&self, dup_allowed: bool) -> Result<(), DecodeError> {
        let fixed = self.packet_type.fixed_flags();
        let dup = if dup_allowed && fixed != 0 { 0b1000 } else { 0 };
        if self.flags & !dup == fixed {
            Ok(())
        } else {
            Err(DecodeError::InvalidFlags { packet: self.packet_type, flags: self.flags })
        }
    }

    /// Checks a packet that is nothing but its fixed header (§3.12 to §3.14).
    ///
    /// # Errors
    /// Wrong flags, a body.
    pub fn empty<T>(&self, packet: T) -> Result<T, DecodeError> {
        self.check_flags(false)?;
        if self.body.is_empty() { Ok(packet) } else { Err(DecodeError::TrailingBytes) }
    }
}

/// Finds the packet at the start of `input`.
///
/// # Errors
/// [`DecodeError::ReservedType`], [`DecodeError::InvalidRemainingLength`], and [`DecodeError::TooLarge`] for a
/// packet of more than `max_packet_size` bytes: each as soon as the bytes that show it are there.
#[inline]
pub fn frame(input: &[u8], max_packet_size: u32) -> Result<Framed<'_>, DecodeError> {
    let Some(FixedHeader { packet_type, flags, remaining, size, rest }) = fixed_header(input)? else {
        return Ok(Framed::Incomplete { needed: if input.is_empty() { 2 } else { 1 } });
    };
    if size > max_packet_size {
        return Err(DecodeError::TooLarge { size, max: max_packet_size });
    }
    match rest.split_at_checked(remaining as usize) {
        Some((body, rest)) => Ok(Framed::Complete(Frame { packet_type, flags, body }, rest)),
        None => Ok(Framed::Incomplete { needed: (remaining as usize).wrapping_sub(rest.len()) }),
    }
}

/// What the fixed header says.
pub(crate) struct FixedHeader<'a> {
    pub(crate) packet_type: PacketType,
    pub(crate) flags: u8,
    /// The bytes of the packet that follow.
    pub(crate) remaining: u32,
    /// The bytes of the whole packet.
    pub(crate) size: u32,
    /// The input behind the header.
    pub(crate) rest: &'a [u8],
}

/// Reads the fixed header; `None` if it goes on behind the input.
#[inline]
pub(crate) fn fixed_header(input: &[u8]) -> Result<Option<FixedHeader<'_>>, DecodeError> {
    let [first, after_first @ ..] = input else {
        return Ok(None);
    };
    let Some(packet_type) = PacketType::from_first_byte(*first) else {
        return Err(DecodeError::ReservedType(*first >> 4));
    };
    let (remaining, header_len, rest) = match after_first {
        [low @ 0..=0x7f, rest @ ..] if !SIZE_OPTIMIZED => (u32::from(*low), 2, rest),
        _ => match long_remaining_length(after_first)? {
            Some(found) => found,
            None => return Ok(None),
        },
    };
    let size = remaining.wrapping_add(header_len);
    Ok(Some(FixedHeader { packet_type, flags: *first & 0x0f, remaining, size, rest }))
}

/// A remaining length, the length of the fixed header with it, and what follows.
type RemainingLength<'a> = (u32, u32, &'a [u8]);

/// Reads a remaining length of any number of bytes; `None` if it goes on behind the input.
#[cfg_attr(not(target_os = "none"), inline(never))]
fn long_remaining_length(mut input: &[u8]) -> Result<Option<RemainingLength<'_>>, DecodeError> {
    let mut remaining = 0;
    for index in 0..4_u32 {
        let [byte, rest @ ..] = input else { return Ok(None) };
        remaining |= u32::from(byte & 0x7f) << index.wrapping_mul(7);
        if byte & 0x80 == 0 {
            return Ok(Some((remaining, index.wrapping_add(2), rest)));
        }
        input = rest;
    }
    Err(DecodeError::InvalidRemainingLength)
}

/// The length of the packet at the start of `packets`, which an encoder of this crate wrote, as soon as its fixed header is
/// there: the packet may go on behind them. `None` if the header does, or if this is no packet. For transports that carry one
/// packet a message, such as WebSocket.
///
/// ```
/// use mqtt_p2p_packet::packet_len;
///
/// assert_eq!(packet_len(b"\xc0\x00\x30\x07"), Some(2));
/// assert_eq!(packet_len(b"\x30\x07\x00\x03"), Some(9));
/// assert_eq!(packet_len(b"\x30"), None);
/// ```
#[inline]
pub fn packet_len(packets: &[u8]) -> Option<usize> {
    match fixed_header(packets) {
        Ok(Some(header)) => Some(header.size as usize),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constants::{MAX_PACKET_SIZE, MAX_REMAINING_LENGTH};

    #[test]
    fn the_largest_remaining_length_is_handled() {
        let header = [0x30, 0xff, 0xff, 0xff, 0x7f];
        assert_eq!(frame(&header, MAX_PACKET_SIZE), Ok(Framed::Incomplete { needed: MAX_REMAINING_LENGTH }));
    }

    #[test]
    fn a_packet_over_the_limit_is_refused_at_its_fixed_header() {
        let header = [0x30, 0x80, 0x01];
        assert_eq!(frame(&header, 131), Ok(Framed::Incomplete { needed: 128 }));
        assert_eq!(frame(&header, 130), Err(DecodeError::TooLarge { size: 131, max: 130 }));
    }

    #[test]
    fn a_remaining_length_of_five_bytes_is_refused() {
        assert_eq!(
            frame(&[0x30, 0x80, 0x80, 0x80, 0x80], u32::MAX),
            Err(DecodeError::InvalidRemainingLength)
        );
        assert_eq!(frame(&[0x30, 0x80, 0x80, 0x80], u32::MAX), Ok(Framed::Incomplete { needed: 1 }));
    }

    #[test]
    fn the_reserved_packet_types_are_refused_at_their_first_byte() {
        assert_eq!(frame(&[0x00], u32::MAX), Err(DecodeError::ReservedType(0)));
        assert_eq!(frame(&[0xf0], u32::MAX), Err(DecodeError::ReservedType(15)));
    }
}
