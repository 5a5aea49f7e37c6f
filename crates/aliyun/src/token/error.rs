//! What can be wrong with the text of tokens.

use core::{fmt, str::FromStr};

use crate::token::kind::TokenKind;

/// Why texts are not the tokens of a log-in. Of the tokens it shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TokenError {
    /// No token at all.
    NoToken,
    /// A type other than `R`, `W` and `RW`.
    UnknownKind,
    /// A type without a token.
    Empty(TokenKind),
    /// Two tokens of one type.
    Duplicate(TokenKind),
    /// A token with `|` or anything else that is not visible ASCII, and so not the Base64 that tokens are.
    InvalidCharacter(TokenKind),
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoToken => {
                f.write_str("no token: give one for R, W or RW, as the server that issues them returned it")
            }
            Self::UnknownKind => {
                f.write_str("a token's type is none of R, W and RW: the password is <type>|<token> pairs")
            }
            Self::Empty(kind) => {
                write!(f, "the {kind} token is empty: ask the server that issues tokens for one")
            }
            Self::Duplicate(kind) => write!(f, "two {kind} tokens: give the newer one only"),
            Self::InvalidCharacter(kind) => write!(
                f,
                "the {kind} token holds |, white space or another character that Base64 does not have: \
                 give it exactly as the server that issues tokens returned it"
            ),
        }
    }
}

impl core::error::Error for TokenError {}

// Here and not with the type, because the error names it.
impl FromStr for TokenKind {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "R" => Ok(Self::R),
            "W" => Ok(Self::W),
            "RW" => Ok(Self::RW),
            _ => Err(TokenError::UnknownKind),
        }
    }
}
