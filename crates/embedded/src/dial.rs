//! How a connection comes about.

use core::fmt;
use core::net::{IpAddr, SocketAddr};

use embedded_io::{Error, ErrorKind};
use embedded_io_async::{Read, Write};
use embedded_nal_async::{AddrType, Dns, TcpConnect};
use mqtt_p2p_core::TransportError;

use crate::address::address;
use crate::clock::Timer;
use crate::io::{Came, read, yield_now};

/// Opens transports, one after the other: TCP with [`TcpDialer`], a serial line with [`Port`], or whatever a modem
/// does. Layers such as WebSocket and TLS are dialers around dialers.
///
/// # What a connection must keep to
///
/// - Futures of `read`, `write` and `flush` that are dropped before they are ready have done nothing: the traits of
///   `embedded-io-async` call that side-effect-free on cancel. Sockets of `embassy-net`, `smoltcp` and tokio and
///   buffered UARTs are so; bare DMA is not, and TLS libraries rarely are.
/// - `write` gives what it takes to the network without a `flush` that waits for more: after every write `flush` is
///   begun, and where it has to wait it is tried again later.
/// - TCP_NODELAY is on (or Nagle's algorithm off), or small packets wait for the acknowledgement of others. That is the
///   stack's business: `embassy-net` has it as `TcpSocket::set_nagle_enabled`, off by default.
/// - To drop it closes it.
pub trait Dial {
    /// An open transport. It may borrow from the dialer, such as the buffers of a TLS layer.
    type Connection<'c>: Read + Write
    where
        Self: 'c;

    /// Dials anew: resolves the name, connects, makes the handshakes. Whoever awaits this drops it when the attempt's
    /// deadline is over.
    ///
    /// # Errors
    /// What failed, for [`Event::Disconnected`](crate::Event::Disconnected).
    async fn dial(&mut self) -> Result<Self::Connection<'_>, TransportError>;
}

impl<D: Dial + ?Sized> Dial for &mut D {
    type Connection<'c>
        = D::Connection<'c>
    where
        Self: 'c;

    async fn dial(&mut self) -> Result<Self::Connection<'_>, TransportError> {
        D::dial(self).await
    }
}

/// A transport that is always there, such as a UART with a modem or a serial bridge behind it.
///
/// It does not tell when what is behind it breaks, and what was under way then may still come: when it is dialled, it is read
/// until nothing has come for 20 ms, and what came is dropped. A server of MQTT says nothing before it is spoken to.
///
/// ```
/// use mqtt_p2p_embedded::{Port, Timer};
///
/// # fn example<U>(uart: U, timer: impl Timer) {
/// let dialer = Port::new(uart, timer);
/// # }
/// ```
#[derive(Debug)]
pub struct Port<P, T> {
    pub(crate) port: P,
    pub(crate) timer: T,
}

/// So long nothing comes before a line counts as silent, in milliseconds.
const SILENCE_MS: u32 = 20;

impl<P, T> Port<P, T> {
    /// The transport, and the clock that tells how long it is silent: a [`Timer`], or for a loop that polls an
    /// [`Idle`](crate::blocking::Idle).
    pub const fn new(port: P, timer: T) -> Self {
        Self { port, timer }
    }

    /// The transport.
    pub const fn port(&mut self) -> &mut P {
        &mut self.port
    }
}

/// Reads away what comes until nothing does.
pub(crate) async fn drain<P: Read>(port: &mut P, timer: &impl Timer) -> Result<(), TransportError> {
    loop {
        let silent_at = timer.now().after_millis(SILENCE_MS);
        match read(port, &mut [0; 16], timer, Some(silent_at)).await {
            // Or who is never silent would let nobody see the deadline.
            Came::Bytes(_) => yield_now().await,
            Came::Time => return Ok(()),
            Came::End => return Err(TransportError::ClosedByPeer),
            Came::Broken => return Err(TransportError::Broken),
        }
    }
}

impl<P: Read + Write, T: Timer> Dial for Port<P, T> {
    type Connection<'c>
        = &'c mut P
    where
        Self: 'c;

    async fn dial(&mut self) -> Result<&mut P, TransportError> {
        drain(&mut self.port, &self.timer).await?;
        Ok(&mut self.port)
    }
}

/// TCP through `embedded-nal-async`, which `embassy-net` and others implement.
///
/// The name is resolved at every attempt, since services move: IPv4 first, then IPv6. TCP_NODELAY is the stack's
/// business; see [`Dial`].
pub struct TcpDialer<'a, S, N = NoDns> {
    stack: &'a S,
    dns: N,
    host: Host<'a>,
    port: u16,
}

#[derive(Clone, Copy, Debug)]
enum Host<'a> {
    Name(&'a str),
    Address(IpAddr),
}

/// For addresses that need no name server.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDns;

impl<'a, S: TcpConnect> TcpDialer<'a, S> {
    /// To an address.
    pub const fn new(stack: &'a S, address: SocketAddr) -> Self {
        Self { stack, dns: NoDns, host: Host::Address(address.ip()), port: address.port() }
    }
}

impl<'a, S: TcpConnect, N: Dns> TcpDialer<'a, S, &'a N> {
    /// To a host, by its name or by an address in text, which no name server is asked for.
    pub fn with_dns(stack: &'a S, dns: &'a N, host: &'a str, port: u16) -> Self {
        let host = address(host).map_or(Host::Name(host), Host::Address);
        Self { stack, dns, host, port }
    }
}

impl<S, N> fmt::Debug for TcpDialer<'_, S, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpDialer")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Resolves names for [`TcpDialer`].
trait Resolve {
    async fn resolve(&self, name: &str) -> Option<IpAddr>;
}

impl Resolve for NoDns {
    async fn resolve(&self, _name: &str) -> Option<IpAddr> {
        None
    }
}

impl<N: Dns> Resolve for &N {
    async fn resolve(&self, name: &str) -> Option<IpAddr> {
        match self.get_host_by_name(name, AddrType::IPv4).await {
            Ok(address) => Some(address),
            Err(_) => self.get_host_by_name(name, AddrType::IPv6).await.ok(),
        }
    }
}

impl<'a, S: TcpConnect, N: Resolve> Dial for TcpDialer<'a, S, N> {
    type Connection<'c>
        = S::Connection<'a>
    where
        Self: 'c;

    async fn dial(&mut self) -> Result<S::Connection<'a>, TransportError> {
        let address = match self.host {
            Host::Address(address) => address,
            Host::Name(name) => self.dns.resolve(name).await.ok_or(TransportError::NameNotFound)?,
        };
        let address = SocketAddr::new(address, self.port);
        self.stack.connect(address).await.map_err(|error| dial_error(error.kind()))
    }
}

/// What an error of a stack means while it connects.
pub(crate) const fn dial_error(kind: ErrorKind) -> TransportError {
    match kind {
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => TransportError::ConnectionRefused,
        ErrorKind::NotFound => TransportError::NameNotFound,
        ErrorKind::TimedOut | ErrorKind::AddrNotAvailable | ErrorKind::NotConnected => {
            TransportError::Unreachable
        }
        _ => TransportError::Broken,
    }
}
