//! The message that gives the service a new token on a connection that lives.

use core::fmt;

use crate::token::error::TokenError;
use crate::token::kind::TokenKind;
use crate::token::set::TokenSet;
use crate::util::bytes::{concat, total_len};

/// Where a new token goes, with QoS 1 (ApsaraMQ docs: token authentication).
///
/// Until its PUBACK, nothing else may be published and nothing subscribed to: the service could judge that by the
/// old token, and disconnect.
pub const UPLOAD_TOPIC: &str = "$SYS/uploadToken";

/// The length in bytes of what [`write_upload`] writes.
pub fn upload_len(kind: TokenKind, token: &str) -> usize {
    total_len(parts(kind, token))
}

/// Writes the message for [`UPLOAD_TOPIC`] to the start of `buffer` and returns its length in bytes. To wipe the
/// buffer after use is the caller's task. The log-in of the next CONNECT must have the new token too.
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
/// [`UploadError::Token`] if the text can't be a token, [`UploadError::BufferTooSmall`]; nothing is written then.
pub fn write_upload(kind: TokenKind, token: &str, buffer: &mut [u8]) -> Result<usize, UploadError> {
    TokenSet::new(kind, token).map_err(UploadError::Token)?;
    // Base64 has nothing that JSON would have to escape.
    if token.bytes().any(|byte| matches!(byte, b'"' | b'\\')) {
        return Err(UploadError::Token(TokenError::InvalidCharacter(kind)));
    }
    concat(parts(kind, token), buffer).map_err(|needed| UploadError::BufferTooSmall { needed })
}

fn parts(kind: TokenKind, token: &str) -> [&str; 5] {
    ["{\"token\":\"", token, "\",\"type\":\"", kind.as_str(), "\"}"]
}

/// Why there is no upload. It is the fault of the caller; of the token it shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum UploadError {
    /// The text can't be a token.
    Token(TokenError),
    /// The upload is longer than the room that the caller gave.
    BufferTooSmall {
        /// How many bytes it takes.
        needed: usize,
    },
}

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(error) => fmt::Display::fmt(error, f),
            Self::BufferTooSmall { needed } => {
                write!(
                    f,
                    "the upload takes {needed} bytes, more than the caller's buffer has: give a larger one"
                )
            }
        }
    }
}

impl core::error::Error for UploadError {}
