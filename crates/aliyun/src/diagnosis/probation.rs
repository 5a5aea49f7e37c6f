//! What the service may dislike is on probation until it answers.

use mqtt_p2p_core::Instant;

/// How long after a use the service may take to close the connection for it, in milliseconds. Its open-source kernel
/// takes up to one second.
const WINDOW_MS: u64 = 5000;

/// What is known of something that the service may dislike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Probation {
    #[default]
    Unused,
    /// Used, and nothing known yet.
    Pending { since: Instant, size: usize },
    /// A connection ended during the probation before: only an answer helps now, not that a connection lives.
    Suspect { since: Instant, size: usize },
    /// The service has nothing against it.
    Cleared,
}

impl Probation {
    pub(super) fn start(&mut self, size: usize, now: Instant) {
        match self {
            Self::Unused => *self = Self::Pending { since: now, size },
            // The first use counts: a service that minds closes the connection soon after it.
            Self::Pending { .. } | Self::Cleared => {}
            Self::Suspect { since, .. } => *since = now,
        }
    }

    pub(super) fn restart(&mut self, now: Instant) {
        if let Self::Pending { since, .. } | Self::Suspect { since, .. } = self {
            *since = now;
        }
    }

    pub(super) fn is_pending(self) -> bool {
        matches!(self, Self::Pending { .. } | Self::Suspect { .. })
    }

    pub(super) fn clear_outlived(&mut self, now: Instant) {
        if let Self::Pending { since, .. } = *self
            && now.millis_since(since) > WINDOW_MS
        {
            *self = Self::Cleared;
        }
    }

    /// Its size, if it may be at fault.
    pub(super) fn blame(&mut self, now: Instant) -> Option<usize> {
        match *self {
            Self::Pending { since, size } | Self::Suspect { since, size }
                if now.millis_since(since) <= WINDOW_MS =>
            {
                *self = Self::Suspect { since, size };
                Some(size)
            }
            _ => None,
        }
    }
}
