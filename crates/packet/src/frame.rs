//! The fixed header (§2.2), which gives a packet's type and length.

use core::fmt;

use crate::constants::SIZE_OPTIMIZED;
use crate::error::DecodeError;
use crate::packet_type::PacketType;

/// The bytes of one complete packet, whose fields are not decoded yet.
///
/// [`Packet::decode`](crate::Packet::decode) decodes a frame of any type. A caller that expects a certain type can use that
/// type's own `decode`, which links no code for the others. `Debug` shows the length of the body but not its content, because
/// a CONNECT contains the password.
///
/// ```
/// use mqtt_p2p_packet::{Framed, PacketType, frame};
///
/// // A PUBACK, and the first byte of the next packet.
/// let Framed::Complete(puback, rest) = frame(&[0x40, 2, 0, 7, 0x30], 1024)? else { panic!("incomplete") };
/// assert_eq!((puback.packet_type, puback.body, rest), (PacketType::PubAck, &[0, 7][..], &[0x30][..]));
/// # Ok::<(), mqtt_p2p_packet::DecodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "every MQTT version frames packets in this way")]
pub struct Frame<'a> {
    /// The packet type.
    pub packet_type: PacketType,
    /// The low four bits of the first byte.
    pub flags: u8,
    /// The bytes that the remaining length counts: variable header and payload.
    pub body: &'a [u8],
}

/// The result of [`frame()`]. `Debug` does not show the content of packets.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a packet is complete or it is not")]
pub enum Framed<'a> {
    /// The input starts with a complete packet; the bytes that follow it.
    Complete(Frame<'a>, &'a [u8]),
    /// The input ends before the packet does.
    Incomplete {
        /// The number of missing bytes. It is exact if the fixed header is complete, and otherwise the minimum that can
        /// complete the fixed header.
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
    /// Rejects flags other than those that table 2.2 prescribes for the packet type ([MQTT-2.2.2-2]). `dup_allowed` is for
    /// MQTT 3.1, in which PUBREL, SUBSCRIBE and UNSUBSCRIBE may have DUP set.
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

    /// Returns `packet` if the frame has neither flags nor a body, as PINGREQ, PINGRESP and DISCONNECT must (§3.12 to
    /// §3.14).
    ///
    /// # Errors
    /// Returns [`DecodeError::InvalidFlags`] or [`DecodeError::TrailingBytes`].
    pub fn empty<T>(&self, packet: T) -> Result<T, DecodeError> {
        self.check_flags(false)?;
        if self.body.is_empty() { Ok(packet) } else { Err(DecodeError::TrailingBytes) }
    }
}

/// Splits the packet at the start of `input` from the bytes that follow it, without decoding its fields.
///
/// # Errors
/// Returns [`DecodeError::ReservedType`], [`DecodeError::InvalidRemainingLength`], or [`DecodeError::TooLarge`] for a packet
/// of more than `max_packet_size` bytes. Each is returned as soon as the fixed header shows it.
#[inline]
pub fn frame(input: &[u8], max_packet_size: u32) -> Result<Framed<'_>, DecodeError> {
    let Some(FixedHeader { packet_type, flags, remaining_length, size, rest }) = fixed_header(input)? else {
        return Ok(Framed::Incomplete { needed: if input.is_empty() { 2 } else { 1 } });
    };
    if size > max_packet_size {
        return Err(DecodeError::TooLarge { size, max: max_packet_size });
    }
    match rest.split_at_checked(remaining_length as usize) {
        Some((body, rest)) => Ok(Framed::Complete(Frame { packet_type, flags, body }, rest)),
        None => Ok(Framed::Incomplete { needed: (remaining_length as usize).wrapping_sub(rest.len()) }),
    }
}

/// A decoded fixed header.
pub(crate) struct FixedHeader<'a> {
    pub(crate) packet_type: PacketType,
    pub(crate) flags: u8,
    /// The remaining length, in bytes.
    pub(crate) remaining_length: u32,
    /// The size of the whole packet, in bytes.
    pub(crate) size: u32,
    /// The input after the fixed header.
    pub(crate) rest: &'a [u8],
}

/// Decodes the fixed header; returns `None` if it is incomplete.
#[inline]
pub(crate) fn fixed_header(input: &[u8]) -> Result<Option<FixedHeader<'_>>, DecodeError> {
    let [first, after_first @ ..] = input else {
        return Ok(None);
    };
    let Some(packet_type) = PacketType::from_first_byte(*first) else {
        return Err(DecodeError::ReservedType(*first >> 4));
    };
    let (remaining_length, header_len, rest) = match after_first {
        [low @ 0..=0x7f, rest @ ..] if !SIZE_OPTIMIZED => (u32::from(*low), 2, rest),
        _ => match multi_byte_remaining_length(after_first)? {
            Some(found) => found,
            None => return Ok(None),
        },
    };
    let size = remaining_length.wrapping_add(header_len);
    Ok(Some(FixedHeader { packet_type, flags: *first & 0x0f, remaining_length, size, rest }))
}

/// A remaining length, the length of the fixed header that contains it, and the bytes that follow.
type RemainingLength<'a> = (u32, u32, &'a [u8]);

/// Decodes a remaining length of one to four bytes; returns `None` if it is incomplete.
#[cfg_attr(not(target_os = "none"), inline(never))]
fn multi_byte_remaining_length(mut input: &[u8]) -> Result<Option<RemainingLength<'_>>, DecodeError> {
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

/// Returns the length in bytes of the packet at the start of `packets`, according to its fixed header.
///
/// The packet itself may be incomplete. Returns `None` if the fixed header is incomplete or invalid. A transport that sends
/// one packet per message, such as WebSocket, can split encoded packets with it.
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
