//! Opening a transport: resolve, connect, pass the proxy, encrypt, upgrade.

use std::fmt;
use std::io;
use std::sync::Arc;

use mqtt_p2p_core::{Protocol, TransportError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::OnceCell;
use tokio_rustls::rustls::ClientConfig;
use tokio_tungstenite::tungstenite::http::HeaderMap;

use crate::endpoint::{Endpoint, Transport, authority};
use crate::options::Options;
use crate::route::Route;
use crate::step::{Step, Steps};
use crate::tls::Tls;
use crate::{tls, websocket};

/// A connection's bytes, whatever carries them. A write takes whole packets, so that a transport of messages can
/// make each a message.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(crate) type Link = Box<dyn Stream>;

/// Why there is no connection.
#[derive(Clone, Debug)]
pub(crate) struct DialError {
    pub(crate) reason: TransportError,
    pub(crate) detail: Arc<str>,
}

impl DialError {
    pub(crate) fn new(reason: TransportError, detail: impl fmt::Display) -> Self {
        Self { reason, detail: format!("{detail}").into() }
    }

    /// An open connection broke.
    pub(crate) fn broken(error: &io::Error) -> Self {
        Self::of_tls(error).unwrap_or_else(|| Self::new(TransportError::Broken, error))
    }
}

/// What one client dials with.
pub(crate) struct Dialler {
    route: Route,
    trust: Tls,
    websocket_headers: HeaderMap,
    max_packet_size: usize,
    /// Made for the first connection that needs it; later ones resume its TLS sessions.
    tls: OnceCell<Arc<ClientConfig>>,
    pub(crate) steps: Steps,
}

impl Dialler {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            route: options.route.clone(),
            trust: options.tls.clone(),
            websocket_headers: options.websocket_headers.clone(),
            max_packet_size: options.config.max_packet_size as usize,
            tls: OnceCell::new(),
            steps: Steps::new(options.observer.clone()),
        }
    }

    /// Opens the transport. Dropped before its end, it leaves nothing behind.
    pub(crate) async fn dial(
        self: Arc<Self>,
        endpoint: Arc<Endpoint>,
        protocol: Protocol,
    ) -> Result<Link, DialError> {
        let mut stream = self.route(&endpoint).await?;
        if endpoint.is_secure() {
            let config = self.tls_config().await?;
            let handshake = self.trust.open(config, &endpoint, stream);
            let encrypted = self.steps.run(Step::Tls, handshake, tls::describe).await?;
            stream = Box::new(encrypted);
        }
        if let Transport::WebSocket { path } | Transport::SecureWebSocket { path } = endpoint.transport() {
            let request = websocket::request(&endpoint, path, protocol, &self.websocket_headers)?;
            let upgrade = websocket::open(stream, request, self.max_packet_size);
            stream = Box::new(self.steps.run(Step::WebSocket, upgrade, |_| path.clone()).await?);
        }
        Ok(stream)
    }

    /// What carries bytes to the server.
    async fn route(&self, endpoint: &Arc<Endpoint>) -> Result<Link, DialError> {
        let steps = &self.steps;
        Ok(match (&self.route, endpoint.transport()) {
            (Route::Own(connector), _) => {
                let connect = async {
                    connector
                        .connect(Arc::clone(endpoint))
                        .await
                        .map_err(|error| DialError::unreachable("", &error))
                };
                steps.run(Step::Connector, connect, |_| String::new()).await?
            }
            (_, Transport::Unix { path }) => {
                Box::new(steps.run(Step::UnixSocket, unix(path), |_| path.clone()).await?)
            }
            (Route::Direct, _) => Box::new(tcp(endpoint.host(), endpoint.port(), steps).await?),
            (Route::Proxy(proxy), _) => {
                let to_proxy = tcp(proxy.host(), proxy.port(), steps).await;
                let stream = to_proxy.map_err(|DialError { reason, detail }| {
                    DialError::new(TransportError::Proxy, format!("{proxy}: {reason}: {detail}"))
                })?;
                let pass = proxy.pass(stream, endpoint.host(), endpoint.port());
                Box::new(steps.run(Step::Proxy, pass, |_| proxy.to_string()).await?)
            }
        })
    }

    async fn tls_config(&self) -> Result<Arc<ClientConfig>, DialError> {
        let make = || async {
            let trust = self.trust.clone();
            // It may read the platform's store, which is hundreds of files.
            let made = tokio::task::spawn_blocking(move || trust.build()).await;
            made.unwrap_or_else(|error| Err(DialError::new(TransportError::Tls, error)))
        };
        self.tls.get_or_try_init(make).await.cloned()
    }
}

/// A TCP connection, by name or address. The name is resolved every time: the service's addresses change.
async fn tcp(host: &str, port: u16, steps: &Steps) -> Result<TcpStream, DialError> {
    let resolve = async {
        let name_not_found = |detail: String| DialError::new(TransportError::NameNotFound, detail);
        let found =
            lookup_host((host, port)).await.map_err(|error| name_not_found(format!("{host}: {error}")))?;
        let addresses: Vec<_> = found.collect();
        if addresses.is_empty() {
            Err(name_not_found(format!("{host} has no address")))
        } else {
            Ok(addresses)
        }
    };
    let names = |addresses: &Vec<std::net::SocketAddr>| {
        addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ")
    };
    let addresses = steps.run(Step::Name, resolve, names).await?;
    let connect = async {
        let mut last = DialError::new(TransportError::NameNotFound, host);
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    // Small packets must not wait for one another.
                    stream
                        .set_nodelay(true)
                        .map_err(|error| DialError::new(TransportError::Broken, error))?;
                    return Ok(stream);
                }
                Err(error) => last = DialError::unreachable(&format!("{address}: "), &error),
            }
        }
        Err(last)
    };
    let peer = |stream: &TcpStream| stream.peer_addr().map_or(authority(host, port), |peer| peer.to_string());
    steps.run(Step::Tcp, connect, peer).await
}

#[cfg(unix)]
async fn unix(path: &str) -> Result<tokio::net::UnixStream, DialError> {
    tokio::net::UnixStream::connect(path)
        .await
        .map_err(|error| DialError::unreachable(&format!("{path}: "), &error))
}

#[cfg(not(unix))]
async fn unix(path: &str) -> Result<TcpStream, DialError> {
    let detail = format!("{path}: this platform has no Unix sockets");
    Err(DialError::new(TransportError::Unreachable, detail))
}

impl DialError {
    /// A connection that did not come about.
    fn unreachable(whither: &str, error: &io::Error) -> Self {
        let reason = match error.kind() {
            io::ErrorKind::ConnectionRefused => TransportError::ConnectionRefused,
            _ => TransportError::Unreachable,
        };
        Self::new(reason, format!("{whither}{error}"))
    }
}

#[cfg(test)]
mod tests {
    use tokio_rustls::rustls::ServerConfig;

    use super::*;

    // Every way over TCP begins with this one function; what lies on top must not lose what it set.
    #[tokio::test]
    async fn trap_no_tcp_nodelay_40_ms_stalls() {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".into()]).unwrap();
        let key = made.signing_key.serialize_der().try_into().unwrap();
        let server = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            tokio_rustls::TlsAcceptor::from(Arc::new(server)).accept(stream).await.unwrap()
        });
        let stream = tcp("127.0.0.1", port, &Steps::new(None)).await.unwrap();
        assert!(stream.nodelay().unwrap());
        let trust = Tls::new().ca_pem(made.cert.pem().as_bytes()).unwrap();
        let endpoint = Endpoint::tls("127.0.0.1", port);
        let stream = trust.open(trust.build().unwrap(), &endpoint, stream).await.unwrap();
        assert!(stream.get_ref().0.nodelay().unwrap());
        drop(serving.await.unwrap());
    }
}
