//! Tells messages that came before from new ones, by their content.

use core::fmt;

use siphasher::sip::SipHasher13;

use crate::util::ring::Ring;

/// Remembers the last `N` keys of messages, and so lets through each message once. `N` is at least 1.
///
/// The service sends a message of QoS 1 again until it is acknowledged, and always after a reconnect: first with the
/// same packet identifier, later with another, and without DUP (ApsaraMQ docs: FAQ about sending and receiving
/// messages). So neither the identifier nor DUP says anything; by the standard, DUP does not say whether a message
/// *arrived* before anyway (MQTT 3.1.1, §3.3.1.1). What makes a message the same is for the application to know: an
/// order's number, say, or sender and sequence number, as bytes. A whole payload serves as a key only where two
/// messages with the same content are one.
///
/// Of a key it keeps a hash of 64 bits. A new message is taken for an old one with a probability of `N` in 2⁶⁴; at
/// `N` = 1000 and 1000 messages a second, that is once in half a million years. The hash has a key, so that nobody
/// who does not know the seed can make up messages that hide others.
///
/// The time for a message grows with `N`; up to some thousands, that is nothing. `N` must cover what can come between
/// a message and its repetition: a minute at least, at [20](crate::limits::RECOMMENDED_MESSAGES_PER_SECOND)
/// messages a second from each sender, and more after time offline.
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
    /// Remembers nothing yet. The seed should be random and secret.
    pub fn new(seed: [u8; 16]) -> Self {
        Self { hasher: SipHasher13::new_with_key(&seed), seen: Ring::new(0) }
    }

    /// Whether the key is none of the last `N` different ones; from now on it is one of them.
    ///
    /// Where dealing with a message may fail, ask [`has_seen`](Self::has_seen) before and this after it succeeded: the
    /// repetition is the second chance.
    pub fn is_new(&mut self, key: &[u8]) -> bool {
        let hash = self.hasher.hash(key);
        let is_new = !self.seen.contains(hash);
        if is_new {
            self.seen.push(hash);
        }
        is_new
    }

    /// Whether the key is one of the last `N` different ones.
    pub fn has_seen(&self, key: &[u8]) -> bool {
        self.seen.contains(self.hasher.hash(key))
    }
}

impl<const N: usize> fmt::Debug for Deduplicator<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deduplicator").field("seen", &self.seen.len()).finish_non_exhaustive()
    }
}
