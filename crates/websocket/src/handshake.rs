//! The opening handshake (RFC 6455, 4.1): one request, one answer.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

use crate::error::{AnswerError, RequestError};

/// What is hashed together with the key (RFC 6455, 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The Base64 of 16 and of 20 bytes.
const KEY_LEN: usize = 24;
const ACCEPT_LEN: usize = 28;

/// `Sec-WebSocket-Key`.
#[derive(Clone, Copy)]
pub(crate) struct Key([u8; KEY_LEN]);

impl Key {
    pub(crate) fn new(nonce: [u8; 16]) -> Self {
        let mut key = [0; KEY_LEN];
        // It has the length of the nonce in Base64.
        let _ = STANDARD.encode_slice(nonce, &mut key);
        Self(key)
    }

    /// The `Sec-WebSocket-Accept` that belongs to it (RFC 6455, 4.2.2).
    fn accept(&self) -> [u8; ACCEPT_LEN] {
        let mut accept = [0; ACCEPT_LEN];
        let hash = Sha1::new().chain_update(self.0).chain_update(GUID).finalize();
        // It has the length of the hash in Base64.
        let _ = STANDARD.encode_slice(hash, &mut accept);
        accept
    }

    /// Writes the request.
    pub(crate) fn request(&self, host: &str, path: &str, buffer: &mut [u8]) -> Result<usize, RequestError> {
        if host.is_empty() || !host.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(RequestError::Host);
        }
        if !path.starts_with(['/']) || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(RequestError::Path);
        }
        let parts: [&[u8]; 7] = [
            b"GET ",
            path.as_bytes(),
            b" HTTP/1.1\r\nHost: ",
            host.as_bytes(),
            b"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ",
            &self.0,
            b"\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
        ];
        let needed = parts.iter().fold(0, |sum: usize, part| sum.saturating_add(part.len()));
        let Some(mut room) = buffer.get_mut(..needed) else {
            return Err(RequestError::BufferTooSmall { needed });
        };
        for part in parts {
            let Some((place, rest)) = core::mem::take(&mut room).split_at_mut_checked(part.len()) else {
                break;
            };
            place.copy_from_slice(part);
            room = rest;
        }
        Ok(needed)
    }

    /// Reads the answer: whether it is whole and good. It is taken off what came then.
    pub(crate) fn answer(&self, received: &mut &[u8]) -> Result<bool, AnswerError> {
        const STATUS: &[u8] = b"HTTP/1.1 ";
        let beginning = received.iter().zip(STATUS);
        if beginning.clone().any(|(byte, expected)| byte != expected) {
            return Err(AnswerError::NotHttp);
        }
        let Some((head, rest)) = split_head(received) else {
            return if received.len() > AnswerError::MAX_HEAD {
                Err(AnswerError::TooLong)
            } else {
                Ok(false)
            };
        };
        let mut lines = lines(head);
        let status = lines.next().and_then(|line| line.strip_prefix(STATUS)).and_then(status_of);
        match status {
            Some(101) => {}
            Some(status) => return Err(AnswerError::Refused { status }),
            None => return Err(AnswerError::NotHttp),
        }
        let mut seen = Seen::default();
        for line in lines {
            seen.note(line, &self.accept())?;
        }
        seen.check()?;
        *received = rest;
        Ok(true)
    }
}

/// What the header fields said.
#[derive(Default)]
struct Seen {
    upgrade: bool,
    connection: bool,
    accept: bool,
}

impl Seen {
    fn note(&mut self, line: &[u8], accept: &[u8]) -> Result<(), AnswerError> {
        let colon = line.iter().position(|byte| *byte == b':').ok_or(AnswerError::Malformed)?;
        let (name, value) = line.split_at_checked(colon).ok_or(AnswerError::Malformed)?;
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        // A name that is none, or the second line of a field, which is obsolete (RFC 7230, 3.2.4).
        if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
            return Err(AnswerError::Malformed);
        }
        let is = |expected: &[u8]| name.eq_ignore_ascii_case(expected);
        if is(b"Upgrade") {
            self.upgrade |= value.eq_ignore_ascii_case(b"websocket");
        } else if is(b"Connection") {
            self.connection |= tokens(value).any(|token| token.eq_ignore_ascii_case(b"upgrade"));
        } else if is(b"Sec-WebSocket-Accept") {
            if value != accept || self.accept {
                return Err(AnswerError::WrongAccept);
            }
            self.accept = true;
        } else if is(b"Sec-WebSocket-Protocol") {
            if value != b"mqtt" {
                return Err(AnswerError::WrongSubprotocol);
            }
        } else if is(b"Sec-WebSocket-Extensions") && !value.is_empty() {
            return Err(AnswerError::UnknownExtension);
        }
        Ok(())
    }

    const fn check(&self) -> Result<(), AnswerError> {
        if !(self.upgrade && self.connection) {
            return Err(AnswerError::NotUpgraded);
        }
        if self.accept { Ok(()) } else { Err(AnswerError::WrongAccept) }
    }
}

/// The head with the end of its last line, and what follows the empty line.
fn split_head(received: &[u8]) -> Option<(&[u8], &[u8])> {
    const END: &[u8] = b"\r\n\r\n";
    let within = received.get(..received.len().min(AnswerError::MAX_HEAD)).unwrap_or_default();
    let at = within.windows(END.len()).position(|window| window == END)?;
    let (head, rest) = received.split_at_checked(at.saturating_add(2))?;
    Some((head, rest.get(2..).unwrap_or_default()))
}

/// The lines without their ends.
fn lines(mut head: &[u8]) -> impl Iterator<Item = &[u8]> {
    core::iter::from_fn(move || {
        let at = head.windows(2).position(|window| window == b"\r\n")?;
        let (line, rest) = head.split_at_checked(at)?;
        head = rest.get(2..).unwrap_or_default();
        Some(line)
    })
}

/// What stands between commas.
fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// Three digits, alone or before a space.
fn status_of(line: &[u8]) -> Option<u16> {
    let (digits, rest) = line.split_first_chunk::<3>()?;
    if !(rest.is_empty() || rest.starts_with(b" ")) {
        return None;
    }
    digits.iter().try_fold(0_u16, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number.wrapping_mul(10).wrapping_add(u16::from(digit.wrapping_sub(b'0'))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_6455_has_its_key_and_its_accept() {
        let key = Key::new(*b"the sample nonce");
        assert_eq!(&key.0, b"dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(&key.accept(), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
