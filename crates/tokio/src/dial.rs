//! Opening a transport: resolve, connect, upgrade.

use std::sync::Arc;
use std::{fmt, io};

use mqtt_p2p_core::{Protocol, TransportError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};

use crate::endpoint::{Endpoint, Transport};
use crate::websocket;

/// A connection's bytes, whatever carries them. A write takes whole packets, so that a transport of messages can
/// make each a message.
pub(crate) trait Link: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Link for T {}

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
}

/// Opens the transport. The name is resolved every time: the service's addresses change.
pub(crate) async fn dial(
    endpoint: Endpoint,
    protocol: Protocol,
    max_packet_size: usize,
) -> Result<Box<dyn Link>, DialError> {
    let stream = tcp(&endpoint).await?;
    Ok(match endpoint.transport() {
        Transport::Tcp => Box::new(stream),
        Transport::WebSocket { path } => {
            Box::new(websocket::open(stream, &endpoint, path, protocol, max_packet_size).await?)
        }
    })
}

async fn tcp(endpoint: &Endpoint) -> Result<TcpStream, DialError> {
    let name_not_found = |detail: String| DialError::new(TransportError::NameNotFound, detail);
    let addresses = lookup_host((endpoint.host(), endpoint.port()))
        .await
        .map_err(|error| name_not_found(format!("{}: {error}", endpoint.host())))?;
    let mut last = name_not_found(format!("{} has no address", endpoint.host()));
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Small packets must not wait for one another.
                stream.set_nodelay(true).map_err(|error| DialError::new(TransportError::Broken, error))?;
                return Ok(stream);
            }
            Err(error) => last = DialError::new(connect_reason(&error), format!("{address}: {error}")),
        }
    }
    Err(last)
}

fn connect_reason(error: &io::Error) -> TransportError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => TransportError::ConnectionRefused,
        _ => TransportError::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn trap_no_tcp_nodelay_40_ms_stalls() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for endpoint in [Endpoint::tcp("127.0.0.1", port), Endpoint::ws("127.0.0.1", port)] {
            assert!(tcp(&endpoint).await.unwrap().nodelay().unwrap());
        }
    }
}
