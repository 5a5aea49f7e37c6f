//! A server's side of the tests, by another library.

#![allow(dead_code, reason = "each test uses its part")]

pub(crate) mod check;

use std::io::{self, Cursor, Read, Write};

use mqtt_p2p_websocket::{End, Request, WebSocket};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

pub(crate) fn request() -> Request<'static> {
    Request::new("broker.example:8083", "/mqtt")
}

/// The value of the request's key.
pub(crate) fn key(request: &[u8]) -> &str {
    let text = std::str::from_utf8(request).unwrap();
    text.split("\r\nSec-WebSocket-Key: ").nth(1).unwrap().split("\r\n").next().unwrap()
}

/// A server's answer to the request.
pub(crate) fn answer(request: &[u8]) -> String {
    let accept = derive_accept_key(key(request).as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    )
}

/// A WebSocket whose request has been written, and the answer to it.
pub(crate) fn asked() -> (WebSocket, String) {
    let (mut socket, mut out) = (WebSocket::new([7; 16]), [0; 512]);
    let len = socket.open(&request(), &mut out).unwrap();
    let answer = answer(&out[..len]);
    (socket, answer)
}

/// A WebSocket after its handshake.
pub(crate) fn opened() -> WebSocket {
    let (mut socket, answer) = asked();
    assert_eq!(socket.receive(&mut answer.as_bytes()), Ok(None));
    assert!(socket.is_open());
    socket
}

/// All bytes of MQTT in `raw`, and the end.
pub(crate) fn receive(socket: &mut WebSocket, mut raw: &[u8]) -> (Vec<u8>, Option<End>) {
    let mut bytes = Vec::new();
    loop {
        match socket.receive(&mut raw) {
            Ok(Some(piece)) => bytes.extend_from_slice(piece),
            Ok(None) => return (bytes, None),
            Err(end) => return (bytes, Some(end)),
        }
    }
}

/// What the WebSocket has to say without packets.
pub(crate) fn transmit(socket: &mut WebSocket) -> Vec<u8> {
    let mut out = [0; WebSocket::MIN_ROOM];
    let done = socket.transmit(&[], &mut out).unwrap();
    assert!(!socket.wants_transmit());
    out[..done.written].to_vec()
}

/// Bytes to read, and nowhere to write.
pub(crate) struct Stream(Cursor<Vec<u8>>);

impl Stream {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(Cursor::new(bytes.to_vec()))
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            len => Ok(len),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The messages that another library reads, and the error it ends with; `None` if it waits for more.
pub(crate) fn oracle(role: Role, raw: &[u8]) -> (Vec<Message>, Option<tungstenite::Error>) {
    let config = WebSocketConfig::default().max_frame_size(Some(1 << 24)).max_message_size(Some(1 << 24));
    let mut socket = tungstenite::WebSocket::from_raw_socket(Stream::new(raw), role, Some(config));
    let mut messages = Vec::new();
    loop {
        match socket.read() {
            Ok(message) => messages.push(message),
            Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                return (messages, None);
            }
            Err(error) => return (messages, Some(error)),
        }
    }
}

/// The messages that a server reads of what a client has sent.
pub(crate) fn server_reads(raw: &[u8]) -> Vec<Message> {
    let (messages, error) = oracle(Role::Server, raw);
    assert!(matches!(error, None | Some(tungstenite::Error::ConnectionClosed)), "{error:?}");
    messages
}

/// A frame of a server, with its length in as few bytes as can be.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..=125 => frame.push(len as u8),
        len @ 126..=0xffff => {
            frame.push(126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}
