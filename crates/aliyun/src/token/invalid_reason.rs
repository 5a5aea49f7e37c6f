//! The reason for which the service rejects a token.

use core::fmt;

/// The reason for which the service considers a token not valid (ApsaraMQ docs: token authentication).
///
/// ```
/// use mqtt_p2p_aliyun::InvalidReason;
///
/// let reason = InvalidReason::from_code(4);
/// assert_eq!(reason, InvalidReason::ResourceMismatch);
/// assert!(!reason.is_fixed_by_renewal());
/// println!("{reason}: {}", reason.advice());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum InvalidReason {
    /// Code 1: the token is forged or can't be parsed.
    Forged,
    /// Code 2: the token has expired.
    Expired,
    /// Code 3: the token was revoked.
    Revoked,
    /// Code 4: the token does not cover the topic that was used.
    ResourceMismatch,
    /// Code 5: the token does not allow the action, publishing or receiving.
    ActionMismatch,
    /// Code 8: the signature of the token is wrong.
    BadSignature,
    /// Code -1: the account lacks the permission.
    AccountNotPermitted,
    /// A code that the documentation does not list.
    Other(i32),
}

impl InvalidReason {
    /// Returns the reason for the code of a notice.
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

    /// Returns the code that a notice carries for the reason.
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

    /// Returns whether a new token with the same permissions fixes the problem.
    ///
    /// That is the case for tokens that expired or were revoked. For all other reasons, the server must issue different
    /// tokens.
    pub const fn is_fixed_by_renewal(self) -> bool {
        matches!(self, Self::Expired | Self::Revoked)
    }

    /// Returns what to do about it, in one sentence.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Forged | Self::BadSignature => {
                "pass tokens exactly as the server that issues them returned them, and check that the access key \
                 id and the instance id are those of that server's request"
            }
            Self::Expired => "get a new token; if this one should still be valid, check the device's clock",
            Self::Revoked => {
                "get a new token, and ask the operator of the server that issues tokens why this one was revoked"
            }
            Self::ResourceMismatch => {
                "let the server that issues tokens request the topics that this client uses; for P2P, <parent>/#"
            }
            Self::ActionMismatch => {
                "let the server that issues tokens request the missing action: R to receive, W to publish"
            }
            Self::AccountNotPermitted => {
                "let the owner of the account grant the access key permissions for the instance and its topics"
            }
            Self::Other(_) => "get a new token; if that does not help, read the device trace in the console",
        }
    }
}

impl fmt::Display for InvalidReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match *self {
            Self::Forged => "it is forged or can't be parsed",
            Self::Expired => "it has expired",
            Self::Revoked => "it was revoked",
            Self::ResourceMismatch => "it does not cover the topic that was used",
            Self::ActionMismatch => "it does not allow the action",
            Self::BadSignature => "its signature is wrong",
            Self::AccountNotPermitted => "the account lacks the permission",
            Self::Other(code) => return write!(f, "the service gave code {code}"),
        })
    }
}
