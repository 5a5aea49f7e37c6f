//! What Debug shows in place of a secret.

use core::fmt;

/// Shows that something is there, neither what nor how long.
pub(crate) struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<hidden>")
    }
}
