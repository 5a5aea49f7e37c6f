//! What outlives a connection and the program: a session.
//!
//! A session is a set of records, each under a [`Key`]. While a client runs, its driver can store every change
//! ([`journal`], [`SessionStore`]); or all records are exported at once as bytes ([`format`](self::format)). Both are
//! taken over by the same function ([`restore`]).

mod bytes;
mod crc32;
mod error;
mod format;
pub(crate) mod journal;
mod key;
mod restore;
mod store;
mod v1;

pub use crc32::Crc32;
pub use error::{RestoreError, SessionError};
pub use journal::Change;
pub use key::Key;
pub use store::SessionStore;
