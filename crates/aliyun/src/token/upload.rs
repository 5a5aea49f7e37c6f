//! The control message that replaces a token on an open connection.

use core::fmt;

use crate::token::error::TokenError;
use crate::token::kind::TokenKind;
use crate::token::set::TokenSet;
use crate::util::bytes::{concat, total_len};

/// The topic to which a client publishes a new token with QoS 1 (ApsaraMQ docs: token authentication).
///
/// The client must not publish or subscribe until it has received the PUBACK. The service could otherwise apply the old
/// token and disconnect the client. The payload is written by [`write_upload`].
pub const UPLOAD_TOPIC: &str = "$SYS/uploadToken";

/// Returns the length in bytes of the payload that [`write_upload`] writes.
///
/// ```
/// use mqtt_p2p_aliyun::{TokenKind, upload_len};
///
/// assert_eq!(upload_len(TokenKind::R, "LzMT"), br#"{"token":"LzMT","type":"R"}"#.len());
/// ```
pub fn upload_len(kind: TokenKind, token: &str) -> usize {
    total_len(parts(kind, token))
}

/// Writes the payload for [`UPLOAD_TOPIC`] to the start of `buffer` and returns its length in bytes.
///
/// The caller should wipe the buffer after use, and must also use the new token for the login of the next connection.
///
/// ```
/// use mqtt_p2p_aliyun::{TokenKind, write_upload};
///
/// let mut buffer = [0; 64];
/// let length = write_upload(TokenKind::RW, "LzMT+XLFl5u=", &mut buffer)?;
/// assert_eq!(&buffer[..length], br#"{"token":"LzMT+XLFl5u=","type":"RW"}"#);
/// # Ok::<(), mqtt_p2p_aliyun::UploadError>(())
/// ```
///
/// # Errors
///
/// Returns [`UploadError::Token`] if the text can't be a token, or [`UploadError::BufferTooSmall`]. In both cases
/// nothing is written.
pub fn write_upload(kind: TokenKind, token: &str, buffer: &mut [u8]) -> Result<usize, UploadError> {
    TokenSet::new(kind, token).map_err(UploadError::Token)?;
    // The remaining characters need no escape in JSON.
    if token.bytes().any(|byte| matches!(byte, b'"' | b'\\')) {
        return Err(UploadError::Token(TokenError::InvalidCharacter(kind)));
    }
    concat(parts(kind, token), buffer).map_err(|needed| UploadError::BufferTooSmall { needed })
}

fn parts(kind: TokenKind, token: &str) -> [&str; 5] {
    ["{\"token\":\"", token, "\",\"type\":\"", kind.as_str(), "\"}"]
}

/// The error of [`write_upload`]. It contains nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum UploadError {
    /// The text can't be a token.
    Token(TokenError),
    /// The payload does not fit the buffer.
    BufferTooSmall {
        /// The required length in bytes.
        needed: usize,
    },
}

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(error) => fmt::Display::fmt(error, f),
            Self::BufferTooSmall { needed } => {
                write!(f, "the upload needs {needed} bytes and the buffer has fewer: use a larger buffer")
            }
        }
    }
}

impl core::error::Error for UploadError {}
