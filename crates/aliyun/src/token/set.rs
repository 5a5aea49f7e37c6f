//! The password of token authentication: `<type>|<token>` pairs.

use core::fmt;

use crate::token::error::TokenError;
use crate::token::kind::TokenKind;
use crate::util::bytes::{concat, total_len};
use crate::util::redacted::Redacted;
use crate::util::text::{PIPE, is_key_text};

/// The tokens of one login: at least one, and at most one of each type (ApsaraMQ docs: token authentication).
///
/// All tokens must be valid, since the service refuses the connection if one is not. A token may have any length; the
/// examples of the documentation have more than 240 characters. The texts are borrowed.
///
/// `Debug` shows the types, but never a token.
///
/// ```
/// use mqtt_p2p_aliyun::{TokenError, TokenKind, TokenSet};
///
/// let tokens = TokenSet::new(TokenKind::R, "LzMT+XLFl5u=")?.with(TokenKind::W, "5oFF7kaIi2=")?;
/// let mut buffer = [0; 64];
/// let length = tokens.write_password(&mut buffer).expect("64 bytes are enough");
/// assert_eq!(&buffer[..length], b"R|LzMT+XLFl5u=|W|5oFF7kaIi2=");
/// assert_eq!(TokenSet::parse("W|5oFF7kaIi2=|R|LzMT+XLFl5u="), Ok(tokens));
/// # Ok::<(), TokenError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenSet<'a> {
    r: Option<&'a str>,
    w: Option<&'a str>,
    rw: Option<&'a str>,
}

impl<'a> TokenSet<'a> {
    const EMPTY: Self = Self { r: None, w: None, rw: None };

    /// Creates a set of one token.
    ///
    /// # Errors
    ///
    /// Returns [`TokenError::Empty`] or [`TokenError::InvalidCharacter`].
    pub fn new(kind: TokenKind, token: &'a str) -> Result<Self, TokenError> {
        Self::EMPTY.with(kind, token)
    }

    /// Returns the set with one more token.
    ///
    /// # Errors
    ///
    /// Returns [`TokenError::Empty`], [`TokenError::InvalidCharacter`], or [`TokenError::Duplicate`] if the set already
    /// contains a token of that type.
    pub fn with(mut self, kind: TokenKind, token: &'a str) -> Result<Self, TokenError> {
        if token.is_empty() {
            return Err(TokenError::Empty(kind));
        }
        if !is_key_text(token) {
            return Err(TokenError::InvalidCharacter(kind));
        }
        let slot = match kind {
            TokenKind::R => &mut self.r,
            TokenKind::W => &mut self.w,
            TokenKind::RW => &mut self.rw,
        };
        match slot.replace(token) {
            Some(_) => Err(TokenError::Duplicate(kind)),
            None => Ok(self),
        }
    }

    /// Parses a password of `<type>|<token>` pairs in any order.
    ///
    /// # Errors
    ///
    /// Returns the first error in the text, from the left.
    pub fn parse(password: &'a str) -> Result<Self, TokenError> {
        if password.is_empty() {
            return Err(TokenError::NoToken);
        }
        let mut tokens = Self::EMPTY;
        let mut fields = password.split(PIPE);
        while let Some(kind) = fields.next() {
            tokens = tokens.with(kind.parse()?, fields.next().unwrap_or_default())?;
        }
        Ok(tokens)
    }

    /// Returns the token of a type, if the set contains one.
    pub const fn get(&self, kind: TokenKind) -> Option<&'a str> {
        match kind {
            TokenKind::R => self.r,
            TokenKind::W => self.w,
            TokenKind::RW => self.rw,
        }
    }

    /// Returns the tokens in the order `R`, `W`, `RW`.
    pub fn iter(&self) -> impl Iterator<Item = (TokenKind, &'a str)> + Clone + use<'a> {
        [(TokenKind::R, self.r), (TokenKind::W, self.w), (TokenKind::RW, self.rw)]
            .into_iter()
            .filter_map(|(kind, token)| Some((kind, token?)))
    }

    /// Returns the length of the password in bytes.
    pub fn password_len(&self) -> usize {
        total_len(self.password_parts())
    }

    /// Writes the password to the start of `buffer` and returns its length in bytes.
    ///
    /// # Errors
    ///
    /// Returns the required length in bytes if the buffer is too short. Then nothing is written.
    pub fn write_password(&self, buffer: &mut [u8]) -> Result<usize, usize> {
        concat(self.password_parts(), buffer)
    }

    fn password_parts(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        self.iter().flat_map(|(kind, token)| ["|", kind.as_str(), "|", token]).skip(1)
    }
}

impl fmt::Debug for TokenSet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(kind, _)| (kind, Redacted))).finish()
    }
}
