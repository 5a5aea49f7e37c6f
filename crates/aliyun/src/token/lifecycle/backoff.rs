//! Pauses after failures, each twice as long as the one before.

use crate::token::lifecycle::margins::{Margins, millis};

/// The time in which nobody is asked for a token.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backoff {
    pub(super) failures: u8,
    from: u64,
    millis: u64,
}

impl Backoff {
    pub(super) fn new(failures: u8, now: u64, margins: &Margins) -> Self {
        let Some(doublings) = failures.checked_sub(1) else { return Self::default() };
        let factor = 1_u64.checked_shl(u32::from(doublings)).unwrap_or(u64::MAX);
        let backoff = millis(margins.initial_backoff).saturating_mul(factor).min(millis(margins.max_backoff));
        Self { failures, from: now, millis: backoff }
    }

    /// A clock that was set back ends it.
    pub(super) fn end(&self, now: u64) -> u64 {
        if now < self.from { 0 } else { self.from.saturating_add(self.millis) }
    }
}
