//! What goes wrong, whose fault it is, and what to do next.

use core::fmt;

/// Why the request for an upgrade was not written. It is the caller's fault; nothing has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RequestError {
    /// The request takes so many bytes, more than the buffer has.
    NoRoom {
        /// The length of the request.
        needed: usize,
    },
    /// The host is no host name or address with an optional port.
    InvalidHost,
    /// The path does not begin with `/`, or has characters that must be written as `%` and two digits.
    InvalidPath,
    /// This header has a name that is none, or a line break or another control character in its value.
    InvalidHeader {
        /// Its place in the list, from 0.
        index: usize,
    },
    /// This header is one of the handshake's own.
    ReservedHeader {
        /// Its place in the list, from 0.
        index: usize,
    },
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoRoom { needed } => {
                write!(f, "the request takes {needed} bytes, more than the buffer has")
            }
            Self::InvalidHost => {
                f.write_str("the host must be a name or an address, with :port if it is not the usual one")
            }
            Self::InvalidPath => {
                f.write_str("the path must begin with / and be visible ASCII; write other bytes as %XX")
            }
            Self::InvalidHeader { index } => {
                write!(f, "header {index} has no valid name, or a control character in its value")
            }
            Self::ReservedHeader { index } => {
                write!(f, "header {index} is one that the handshake writes itself; leave it out")
            }
        }
    }
}

impl core::error::Error for RequestError {}

/// Why nothing was written for the transport. It is the caller's fault; nothing has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TransmitError {
    /// What comes next takes so many bytes in one piece, more than the buffer has: send what is in it and pass it
    /// empty, or use a larger one. [`MIN_ROOM`](crate::WebSocket::MIN_ROOM) is always enough.
    NoRoom {
        /// The length of that piece.
        needed: usize,
    },
    /// The bytes do not begin with a control packet of MQTT, or not with all of its fixed header.
    NotAPacket,
}

impl fmt::Display for TransmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoRoom { needed } => {
                write!(
                    f,
                    "{needed} bytes of room are needed; send what is in the buffer, or use a larger one"
                )
            }
            Self::NotAPacket => {
                f.write_str("a message must be one MQTT packet; pass them as the client gave them")
            }
        }
    }
}

impl core::error::Error for TransmitError {}

/// How a WebSocket ended. Send what [`transmit`](crate::WebSocket::transmit) still has, and close the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum End {
    /// The peer said that it closes.
    Closed {
        /// Its status code (RFC 6455 §7.4), if it gave one. [`close_reason`](crate::WebSocket::close_reason) has the
        /// text.
        code: Option<u16>,
    },
    /// The upgrade was refused.
    Refused(HandshakeError),
    /// The peer broke the protocol.
    Failed(FrameError),
    /// Caller: bytes without a connection; call [`open`](crate::WebSocket::open) first.
    NotOpened,
}

/// Why an upgrade failed (RFC 6455 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum HandshakeError {
    /// What answers speaks no HTTP/1.1.
    NotHttp,
    /// The server answered with this status instead of 101.
    Status(u16),
    /// A line of the answer is no header.
    Malformed,
    /// The head of the answer is longer than 16 KiB.
    TooLong,
    /// The `Upgrade` header does not say `websocket`.
    Upgrade,
    /// The `Connection` header does not say `upgrade`.
    Connection,
    /// `Sec-WebSocket-Accept` does not fit the request: the answer is not one to it.
    Accept,
    /// The server did not choose MQTT's subprotocol ([MQTT-6.0.0-4]).
    Subprotocol,
    /// The server uses an extension, and none was offered.
    Extension,
}

/// What RFC 6455, or MQTT's use of it, forbids in a frame of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FrameError {
    /// A masked frame (§5.1).
    Masked,
    /// A reserved bit, without an extension that would give it a meaning (§5.2).
    ReservedBits,
    /// An opcode that nobody has defined (§5.2).
    UnknownOpcode(u8),
    /// A text message ([MQTT-6.0.0-1]).
    Text,
    /// A continuation without a message to continue (§5.4).
    UnexpectedContinuation,
    /// A new message while another one is to be continued (§5.4).
    UnfinishedMessage,
    /// A control frame that is not the final one (§5.5).
    FragmentedControl,
    /// A control frame with more than 125 bytes (§5.5).
    LongControl,
    /// A length that was written in more bytes than it needs (§5.2).
    NonMinimalLength,
    /// A length of 2^63 bytes or more (§5.2).
    LengthTooLarge,
    /// A close frame with half a status code, one that may not be sent (§7.4), or a reason that is not UTF-8 (§5.5.1).
    InvalidClose,
}

impl FrameError {
    /// The status code of the close frame that answers it (§7.4.1).
    pub(crate) const fn close_code(self) -> u16 {
        match self {
            Self::Text => 1003,
            _ => 1002,
        }
    }
}

impl End {
    /// What to do about it, in one sentence.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Closed { code: Some(1000 | 1001) | None } => "connect again",
            Self::Closed { .. } => {
                "connect again later; if it closes again, ask who runs the server about the status code"
            }
            Self::Refused(error) => error.advice(),
            Self::Failed(FrameError::Text) => "check the path: this endpoint does not carry MQTT",
            Self::Failed(_) => {
                "connect again; if it goes on, something on the way does not speak WebSocket correctly"
            }
            Self::NotOpened => "call open, and send the request that it writes",
        }
    }
}

impl HandshakeError {
    const fn advice(self) -> &'static str {
        match self {
            Self::NotHttp => "check the port: it may expect TLS, or MQTT without WebSocket",
            Self::Status(300..=399) => "connect to where the server points",
            Self::Status(401 | 403) => "check the headers and the path that the server wants as credentials",
            Self::Status(400 | 404 | 405 | 426) => "check host and path; many brokers use /mqtt",
            Self::Status(429 | 500..=599) => "connect again later",
            Self::Subprotocol => "check the path: this endpoint does not carry MQTT, or not in this edition",
            _ => "check that it is a WebSocket endpoint; a proxy or a cache may stand in between",
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Closed { code: Some(code) } => {
                write!(f, "the peer closed the WebSocket with status code {code}")
            }
            Self::Closed { code: None } => f.write_str("the peer closed the WebSocket"),
            Self::Refused(error) => error.fmt(f),
            Self::Failed(error) => error.fmt(f),
            Self::NotOpened => f.write_str("there is no connection yet"),
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::NotHttp => "what answers speaks no HTTP/1.1",
            Self::Status(status) => {
                return write!(f, "the server answered {status} to the WebSocket upgrade");
            }
            Self::Malformed => "the server's answer to the upgrade has a line that is no header",
            Self::TooLong => "the server's answer to the upgrade is longer than 16 KiB",
            Self::Upgrade => "the server's answer does not upgrade to websocket",
            Self::Connection => "the server's answer has no Connection: upgrade",
            Self::Accept => "the server's answer has a wrong Sec-WebSocket-Accept, or none",
            Self::Subprotocol => "the server did not choose MQTT's subprotocol",
            Self::Extension => "the server uses a WebSocket extension that was not offered",
        })
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::Masked => "the server masked a frame",
            Self::ReservedBits => "a frame has a reserved bit",
            Self::UnknownOpcode(opcode) => return write!(f, "a frame has the unknown opcode {opcode}"),
            Self::Text => "a text message where MQTT has binary ones",
            Self::UnexpectedContinuation => "a frame continues a message that has not begun",
            Self::UnfinishedMessage => "a message begins before the last one has ended",
            Self::FragmentedControl => "a control frame is fragmented",
            Self::LongControl => "a control frame has more than 125 bytes",
            Self::NonMinimalLength => "a frame's length takes more bytes than it needs",
            Self::LengthTooLarge => "a frame says that it has 2^63 bytes or more",
            Self::InvalidClose => "a close frame has a status code or a reason that it may not have",
        })
    }
}

impl core::error::Error for End {}
impl core::error::Error for HandshakeError {}
impl core::error::Error for FrameError {}
