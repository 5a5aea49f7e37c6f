//! MQTT over WebSocket (§6): binary messages as a stream of bytes, and packets as binary messages.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::{fmt, io};

use bytes::{Buf, Bytes};
use futures_util::{Sink, Stream};
use mqtt_p2p_core::{Protocol, TransportError, packet_len};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::header::{SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::dial::{DialError, Link};
use crate::endpoint::Endpoint;

/// What a message may hold at least: a server may put several packets into one.
const MIN_MESSAGE_LIMIT: usize = 1024 * 1024;

/// A WebSocket as a stream of bytes.
pub(crate) struct WebSocket {
    socket: WebSocketStream<Link>,
    /// What is left of the last message.
    rest: Bytes,
    /// What there is to read after it.
    end: Option<io::Result<()>>,
}

/// What asks for the upgrade.
pub(crate) fn request(
    endpoint: &Endpoint,
    path: &str,
    protocol: Protocol,
    headers: &HeaderMap,
) -> Result<Request, DialError> {
    let url = format!("ws://{}{path}", endpoint.authority());
    let request = url.into_client_request();
    let mut request = request.map_err(|error| DialError::new(TransportError::Upgrade, error))?;
    let subprotocol = match protocol {
        Protocol::V31 => "mqttv3.1",
        _ => "mqtt",
    };
    // [MQTT-6.0.0-3]
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol));
    for (name, value) in headers {
        request.headers_mut().append(name, value.clone());
    }
    Ok(request)
}

/// Upgrades a connection.
pub(crate) async fn open(
    stream: Link,
    request: Request,
    max_packet_size: usize,
) -> Result<WebSocket, DialError> {
    let refused = |error: &dyn fmt::Display| DialError::new(TransportError::Upgrade, error);
    let limit = max_packet_size.max(MIN_MESSAGE_LIMIT);
    let config = WebSocketConfig::default().max_message_size(Some(limit)).max_frame_size(Some(limit));
    let (socket, answer) =
        client_async_with_config(request, stream, Some(config)).await.map_err(|error| match error {
            Error::Io(error) => DialError::broken(&error),
            Error::Http(response) => refused(&format!("the server answered {}", response.status())),
            Error::Protocol(ProtocolError::HandshakeIncomplete) => refused(
                &"the server closed the connection without an answer; the port may not speak WebSocket",
            ),
            other => refused(&other),
        })?;
    // RFC 6455, §4.1: nothing but what was offered; the library does not look at these.
    if answer.headers().contains_key(SEC_WEBSOCKET_EXTENSIONS) {
        return Err(refused(&"the server chose an extension that it was not offered"));
    }
    if answer.headers().get_all(SEC_WEBSOCKET_PROTOCOL).iter().count() != 1 {
        return Err(refused(&"the server chose more than one subprotocol"));
    }
    Ok(WebSocket { socket, rest: Bytes::new(), end: None })
}

impl AsyncRead for WebSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.remaining();
        // As many messages as there are: each waking up costs more than a message.
        while buffer.remaining() > 0 && self.end.is_none() {
            if self.rest.is_empty() {
                match Pin::new(&mut self.socket).poll_next(context) {
                    Poll::Pending if buffer.remaining() < before => break,
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(next) => self.take(next),
                }
            }
            let len = self.rest.len().min(buffer.remaining());
            buffer.put_slice(&self.rest[..len]);
            self.rest.advance(len);
        }
        match &mut self.end {
            // It is told once what came before it has been read.
            Some(end) if buffer.remaining() == before => Poll::Ready(std::mem::replace(end, Ok(()))),
            _ => Poll::Ready(Ok(())),
        }
    }
}

impl WebSocket {
    /// What came, or the end.
    fn take(&mut self, next: Option<Result<Message, Error>>) {
        match next {
            Some(Ok(Message::Binary(bytes))) => self.rest = bytes,
            // [MQTT-6.0.0-1]
            Some(Ok(Message::Text(_))) => {
                let error = io::Error::new(io::ErrorKind::InvalidData, "a text message on MQTT's WebSocket");
                self.end = Some(Err(error));
            }
            Some(Ok(Message::Close(_)))
            | None
            | Some(Err(Error::ConnectionClosed | Error::AlreadyClosed)) => {
                self.end = Some(Ok(()));
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => self.end = Some(Err(into_io(error))),
        }
    }
}

impl AsyncWrite for WebSocket {
    /// Takes one packet, as one message: never fragmented, never two in one.
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        packets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Some(packet) = packet_len(packets).and_then(|len| packets.get(..len)) else {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidInput, "not a whole packet")));
        };
        ready!(Pin::new(&mut self.socket).poll_ready(context)).map_err(into_io)?;
        let message = Message::Binary(Bytes::copy_from_slice(packet));
        Pin::new(&mut self.socket).start_send(message).map_err(into_io)?;
        Poll::Ready(Ok(packet.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context).map_err(into_io)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(context).map_err(into_io)
    }
}

fn into_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}
