//! The emulator over TLS, as a client with a certificate store sees it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use mqtt_p2p_emulator::{Config, Identity, Quirks, Server, ServerCertificate, ServerConfig};
use mqtt_p2p_packet::{Connect, Packet};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

fn config() -> ServerConfig {
    Config::new("post-cn-demo").anonymous().quirks(Quirks::service().without_delays()).into()
}

async fn handshake(
    addr: SocketAddr,
    name: &str,
    ca: &str,
    identity: Option<&Identity>,
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(Identity { certificate, key, .. }) => {
            let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    };
    let stream = TcpStream::connect(addr).await?;
    let name = name.to_owned().try_into().unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn connect() -> Vec<u8> {
    let packet = Packet::Connect(Connect::new("a"));
    let mut bytes = vec![0; packet.encoded_len().unwrap()];
    packet.encode(&mut bytes).unwrap();
    bytes
}

/// Logs in; an error if the link ends instead.
async fn log_in(stream: &mut TlsStream<TcpStream>) -> io::Result<()> {
    stream.write_all(&connect()).await?;
    let mut connack = [0; 4];
    stream.read_exact(&mut connack).await?;
    assert_eq!(connack, [0x20, 2, 0, 0]);
    Ok(())
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_logs_in_over_tls_by_name_and_by_address() {
    let server = Server::start(config()).await.unwrap();
    for name in ["localhost", "127.0.0.1"] {
        let mut stream = handshake(server.tls_addr(), name, server.ca_pem(), None).await.unwrap();
        log_in(&mut stream).await.unwrap();
        assert_eq!(server.connected_clients(), ["a"]);
    }
}

#[tokio::test]
async fn a_client_logs_in_over_websocket_over_tls() {
    let server = Server::start(config()).await.unwrap();
    let stream = handshake(server.wss_addr(), "localhost", server.ca_pem(), None).await.unwrap();
    let (mut socket, _) = client_async(server.wss_url(), stream).await.unwrap();
    socket.send(Message::binary(connect())).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::binary(vec![0x20, 2, 0, 0]));
}

#[tokio::test]
async fn another_authority_is_not_trusted() {
    let server = Server::start(config()).await.unwrap();
    let other = Server::start(config()).await.unwrap();
    let error = handshake(server.tls_addr(), "localhost", other.ca_pem(), None).await.unwrap_err();
    assert!(
        error.to_string().contains("UnknownIssuer") || error.to_string().contains("BadSignature"),
        "{error}"
    );
}

#[tokio::test]
async fn an_expired_certificate_and_one_for_another_name_can_be_shown() {
    for (certificate, fault) in
        [(ServerCertificate::Expired, "expired"), (ServerCertificate::WrongName, "not valid for name")]
    {
        let server = Server::start(config().certificate(certificate)).await.unwrap();
        let error = handshake(server.tls_addr(), "localhost", server.ca_pem(), None).await.unwrap_err();
        assert!(error.to_string().contains(fault), "{error}");
    }
}

#[tokio::test]
async fn mutual_tls_lets_in_who_has_a_certificate_of_the_authority_only() {
    let server = Server::start(config().mutual_tls()).await.unwrap();
    let other = Server::start(config()).await.unwrap();
    for (identity, let_in) in
        [(Some(server.client_identity()), true), (None, false), (Some(other.client_identity()), false)]
    {
        // In TLS 1.3 the client learns of the refusal when it reads.
        let logged_in = async {
            let mut stream = handshake(server.tls_addr(), "localhost", server.ca_pem(), identity).await?;
            log_in(&mut stream).await
        };
        assert_eq!(logged_in.await.is_ok(), let_in);
    }
}

#[tokio::test]
async fn a_client_that_never_shakes_hands_is_closed_when_the_time_for_connect_is_over() {
    let mut config = config();
    config.instance.connect_timeout = std::time::Duration::from_millis(50);
    let server = Server::start(config).await.unwrap();
    for addr in [server.tls_addr(), server.wss_addr()] {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        assert!(matches!(stream.read(&mut [0; 9]).await, Ok(0) | Err(_)));
    }
}

#[tokio::test]
async fn a_large_message_passes_over_tls() {
    let server = Server::start(config()).await.unwrap();
    let mut stream = handshake(server.tls_addr(), "localhost", server.ca_pem(), None).await.unwrap();
    log_in(&mut stream).await.unwrap();
    let payload = vec![7; 60_000];
    let topic = mqtt_p2p_packet::TopicName::new("t/p2p/a").unwrap();
    let packet = Packet::Publish(mqtt_p2p_packet::Publish::new(topic, &payload));
    let mut bytes = vec![0; packet.encoded_len().unwrap()];
    packet.encode(&mut bytes).unwrap();
    stream.write_all(&bytes).await.unwrap();
    let mut echoed = vec![0; bytes.len()];
    stream.read_exact(&mut echoed).await.unwrap();
    assert_eq!(echoed, bytes);
}

#[tokio::test]
async fn no_private_key_shows_in_debug() {
    let server = Server::start(config()).await.unwrap();
    assert!(!format!("{server:?}").contains("PRIVATE KEY"));
}
