//! WebSocket for loops without an executor: the asynchronous one, polled.

use core::fmt;
use core::future::Future;
use core::pin::pin;
use core::task::Poll;

use embedded_io::{ErrorType, Read, ReadReady, Write, WriteReady};
use mqtt_p2p_core::{Instant, TransportError};

use super::{Dial, Idle, Ready, once, until};
use crate::websocket::WebSocketError;

/// Makes a WebSocket of what another dialer opens. The upgrade is part of the dialling, and waits on the clock.
///
/// ```
/// use mqtt_p2p_embedded::{WebSocketDialer, blocking};
///
/// # fn example(tcp: impl blocking::Dial, board: &impl blocking::Idle) {
/// let mut out = [0; 512];
/// // The seed must come from an entropy source.
/// let dialer = WebSocketDialer::new(tcp, [7; 16], "broker.example", "/mqtt", &mut out);
/// let dialer = blocking::WebSocketDialer::new(dialer, board);
/// # }
/// ```
pub struct WebSocketDialer<'a, D, I> {
    dialer: crate::WebSocketDialer<'a, D>,
    clock: I,
}

impl<'a, D, I> WebSocketDialer<'a, D, I> {
    /// The same that the asynchronous dialer does.
    pub const fn new(dialer: crate::WebSocketDialer<'a, D>, clock: I) -> Self {
        Self { dialer, clock }
    }
}

impl<D: fmt::Debug, I> fmt::Debug for WebSocketDialer<'_, D, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.dialer.fmt(f)
    }
}

impl<D: Dial, I: Idle + Copy> Dial for WebSocketDialer<'_, D, I> {
    type Connection<'c>
        = WebSocketConnection<'c, D::Connection<'c>>
    where
        Self: 'c;

    fn dial(&mut self, deadline: Instant) -> Result<Self::Connection<'_>, TransportError> {
        let crate::WebSocketDialer { inner, socket, request, out } = &mut self.dialer;
        let io = inner.dial(deadline)?;
        let mut connection = crate::WebSocketDialer::<D>::upgrade(socket, request, out, Ready(io))?;
        let opened = async { connection.opened().await.map_err(WebSocketError::of_dial) };
        until(self.clock, deadline, pin!(opened))?;
        Ok(WebSocketConnection(connection))
    }
}

/// An open WebSocket. It always says that it is ready; what it has nothing for is [`WebSocketError::NotReady`], as with
/// [`WithTimeouts`](super::WithTimeouts).
#[derive(Debug)]
pub struct WebSocketConnection<'c, C>(crate::WebSocketConnection<'c, Ready<C>>);

/// What can be done now.
fn now<T, E>(future: impl Future<Output = Result<T, WebSocketError<E>>>) -> Result<T, WebSocketError<E>> {
    match once(future) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(WebSocketError::NotReady),
    }
}

impl<C: ErrorType> ErrorType for WebSocketConnection<'_, C> {
    type Error = WebSocketError<C::Error>;
}

impl<C: Read + Write + ReadReady + WriteReady> Read for WebSocketConnection<'_, C> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Self::Error> {
        now(embedded_io_async::Read::read(&mut self.0, buf))
    }
}

impl<C: Read + Write + ReadReady + WriteReady> Write for WebSocketConnection<'_, C> {
    fn write(&mut self, buf: &[u8]) -> Result<usize, Self::Error> {
        now(embedded_io_async::Write::write(&mut self.0, buf))
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        now(embedded_io_async::Write::flush(&mut self.0))
    }
}

impl<C: ErrorType> ReadReady for WebSocketConnection<'_, C> {
    fn read_ready(&mut self) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

impl<C: ErrorType> WriteReady for WebSocketConnection<'_, C> {
    fn write_ready(&mut self) -> Result<bool, Self::Error> {
        Ok(true)
    }
}
