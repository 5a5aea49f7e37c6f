//! What the service says about tokens: that one will expire, or that it is not valid.

use core::{fmt, str::FromStr};

use picojson::{Event, PullParser, SliceParser};

use super::set::TokenKind;
use crate::identifiers::same_topic;

/// The topic of the notice that a token will expire (ApsaraMQ docs: token authentication).
pub const EXPIRE_NOTICE_TOPIC: &str = "$SYS/tokenExpireNotice";

/// The topic of the notice that a token is not valid (ApsaraMQ docs: token authentication).
pub const INVALID_NOTICE_TOPIC: &str = "$SYS/tokenInvalidNotice";

/// The longest text in a notice, in bytes, that may have escapes: `\"` or `\u6e29`, for instance.
const LONGEST_ESCAPED: usize = 256;

/// What the service says about a token. It comes as an ordinary message, without a subscription, and the service
/// does not promise to send it (ApsaraMQ docs: token authentication).
///
/// Which of the tokens of that kind it means is not said; [`TokenLife::notice`](crate::TokenLife::notice) judges.
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
            Some(Fields::read(payload).and_then(|fields| fields.expire()))
        } else if same_topic(topic, INVALID_NOTICE_TOPIC) {
            Some(Fields::read(payload).and_then(|fields| fields.invalid()))
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

/// Why a token is not valid (ApsaraMQ docs: token authentication).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum InvalidReason {
    /// Code 1: it is forged, or can't be read.
    Forged,
    /// Code 2: it expired.
    Expired,
    /// Code 3: it was revoked.
    Revoked,
    /// Code 4: it is not for the topic that was used.
    ResourceMismatch,
    /// Code 5: it does not allow what was done, publishing or receiving.
    ActionMismatch,
    /// Code 8: its signature is wrong.
    BadSignature,
    /// Code -1: the account has no permission.
    AccountNotPermitted,
    /// A code that the documentation does not list.
    Other(i32),
}

impl InvalidReason {
    /// The reason of a notice's code.
    pub const fn from_code(code: i32) -> Self {
        match code {
            1 => Self::Forged,
            2 => Self::Expired,
            3 => Self::Revoked,
            4 => Self::ResourceMismatch,
            5 => Self::ActionMismatch,
            8 => Self::BadSignature,
            -1 => Self::AccountNotPermitted,
            other => Self::Other(other),
        }
    }

    /// The notice's code.
    pub const fn code(self) -> i32 {
        match self {
            Self::Forged => 1,
            Self::Expired => 2,
            Self::Revoked => 3,
            Self::ResourceMismatch => 4,
            Self::ActionMismatch => 5,
            Self::BadSignature => 8,
            Self::AccountNotPermitted => -1,
            Self::Other(code) => code,
        }
    }

    /// Whether time or a revocation ended a token that was right, so that a new one of the same make serves. With
    /// the other reasons, who issues tokens has to issue other ones.
    pub const fn is_cured_by_a_new_token(self) -> bool {
        matches!(self, Self::Expired | Self::Revoked)
    }

    /// Whose fault it is and what to do, in one sentence.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Forged | Self::BadSignature => {
                "hand tokens over exactly as the server that issues them returned them, and check that access key \
                 id and instance are those it applied with"
            }
            Self::Expired => "get a new token, and if this one should have lived, check the device's clock",
            Self::Revoked => "ask whoever runs the server that issues tokens why, and get a new one",
            Self::ResourceMismatch => {
                "have the server that issues tokens apply for the topics that this client uses; for P2P, <parent>/#"
            }
            Self::ActionMismatch => {
                "have the server that issues tokens apply for the action that is missing: R to receive, W to publish"
            }
            Self::AccountNotPermitted => {
                "have the owner of the account grant its access key the use of the instance and its topics"
            }
            Self::Other(_) => {
                "get a new token; if that does not help, look at the device's trace in the console"
            }
        }
    }
}

impl fmt::Display for InvalidReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match *self {
            Self::Forged => "it is forged or can't be read",
            Self::Expired => "it expired",
            Self::Revoked => "it was revoked",
            Self::ResourceMismatch => "it is not for the topic that was used",
            Self::ActionMismatch => "it does not allow what was done",
            Self::BadSignature => "its signature is wrong",
            Self::AccountNotPermitted => "the account has no permission",
            Self::Other(code) => return write!(f, "the service gave code {code}"),
        })
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

/// The fields of both notices.
#[derive(Default)]
struct Fields {
    kind: Option<TokenKind>,
    expire_time: Option<u64>,
    code: Option<i32>,
}

/// A field by its key.
#[derive(Clone, Copy)]
enum Key {
    Kind,
    ExpireTime,
    Code,
    Other,
}

/// The objects and arrays that have begun: a bit for each, 1 for an object, behind a 1 that marks the outermost.
#[derive(PartialEq, Eq)]
struct Open(u64);

impl Open {
    const NONE: Self = Self(1);
    const OBJECT: Self = Self(0b11);

    /// Deeper than any notice is: refused.
    fn begin(&mut self, object: bool) -> Result<(), NoticeError> {
        if self.0.leading_zeros() == 0 {
            return Err(NoticeError::NotJson);
        }
        self.0 = self.0 << 1 | u64::from(object);
        Ok(())
    }

    fn end(&mut self, object: bool) -> Result<(), NoticeError> {
        if *self == Self::NONE || (self.0 & 1 == 1) != object {
            return Err(NoticeError::NotJson);
        }
        self.0 >>= 1;
        Ok(())
    }
}

impl Fields {
    fn read(payload: &[u8]) -> Result<Self, NoticeError> {
        let mut scratch = [0; LONGEST_ESCAPED];
        let mut parser = SliceParser::with_buffer_from_slice(payload, &mut scratch);
        let mut fields = Self::default();
        let mut key = Key::Other;
        let mut open = Open::NONE;
        loop {
            match parser.next_event().map_err(|_| NoticeError::NotJson)? {
                Event::EndDocument => return Ok(fields),
                Event::StartObject => open.begin(true)?,
                // The parser does not see to it that each ends as it began.
                Event::EndObject => open.end(true)?,
                Event::EndArray => open.end(false)?,
                // What lies outside the object is no notice.
                _ if open == Open::NONE => return Err(NoticeError::NotJson),
                Event::StartArray => open.begin(false)?,
                // What lies within a field's value is not known here.
                _ if open != Open::OBJECT => {}
                Event::Key(name) => {
                    key = match name.as_str() {
                        "type" => Key::Kind,
                        "expireTime" => Key::ExpireTime,
                        "code" => Key::Code,
                        _ => Key::Other,
                    };
                    // Of a key that comes twice the last counts, also if its value is of another kind.
                    fields.set(key, "");
                }
                Event::String(text) => fields.set(key, text.as_str()),
                Event::Number(number) => fields.set(key, number.as_str()),
                Event::Bool(_) | Event::Null => {}
            }
        }
    }

    fn set(&mut self, key: Key, value: &str) {
        match key {
            Key::Kind => self.kind = value.parse().ok(),
            Key::ExpireTime => self.expire_time = u64::from_str(value).ok(),
            Key::Code => self.code = i32::from_str(value).ok(),
            Key::Other => {}
        }
    }

    fn expire(&self) -> Result<TokenNotice, NoticeError> {
        let kind = self.kind.ok_or(NoticeError::Kind)?;
        let expires_at_ms = self.expire_time.ok_or(NoticeError::ExpireTime)?;
        Ok(TokenNotice::Expire { kind, expires_at_ms })
    }

    fn invalid(&self) -> Result<TokenNotice, NoticeError> {
        let kind = self.kind.ok_or(NoticeError::Kind)?;
        let reason = InvalidReason::from_code(self.code.ok_or(NoticeError::Code)?);
        Ok(TokenNotice::Invalid { kind, reason })
    }
}
