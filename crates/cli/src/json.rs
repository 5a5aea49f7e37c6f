//! JSON in the output: one object a line, and nothing in it that could play with a terminal.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::output::is_harmful;

/// Escapes also what JSON need not escape and a terminal obeys. It is the same text for who parses it.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = fragment;
        while let Some((at, c)) = plain.char_indices().find(|&(_, c)| is_harmful(c)) {
            out.write_all(&plain.as_bytes()[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            plain = &plain[at + c.len_utf8()..];
        }
        out.write_all(plain.as_bytes())
    }
}

/// A value as JSON in one line, without its end.
pub(crate) fn line(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    // Neither memory nor the types of this program can fail here: no map has a key that is no text.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut bytes, Harmless));
    String::from_utf8(bytes).unwrap_or_default()
}

/// Writes a value in a line of its own to stdout, so that who reads it has it at once.
pub(crate) fn print(value: &impl Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", line(value))?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_strings_escape_what_json_and_terminals_ask_for() {
        assert_eq!(line(&"a\"b\\c\n\u{1b}\u{0}é"), r#""a\"b\\c\n\u001b\u0000é""#);
        assert_eq!(line(&"x\u{e0041}y\u{9b}"), r#""x\udb40\udc41y\u009b""#);
    }
}
