//! The pace of requests, where a service wants no more than so many in a second.

use crate::time::{Millis, Moment};

/// So many may go out at once after a pause.
const BURST: u32 = 4;

/// One request may go out for every interval, and a few at once after a pause.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Then all that may go out at once may do so.
    rested: Moment,
}

impl Pace {
    pub(crate) const fn new() -> Self {
        Self { rested: Moment::START }
    }

    /// Time goes by.
    pub(crate) const fn pass(&mut self, millis: u32) {
        self.rested.pass(millis);
    }

    /// How many may go out now.
    pub(crate) fn credit(&self, now: Moment, rate: u16) -> usize {
        let interval = interval(rate);
        match Millis::from(rest(interval)).checked_sub(self.rested.millis_after(now)) {
            // No more than a rest, so that a division of 32 bits will do.
            Some(saved) => (saved as u32).checked_div(interval).unwrap_or(0).saturating_add(1) as usize,
            None => 0,
        }
    }

    /// So many went out.
    pub(crate) fn spend(&mut self, now: Moment, count: usize, rate: u16) {
        let spent = Millis::from(interval(rate)).saturating_mul(count as Millis);
        self.rested = self.rested.max(now).later(spent);
    }

    /// When the next may go out; never if it may now.
    pub(crate) fn next(&self, now: Moment, rate: u16) -> Moment {
        match self.rested.millis_after(now).saturating_sub(Millis::from(rest(interval(rate)))) {
            0 => Moment::NEVER,
            millis => now.later(millis),
        }
    }
}

/// How long a pause is after which so many may go out at once.
const fn rest(interval: u32) -> u32 {
    interval.saturating_mul(BURST.wrapping_sub(1))
}

/// Milliseconds from one to the next, rounded up.
fn interval(rate: u16) -> u32 {
    1_000_u32.div_ceil(u32::from(rate.max(1)))
}
