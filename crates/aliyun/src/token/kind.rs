//! The types of tokens.

use core::fmt;

/// What a token allows (ApsaraMQ docs: token authentication).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TokenKind {
    /// To receive.
    R,
    /// To publish.
    W,
    /// To publish and to receive.
    RW,
}

impl TokenKind {
    /// The type as it stands in the password and in the service's notices: `R`, `W` or `RW`.
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
