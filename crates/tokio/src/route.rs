//! What carries the bytes to the server: TCP, a proxy, or a stream of the caller's.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::dial::Link;
use crate::endpoint::Endpoint;
use crate::proxy::Proxy;

/// The way to the server, before TLS and WebSocket.
#[derive(Clone, Debug, Default)]
pub(crate) enum Route {
    /// TCP, or the endpoint's Unix socket.
    #[default]
    Direct,
    Proxy(Proxy),
    Own(Connector),
}

type Connecting = Pin<Box<dyn Future<Output = io::Result<Link>> + Send>>;

/// Opens streams of the caller's own kind, one for each attempt to connect: a serial line, a tunnel, memory.
///
/// What the endpoint says goes on top: nothing with `mqtt://` and `unix://`, TLS with `mqtts://`, WebSocket with
/// `ws://`, both with `wss://`.
///
/// ```
/// use mqtt_p2p_tokio::{Connector, Endpoint, Options};
/// use tokio::net::TcpStream;
///
/// let connector = Connector::new(|endpoint: std::sync::Arc<Endpoint>| async move {
///     TcpStream::connect((endpoint.host(), endpoint.port())).await
/// });
/// let options = Options::new(Endpoint::tcp("127.0.0.1", 1883), "me").connector(connector);
/// ```
#[derive(Clone)]
pub struct Connector(Arc<dyn Fn(Arc<Endpoint>) -> Connecting + Send + Sync>);

impl Connector {
    /// From a function that opens a stream. The future is dropped if the attempt ends before it.
    pub fn new<F, C, S>(connect: F) -> Self
    where
        F: Fn(Arc<Endpoint>) -> C + Send + Sync + 'static,
        C: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Self(Arc::new(move |endpoint| {
            let connecting = connect(endpoint);
            Box::pin(async move { Ok(Box::new(connecting.await?) as Link) })
        }))
    }

    pub(crate) fn connect(&self, endpoint: Arc<Endpoint>) -> Connecting {
        (self.0)(endpoint)
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connector").finish_non_exhaustive()
    }
}
