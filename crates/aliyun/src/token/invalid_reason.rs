//! Why the service finds a token not valid.

use core::fmt;

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
    pub const fn is_fixed_by_renewal(self) -> bool {
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
