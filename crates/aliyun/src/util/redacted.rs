//! The placeholder that `Debug` prints instead of a secret.

use core::fmt;

/// Prints `<redacted>`: that a secret is present, but neither its content nor its length.
pub(crate) struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}
