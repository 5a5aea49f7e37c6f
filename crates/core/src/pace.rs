//! The pace of requests, where a service wants no more than so many in a second.

use crate::time::Instant;

/// So many may go out at once after a pause.
const BURST: u32 = 4;

/// When the next request may go out: one for every interval, and a few at once after a pause.
#[derive(Debug)]
pub(crate) struct Pace {
    next: Instant,
}

impl Pace {
    pub(crate) const fn new() -> Self {
        Self { next: Instant::from_millis(0) }
    }

    /// How many may go out now.
    pub(crate) fn credit(&mut self, now: Instant, rate: u16) -> usize {
        let interval = interval(rate);
        // What was not used is kept up to the burst.
        let saved = interval.saturating_mul(BURST.wrapping_sub(1));
        self.next = self.next.max(Instant::from_millis(now.as_millis().saturating_sub(u64::from(saved))));
        if self.next > now {
            return 0;
        }
        // No more than what is saved, so that a division of 32 bits will do.
        let past = now.millis_since(self.next) as u32;
        past.checked_div(interval).unwrap_or(0).saturating_add(1) as usize
    }

    /// So many went out.
    pub(crate) fn spend(&mut self, count: usize, rate: u16) {
        let spent = u64::from(interval(rate)).saturating_mul(count as u64);
        self.next = Instant::from_millis(self.next.as_millis().saturating_add(spent));
    }

    /// When the next may go out.
    pub(crate) const fn next(&self) -> Instant {
        self.next
    }
}

/// Milliseconds from one to the next, rounded up.
fn interval(rate: u16) -> u32 {
    1_000_u32.div_ceil(u32::from(rate.max(1)))
}
