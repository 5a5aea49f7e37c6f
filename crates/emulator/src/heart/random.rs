//! A small generator of random numbers: delays are drawn from the seed, so that a run can be repeated.

use std::time::Duration;

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A delay from zero to `longest`, in whole milliseconds.
    pub(super) fn delay(&mut self, longest: Duration) -> Duration {
        let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        match millis.checked_add(1) {
            Some(choices) => Duration::from_millis(self.next() % choices),
            None => Duration::from_millis(self.next()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_stay_within_their_limit_and_use_it_up() {
        let mut random = Random::new(1);
        let delays: Vec<_> = (0..1000).map(|_| random.delay(Duration::from_millis(9)).as_millis()).collect();
        assert_eq!((delays.iter().min(), delays.iter().max()), (Some(&0), Some(&9)));
        assert_eq!(random.delay(Duration::ZERO), Duration::ZERO);
    }
}
