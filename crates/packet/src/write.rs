//! Encoding of a packet into the caller's slice.

use crate::constants::{MAX_REMAINING_LENGTH, SIZE_OPTIMIZED};
use crate::error::EncodeError;
use crate::types::PacketId;

/// The largest remaining length that takes one byte.
const MAX_ONE_BYTE_LENGTH: usize = 0x7f;

/// Returns the size in bytes of a packet with this remaining length, including the fixed header.
#[inline]
pub(crate) const fn packet_size(remaining: usize) -> Result<usize, EncodeError> {
    if remaining <= MAX_ONE_BYTE_LENGTH && !SIZE_OPTIMIZED {
        Ok(remaining.wrapping_add(2))
    } else {
        multi_byte_packet_size(remaining)
    }
}

#[cfg_attr(not(target_os = "none"), inline(never))]
const fn multi_byte_packet_size(remaining: usize) -> Result<usize, EncodeError> {
    let header = match remaining {
        0..=MAX_ONE_BYTE_LENGTH => 2,
        128..=16_383 => 3,
        16_384..=2_097_151 => 4,
        2_097_152..=MAX_REMAINING_LENGTH => 5,
        _ => return Err(EncodeError::PacketTooLarge),
    };
    Ok(remaining.wrapping_add(header))
}

/// Encodes a packet that consists of a fixed header with remaining length 0.
pub(crate) fn fixed_header_only(buffer: &mut [u8], first: u8) -> Result<usize, EncodeError> {
    match buffer.first_chunk_mut() {
        Some(packet) => {
            *packet = [first, 0];
            Ok(2)
        }
        None => Err(EncodeError::BufferTooSmall { needed: 2 }),
    }
}

/// Returns the size in bytes of a field with its length of two bytes.
#[inline]
pub(crate) fn field_size(field: &[u8]) -> Result<usize, EncodeError> {
    if field.len() <= usize::from(u16::MAX) {
        Ok(field.len().wrapping_add(2))
    } else {
        Err(EncodeError::FieldTooLong)
    }
}

/// Writes fields into a slice of the packet's exact length. A write beyond its end, which can't happen, would do nothing.
pub(crate) struct Writer<'a>(&'a mut [u8]);

impl<'a> Writer<'a> {
    /// Writes the fixed header and the first two bytes of the body, which are a string's length or a packet identifier in
    /// every packet with a body. Returns the writer for the rest of the body and the size of the packet, in bytes.
    #[cfg_attr(not(target_os = "none"), inline)]
    #[cfg_attr(target_os = "none", inline(never))]
    pub(crate) fn start(
        buffer: &'a mut [u8],
        first: u8,
        remaining_length: usize,
        first_field: u16,
    ) -> Result<(Self, usize), EncodeError> {
        let size = packet_size(remaining_length)?;
        let Some(packet) = buffer.get_mut(..size) else {
            return Err(EncodeError::BufferTooSmall { needed: size });
        };
        let mut writer = Self(packet);
        let [high, low] = first_field.to_be_bytes();
        if remaining_length <= MAX_ONE_BYTE_LENGTH && !SIZE_OPTIMIZED {
            writer.array([first, remaining_length as u8, high, low]);
        } else {
            writer.multi_byte_fixed_header(first, remaining_length);
            writer.array([high, low]);
        }
        Ok((writer, size))
    }

    /// Writes a fixed header whose remaining length may take several bytes.
    #[inline(never)]
    fn multi_byte_fixed_header(&mut self, first: u8, mut remaining: usize) {
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

    /// Writes a field after its length of two bytes, which [`field_size`] has checked.
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
        if let Some((target, rest)) = core::mem::take(&mut self.0).split_first_chunk_mut() {
            *target = bytes;
            self.0 = rest;
        }
    }

    #[cfg_attr(not(target_os = "none"), inline)]
    #[cfg_attr(target_os = "none", inline(never))]
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        if let Some((target, rest)) = core::mem::take(&mut self.0).split_at_mut_checked(bytes.len()) {
            // `copy_from_slice` would leave a panic path for different lengths if it is not inlined.
            for (to, from) in target.iter_mut().zip(bytes) {
                *to = *from;
            }
            self.0 = rest;
        }
    }
}
