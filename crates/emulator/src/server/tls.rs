//! The TLS handshake, within the time that a client has for its CONNECT.

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::link::Link;
use super::outbox::End;

/// The stream behind the handshake; `None` if it fails, or the connection is not let in.
pub(super) async fn accept(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    link: &Link,
) -> Option<TlsStream<TcpStream>> {
    tokio::select! {
        biased;
        () = link.outbox().ended(End::Finish) => None,
        accepted = acceptor.accept(stream) => accepted.ok(),
    }
}
