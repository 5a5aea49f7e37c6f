//! SHA-1 (RFC 3174), HMAC-SHA1 (RFC 2104) and their Base64, as ApsaraMQ's signatures and the WebSocket handshake want
//! them.
//!
//! Of the `sha1` crate it uses the compression function alone. What that crate and `hmac` put around it, and the `base64`
//! crate, bring panics into firmware that are never reached, as far as people see, but not compilers.
#![no_std]
#![forbid(unsafe_code)]
#![deny(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects
)]

mod base64;

pub use base64::base64;

use sha1::block_api::compress;
use zeroize::Zeroize;

/// The length of a hash in bytes.
pub const LEN: usize = 20;

const BLOCK: usize = 64;
/// Where the length stands in the last block.
const LENGTH_AT: usize = 56;

/// The SHA-1 hash of the parts, one behind the other. What was hashed is wiped from its memory.
///
/// ```
/// let hash = mqtt_p2p_sha1::sha1(&[b"a", b"bc"]);
/// assert_eq!(hash[..4], [0xa9, 0x99, 0x3e, 0x36]);
/// ```
pub fn sha1(parts: &[&[u8]]) -> [u8; LEN] {
    let mut hash = Hash::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finish()
}

/// The HMAC-SHA1 code of a message, by a key of any length. The key is wiped from its memory.
///
/// ```
/// let code = mqtt_p2p_sha1::hmac_sha1(b"Jefe", b"what do ya want for nothing?");
/// assert_eq!(code[..4], [0xef, 0xfc, 0xdf, 0x6a]);
/// ```
pub fn hmac_sha1(key: &[u8], message: &[u8]) -> [u8; LEN] {
    let mut hashed = [0; LEN];
    let key = if key.len() > BLOCK {
        hashed = sha1(&[key]);
        &hashed
    } else {
        key
    };
    let mut block = [0; BLOCK];
    for (place, byte) in block.iter_mut().zip(key) {
        *place = *byte;
    }
    let mut inner = block.map(|byte| byte ^ 0x36);
    let mut outer = block.map(|byte| byte ^ 0x5c);
    let code = sha1(&[&outer, &sha1(&[&inner, message])]);
    [&mut block, &mut inner, &mut outer].into_iter().for_each(Zeroize::zeroize);
    hashed.zeroize();
    code
}

/// A hash in the making.
struct Hash {
    state: [u32; LEN / 4],
    block: [u8; BLOCK],
    /// How many bytes of the block there are: fewer than all.
    filled: usize,
    /// How many bits there were, modulo 2^64.
    bits: u64,
}

impl Hash {
    const fn new() -> Self {
        let state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
        Self { state, block: [0; BLOCK], filled: 0, bits: 0 }
    }

    fn update(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.put(*byte));
        self.bits = self.bits.wrapping_add((bytes.len() as u64).wrapping_mul(8));
    }

    fn put(&mut self, byte: u8) {
        if let Some(place) = self.block.get_mut(self.filled) {
            *place = byte;
        }
        self.filled = self.filled.wrapping_add(1);
        if self.filled >= BLOCK {
            compress(&mut self.state, &[self.block]);
            self.filled = 0;
        }
    }

    /// A bit, zeros, and the length (RFC 3174 §4).
    fn finish(mut self) -> [u8; LEN] {
        self.put(0x80);
        while self.filled != LENGTH_AT {
            self.put(0);
        }
        self.bits.to_be_bytes().into_iter().for_each(|byte| self.put(byte));
        let mut hash = [0; LEN];
        for (place, word) in hash.as_chunks_mut().0.iter_mut().zip(self.state) {
            *place = word.to_be_bytes();
        }
        hash
    }
}

impl Drop for Hash {
    fn drop(&mut self) {
        self.state.zeroize();
        self.block.zeroize();
    }
}
