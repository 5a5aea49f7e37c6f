//! Writing a packet into the caller's slice.

use crate::constants::{MAX_REMAINING_LENGTH, SIZE_OPTIMIZED};
use crate::error::EncodeError;
use crate::types::PacketId;

/// The largest remaining length that takes one byte.
const MAX_ONE_BYTE_LENGTH: usize = 0x7f;

/// How long a packet with this remaining length is, fixed header included.
#[inline]
pub(crate) const fn packet_size(remaining: usize) -> Result<usize, EncodeError> {
    if remaining <= MAX_ONE_BYTE_LENGTH && !SIZE_OPTIMIZED {
        Ok(remaining.wrapping_add(2))
    } else {
        long_packet_size(remaining)
    }
}

#[cfg_attr(not(target_os = "none"), inline(never))]
const fn long_packet_size(remaining: usize) -> Result<usize, EncodeError> {
    let header = match remaining {
        0..=MAX_ONE_BYTE_LENGTH => 2,
        128..=16_383 => 3,
        16_384..=2_097_151 => 4,
        2_097_152..=MAX_REMAINING_LENGTH => 5,
        _ => return Err(EncodeError::PacketTooLarge),
    };
    Ok(remaining.wrapping_add(header))
}

/// Writes a packet that is nothing but its fixed header.
pub(crate) fn bare(buffer: &mut [u8], first: u8) -> Result<usize, EncodeError> {
    match buffer.first_chunk_mut() {
        Some(packet) => {
            *packet = [first, 0];
            Ok(2)
        }
        None => Err(EncodeError::BufferTooSmall { needed: 2 }),
    }
}

/// The length of a field behind its two bytes of length.
#[inline]
pub(crate) fn field_size(field: &[u8]) -> Result<usize, EncodeError> {
    if field.len() <= usize::from(u16::MAX) {
        Ok(field.len().wrapping_add(2))
    } else {
        Err(EncodeError::FieldTooLong)
    }
}

/// Writes field after field. The packet's exact length is known before the first byte, so that a write past the
/// end can't come from the caller; it would leave the slice unchanged.
pub(crate) struct Writer<'a>(&'a mut [u8]);

impl<'a> Writer<'a> {
    /// Writes a fixed header into `buffer`, and the two bytes by which every body begins: the length of a text, or a
    /// packet identifier. Gives the writer for the rest of the body, and the packet's whole length.
    #[cfg_attr(not(target_os = "none"), inline)]
    #[cfg_attr(target_os = "none", inline(never))]
    pub(crate) fn start(
        buffer: &'a mut [u8],
        first: u8,
        remaining: usize,
        number: u16,
    ) -> Result<(Self, usize), EncodeError> {
        let size = packet_size(remaining)?;
        let Some(packet) = buffer.get_mut(..size) else {
            return Err(EncodeError::BufferTooSmall { needed: size });
        };
        let mut writer = Self(packet);
        let [high, low] = number.to_be_bytes();
        if remaining <= MAX_ONE_BYTE_LENGTH && !SIZE_OPTIMIZED {
            writer.array([first, remaining as u8, high, low]);
        } else {
            writer.long(first, remaining);
            writer.array([high, low]);
        }
        Ok((writer, size))
    }

    /// A fixed header with a remaining length of several bytes.
    #[inline(never)]
    fn long(&mut self, first: u8, mut remaining: usize) {
        self.u8(first);
        while remaining > MAX_ONE_BYTE_LENGTH {
            self.u8(remaining as u8 | 0x80);
            remaining >>= 7;
        }
        self.u8(remaining as u8);
    }

    #[inline]
    pub(crate) fn u8(&mut self, byte: u8) {
        self.array([byte]);
    }

    #[inline]
    pub(crate) fn u16(&mut self, number: u16) {
        self.array(number.to_be_bytes());
    }

    #[inline]
    pub(crate) fn packet_id(&mut self, id: PacketId) {
        self.u16(id.get());
    }

    /// A field behind its two bytes of length, which [`field_size`] has checked.
    #[inline]
    pub(crate) fn field(&mut self, field: &[u8]) {
        self.u16(field.len() as u16);
        self.raw(field);
    }

    #[inline]
    fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        if SIZE_OPTIMIZED {
            return self.raw(&bytes);
        }
        if let Some((here, rest)) = core::mem::take(&mut self.0).split_first_chunk_mut() {
            *here = bytes;
            self.0 = rest;
        }
    }

    #[cfg_attr(not(target_os = "none"), inline)]
    #[cfg_attr(target_os = "none", inline(never))]
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        if let Some((here, rest)) = core::mem::take(&mut self.0).split_at_mut_checked(bytes.len()) {
            // Not `copy_from_slice`, whose check of the lengths is a panic path wherever it is not inlined.
            for (place, byte) in here.iter_mut().zip(bytes) {
                *place = *byte;
            }
            self.0 = rest;
        }
    }
}
