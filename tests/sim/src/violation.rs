//! A broken promise.

use std::fmt;

/// A promise that a run found broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which promise: always the same words, so that two runs can be compared.
    pub promise: &'static str,
    /// What happened instead.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.detail)
    }
}

pub(crate) type Check<T = ()> = Result<T, Violation>;

/// Breaks off with a [`Violation`] unless the condition holds.
macro_rules! promise {
    ($holds:expr, $promise:literal, $($detail:tt)+) => {
        if !$holds {
            return Err($crate::violation::Violation { promise: $promise, detail: format!($($detail)+) });
        }
    };
}
pub(crate) use promise;
