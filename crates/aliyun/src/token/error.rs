//! The error of malformed tokens.

use core::{fmt, str::FromStr};

use crate::token::kind::TokenKind;

/// The error of malformed tokens or of a malformed token password.
///
/// It contains nothing of the tokens. Whether well-formed tokens are valid, only the service knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TokenError {
    /// The password contains no token.
    NoToken,
    /// The password contains a type other than `R`, `W` and `RW`.
    UnknownKind,
    /// The token of this type is empty.
    Empty(TokenKind),
    /// The password contains two tokens of this type.
    Duplicate(TokenKind),
    /// The token of this type contains `|` or another character that is not visible ASCII. Tokens are Base64.
    InvalidCharacter(TokenKind),
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoToken => f.write_str(
                "there is no token: pass one of type R, W or RW as the server that issues tokens returned it",
            ),
            Self::UnknownKind => {
                f.write_str("a token's type is not R, W or RW: write the password as <type>|<token> pairs")
            }
            Self::Empty(kind) => {
                write!(f, "the {kind} token is empty: request one from the server that issues tokens")
            }
            Self::Duplicate(kind) => write!(f, "there are two {kind} tokens: pass only the newer one"),
            Self::InvalidCharacter(kind) => write!(
                f,
                "the {kind} token contains |, white space or another character outside Base64: \
                 pass it exactly as the server that issues tokens returned it"
            ),
        }
    }
}

impl core::error::Error for TokenError {}

// In this module, because the error type depends on `TokenKind`.
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
