//! Parses the JSON of token notices.

use core::str::FromStr;

use picojson::{Event, PullParser, SliceParser};

use crate::token::kind::TokenKind;

/// The maximum length in bytes of a string that contains escapes such as `\"` or `\u6e29`.
const LONGEST_ESCAPED: usize = 256;

/// The payload is not a JSON object, is nested too deeply or contains an escaped string that is too long.
pub(super) struct NotJson;

/// The fields of both notices.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) kind: Option<TokenKind>,
    pub(super) expire_time: Option<u64>,
    pub(super) code: Option<i32>,
}

/// The key of a field.
#[derive(Clone, Copy)]
enum Key {
    Kind,
    ExpireTime,
    Code,
    Other,
}

/// The stack of open objects and arrays: one bit each, 1 for an object, below a leading 1 that marks the bottom.
#[derive(PartialEq, Eq)]
struct Open(u64);

impl Open {
    const NONE: Self = Self(1);
    const OBJECT: Self = Self(0b11);

    /// Opens an object or an array. Fails at a depth of 63, which no real notice reaches.
    fn begin(&mut self, object: bool) -> Result<(), NotJson> {
        if self.0.leading_zeros() == 0 {
            return Err(NotJson);
        }
        self.0 = self.0 << 1 | u64::from(object);
        Ok(())
    }

    /// Closes an object or an array.
    fn end(&mut self, object: bool) -> Result<(), NotJson> {
        if *self == Self::NONE || (self.0 & 1 == 1) != object {
            return Err(NotJson);
        }
        self.0 >>= 1;
        Ok(())
    }
}

impl Fields {
    /// Parses a payload.
    pub(super) fn read(payload: &[u8]) -> Result<Self, NotJson> {
        let mut scratch = [0; LONGEST_ESCAPED];
        let mut parser = SliceParser::with_buffer_from_slice(payload, &mut scratch);
        let mut fields = Self::default();
        let mut key = Key::Other;
        let mut open = Open::NONE;
        loop {
            match parser.next_event().map_err(|_| NotJson)? {
                Event::EndDocument => return Ok(fields),
                Event::StartObject => open.begin(true)?,
                // The parser does not check that the brackets match.
                Event::EndObject => open.end(true)?,
                Event::EndArray => open.end(false)?,
                // A value outside the object is not part of a notice.
                _ if open == Open::NONE => return Err(NotJson),
                Event::StartArray => open.begin(false)?,
                // Nested values are skipped.
                _ if open != Open::OBJECT => {}
                Event::Key(name) => {
                    key = match name.as_str() {
                        "type" => Key::Kind,
                        "expireTime" => Key::ExpireTime,
                        "code" => Key::Code,
                        _ => Key::Other,
                    };
                    // The last occurrence of a key counts, even if its value has the wrong type.
                    fields.set(key, "");
                }
                Event::String(text) => fields.set(key, text.as_str()),
                Event::Number(number) => fields.set(key, number.as_str()),
                Event::Bool(_) | Event::Null => {}
            }
        }
    }

    fn set(&mut self, key: Key, value: &str) {
        match key {
            Key::Kind => self.kind = value.parse().ok(),
            Key::ExpireTime => self.expire_time = u64::from_str(value).ok(),
            Key::Code => self.code = i32::from_str(value).ok(),
            Key::Other => {}
        }
    }
}
