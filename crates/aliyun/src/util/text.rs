//! Character rules shared by identifiers and credentials.

use core::fmt;

/// The separator of topic levels.
///
/// The patterns in this module are arrays because searching for a single `char` has a panic path.
pub(crate) const SLASH: [char; 1] = ['/'];

/// The separator of the parts of a user name and of a token password.
pub(crate) const PIPE: [char; 1] = ['|'];

/// U+0000, which MQTT forbids in every string.
pub(crate) const NUL: [char; 1] = ['\0'];

/// Returns the first character that is not allowed in a group id, a device id or a topic level: anything but
/// `0-9A-Za-z_-`.
pub(crate) fn first_outside_name_charset(text: &str) -> Option<char> {
    text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
}

/// Returns whether the text can be a key, a token or an instance id: visible ASCII without `|`.
///
/// Copying from a console or a file often leaves white space at an end. The service would only answer that the
/// login is wrong.
pub(crate) fn is_key_text(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'|')
}

/// Removes one `/` from the end of a topic.
pub(crate) fn without_trailing_slash(topic: &str) -> &str {
    topic.strip_suffix(SLASH).unwrap_or(topic)
}

/// Displays a forbidden character, whether it is visible or not.
///
/// It replaces `{:?}`, which has panic paths and needs kilobytes of Unicode tables.
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
