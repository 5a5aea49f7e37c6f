//! One token: how good it is, and what the service said about it.

use crate::token::lifecycle::advice::Advice;
use crate::token::lifecycle::backoff::Backoff;
use crate::token::lifecycle::margins::{Margins, millis};

/// What there is of one type.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot {
    pub(super) token: TokenState,
    pub(super) expires_at: Option<u64>,
    pub(super) renew_at: Option<u64>,
    /// A notice asks for a new one.
    pub(super) asked_for: bool,
    /// The connection, or the last one while there is none, was given this token.
    pub(super) sent: bool,
    /// Since when the service has accepted it.
    pub(super) accepted_at: Option<u64>,
    /// It took the place of another one, which expires then, if that is known.
    pub(super) replaced: Option<Option<u64>>,
    /// A notice that it is not valid was taken to be about the one before.
    pub(super) doubt: Doubt,
    /// How many tokens in a row did not live long.
    pub(super) short_lived: u8,
    /// The one before was not valid for a reason that a new token does not cure.
    pub(super) not_fixed_by_renewal: bool,
    pub(super) backoff: Backoff,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TokenState {
    #[default]
    Missing,
    Usable,
    /// Expired, not valid or refused. Only a new token changes that, not the clock.
    Unusable,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Doubt {
    #[default]
    None,
    ThisConnection,
    EarlierConnection,
}

impl Slot {
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
            self.expires_at(at, now, margins);
        }
    }

    pub(super) fn expires_at(&mut self, at: u64, now: u64, margins: &Margins) {
        let ahead = millis(margins.renew_before).min(at.saturating_sub(now) / 4);
        self.expires_at = Some(at);
        self.renew_at = Some(at.saturating_sub(ahead));
    }

    /// In the past: at once. [`u64::MAX`]: not by the clock.
    pub(super) fn due_at(&self, now: u64) -> u64 {
        let needed_at = match self.token {
            TokenState::Usable if !self.asked_for => self.renew_at.unwrap_or(u64::MAX),
            _ => 0,
        };
        needed_at.max(self.backoff.end(now))
    }

    pub(super) fn accept(&mut self, now: u64) {
        if self.sent && self.token == TokenState::Usable && self.accepted_at.is_none() {
            self.accepted_at = Some(now);
        }
    }

    pub(super) fn will_expire(&mut self, at: u64, now: u64, margins: &Margins) -> Advice {
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
            self.expires_at(at, now, margins);
        }
        // Of a token that lives for minutes only, it is said as soon as it is used: that makes none due before its time.
        self.asked_for |= !self.in_grace_period(now, margins);
        Advice::Renew
    }

    pub(super) fn is_invalid(&mut self, fixed_by_renewal: bool, now: u64, margins: &Margins) -> Advice {
        if self.token == TokenState::Unusable {
            // It is known already: the notice comes twice, or after the clock said so.
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

    /// Whoever issues tokens gets a pause if it is not the first one in a row that did not live long, for instance
    /// because this clock is far ahead of the service's.
    pub(super) fn invalidate(&mut self, now: u64, margins: &Margins) {
        self.short_lived =
            if self.in_grace_period(now, margins) { self.short_lived.saturating_add(1) } else { 0 };
        self.token = TokenState::Unusable;
        // The first one may be an accident.
        self.backoff = Backoff::new(self.short_lived.saturating_sub(1), now, margins);
    }

    /// A clock that was set back means no.
    pub(super) fn in_grace_period(&self, now: u64, margins: &Margins) -> bool {
        self.accepted_at.is_none_or(|at| at <= now && now.saturating_sub(at) < millis(margins.grace_period))
    }
}
