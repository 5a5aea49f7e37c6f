//! The fixed header (§2.2): where a packet ends, and of what type it is.

use core::fmt;

use crate::SMALL;
use crate::error::DecodeError;

/// The largest remaining length, in bytes (§2.2.3).
pub const MAX_REMAINING_LENGTH: usize = 268_435_455;
/// The largest packet: type, four bytes of length, and what they can count.
pub(crate) const MAX_PACKET_SIZE: u32 = 268_435_460;

/// The fourteen control packets, with their number on the wire (§2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are the standard's, and say all")]
pub enum PacketType {
    Connect = 1,
    ConnAck = 2,
    Publish = 3,
    PubAck = 4,
    PubRec = 5,
    PubRel = 6,
    PubComp = 7,
    Subscribe = 8,
    SubAck = 9,
    Unsubscribe = 10,
    UnsubAck = 11,
    PingReq = 12,
    PingResp = 13,
    Disconnect = 14,
}

impl PacketType {
    /// From the upper half of a packet's first byte.
    #[inline]
    const fn from_first_byte(first: u8) -> Option<Self> {
        Some(match first >> 4 {
            1 => Self::Connect,
            2 => Self::ConnAck,
            3 => Self::Publish,
            4 => Self::PubAck,
            5 => Self::PubRec,
            6 => Self::PubRel,
            7 => Self::PubComp,
            8 => Self::Subscribe,
            9 => Self::SubAck,
            10 => Self::Unsubscribe,
            11 => Self::UnsubAck,
            12 => Self::PingReq,
            13 => Self::PingResp,
            14 => Self::Disconnect,
            _ => return None,
        })
    }

    /// A packet's first byte, with the flags that table 2.2 fixes for this type. PUBLISH adds its own.
    #[inline]
    pub(crate) const fn first_byte(self) -> u8 {
        (self as u8) << 4 | self.fixed_flags()
    }

    /// The flags that table 2.2 fixes (not for PUBLISH).
    #[inline]
    const fn fixed_flags(self) -> u8 {
        match self {
            Self::PubRel | Self::Subscribe | Self::Unsubscribe => 0b0010,
            _ => 0,
        }
    }
}

impl fmt::Display for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "CONNECT",
            Self::ConnAck => "CONNACK",
            Self::Publish => "PUBLISH",
            Self::PubAck => "PUBACK",
            Self::PubRec => "PUBREC",
            Self::PubRel => "PUBREL",
            Self::PubComp => "PUBCOMP",
            Self::Subscribe => "SUBSCRIBE",
            Self::SubAck => "SUBACK",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::UnsubAck => "UNSUBACK",
            Self::PingReq => "PINGREQ",
            Self::PingResp => "PINGRESP",
            Self::Disconnect => "DISCONNECT",
        })
    }
}

/// One packet's bytes, told apart from what follows, its fields not yet read.
///
/// [`crate::Packet::decode`] reads any type; the packets' own `decode` read one, for who knows which to expect
/// and does not want to pay for the others. `Debug` shows how long the body is: that of CONNECT has the password.
#[derive(Clone, Copy, PartialEq, Eq)]
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
        [low @ 0..=0x7f, rest @ ..] if !SMALL => (u32::from(*low), 2, rest),
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
