//! What the lifecycle advises, and the error of a token that has expired.

use core::fmt;

use crate::token::kind::TokenKind;

/// What a client should do after a notice or a refused login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
#[expect(
    clippy::exhaustive_enums,
    reason = "a caller must act on every advice, so a new variant has to break its build"
)]
pub enum Advice {
    /// Do nothing: the notice does not refer to a token in use.
    Stale,
    /// Obtain a new token. [`TokenLifecycle::due`](crate::TokenLifecycle::due) returns the types, and when.
    Renew,
    /// Stop: new tokens do not help, because the server issues them for the wrong resources or the login is wrong.
    ///
    /// An operator must fix the cause. No token is due and no login is allowed until
    /// [`TokenLifecycle::start_over`](crate::TokenLifecycle::start_over).
    GiveUp,
}

/// The error of a token that had already expired, by the client's clock, when it was obtained.
///
/// Either the server issued an expired token or the client's clock is ahead. The token is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct ExpiredToken {
    /// The type of the token.
    pub kind: TokenKind,
    /// The time of expiry in Unix milliseconds.
    pub expires_at_ms: u64,
    /// The time of the client's clock in Unix milliseconds.
    pub now_ms: u64,
}

impl ExpiredToken {
    /// Creates the error. The times are Unix milliseconds.
    pub const fn new(kind: TokenKind, expires_at_ms: u64, now_ms: u64) -> Self {
        Self { kind, expires_at_ms, now_ms }
    }
}

impl fmt::Display for ExpiredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the new {} token expires at Unix time {} ms, and the clock shows {} ms: \
             correct the clock, or let the server issue tokens with a longer lifetime",
            self.kind, self.expires_at_ms, self.now_ms
        )
    }
}

impl core::error::Error for ExpiredToken {}
