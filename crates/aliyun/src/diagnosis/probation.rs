//! The state of something that the service may reject.

use mqtt_p2p_core::Instant;

/// How long after a use the service may still close the connection because of it, in milliseconds.
///
/// The service's open-source kernel takes up to one second (source code of `apache/rocketmq-mqtt`).
const WINDOW_MS: u64 = 5000;

/// The state of something that the service may reject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Probation {
    /// Not used so far.
    #[default]
    Unused,
    /// Used, without a reaction of the service so far. `since` is the first use, `size` is in bytes.
    Pending { since: Instant, size: usize },
    /// A connection ended during an earlier probation. Only an acknowledgement clears it, not the passing of time.
    Suspect { since: Instant, size: usize },
    /// Accepted by the service.
    Cleared,
}

impl Probation {
    /// Records a use.
    pub(super) fn start(&mut self, size: usize, now: Instant) {
        match self {
            Self::Unused => *self = Self::Pending { since: now, size },
            // The first use counts, since the service closes the connection soon after it.
            Self::Pending { .. } | Self::Cleared => {}
            Self::Suspect { since, .. } => *since = now,
        }
    }

    /// Resumes the probation on a new connection.
    pub(super) fn restart(&mut self, now: Instant) {
        if let Self::Pending { since, .. } | Self::Suspect { since, .. } = self {
            *since = now;
        }
    }

    /// Returns whether the probation has not ended.
    pub(super) fn is_pending(self) -> bool {
        matches!(self, Self::Pending { .. } | Self::Suspect { .. })
    }

    /// Ends the probation if the connection has outlived it.
    pub(super) fn clear_outlived(&mut self, now: Instant) {
        if let Self::Pending { since, .. } = *self
            && now.millis_since(since) > WINDOW_MS
        {
            *self = Self::Cleared;
        }
    }

    /// Returns the size if this may be the reason for which the service closed the connection.
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
