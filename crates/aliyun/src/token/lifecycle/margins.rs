//! The safety margins and backoff times of the token lifecycle.

use core::time::Duration;

use crate::limits::TOKEN_EXPIRY_NOTICE;

/// The safety margins and backoff times of a [`TokenLifecycle`](crate::TokenLifecycle).
///
/// The defaults suit the service.
///
/// ```
/// use core::time::Duration;
/// use mqtt_p2p_aliyun::Margins;
///
/// // Renews tokens earlier than the service sends its notice.
/// let margins = Margins::new().with_renew_before(Duration::from_secs(900));
/// assert_eq!(margins.clock_skew, Duration::from_secs(5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Margins {
    /// How long before its expiry a token already counts as expired, to allow for clock differences and network delay.
    /// The default is 5 s.
    pub clock_skew: Duration,
    /// How long before the expiry of a token its renewal is due, or a quarter of the token's lifetime if that is
    /// shorter. The default is 5 minutes, which is when the service sends its notice.
    pub renew_before: Duration,
    /// The delay after the first failure to obtain a token. It doubles with every further failure. The default is 5 s.
    pub initial_backoff: Duration,
    /// The maximum delay after a failure. The default is 1 minute.
    pub max_backoff: Duration,
    /// How long after its acceptance by the service a token is considered new. The default is 30 s.
    ///
    /// A notice that a new token is not valid may be a late one about its predecessor. If several new tokens in a row
    /// become unusable, requests for further ones back off.
    pub grace_period: Duration,
}

impl Margins {
    /// Returns the default margins.
    pub const fn new() -> Self {
        Self {
            clock_skew: Duration::from_secs(5),
            renew_before: TOKEN_EXPIRY_NOTICE,
            initial_backoff: Duration::from_secs(5),
            max_backoff: Duration::from_secs(60),
            grace_period: Duration::from_secs(30),
        }
    }

    /// Sets [`clock_skew`](Self::clock_skew).
    #[must_use]
    pub const fn with_clock_skew(mut self, clock_skew: Duration) -> Self {
        self.clock_skew = clock_skew;
        self
    }

    /// Sets [`renew_before`](Self::renew_before).
    #[must_use]
    pub const fn with_renew_before(mut self, renew_before: Duration) -> Self {
        self.renew_before = renew_before;
        self
    }

    /// Sets [`initial_backoff`](Self::initial_backoff).
    #[must_use]
    pub const fn with_initial_backoff(mut self, initial_backoff: Duration) -> Self {
        self.initial_backoff = initial_backoff;
        self
    }

    /// Sets [`max_backoff`](Self::max_backoff).
    #[must_use]
    pub const fn with_max_backoff(mut self, max_backoff: Duration) -> Self {
        self.max_backoff = max_backoff;
        self
    }

    /// Sets [`grace_period`](Self::grace_period).
    #[must_use]
    pub const fn with_grace_period(mut self, grace_period: Duration) -> Self {
        self.grace_period = grace_period;
        self
    }
}

impl Default for Margins {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns whether a token that expires at `at` counts as expired.
pub(super) fn is_expired(at: u64, now: u64, margins: &Margins) -> bool {
    now.saturating_add(millis(margins.clock_skew)) >= at
}

/// Converts to milliseconds, saturating.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
