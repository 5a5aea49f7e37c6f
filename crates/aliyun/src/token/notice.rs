//! The notices that the service sends about tokens.

use core::fmt;

use crate::identifiers::same_topic;
use crate::token::invalid_reason::InvalidReason;
use crate::token::kind::TokenKind;
use crate::token::notice_fields::Fields;

/// The topic of the notice that a token will expire (ApsaraMQ docs: token authentication).
pub const EXPIRE_NOTICE_TOPIC: &str = "$SYS/tokenExpireNotice";

/// The topic of the notice that a token is not valid (ApsaraMQ docs: token authentication).
pub const INVALID_NOTICE_TOPIC: &str = "$SYS/tokenInvalidNotice";

/// A notice of the service about a token.
///
/// Notices arrive as ordinary messages without a subscription. The service does not guarantee to send them (ApsaraMQ
/// docs: token authentication).
///
/// A notice names the type of the token but not the token itself, so it can refer to one that has been replaced.
/// [`TokenLifecycle::notice`](crate::TokenLifecycle::notice) decides what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TokenNotice {
    /// The token expires in about [5 minutes](crate::limits::TOKEN_EXPIRY_NOTICE). The service sends this notice once.
    Expire {
        /// The type of the token.
        kind: TokenKind,
        /// The time of expiry in Unix milliseconds.
        expires_at_ms: u64,
    },
    /// The token is not valid. The service closes the connection next, or has already closed the previous one.
    Invalid {
        /// The type of the token.
        kind: TokenKind,
        /// The reason.
        reason: InvalidReason,
    },
}

impl TokenNotice {
    /// Parses a received message. Returns `None` if its topic is not the topic of a notice.
    ///
    /// One `/` at the end of the topic is ignored. The JSON fields may have any order, numbers may be quoted, and
    /// unknown fields are skipped.
    ///
    /// # Errors
    ///
    /// Returns [`NoticeError`] if the topic is that of a notice and the payload is malformed.
    ///
    /// ```
    /// use mqtt_p2p_aliyun::{TokenKind, TokenNotice};
    ///
    /// let notice = TokenNotice::parse("$SYS/tokenExpireNotice", br#"{"expireTime":1700000000000,"type":"RW"}"#);
    /// let expected = TokenNotice::Expire { kind: TokenKind::RW, expires_at_ms: 1_700_000_000_000 };
    /// assert_eq!(notice, Some(Ok(expected)));
    /// assert_eq!(TokenNotice::parse("devices/state", b"on"), None);
    /// ```
    pub fn parse(topic: &str, payload: &[u8]) -> Option<Result<Self, NoticeError>> {
        if same_topic(topic, EXPIRE_NOTICE_TOPIC) {
            Some(read(payload).and_then(|fields| expire(&fields)))
        } else if same_topic(topic, INVALID_NOTICE_TOPIC) {
            Some(read(payload).and_then(|fields| invalid(&fields)))
        } else {
            None
        }
    }

    /// Returns the type of the token that the notice refers to.
    pub const fn kind(&self) -> TokenKind {
        match *self {
            Self::Expire { kind, .. } | Self::Invalid { kind, .. } => kind,
        }
    }
}

fn read(payload: &[u8]) -> Result<Fields, NoticeError> {
    Fields::read(payload).map_err(|_| NoticeError::NotJson)
}

fn expire(fields: &Fields) -> Result<TokenNotice, NoticeError> {
    let kind = fields.kind.ok_or(NoticeError::Kind)?;
    let expires_at_ms = fields.expire_time.ok_or(NoticeError::ExpireTime)?;
    Ok(TokenNotice::Expire { kind, expires_at_ms })
}

fn invalid(fields: &Fields) -> Result<TokenNotice, NoticeError> {
    let kind = fields.kind.ok_or(NoticeError::Kind)?;
    let reason = InvalidReason::from_code(fields.code.ok_or(NoticeError::Code)?);
    Ok(TokenNotice::Invalid { kind, reason })
}

impl fmt::Display for TokenNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Expire { kind, expires_at_ms } => {
                write!(f, "the {kind} token expires at Unix time {expires_at_ms} ms")
            }
            Self::Invalid { kind, reason } => write!(f, "the {kind} token is not valid: {reason}"),
        }
    }
}

/// The error of a malformed notice.
///
/// The service, or a server that emulates it, sent a payload that the documentation does not describe. The notice can
/// be ignored, since the client's own clock still shows when a token expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum NoticeError {
    /// The payload is not a JSON object, is nested too deeply or contains an escaped string that is too long.
    NotJson,
    /// The field `type` is missing or is not `R`, `W` or `RW`.
    Kind,
    /// The field `expireTime` is missing or is not a number of milliseconds.
    ExpireTime,
    /// The field `code` is missing or is not a number.
    Code,
}

impl fmt::Display for NoticeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotJson => {
                "the service's notice about a token is not the JSON that it documents: \
                 ignore it, and renew tokens by the clock"
            }
            Self::Kind => {
                "the service's notice about a token has no type R, W or RW: \
                 ignore it, and renew tokens by the clock"
            }
            Self::ExpireTime => {
                "the service's notice that a token expires has no time: \
                 ignore it, and renew tokens by the clock"
            }
            Self::Code => {
                "the service's notice that a token is not valid has no code: \
                 ignore it, and renew the token if it is refused"
            }
        })
    }
}

impl core::error::Error for NoticeError {}
