//! How long to wait before the next attempt, and whether somebody else uses the client id.

use crate::config::{Backoff, Config};

/// So many short lives in a row look like a takeover.
const SUSPICIOUS: u8 = 3;

/// What the last attempts teach.
#[derive(Debug)]
pub(crate) struct History {
    /// Attempts since the last stable connection.
    pub(crate) attempts: u32,
    /// Connections in a row that the peer closed shortly after it had accepted them.
    short_lives: u8,
    random: u32,
}

/// How a connection, or the attempt to get one, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// It lasted.
    Stable,
    /// The peer closed it shortly after CONNACK.
    Short,
    /// Anything else.
    Other,
}

impl History {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { attempts: 0, short_lives: 0, random: (seed ^ seed >> 32) as u32 }
    }

    /// Notes an end; says whether it looks like a takeover, and how long to wait, in milliseconds.
    pub(crate) fn ended(&mut self, life: Life, config: &Config) -> (bool, u32) {
        match life {
            Life::Stable => {
                self.attempts = 0;
                self.short_lives = 0;
            }
            Life::Short => self.short_lives = self.short_lives.saturating_add(1),
            Life::Other => {}
        }
        if life == Life::Short && self.short_lives >= SUSPICIOUS {
            let half = config.takeover_delay_ms >> 1;
            return (true, half.saturating_add(self.up_to(half)));
        }
        let delay = match config.backoff {
            Backoff::Fixed { delay_ms } => delay_ms,
            Backoff::Exponential { base_ms, cap_ms } => {
                let doublings = self.attempts.saturating_sub(1).min(31);
                let bound =
                    base_ms.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(cap_ms);
                self.up_to(bound)
            }
        };
        (false, delay)
    }

    /// Any number from 0 to `bound`, all alike: the upper bits of a linear congruential generator, scaled down.
    fn up_to(&mut self, bound: u32) -> u32 {
        self.random = self.random.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        let scaled = u64::from(self.random).wrapping_mul(u64::from(bound).wrapping_add(1));
        (scaled >> 32) as u32
    }
}
