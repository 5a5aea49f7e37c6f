//! What the service may dislike is on trial until it answers.

use mqtt_p2p_core::Instant;

/// How long after a use the service may take to close the connection for it, in milliseconds. Its open-source kernel
/// takes up to one second.
const WINDOW_MS: u64 = 5000;

/// What is known of something that the service may dislike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Trial {
    #[default]
    Unused,
    /// Used, and nothing known yet.
    Open { since: Instant, size: usize },
    /// A connection ended during the trial before: only an answer helps now, not that a connection lives.
    Suspect { since: Instant, size: usize },
    /// The service has nothing against it.
    Good,
}

impl Trial {
    pub(super) fn open(&mut self, size: usize, now: Instant) {
        match self {
            Self::Unused => *self = Self::Open { since: now, size },
            // The first use counts: a service that minds closes the connection soon after it.
            Self::Open { .. } | Self::Good => {}
            Self::Suspect { since, .. } => *since = now,
        }
    }

    pub(super) fn open_again(&mut self, now: Instant) {
        if let Self::Open { since, .. } | Self::Suspect { since, .. } = self {
            *since = now;
        }
    }

    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Open { .. } | Self::Suspect { .. })
    }

    pub(super) fn settle(&mut self, now: Instant) {
        if let Self::Open { since, .. } = *self
            && now.millis_since(since) > WINDOW_MS
        {
            *self = Self::Good;
        }
    }

    /// Its size, if it may be at fault.
    pub(super) fn blame(&mut self, now: Instant) -> Option<usize> {
        match *self {
            Self::Open { since, size } | Self::Suspect { since, size }
                if now.millis_since(since) <= WINDOW_MS =>
            {
                *self = Self::Suspect { since, size };
                Some(size)
            }
            _ => None,
        }
    }
}
