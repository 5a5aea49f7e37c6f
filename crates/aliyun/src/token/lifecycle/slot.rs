//! The state of one token, and how notices change it.

use crate::token::lifecycle::advice::Advice;
use crate::token::lifecycle::backoff::Backoff;
use crate::token::lifecycle::margins::{Margins, millis};

/// The state of the token of one type.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot {
    pub(super) token: TokenState,
    pub(super) expires_at: Option<u64>,
    pub(super) renew_at: Option<u64>,
    /// Whether a notice demands a new token.
    pub(super) asked_for: bool,
    /// Whether this token was sent on the current connection, or on the last one while offline.
    pub(super) sent: bool,
    /// When the service accepted the token.
    pub(super) accepted_at: Option<u64>,
    /// Set if this token replaced another one: the expiry of that one, if known.
    pub(super) replaced: Option<Option<u64>>,
    /// Whether a notice that this token is not valid was attributed to its predecessor.
    pub(super) doubt: Doubt,
    /// The number of consecutive tokens that became unusable within the grace period.
    pub(super) short_lived: u8,
    /// Whether the predecessor was not valid for a reason that renewal does not fix.
    pub(super) not_fixed_by_renewal: bool,
    pub(super) backoff: Backoff,
}

/// Whether a token can be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TokenState {
    #[default]
    Missing,
    Usable,
    /// Expired, not valid or refused. Only a new token changes this state, even if the clock is set back.
    Unusable,
}

/// On which connection a notice was attributed to the predecessor of a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Doubt {
    #[default]
    None,
    ThisConnection,
    EarlierConnection,
}

impl Slot {
    /// Stores a new token.
    pub(super) fn replace(&mut self, now: u64, expires_at: Option<u64>, margins: &Margins) {
        let renewed_in_time = self.token == TokenState::Usable && !self.in_grace_period(now, margins);
        let (short_lived, not_fixed_by_renewal) =
            if renewed_in_time { (0, false) } else { (self.short_lived, self.not_fixed_by_renewal) };
        *self = Self {
            token: TokenState::Usable,
            replaced: (self.token != TokenState::Missing).then_some(self.expires_at),
            short_lived,
            not_fixed_by_renewal,
            ..Self::default()
        };
        if let Some(at) = expires_at {
            self.set_expiry(at, now, margins);
        }
    }

    /// Sets the time of expiry and the time of renewal.
    pub(super) fn set_expiry(&mut self, at: u64, now: u64, margins: &Margins) {
        let ahead = millis(margins.renew_before).min(at.saturating_sub(now) / 4);
        self.expires_at = Some(at);
        self.renew_at = Some(at.saturating_sub(ahead));
    }

    /// Returns when a new token is due: at once if the time is in the past, only after an event if it is [`u64::MAX`].
    pub(super) fn due_at(&self, now: u64) -> u64 {
        let needed_at = match self.token {
            TokenState::Usable if !self.asked_for => self.renew_at.unwrap_or(u64::MAX),
            _ => 0,
        };
        needed_at.max(self.backoff.end(now))
    }

    /// Records that the service accepted the token, if it was sent.
    pub(super) fn accept(&mut self, now: u64) {
        if self.sent && self.token == TokenState::Usable && self.accepted_at.is_none() {
            self.accepted_at = Some(now);
        }
    }

    /// Handles the notice that a token expires.
    pub(super) fn on_expire_notice(&mut self, at: u64, now: u64, margins: &Margins) -> Advice {
        let slack = millis(margins.clock_skew);
        let is_older = match (self.expires_at, self.replaced) {
            (Some(own), _) => at.saturating_add(slack) < own,
            (None, Some(Some(before))) => at.abs_diff(before) <= slack,
            (None, _) => false,
        };
        if is_older {
            return Advice::Stale;
        }
        if self.expires_at.is_none() {
            self.set_expiry(at, now, margins);
        }
        // For a token with a lifetime of minutes, the notice arrives right after the first use. It must not cause an
        // early renewal.
        self.asked_for |= !self.in_grace_period(now, margins);
        Advice::Renew
    }

    /// Handles the notice that a token is not valid.
    pub(super) fn on_invalid_notice(
        &mut self,
        fixed_by_renewal: bool,
        now: u64,
        margins: &Margins,
    ) -> Advice {
        if self.token == TokenState::Unusable {
            // Already known: the notice is a repetition, or the clock was faster.
            return Advice::Renew;
        }
        if self.replaced.is_some()
            && self.in_grace_period(now, margins)
            && self.doubt != Doubt::EarlierConnection
        {
            self.doubt = Doubt::ThisConnection;
            return Advice::Stale;
        }
        self.invalidate(now, margins);
        if !fixed_by_renewal && self.not_fixed_by_renewal {
            return Advice::GiveUp;
        }
        self.not_fixed_by_renewal = !fixed_by_renewal;
        Advice::Renew
    }

    /// Marks the token as unusable.
    ///
    /// If several tokens in a row become unusable within the grace period, for example because the client's clock
    /// is far ahead of the service's, requests back off.
    pub(super) fn invalidate(&mut self, now: u64, margins: &Margins) {
        self.short_lived =
            if self.in_grace_period(now, margins) { self.short_lived.saturating_add(1) } else { 0 };
        self.token = TokenState::Unusable;
        // The first time may be a coincidence and causes no delay.
        self.backoff = Backoff::new(self.short_lived.saturating_sub(1), now, margins);
    }

    /// Returns whether the token is new. Returns false if the clock was set back.
    pub(super) fn in_grace_period(&self, now: u64, margins: &Margins) -> bool {
        self.accepted_at.is_none_or(|at| at <= now && now.saturating_sub(at) < millis(margins.grace_period))
    }
}
