//! What is to be done about tokens.

use core::fmt;

use crate::token::kind::TokenKind;

/// What a notice or a refusal means for the tokens at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub enum Advice {
    /// It is about no token that is in use: nothing is to be done.
    Stale,
    /// A new token is needed; [`TokenLifecycle::due`] says of which types, and when.
    Renew,
    /// New tokens do not help: what they are issued for is wrong, or the log-in is. A person has to look. Nothing is
    /// due and no log-in allowed before [`TokenLifecycle::start_over`].
    GiveUp,
}

/// A token that was expired, by the own clock, when it was obtained. Either who issued it is at fault, or the
/// own clock is ahead. It is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ExpiredToken {
    /// The token's type.
    pub kind: TokenKind,
    /// When it expires, in Unix milliseconds.
    pub expires_at_ms: u64,
    /// What the own clock said, in Unix milliseconds.
    pub now_ms: u64,
}

impl fmt::Display for ExpiredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the new {} token expires at {} ms since 1970, and this clock says {}: set the clock right, or have the \
             server issue tokens that live longer",
            self.kind, self.expires_at_ms, self.now_ms
        )
    }
}

impl core::error::Error for ExpiredToken {}
