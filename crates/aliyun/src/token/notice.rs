//! What the service says about tokens: that one will expire, or that it is not valid.

use core::fmt;

use crate::identifiers::same_topic;
use crate::token::invalid_reason::InvalidReason;
use crate::token::kind::TokenKind;
use crate::token::notice_fields::Fields;

/// The topic of the notice that a token will expire (ApsaraMQ docs: token authentication).
pub const EXPIRE_NOTICE_TOPIC: &str = "$SYS/tokenExpireNotice";

/// The topic of the notice that a token is not valid (ApsaraMQ docs: token authentication).
pub const INVALID_NOTICE_TOPIC: &str = "$SYS/tokenInvalidNotice";

/// What the service says about a token. It comes as an ordinary message, without a subscription, and the service
/// does not promise to send it (ApsaraMQ docs: token authentication).
///
/// Which of the tokens of that kind it means is not said; [`TokenLifecycle::notice`](crate::TokenLifecycle::notice) judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TokenNotice {
    /// The token will expire, in about [5 minutes](crate::limits::TOKEN_EXPIRY_NOTICE). Sent once.
    Expire {
        /// The token's type.
        kind: TokenKind,
        /// When, in Unix milliseconds.
        expires_at_ms: u64,
    },
    /// The token is not valid. The service closes the connection next, or has closed the one before.
    Invalid {
        /// The token's type.
        kind: TokenKind,
        /// Why.
        reason: InvalidReason,
    },
}

impl TokenNotice {
    /// Reads a message; `None` if its topic is not that of a notice. One `/` at the end of the topic does not count.
    ///
    /// Fields may come in any order, numbers may stand in quotes, and fields that are not known here are passed over.
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

    /// The type of the token that it is about.
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
                write!(f, "the {kind} token expires at {expires_at_ms} ms since 1970")
            }
            Self::Invalid { kind, reason } => write!(f, "the {kind} token is not valid: {reason}"),
        }
    }
}

/// Why a notice can't be understood. It is the fault of the service, or of a server that stands in for it; the own
/// clock still says when a token expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum NoticeError {
    /// No JSON object, or one with texts that are too long.
    NotJson,
    /// `type` is missing, or none of `R`, `W` and `RW`.
    Kind,
    /// `expireTime` is missing, or no number of milliseconds.
    ExpireTime,
    /// `code` is missing, or no number.
    Code,
}

impl fmt::Display for NoticeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotJson => "the service's notice about a token is not the JSON that it documents",
            Self::Kind => "the service's notice about a token does not say R, W or RW",
            Self::ExpireTime => "the service's notice that a token expires does not say when",
            Self::Code => "the service's notice that a token is not valid does not say why",
        })
    }
}

impl core::error::Error for NoticeError {}
