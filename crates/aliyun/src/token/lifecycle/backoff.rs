//! Exponential backoff after failures to obtain a token.

use crate::token::lifecycle::margins::{Margins, millis};

/// The period in which no token is requested.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backoff {
    pub(super) failures: u8,
    from: u64,
    millis: u64,
}

impl Backoff {
    /// Starts the delay after this number of consecutive failures; 0 means no delay.
    pub(super) fn new(failures: u8, now: u64, margins: &Margins) -> Self {
        let Some(doublings) = failures.checked_sub(1) else { return Self::default() };
        let factor = 1_u64.checked_shl(u32::from(doublings)).unwrap_or(u64::MAX);
        let backoff = millis(margins.initial_backoff).saturating_mul(factor).min(millis(margins.max_backoff));
        Self { failures, from: now, millis: backoff }
    }

    /// Returns the end of the delay. Setting the clock back ends it at once.
    pub(super) fn end(&self, now: u64) -> u64 {
        if now < self.from { 0 } else { self.from.saturating_add(self.millis) }
    }
}
