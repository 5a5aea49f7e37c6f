//! The type of a token.

use core::fmt;

/// The type of a token: the actions that it allows (ApsaraMQ docs: token authentication).
///
/// ```
/// use mqtt_p2p_aliyun::{TokenError, TokenKind};
///
/// assert_eq!("RW".parse(), Ok(TokenKind::RW));
/// assert_eq!("rw".parse::<TokenKind>(), Err(TokenError::UnknownKind));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TokenKind {
    /// Receiving.
    R,
    /// Publishing.
    W,
    /// Publishing and receiving.
    RW,
}

impl TokenKind {
    /// Returns the type as passwords and notices carry it: `R`, `W` or `RW`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::R => "R",
            Self::W => "W",
            Self::RW => "RW",
        }
    }
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
