//! The checksum of stored sessions.

/// Computes a CRC-32 (IEEE 802.3, as in zip and PNG), which detects accidental damage to stored bytes.
///
/// It works bit by bit: sessions are short, and a table would take a kilobyte of a firmware's flash.
///
/// ```
/// use mqtt_p2p_core::Crc32;
///
/// let mut crc = Crc32::new();
/// crc.update(b"12345");
/// crc.update(b"6789");
/// assert_eq!(crc.value(), 0xcbf4_3926);
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Crc32(u32);

impl Crc32 {
    /// Begins a checksum; that of no bytes is 0.
    pub const fn new() -> Self {
        Self(!0)
    }

    /// Adds the bytes that come next.
    pub fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 ^= u32::from(*byte);
            for _ in 0..8 {
                self.0 = (self.0 >> 1) ^ (0xedb8_8320 & (self.0 & 1).wrapping_neg());
            }
        }
    }

    /// Returns the checksum of all bytes so far.
    pub const fn value(&self) -> u32 {
        !self.0
    }
}

impl Default for Crc32 {
    fn default() -> Self {
        Self::new()
    }
}
