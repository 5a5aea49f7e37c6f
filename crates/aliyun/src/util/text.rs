//! What the service's names and the parts of a log-in have in common.

use core::fmt;

/// What separates the levels of a topic. These patterns are arrays because the search for a lone `char` has a
/// panic path.
pub(crate) const SLASH: [char; 1] = ['/'];

/// What separates the parts of user names and of token passwords.
pub(crate) const PIPE: [char; 1] = ['|'];

/// What MQTT allows in no text.
pub(crate) const NUL: [char; 1] = ['\0'];

/// The first character that a group id, a device id or a topic level may not hold: all but `0-9A-Za-z_-`.
pub(crate) fn first_outside_name_charset(text: &str) -> Option<char> {
    text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
}

/// Whether the text can be a key, a token or an instance id: visible ASCII without `|`. White space at an end
/// is what a careless copy from a console or a file leaves behind, and the service only answers that the
/// log-in is wrong.
pub(crate) fn is_key_text(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'|')
}

pub(crate) fn without_trailing_slash(topic: &str) -> &str {
    topic.strip_suffix(SLASH).unwrap_or(topic)
}

/// Names a character that some text may not hold, whether it can be seen or not. It stands for `{:?}`, which
/// has panic paths and takes kilobytes of Unicode tables.
pub(crate) struct DisplayChar(pub(crate) char);

impl fmt::Display for DisplayChar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (c, code) = (self.0, u32::from(self.0));
        if c.is_ascii_graphic() {
            write!(f, "'{c}'")
        } else if c.is_control() {
            write!(f, "U+{code:04X}")
        } else {
            write!(f, "'{c}' (U+{code:04X})")
        }
    }
}
