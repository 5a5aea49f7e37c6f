//! The JSON of the notices about tokens.

use core::str::FromStr;

use picojson::{Event, PullParser, SliceParser};

use crate::token::kind::TokenKind;

/// The longest text in a notice, in bytes, that may have escapes: `\"` or `\u6e29`, for instance.
const LONGEST_ESCAPED: usize = 256;

/// The payload is no JSON object, or one with texts that are too long.
pub(super) struct NotJson;

/// The fields of both notices.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) kind: Option<TokenKind>,
    pub(super) expire_time: Option<u64>,
    pub(super) code: Option<i32>,
}

/// A field by its key.
#[derive(Clone, Copy)]
enum Key {
    Kind,
    ExpireTime,
    Code,
    Other,
}

/// The objects and arrays that have begun: a bit for each, 1 for an object, behind a 1 that marks the outermost.
#[derive(PartialEq, Eq)]
struct Open(u64);

impl Open {
    const NONE: Self = Self(1);
    const OBJECT: Self = Self(0b11);

    /// Deeper than any notice is: refused.
    fn begin(&mut self, object: bool) -> Result<(), NotJson> {
        if self.0.leading_zeros() == 0 {
            return Err(NotJson);
        }
        self.0 = self.0 << 1 | u64::from(object);
        Ok(())
    }

    fn end(&mut self, object: bool) -> Result<(), NotJson> {
        if *self == Self::NONE || (self.0 & 1 == 1) != object {
            return Err(NotJson);
        }
        self.0 >>= 1;
        Ok(())
    }
}

impl Fields {
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
                // The parser does not see to it that each ends as it began.
                Event::EndObject => open.end(true)?,
                Event::EndArray => open.end(false)?,
                // What lies outside the object is no notice.
                _ if open == Open::NONE => return Err(NotJson),
                Event::StartArray => open.begin(false)?,
                // What lies within a field's value is not known here.
                _ if open != Open::OBJECT => {}
                Event::Key(name) => {
                    key = match name.as_str() {
                        "type" => Key::Kind,
                        "expireTime" => Key::ExpireTime,
                        "code" => Key::Code,
                        _ => Key::Other,
                    };
                    // Of a key that comes twice the last counts, also if its value is of another kind.
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
