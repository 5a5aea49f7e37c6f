//! What one subscriber has got: each message once, and how long it took.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::payload::Stamp;

/// The longest latency that is told apart: a day.
const MAX_NANOS: u64 = 86_400_000_000_000;

/// Figures are right to three digits.
const DIGITS: u8 = 3;

pub(super) struct Tally {
    /// For each publisher, a bit for each number.
    seen: Vec<Vec<u64>>,
    pub(super) received: u64,
    pub(super) duplicates: u64,
    /// In nanoseconds.
    pub(super) latencies: Histogram<u64>,
    /// When the last message came.
    pub(super) last: Duration,
}

/// An empty histogram of latencies in nanoseconds.
pub(super) fn latencies() -> Histogram<u64> {
    // The bounds are constants that it accepts; else it grows as needed.
    Histogram::new_with_bounds(1, MAX_NANOS, DIGITS)
        .unwrap_or_else(|_| unreachable!("1 to a day with 3 digits are valid bounds"))
}

impl Tally {
    pub(super) fn new(publishers: u16) -> Self {
        Self {
            seen: vec![Vec::new(); publishers.into()],
            received: 0,
            duplicates: 0,
            latencies: latencies(),
            last: Duration::ZERO,
        }
    }

    /// Counts a message; whether it is a new one.
    pub(super) fn add(&mut self, stamp: Stamp, now: Duration) -> bool {
        let Some(seen) = self.seen.get_mut(usize::from(stamp.publisher)) else { return false };
        let (word, bit) = ((stamp.number / 64) as usize, 1 << (stamp.number % 64));
        if seen.len() <= word {
            seen.resize(word + 1, 0);
        }
        if seen[word] & bit != 0 {
            self.duplicates += 1;
            return false;
        }
        seen[word] |= bit;
        self.received += 1;
        self.last = now;
        let nanos = u64::try_from(now.saturating_sub(stamp.time).as_nanos()).unwrap_or(MAX_NANOS);
        self.latencies.saturating_record(nanos);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_counts_once_and_its_repetitions_apart() {
        let mut tally = Tally::new(2);
        let stamp = |publisher, number| Stamp { time: Duration::from_millis(1), publisher, number };
        let now = Duration::from_millis(3);
        assert!(tally.add(stamp(0, 70), now) && tally.add(stamp(1, 70), now) && tally.add(stamp(1, 3), now));
        assert!(!tally.add(stamp(0, 70), now) && !tally.add(stamp(2, 0), now));
        assert_eq!((tally.received, tally.duplicates), (3, 1));
        let p50 = tally.latencies.value_at_quantile(0.5);
        assert!((1_998_000..=2_002_000).contains(&p50), "{p50}");
    }
}
