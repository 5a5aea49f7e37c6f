//! How careful a client is with its tokens.

use core::time::Duration;

use crate::limits::TOKEN_EXPIRY_NOTICE;

/// How careful a [`TokenLifecycle`] is. The defaults suit the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Margins {
    /// A token counts as expired so long before it does, since clocks differ and messages travel. 5 s.
    pub clock_skew: Duration,
    /// A new token is due so long before the old one expires, or after three quarters of its life if that is later.
    /// 5 minutes, which is when the service sends its notice.
    pub renew_before: Duration,
    /// The pause after a failure to get a token. It doubles with every further one. 5 s.
    pub initial_backoff: Duration,
    /// The longest backoff. One minute.
    pub max_backoff: Duration,
    /// So long after the service accepted it, a token is young: a notice that it is not valid can be a late one about
    /// the token before, and that young tokens end must not make a client ask for one after the other. 30 s.
    pub grace_period: Duration,
}

impl Default for Margins {
    fn default() -> Self {
        Self {
            clock_skew: Duration::from_secs(5),
            renew_before: TOKEN_EXPIRY_NOTICE,
            initial_backoff: Duration::from_secs(5),
            max_backoff: Duration::from_secs(60),
            grace_period: Duration::from_secs(30),
        }
    }
}

pub(super) fn is_expired(at: u64, now: u64, margins: &Margins) -> bool {
    now.saturating_add(millis(margins.clock_skew)) >= at
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
