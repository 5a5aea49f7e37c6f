//! Numbers that nobody can foresee who does not know the seed: the handshake's key and each frame's mask.

use siphasher::sip::SipHasher13;

/// A keyed hash of a counter.
#[derive(Clone)]
pub(crate) struct Masks {
    hasher: SipHasher13,
    count: u64,
}

impl Masks {
    pub(crate) fn new(seed: &[u8; 16]) -> Self {
        Self { hasher: SipHasher13::new_with_key(seed), count: 0 }
    }

    fn next(&mut self) -> u64 {
        self.count = self.count.wrapping_add(1);
        self.hasher.hash(&self.count.to_le_bytes())
    }

    /// The mask of the next frame (RFC 6455, 5.3).
    pub(crate) fn mask(&mut self) -> [u8; 4] {
        (self.next() as u32).to_le_bytes()
    }

    /// The nonce of a handshake (RFC 6455, 4.1).
    pub(crate) fn nonce(&mut self) -> [u8; 16] {
        (u128::from(self.next()) << 64 | u128::from(self.next())).to_le_bytes()
    }
}
