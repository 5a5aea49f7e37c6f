//! The request for an upgrade (RFC 6455 §4.1).

use core::fmt;

use mqtt_p2p_packet::Protocol;

use crate::error::RequestError;

/// What is asked of the server: where, and with which headers.
///
/// ```
/// use mqtt_p2p_websocket::{Request, RequestError, WebSocket};
///
/// let mut socket = WebSocket::new([0; 16]); // in truth, from an entropy source
/// let mut out = [0; 256];
/// let request = Request::new("broker.example:8083", "/mqtt").with_headers(&[("Authorization", "Bearer x")]);
/// let len = socket.open(&request, &mut out)?;
/// assert!(out[..len].starts_with(b"GET /mqtt HTTP/1.1\r\nHost: broker.example:8083\r\n"));
///
/// // What would be a second header is refused.
/// let request = Request::new("broker.example:8083", "/mqtt").with_headers(&[("X", "a\r\nCookie: b")]);
/// assert_eq!(socket.open(&request, &mut out), Err(RequestError::InvalidHeader { index: 0 }));
/// # Ok::<(), RequestError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Request<'a> {
    host: &'a str,
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
    protocol: Protocol,
}

impl<'a> Request<'a> {
    /// An upgrade of `path` (with its query, if it has one) at `host`: a name, an IPv4 address or an IPv6 address in
    /// brackets, with `:port` unless that is 80, or 443 over TLS.
    pub const fn new(host: &'a str, path: &'a str) -> Self {
        Self { host, path, headers: &[], protocol: Protocol::V311 }
    }

    /// Headers, each a name and a value, behind those of the handshake.
    #[must_use]
    pub const fn with_headers(mut self, headers: &'a [(&'a str, &'a str)]) -> Self {
        self.headers = headers;
        self
    }

    /// The edition of MQTT: its subprotocol is `mqtt` ([MQTT-6.0.0-3]), but for MQTT 3.1, where it is `mqttv3.1`.
    #[must_use]
    pub const fn with_protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    pub(crate) const fn subprotocol(&self) -> &'static str {
        match self.protocol {
            Protocol::V31 => "mqttv3.1",
            _ => "mqtt",
        }
    }

    /// Writes the request with this `Sec-WebSocket-Key`; says how long it is.
    pub(crate) fn write(&self, key: &[u8], out: &mut [u8]) -> Result<usize, RequestError> {
        self.check()?;
        let mut writer = Writer { out, len: 0 };
        for part in [
            "GET ",
            self.path,
            " HTTP/1.1\r\nHost: ",
            self.host,
            "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ",
            self.subprotocol(),
            "\r\nSec-WebSocket-Key: ",
        ] {
            writer.put(part.as_bytes());
        }
        writer.put(key);
        for (name, value) in self.headers {
            for part in ["\r\n", name, ": ", value] {
                writer.put(part.as_bytes());
            }
        }
        writer.put(b"\r\n\r\n");
        let needed = writer.len;
        if needed > writer.out.len() { Err(RequestError::NoRoom { needed }) } else { Ok(needed) }
    }

    fn check(&self) -> Result<(), RequestError> {
        let visible = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !visible(self.host) || self.host.bytes().any(|byte| b"/?#@\\".contains(&byte)) {
            return Err(RequestError::InvalidHost);
        }
        // A fragment is not sent (§3).
        if !visible(self.path) || !self.path.starts_with('/') || self.path.bytes().any(|byte| byte == b'#') {
            return Err(RequestError::InvalidPath);
        }
        for (index, (name, value)) in self.headers.iter().enumerate() {
            if name.is_empty() || !name.bytes().all(is_token) || value.bytes().any(is_control) {
                return Err(RequestError::InvalidHeader { index });
            }
            if is_reserved(name) {
                return Err(RequestError::ReservedHeader { index });
            }
        }
        Ok(())
    }
}

/// Shows no values of headers and no query: they may be credentials.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.split('?').next().unwrap_or_default();
        f.debug_struct("Request")
            .field("host", &self.host)
            .field("path", &path)
            .field("headers", &self.headers.len())
            .field("protocol", &self.protocol)
            .finish()
    }
}

/// A character of a header's name (RFC 9110 §5.6.2).
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// What the value of a header may not have.
pub(crate) fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

fn is_reserved(name: &str) -> bool {
    let begin = name.as_bytes().get(..14).unwrap_or_default();
    begin.eq_ignore_ascii_case(b"sec-websocket-")
        || ["host", "upgrade", "connection"].iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// Writes as far as there is room, and counts further.
struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let room = self.out.get_mut(self.len..).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.len = self.len.saturating_add(bytes.len());
    }
}
