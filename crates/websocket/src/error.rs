//! What can be wrong.

use core::fmt;

/// Why there is no request. It is the fault of who chose host and path, or of a buffer too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// The host is empty, or holds a character that a header can't.
    Host,
    /// The path does not begin with `/`, or holds white space or another character that a request can't.
    Path,
    /// The request is longer than the buffer.
    BufferTooSmall {
        /// How many bytes it takes.
        needed: usize,
    },
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Host => {
                f.write_str("the host is empty or holds a character that it can't: give a name or an address")
            }
            Self::Path => {
                f.write_str("the WebSocket path must begin with / and have no white space, as /mqtt")
            }
            Self::BufferTooSmall { needed } => {
                write!(f, "the WebSocket request takes {needed} bytes, more than the buffer has")
            }
        }
    }
}

impl core::error::Error for RequestError {}

/// Why the server's answer to the request is no beginning of a WebSocket connection. It is the server's fault, or that of
/// who chose the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerError {
    /// It is no HTTP/1.1.
    NotHttp,
    /// The server does not upgrade the connection.
    Refused {
        /// Its status code: 404 for a path that it does not know, for instance.
        status: u16,
    },
    /// A header field is malformed.
    Malformed,
    /// The answer's head is longer than [4,096 bytes](Self::MAX_HEAD).
    TooLong,
    /// `Upgrade` or `Connection` is missing, or says something else (RFC 6455, 4.1).
    NotUpgraded,
    /// `Sec-WebSocket-Accept` does not prove that the server read this request (RFC 6455, 4.1).
    WrongAccept,
    /// The server chose a subprotocol other than `mqtt` ([MQTT-6.0.0-4]).
    WrongSubprotocol,
    /// The server speaks an extension that it was not asked for (RFC 6455, 4.1).
    UnknownExtension,
}

impl AnswerError {
    /// How long the answer's head may be, in bytes.
    pub const MAX_HEAD: usize = 4_096;
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NotHttp => {
                f.write_str("the server does not speak HTTP on this port: check port and transport")
            }
            Self::Refused { status } => {
                write!(f, "the server refused the WebSocket upgrade with status {status}: check the path")
            }
            Self::Malformed => f.write_str("the server's answer to the WebSocket upgrade is malformed"),
            Self::TooLong => f.write_str("the server's answer to the WebSocket upgrade is too long"),
            Self::NotUpgraded => {
                f.write_str("the server did not upgrade the connection to WebSocket: check the port")
            }
            Self::WrongAccept => f.write_str(
                "the server's answer is not for this request: something in between may have kept it",
            ),
            Self::WrongSubprotocol => f.write_str("the server does not speak MQTT on this WebSocket path"),
            Self::UnknownExtension => {
                f.write_str("the server uses a WebSocket extension that was not asked for")
            }
        }
    }
}

impl core::error::Error for AnswerError {}

/// What a server may not send once the connection is there (RFC 6455, 5). It is always final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// A reserved bit is set, and no extension gives it a meaning (RFC 6455, 5.2).
    ReservedBits,
    /// An opcode that is reserved (RFC 6455, 5.2).
    UnknownOpcode(u8),
    /// A frame that is masked; only a client's are (RFC 6455, 5.1).
    Masked,
    /// A text message: MQTT comes in binary ones ([MQTT-6.0.0-1]).
    Text,
    /// A length in more bytes than it takes, or of more than 63 bits (RFC 6455, 5.2).
    InvalidLength,
    /// A control frame of more than 125 bytes or in fragments (RFC 6455, 5.5), or a close frame of one byte
    /// (RFC 6455, 5.5.1).
    InvalidControl,
    /// A continuation without a beginning, or a new message before the end of the last one (RFC 6455, 5.4).
    OutOfPlace,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ReservedBits => f.write_str("a WebSocket frame with reserved bits"),
            Self::UnknownOpcode(opcode) => write!(f, "a WebSocket frame with the reserved opcode {opcode}"),
            Self::Masked => f.write_str("a masked WebSocket frame"),
            Self::Text => f.write_str("a WebSocket text message"),
            Self::InvalidLength => f.write_str("a WebSocket frame with an invalid length"),
            Self::InvalidControl => f.write_str("an invalid WebSocket control frame"),
            Self::OutOfPlace => f.write_str("a WebSocket frame out of place"),
        }
    }
}

impl core::error::Error for FrameError {}

/// How the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The server closed it, or answered our closing.
    Closed {
        /// Its status code (RFC 6455, 7.4); 1005 if it gave none.
        code: u16,
    },
    /// The server broke the protocol.
    Failed(FrameError),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed { code } => write!(f, "the server closed the WebSocket connection with code {code}"),
            Self::Failed(error) => write!(f, "the server sent {error}"),
        }
    }
}
