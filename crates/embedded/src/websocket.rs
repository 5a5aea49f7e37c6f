//! WebSocket over any transport.

use core::fmt;

use embedded_io::{Error, ErrorKind, ErrorType};
use embedded_io_async::{Read, Write};
use mqtt_p2p_core::TransportError;
use mqtt_p2p_websocket::{End, Request, TransmitError, WebSocket};

use crate::dial::Dial;
use crate::io::now_or_never;

/// Makes a WebSocket of what another dialer opens, plain or over TLS. The upgrade is part of the dialling.
///
/// ```
/// use mqtt_p2p_embedded::{Dial, WebSocketDialer};
///
/// # fn example(tcp: impl Dial) {
/// let mut out = [0; 512];
/// // The seed must come from an entropy source.
/// let dialer = WebSocketDialer::new(tcp, [7; 16], "broker.example", "/mqtt", &mut out);
/// # }
/// ```
///
/// For a loop without an executor there is [`blocking::WebSocketDialer`](crate::blocking::WebSocketDialer) around this.
pub struct WebSocketDialer<'a, D> {
    pub(crate) inner: D,
    pub(crate) socket: WebSocket,
    pub(crate) request: Request<'a>,
    pub(crate) out: &'a mut [u8],
}

impl<'a, D> WebSocketDialer<'a, D> {
    /// Dials `inner`, and asks there for `path` at `host` (with `:port`, unless that is 80, or 443 over TLS).
    ///
    /// `seed` must come from an entropy source: see [`WebSocket::new`]. `out` takes the request, 220 bytes and those of
    /// host, path and headers; later it takes frames, so that its length bounds what goes out in one write.
    pub const fn new(inner: D, seed: [u8; 16], host: &'a str, path: &'a str, out: &'a mut [u8]) -> Self {
        Self { inner, socket: WebSocket::new(seed), request: Request::new(host, path), out }
    }

    /// The same with another request: with headers, or for MQTT 3.1.
    #[must_use]
    pub fn with_request(self, request: Request<'a>) -> Self {
        Self { request, ..self }
    }
}

impl<D: fmt::Debug> fmt::Debug for WebSocketDialer<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketDialer")
            .field("inner", &self.inner)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// An open WebSocket.
pub struct WebSocketConnection<'c, C> {
    pub(crate) io: C,
    socket: &'c mut WebSocket,
    out: &'c mut [u8],
    /// What is to be written: this part of `out`.
    start: usize,
    end: usize,
    /// The upgrade is through.
    upgraded: bool,
}

/// What ends a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum WebSocketError<E> {
    /// The transport under it.
    Io(E),
    /// The peer broke the protocol, or refused the upgrade.
    Ended(End),
    /// What was to be sent is no packet, or the buffer for frames is too small.
    Transmit(TransmitError),
    /// The transport closed during the upgrade.
    Closed,
    /// There is nothing to read, or no room to write, at this moment: only from
    /// [`blocking::WebSocketConnection`](crate::blocking::WebSocketConnection), which does not wait.
    NotReady,
}

impl<E: fmt::Display> fmt::Display for WebSocketError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Ended(end) => end.fmt(f),
            Self::Transmit(error) => error.fmt(f),
            Self::Closed => f.write_str("the server closed the connection during the WebSocket upgrade"),
            Self::NotReady => {
                f.write_str("the WebSocket has nothing to read, or no room, now; try again later")
            }
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for WebSocketError<E> {}

impl<E: Error> Error for WebSocketError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io(error) => error.kind(),
            Self::Ended(_) => ErrorKind::InvalidData,
            Self::Transmit(_) => ErrorKind::InvalidInput,
            Self::Closed => ErrorKind::ConnectionAborted,
            Self::NotReady => ErrorKind::TimedOut,
        }
    }
}

impl<D> WebSocketDialer<'_, D> {
    /// A connection whose request for the upgrade is to be written. What failed is the caller's fault.
    pub(crate) fn upgrade<'c, C>(
        socket: &'c mut WebSocket,
        request: &Request<'_>,
        out: &'c mut [u8],
        io: C,
    ) -> Result<WebSocketConnection<'c, C>, TransportError> {
        let end = socket.open(request, out).map_err(|_| TransportError::Upgrade)?;
        Ok(WebSocketConnection { io, socket, out, start: 0, end, upgraded: false })
    }
}

impl<D: Dial> Dial for WebSocketDialer<'_, D> {
    type Connection<'c>
        = WebSocketConnection<'c, D::Connection<'c>>
    where
        Self: 'c;

    async fn dial(&mut self) -> Result<Self::Connection<'_>, TransportError> {
        let io = self.inner.dial().await?;
        let mut connection = Self::upgrade(&mut self.socket, &self.request, self.out, io)?;
        connection.opened().await.map_err(WebSocketError::of_dial)?;
        Ok(connection)
    }
}

impl<E> WebSocketError<E> {
    /// What it means while it is dialled.
    pub(crate) fn of_dial(self) -> TransportError {
        match self {
            Self::Io(_) => TransportError::Broken,
            _ => TransportError::Upgrade,
        }
    }
}

impl<C: ErrorType> ErrorType for WebSocketConnection<'_, C> {
    type Error = WebSocketError<C::Error>;
}

impl<C: Read + Write> WebSocketConnection<'_, C> {
    /// Waits until the upgrade is through.
    pub(crate) async fn opened(&mut self) -> Result<(), WebSocketError<C::Error>> {
        while !self.upgraded {
            self.drain().await?;
            self.io.flush().await.map_err(WebSocketError::Io)?;
            // The request has gone out, so its buffer is free. The server sends nothing of MQTT before CONNECT.
            let len = self.io.read(self.out).await.map_err(WebSocketError::Io)?;
            let received = self.socket.receive_in_place(self.out.get_mut(..len).unwrap_or_default());
            if let Some(end) = received.end {
                return Err(WebSocketError::Ended(end));
            }
            if len == 0 {
                return Err(WebSocketError::Closed);
            }
            self.upgraded = self.socket.is_open();
        }
        Ok(())
    }

    /// Writes what is to be written.
    async fn drain(&mut self) -> Result<(), WebSocketError<C::Error>> {
        while self.start < self.end {
            let bytes = self.out.get(self.start..self.end).unwrap_or_default();
            let len = self.io.write(bytes).await.map_err(WebSocketError::Io)?;
            if len == 0 {
                return Err(WebSocketError::Closed);
            }
            self.start = self.start.saturating_add(len);
        }
        (self.start, self.end) = (0, 0);
        Ok(())
    }

    /// Makes frames of packets, and of what the WebSocket itself has to say. All before is written.
    fn stage(&mut self, packets: &[u8]) -> Result<usize, WebSocketError<C::Error>> {
        let done = self.socket.transmit(packets, self.out).map_err(WebSocketError::Transmit)?;
        (self.start, self.end) = (0, done.written);
        Ok(done.taken)
    }

    /// Answers a ping or a close, as far as the transport takes it now.
    async fn answer(&mut self) -> Result<(), WebSocketError<C::Error>> {
        if self.start == self.end && self.socket.wants_transmit() {
            self.stage(&[])?;
        }
        if self.start < self.end
            && let Some(result) = now_or_never(self.drain()).await
        {
            result?;
            if let Some(result) = now_or_never(self.io.flush()).await {
                result.map_err(WebSocketError::Io)?;
            }
        }
        Ok(())
    }
}

impl<C: Read + Write> Read for WebSocketConnection<'_, C> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Self::Error> {
        self.opened().await?;
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            self.answer().await?;
            // An end is told when all that came before it has been.
            match self.socket.receive_in_place(&mut []).end {
                None => {}
                Some(End::Closed { .. }) => return Ok(0),
                Some(end) => return Err(WebSocketError::Ended(end)),
            }
            let len = self.io.read(buf).await.map_err(WebSocketError::Io)?;
            if len == 0 {
                return Ok(0);
            }
            let received = self.socket.receive_in_place(buf.get_mut(..len).unwrap_or_default());
            if received.len > 0 {
                return Ok(received.len);
            }
        }
    }
}

impl<C: Read + Write> Write for WebSocketConnection<'_, C> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, Self::Error> {
        self.opened().await?;
        self.drain().await?;
        // Nothing waits from here on: what is taken is as good as written.
        self.stage(buf)
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        self.drain().await?;
        self.io.flush().await.map_err(WebSocketError::Io)
    }
}

impl<C> fmt::Debug for WebSocketConnection<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketConnection").field("socket", &self.socket).finish_non_exhaustive()
    }
}
