//! The server's answer to the request (RFC 6455 §4.1, §4.2.2).

use sha1::{Digest, Sha1};

use crate::error::HandshakeError;
use crate::request::{is_control, is_token};

/// What the server appends to the key before it hashes it (§1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// No line that matters is longer than this by itself; of longer ones, the beginning tells that they do not matter.
const LINE: usize = 125;

/// The longest head, in bytes.
const MAX_HEAD: u16 = 16 * 1024;

/// `Sec-WebSocket-Key`: the nonce in Base64.
pub(crate) fn key(nonce: [u8; 16]) -> [u8; 24] {
    base64(&nonce)
}

/// `Sec-WebSocket-Accept`, the proof that the server has read the key.
fn accept(key: &[u8; 24]) -> [u8; 28] {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(GUID);
    let digest: [u8; 20] = hash.finalize().into();
    base64(&digest)
}

/// Base64 with padding, of which `N` bytes are wanted. The workspace's library brings panics into a firmware.
fn base64<const N: usize>(bytes: &[u8]) -> [u8; N] {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = [b'='; N];
    for (quartet, triple) in text.as_chunks_mut::<4>().0.iter_mut().zip(bytes.chunks(3)) {
        let byte = |index| u32::from(triple.get(index).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        // A missing byte leaves its characters to the padding.
        for (place, shift) in quartet.iter_mut().zip([18, 12, 6, 0]).take(triple.len().saturating_add(1)) {
            *place = ALPHABET.get((bits >> shift & 63) as usize).copied().unwrap_or_default();
        }
    }
    text
}

/// Reads the answer line by line, as the bytes come. It keeps one line and what the lines before have shown.
#[derive(Clone, Debug)]
pub(crate) struct Handshake {
    accept: [u8; 28],
    subprotocol: &'static str,
    line: [u8; LINE],
    /// The length of the line, of which `line` has the first bytes.
    line_len: u16,
    head_len: u16,
    after_cr: bool,
    seen: Seen,
}

/// What the answer has shown so far.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    status: bool,
    upgrade: bool,
    connection: bool,
    accept: bool,
    subprotocol: bool,
}

impl Handshake {
    /// The answer to a request with this key and this subprotocol.
    pub(crate) fn new(key: &[u8; 24], subprotocol: &'static str) -> Self {
        Self {
            accept: accept(key),
            subprotocol,
            line: [0; LINE],
            line_len: 0,
            head_len: 0,
            after_cr: false,
            seen: Seen::default(),
        }
    }

    /// Reads on. `Some` when the head is over, with how many bytes of `input` belong to it.
    pub(crate) fn read(&mut self, input: &[u8]) -> Result<Option<usize>, HandshakeError> {
        for (index, byte) in input.iter().enumerate() {
            if self.head_len == MAX_HEAD {
                return Err(HandshakeError::TooLong);
            }
            self.head_len = self.head_len.wrapping_add(1);
            // A line may end without CR (RFC 9112 §2.2), which has no other place.
            let after_cr = core::mem::replace(&mut self.after_cr, *byte == b'\r');
            match *byte {
                b'\n' => {
                    if self.end_of_line()? {
                        return Ok(Some(index.wrapping_add(1)));
                    }
                    self.line_len = 0;
                }
                b'\r' if !after_cr => {}
                byte if after_cr || is_control(byte) => return Err(self.malformed()),
                byte => {
                    if let Some(place) = self.line.get_mut(usize::from(self.line_len)) {
                        *place = byte;
                    }
                    self.line_len = self.line_len.wrapping_add(1);
                    if !self.seen.status {
                        self.expect_http()?;
                    }
                }
            }
        }
        Ok(None)
    }

    const fn malformed(&self) -> HandshakeError {
        if self.line_len == 0 && !self.seen.status {
            HandshakeError::NotHttp
        } else {
            HandshakeError::Malformed
        }
    }

    /// Whatever else answers is noticed at its first byte: it may never end a line.
    fn expect_http(&self) -> Result<(), HandshakeError> {
        let begin = b"HTTP/1.1 ";
        let line = self.line.get(..usize::from(self.line_len)).unwrap_or(&self.line);
        if line.iter().zip(begin).all(|(a, b)| a == b) { Ok(()) } else { Err(HandshakeError::NotHttp) }
    }

    /// Whether the line was the empty one behind the head.
    fn end_of_line(&mut self) -> Result<bool, HandshakeError> {
        let whole = usize::from(self.line_len) <= LINE;
        let line = self.line;
        let line = line.get(..usize::from(self.line_len)).unwrap_or(&line);
        if !self.seen.status {
            status(line)?;
            self.seen.status = true;
        } else if line.is_empty() {
            self.end_of_head()?;
            return Ok(true);
        } else {
            self.header(line, whole)?;
        }
        Ok(false)
    }

    fn header(&mut self, line: &[u8], whole: bool) -> Result<(), HandshakeError> {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = parts.next().unwrap_or_default();
        let Some(value) = parts.next() else { return Err(HandshakeError::Malformed) };
        if name.is_empty() || !name.iter().copied().all(is_token) {
            return Err(HandshakeError::Malformed);
        }
        let value = value.trim_ascii();
        let is = |own: &str| name.eq_ignore_ascii_case(own.as_bytes());
        let seen = &mut self.seen;
        let (found, error) = if is("upgrade") {
            seen.upgrade = true;
            (value.eq_ignore_ascii_case(b"websocket"), HandshakeError::Upgrade)
        } else if is("connection") {
            let mut tokens = value.split(|byte| *byte == b',');
            // The end of a line that is cut off may look like the token.
            let named = tokens.any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade"));
            seen.connection |= whole && named;
            return Ok(());
        } else if is("sec-websocket-accept") {
            let first = !core::mem::replace(&mut seen.accept, true);
            (first && value == self.accept, HandshakeError::Accept)
        } else if is("sec-websocket-protocol") {
            let first = !core::mem::replace(&mut seen.subprotocol, true);
            (first && value == self.subprotocol.as_bytes(), HandshakeError::Subprotocol)
        } else if is("sec-websocket-extensions") {
            (value.is_empty(), HandshakeError::Extension)
        } else {
            return Ok(());
        };
        if found && whole { Ok(()) } else { Err(error) }
    }

    fn end_of_head(&self) -> Result<(), HandshakeError> {
        for (seen, error) in [
            (self.seen.upgrade, HandshakeError::Upgrade),
            (self.seen.connection, HandshakeError::Connection),
            (self.seen.accept, HandshakeError::Accept),
            (self.seen.subprotocol, HandshakeError::Subprotocol),
        ] {
            if !seen {
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Whether a status line says 101.
fn status(line: &[u8]) -> Result<(), HandshakeError> {
    let [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1', b' ', a, b, c, rest @ ..] = line else {
        return Err(HandshakeError::NotHttp);
    };
    if ![a, b, c].iter().all(|digit| digit.is_ascii_digit()) || rest.first().is_some_and(|byte| *byte != b' ')
    {
        return Err(HandshakeError::NotHttp);
    }
    let status = [a, b, c].iter().fold(0_u16, |status, digit| {
        status.wrapping_mul(10).wrapping_add(u16::from(digit.wrapping_sub(b'0')))
    });
    if status == 101 { Ok(()) } else { Err(HandshakeError::Status(status)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6455 §1.3: `the sample nonce`.
    const KEY: &[u8; 24] = b"dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &[u8; 28] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    #[test]
    fn key_and_accept_are_those_of_the_standards_example() {
        assert_eq!(key(*b"the sample nonce"), *KEY);
        assert_eq!(accept(KEY), *ACCEPT);
    }

    /// RFC 4648 §10.
    #[test]
    fn base64_is_padded() {
        assert_eq!(&base64::<4>(b"f"), b"Zg==");
        assert_eq!(&base64::<4>(b"fo"), b"Zm8=");
        assert_eq!(&base64::<8>(b"foobar"), b"Zm9vYmFy");
    }
}
