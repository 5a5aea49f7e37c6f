//! Why a session can't be exported, imported or restored.

use core::fmt;

use crate::error::{Error, Need};
use crate::session::key::Key;

/// Why a session can't be exported or imported. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SessionError {
    /// Caller: the buffer is too small for the session.
    BufferTooSmall {
        /// How many bytes it takes.
        needed: usize,
    },
    /// These bytes are no session, or one that a later version of this library wrote.
    UnknownFormat,
    /// The bytes are damaged: their length or checksum is wrong.
    Damaged,
    /// The checksum is right, but the content is not what this library writes.
    Invalid,
    /// Caller or resources: see the error.
    NotTaken(Error),
}

impl SessionError {
    /// Which memory is too small, if that is the reason.
    pub(crate) const fn need(&self) -> Option<Need> {
        match self {
            Self::NotTaken(error) => error.need(),
            _ => None,
        }
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BufferTooSmall { needed } => {
                write!(f, "the session takes {needed} bytes, more than the buffer has")
            }
            Self::UnknownFormat => f.write_str(
                "not a session that this version can read; keep the bytes for the version that wrote them",
            ),
            Self::Damaged => {
                f.write_str("the session's bytes are damaged; restore an older copy, or begin a new session")
            }
            Self::Invalid => {
                f.write_str("the session's content is invalid; restore an older copy, or begin a new session")
            }
            Self::NotTaken(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl core::error::Error for SessionError {}

impl From<Error> for SessionError {
    fn from(error: Error) -> Self {
        Self::NotTaken(error)
    }
}

/// Why a stored session can't be restored. Nothing has changed then, neither client nor store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RestoreError<E> {
    /// Resources: the store can't be read.
    Store(E),
    /// The record with this key is not one that this library stores.
    Invalid(Key),
    /// Caller or resources: see the error.
    NotTaken(Error),
}

impl<E: fmt::Display> fmt::Display for RestoreError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => write!(f, "the kept session can't be read: {error}"),
            Self::Invalid(key) => {
                write!(
                    f,
                    "the kept session has an invalid record ({key:?}); restore an older copy, or begin anew"
                )
            }
            Self::NotTaken(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for RestoreError<E> {}
