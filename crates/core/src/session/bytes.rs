//! Writes and reads the bytes of an exported session.

use crate::copy::copy;
use crate::session::crc32::Crc32;
use crate::session::error::SessionError;
use crate::ticket::Ticket;

/// Writes as much as the buffer holds, and keeps counting.
pub(super) struct Writer<'a> {
    buffer: &'a mut [u8],
    len: usize,
    crc: Crc32,
}

impl<'a> Writer<'a> {
    pub(super) const fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, len: 0, crc: Crc32::new() }
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        if let Some(place) = self.buffer.get_mut(self.len..end) {
            copy(place, bytes);
        }
        self.crc.update(bytes);
        self.len = end;
    }

    pub(super) fn u32(&mut self, number: u32) {
        self.put(&number.to_be_bytes());
    }

    /// Writes the checksum, and returns the length of everything.
    ///
    /// # Errors
    /// [`SessionError::BufferTooSmall`].
    pub(super) fn finish(mut self) -> Result<usize, SessionError> {
        self.u32(self.crc.value());
        if self.len <= self.buffer.len() {
            Ok(self.len)
        } else {
            Err(SessionError::BufferTooSmall { needed: self.len })
        }
    }
}

/// The bytes that are still to be read. If there are too few, the session is invalid.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], SessionError> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(SessionError::Invalid)?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], SessionError> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(SessionError::Invalid)?;
        self.0 = rest;
        Ok(*bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, SessionError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, SessionError> {
        self.array().map(u32::from_be_bytes)
    }

    /// A length as `u32`, and as many bytes.
    pub(super) fn block(&mut self) -> Result<&'a [u8], SessionError> {
        let len = self.u32()? as usize;
        self.take(len)
    }

    pub(super) fn ticket(&mut self) -> Result<Ticket, SessionError> {
        Ticket::from_bits(self.u32()?).ok_or(SessionError::Invalid)
    }
}
