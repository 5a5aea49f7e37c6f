//! Decoding of the fields in a packet's body.

use crate::error::DecodeError;
use crate::text;
use crate::types::PacketId;

/// The undecoded rest of a packet's body. Reading beyond the end of the packet is [`Truncated`].
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

/// [`DecodeError::Truncated`] as a type of its own, small enough to be returned in a register.
#[derive(Debug)]
pub(crate) struct Truncated;

impl From<Truncated> for DecodeError {
    #[inline]
    fn from(_: Truncated) -> Self {
        Self::Truncated
    }
}

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8, Truncated> {
        let [byte, rest @ ..] = self.0 else {
            return Err(Truncated);
        };
        self.0 = rest;
        Ok(*byte)
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Result<u16, Truncated> {
        let [high, low, rest @ ..] = self.0 else {
            return Err(Truncated);
        };
        self.0 = rest;
        Ok(u16::from_be_bytes([*high, *low]))
    }

    // Inlined in firmware too, where returning the larger error takes more code than the call saves.
    #[inline(always)]
    pub(crate) fn packet_id(&mut self) -> Result<PacketId, DecodeError> {
        PacketId::new(self.u16()?).ok_or(DecodeError::ZeroPacketId)
    }

    /// Decodes binary data, which follows its length of two bytes (§1.5.3, §3.1.3).
    #[inline]
    pub(crate) fn binary(&mut self) -> Result<&'a [u8], Truncated> {
        let len = usize::from(self.u16()?);
        let (field, rest) = self.0.split_at_checked(len).ok_or(Truncated)?;
        self.0 = rest;
        Ok(field)
    }

    /// Decodes a UTF-8 string without U+0000 (§1.5.3).
    pub(crate) fn text(&mut self) -> Result<&'a str, DecodeError> {
        let bytes = self.binary()?;
        text::check::<false>(bytes).map_err(|_| DecodeError::InvalidText)?;
        core::str::from_utf8(bytes).map_err(|_| DecodeError::InvalidText)
    }

    /// Checks that the body ends here.
    #[inline]
    pub(crate) fn end(self) -> Result<(), DecodeError> {
        if self.0.is_empty() { Ok(()) } else { Err(DecodeError::TrailingBytes) }
    }
}
