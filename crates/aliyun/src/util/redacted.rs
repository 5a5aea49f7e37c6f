//! What Debug shows in place of a secret.

use core::fmt;

/// Shows that something is there, neither what nor how long.
pub(crate) struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}
