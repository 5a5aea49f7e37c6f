//! A set of token types.

use core::fmt;

use crate::token::kind::TokenKind;

/// A set of token types.
///
/// ```
/// use mqtt_p2p_aliyun::{TokenKind, TokenKinds};
///
/// let kinds = TokenKinds::from(TokenKind::R).with(TokenKind::W);
/// assert!(kinds.contains(TokenKind::W) && !kinds.contains(TokenKind::RW));
/// assert_eq!(kinds.iter().collect::<Vec<_>>(), [TokenKind::R, TokenKind::W]);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct TokenKinds(u8);

impl TokenKinds {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// Returns the set with one more type.
    #[must_use]
    pub const fn with(self, kind: TokenKind) -> Self {
        Self(self.0 | bit(kind))
    }

    /// Returns whether the set contains a type.
    pub const fn contains(self, kind: TokenKind) -> bool {
        self.0 & bit(kind) != 0
    }

    /// Returns whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the types in the order `R`, `W`, `RW`.
    pub fn iter(self) -> impl Iterator<Item = TokenKind> {
        [TokenKind::R, TokenKind::W, TokenKind::RW].into_iter().filter(move |kind| self.contains(*kind))
    }
}

const fn bit(kind: TokenKind) -> u8 {
    match kind {
        TokenKind::R => 1,
        TokenKind::W => 2,
        TokenKind::RW => 4,
    }
}

impl From<TokenKind> for TokenKinds {
    fn from(kind: TokenKind) -> Self {
        Self::EMPTY.with(kind)
    }
}

impl FromIterator<TokenKind> for TokenKinds {
    fn from_iter<I: IntoIterator<Item = TokenKind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for TokenKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
