//! Recognizes repeated messages by a key.

use core::fmt;

use siphasher::sip::SipHasher13;

use crate::util::ring::Ring;

/// Recognizes repeated messages: remembers the keys of the last `N` messages, where `N` is at least 1.
///
/// The service sends a message of QoS 1 again until it is acknowledged, and also after every reconnect: at first with
/// the same packet identifier, later with a new one, and without DUP (ApsaraMQ docs: FAQ about sending and receiving
/// messages). Neither the identifier nor DUP is a reliable sign. DUP never says whether a message has *arrived* before
/// (MQTT 3.1.1, §3.3.1.1).
///
/// Only the application knows what makes two messages the same: an order number, for example, or the sender and a
/// sequence number. It passes that key as bytes. Use the whole payload as the key only if two messages with equal
/// content count as one.
///
/// The deduplicator keeps a 64-bit hash of each key. The probability that it takes a new message for a repetition is
/// `N` in 2⁶⁴; with `N` = 1000 and 1000 messages per second, that happens once in half a million years. The hash is
/// keyed, so nobody who does not know the seed can craft messages that hide others.
///
/// Choose `N` so that it covers everything that can arrive between a message and its repetition: at least one minute
/// at [20](crate::limits::RECOMMENDED_MESSAGES_PER_SECOND) messages per second from each sender, and more after time
/// offline. The time per message grows linearly with `N`; it is negligible up to a few thousand.
///
/// ```
/// use mqtt_p2p_aliyun::Deduplicator;
///
/// let mut seen = Deduplicator::<1000>::new([7; 16]); // 16 random bytes
/// assert!(seen.is_new(b"order 4711"));
/// assert!(!seen.is_new(b"order 4711"));
/// ```
#[derive(Clone)]
pub struct Deduplicator<const N: usize> {
    hasher: SipHasher13,
    seen: Ring<u64, N>,
}

impl<const N: usize> Deduplicator<N> {
    /// Creates an empty deduplicator. The seed should be random and secret.
    pub fn new(seed: [u8; 16]) -> Self {
        Self { hasher: SipHasher13::new_with_key(&seed), seen: Ring::new(0) }
    }

    /// Returns whether the key is not among the last `N` distinct ones, and remembers it.
    ///
    /// If processing a message can fail, call [`has_seen`](Self::has_seen) first and this method after the success, so
    /// that the repetition of a failed message is processed.
    pub fn is_new(&mut self, key: &[u8]) -> bool {
        let hash = self.hasher.hash(key);
        let is_new = !self.seen.contains(hash);
        if is_new {
            self.seen.push(hash);
        }
        is_new
    }

    /// Returns whether the key is among the last `N` distinct ones, without remembering it.
    pub fn has_seen(&self, key: &[u8]) -> bool {
        self.seen.contains(self.hasher.hash(key))
    }
}

impl<const N: usize> fmt::Debug for Deduplicator<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deduplicator").field("seen", &self.seen.len()).finish_non_exhaustive()
    }
}
