//! Masks: what a client's payloads are combined with (RFC 6455 §5.3).

use sha1::{Digest, Sha1};

/// Makes mask keys that nobody can foretell who does not know the seed: SHA-1 in counter mode, since the handshake
/// needs SHA-1 anyway. What is known of its collisions does not help to foretell it.
#[derive(Clone)]
pub(crate) struct Masks {
    seed: [u8; 16],
    /// How many blocks have been made.
    counter: u64,
    /// The keys of the last block.
    block: [[u8; 4]; 5],
    /// How many of them are left.
    left: u8,
}

impl Masks {
    pub(crate) const fn new(seed: [u8; 16]) -> Self {
        Self { seed, counter: 0, block: [[0; 4]; 5], left: 0 }
    }

    /// The next key.
    pub(crate) fn next(&mut self) -> [u8; 4] {
        if self.left == 0 {
            let mut hash = Sha1::new();
            hash.update(self.seed);
            hash.update(self.counter.to_be_bytes());
            let digest: [u8; 20] = hash.finalize().into();
            for (key, bytes) in self.block.iter_mut().zip(digest.as_chunks().0) {
                *key = *bytes;
            }
            self.counter = self.counter.wrapping_add(1);
            self.left = 5;
        }
        self.left = self.left.wrapping_sub(1);
        self.block.get(usize::from(self.left)).copied().unwrap_or_default()
    }

    /// The nonce of a handshake.
    pub(crate) fn nonce(&mut self) -> [u8; 16] {
        let mut nonce = [0; 16];
        for part in nonce.as_chunks_mut().0 {
            *part = self.next();
        }
        nonce
    }
}

/// The mask of one frame, as far as it has been used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mask {
    /// The key, turned so that its first byte is that of the next byte of the payload.
    key: [u8; 4],
}

impl Mask {
    pub(crate) const fn new(key: [u8; 4]) -> Self {
        Self { key }
    }

    /// Masks as many bytes as both have; says how many.
    pub(crate) fn copy(&mut self, from: &[u8], to: &mut [u8]) -> usize {
        let len = from.len().min(to.len());
        let (from, to) = (from.get(..len).unwrap_or_default(), to.get_mut(..len).unwrap_or_default());
        let (words, rest) = from.as_chunks::<4>();
        let (masked_words, masked_rest) = to.as_chunks_mut::<4>();
        let key = u32::from_ne_bytes(self.key);
        for (masked, word) in masked_words.iter_mut().zip(words) {
            *masked = (u32::from_ne_bytes(*word) ^ key).to_ne_bytes();
        }
        for ((masked, byte), key) in masked_rest.iter_mut().zip(rest).zip(self.key) {
            *masked = byte ^ key;
        }
        self.key = u32::from_be_bytes(self.key).rotate_left((len as u32 & 3).wrapping_mul(8)).to_be_bytes();
        len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6455 §5.7: a masked "Hello".
    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    const MASKED: [u8; 5] = [0x7f, 0x9f, 0x4d, 0x51, 0x58];

    #[test]
    fn the_hello_of_the_standard_is_masked_in_any_two_pieces() {
        for first in 0..=5 {
            let (mut mask, mut masked) = (Mask::new(KEY), [0; 5]);
            assert_eq!(mask.copy(&b"Hello"[..first], &mut masked), first);
            assert_eq!(mask.copy(&b"Hello"[first..], &mut masked[first..]), 5 - first);
            assert_eq!(masked, MASKED, "{first}");
        }
    }

    #[test]
    fn the_shorter_of_the_two_slices_says_how_much_is_masked() {
        let mut masked = [0; 3];
        assert_eq!(Mask::new(KEY).copy(b"Hello", &mut masked), 3);
        assert_eq!(masked, MASKED[..3]);
        assert_eq!(Mask::new(KEY).copy(b"He", &mut masked), 2);
    }

    #[test]
    fn keys_differ_by_number_and_by_seed() {
        let keys = |seed| {
            let mut masks = Masks::new([seed; 16]);
            core::array::from_fn::<_, 12, _>(|_| masks.next())
        };
        let all = [keys(1), keys(2)].concat();
        for (i, key) in all.iter().enumerate() {
            assert!(!all[..i].contains(key));
        }
        assert_eq!(keys(1), keys(1));
    }

    /// The last four bytes that `sha1sum` prints for 16 bytes of 1 and 8 of 0.
    #[test]
    fn the_first_key_is_the_end_of_the_hash_of_seed_and_zero() {
        assert_eq!(Masks::new([1; 16]).next(), [0x6c, 0x08, 0x44, 0xa4]);
    }
}
