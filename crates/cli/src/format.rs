//! The -F of `subscribe`: how a message is printed, in mosquitto_sub's notation.

use std::str::FromStr;

use mqtt_p2p_tokio::Message;

use crate::message::{hex, mosquitto_json};
use crate::output::Utc;

/// A format, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Format(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Topic,
    Payload,
    Field(Field),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    HexLower,
    HexUpper,
    Length,
    QoS,
    Retain,
    Json,
    JsonOfJson,
    Iso8601,
    Unix,
}

impl Format {
    /// The topic, a blank and the payload: what -v means.
    pub(crate) fn verbose() -> Self {
        Self(vec![Piece::Topic, Piece::Text(" ".into()), Piece::Payload])
    }

    /// The payload alone.
    pub(crate) fn payload() -> Self {
        Self(vec![Piece::Payload])
    }

    /// A message in this format. Topic and payload, which others wrote, are made `harmless`; what the user wrote stays.
    pub(crate) fn apply(&self, message: &Message, now: Utc, harmless: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend(text.as_bytes()),
                Piece::Topic => out.extend(harmless(message.topic().as_bytes())),
                Piece::Payload => out.extend(harmless(message.payload())),
                Piece::Field(field) => out.extend(field.text(message, now).as_bytes()),
            }
        }
        out
    }
}

impl Piece {
    const fn from_letter(letter: char) -> Option<Self> {
        Some(Self::Field(match letter {
            't' => return Some(Self::Topic),
            'p' => return Some(Self::Payload),
            'x' => Field::HexLower,
            'X' => Field::HexUpper,
            'l' => Field::Length,
            'q' => Field::QoS,
            'r' => Field::Retain,
            'j' => Field::Json,
            'J' => Field::JsonOfJson,
            'I' => Field::Iso8601,
            'U' => Field::Unix,
            _ => return None,
        }))
    }
}

impl Field {
    fn text(self, message: &Message, now: Utc) -> String {
        match self {
            Self::HexLower => hex(message.payload()),
            Self::HexUpper => hex(message.payload()).to_uppercase(),
            Self::Length => message.payload().len().to_string(),
            Self::QoS => message.qos().to_string(),
            Self::Retain => u8::from(message.retain()).to_string(),
            Self::Json => mosquitto_json(message, now, false),
            Self::JsonOfJson => mosquitto_json(message, now, true),
            Self::Iso8601 => now.date_time(),
            Self::Unix => now.unix(),
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(format: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            match c {
                '%' => match chars.next() {
                    Some('%') => text.push('%'),
                    Some(letter) => {
                        let field = Piece::from_letter(letter)
                            .ok_or_else(|| format!("there is no %{letter}; %% is a percent sign"))?;
                        if !text.is_empty() {
                            pieces.push(Piece::Text(std::mem::take(&mut text)));
                        }
                        pieces.push(field);
                    }
                    None => return Err("a letter is missing behind the last %".into()),
                },
                '\\' => text.push(match chars.next() {
                    Some('\\') => '\\',
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some('r') => '\r',
                    Some('0') => '\0',
                    Some('a') => '\u{7}',
                    Some('e') => '\u{1b}',
                    _ => return Err("behind \\ stands one of \\ n t r 0 a e".into()),
                }),
                c => text.push(c),
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Self(pieces))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read_and_wrong_ones_explained() {
        let pieces = |text: &str| text.parse::<Format>().map(|format| format.0);
        assert_eq!(
            pieces(r"%t:\t%%%q"),
            Ok(vec![Piece::Topic, Piece::Text(":\t%".into()), Piece::Field(Field::QoS)])
        );
        for wrong in ["%", "%z", "\\", "\\z"] {
            assert!(pieces(wrong).is_err(), "{wrong}");
        }
    }
}
