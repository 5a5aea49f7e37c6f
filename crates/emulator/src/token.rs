//! What the emulator says about tokens: one that was issued, why none was, and why one is no good.

use std::fmt;
use std::time::Duration;

use mqtt_p2p_aliyun::TokenKind;

/// A token that the emulator issued, as ApplyToken of the service does. Debug does not show its text.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuedToken {
    /// What goes into the password and into `$SYS/uploadToken`: Base64 of more than 240 characters.
    pub text: String,
    /// What it allows.
    pub kind: TokenKind,
    /// When it ends, in milliseconds of Unix time by the emulator's clock.
    pub expire_time: u64,
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedToken")
            .field("kind", &self.kind)
            .field("expire_time", &self.expire_time)
            .finish_non_exhaustive()
    }
}

/// Why no token was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssueError {
    /// The instance has no access key in whose name tokens could be issued, or it is not permitted.
    NoAccessKey,
    /// No resource at all, or more than 100 (documentation: ApplyToken).
    Resources(usize),
    /// A lifetime below [`Config::min_token_lifetime`](crate::Config::min_token_lifetime), given here.
    TooShort(Duration),
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAccessKey => {
                f.write_str("there is no permitted access key: add Account::access_key to the configuration")
            }
            Self::Resources(number) => write!(f, "{number} resources: a token takes 1 to 100 topics"),
            Self::TooShort(shortest) => write!(
                f,
                "a token lives {shortest:?} at least: ask for more, or set Config::min_token_lifetime"
            ),
        }
    }
}

impl std::error::Error for IssueError {}

/// Why a token is no good, with the service's code for it (documentation: token authentication).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum InvalidToken {
    /// It is not a token's text at all.
    Unparsable,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
    /// No token of the connection that allows the action covers the topic.
    ResourceMismatch,
    /// It is of another type than it was presented as, or no token of the connection allows the action.
    ActionMismatch,
    /// It looks like a token, and somebody else signed it, or changed it.
    BadSignature,
    /// It belongs to another access key or instance, or the access key is not permitted any more.
    AccountNotPermitted,
}

impl InvalidToken {
    /// The number in `$SYS/tokenInvalidNotice`.
    pub const fn code(self) -> i32 {
        match self {
            Self::Unparsable => 1,
            Self::Expired => 2,
            Self::Revoked => 3,
            Self::ResourceMismatch => 4,
            Self::ActionMismatch => 5,
            Self::BadSignature => 8,
            Self::AccountNotPermitted => -1,
        }
    }
}

impl fmt::Display for InvalidToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unparsable => "the token can't be parsed",
            Self::Expired => "the token has expired",
            Self::Revoked => "the token was revoked",
            Self::ResourceMismatch => "no token covers the topic",
            Self::ActionMismatch => "the token does not allow the action",
            Self::BadSignature => "the token's signature is wrong",
            Self::AccountNotPermitted => "the account is not permitted",
        })
    }
}

/// What a token was presented for when it turned out to be no good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenUse {
    /// CONNECT.
    LogIn,
    /// `$SYS/uploadToken`.
    Upload,
    /// A PUBLISH or SUBSCRIBE, or it became invalid while its client was connected.
    Connection,
}
