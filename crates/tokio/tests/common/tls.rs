//! Certificates made for one test, and a front that puts TLS before a plain server.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use mqtt_p2p_tokio::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use mqtt_p2p_tokio::rustls::server::WebPkiClientVerifier;
use mqtt_p2p_tokio::rustls::{RootCertStore, ServerConfig};
use mqtt_p2p_tokio::{Endpoint, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Who signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM form.
pub(crate) struct Certificate {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// Trust in this authority alone.
    pub(crate) fn trusted(&self) -> Tls {
        Tls::new().ca_pem(self.pem().as_bytes()).unwrap()
    }

    /// A certificate for the loopback address, and the name `broker.example`.
    pub(crate) fn issue(&self) -> Certificate {
        self.issue_for(&["127.0.0.1", "broker.example"], 2020, 2200)
    }

    /// A certificate for these names, valid between two new years.
    pub(crate) fn issue_for(&self, names: &[&str], from: i32, until: i32) -> Certificate {
        let names: Vec<String> = names.iter().map(|name| (*name).into()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap().pem();
        Certificate { certificate, key: key.serialize_pem() }
    }
}

impl Certificate {
    /// A certificate for the loopback address that is its own authority.
    pub(crate) fn self_signed(is_ca: IsCa) -> Self {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.is_ca = is_ca;
        let key = KeyPair::generate().unwrap();
        Self { certificate: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
    }

    /// Trust in this certificate alone.
    pub(crate) fn trusted(&self) -> Tls {
        Tls::new().ca_pem(self.certificate.as_bytes()).unwrap()
    }

    /// The same trust, with this as the client's certificate.
    pub(crate) fn shown_with(&self, tls: Tls) -> Tls {
        tls.client_certificate_pem(self.certificate.as_bytes(), self.key.as_bytes()).unwrap()
    }

    fn ders(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let chain = CertificateDer::pem_slice_iter(self.certificate.as_bytes()).map(Result::unwrap).collect();
        (chain, PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap())
    }
}

/// TLS before a plain server.
pub(crate) struct TlsFront {
    port: u16,
    listening: JoinHandle<()>,
}

impl TlsFront {
    pub(crate) async fn start(server: SocketAddr, certificate: &Certificate) -> Self {
        let (chain, key) = certificate.ders();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
        Self::with(server, config).await
    }

    /// One that lets only those in who show a certificate of this authority.
    pub(crate) async fn mutual(server: SocketAddr, certificate: &Certificate, authority: &Authority) -> Self {
        let mut store = RootCertStore::empty();
        store.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
        let verifier = WebPkiClientVerifier::builder(Arc::new(store)).build().unwrap();
        let (chain, key) = certificate.ders();
        let config =
            ServerConfig::builder().with_client_cert_verifier(verifier).with_single_cert(chain, key).unwrap();
        Self::with(server, config).await
    }

    async fn with(server: SocketAddr, config: ServerConfig) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let listening = tokio::spawn(async move {
            let mut links = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                links.spawn(async move {
                    client.set_nodelay(true).unwrap();
                    let Ok(mut client) = acceptor.accept(client).await else { return };
                    let mut server = TcpStream::connect(server).await.unwrap();
                    server.set_nodelay(true).unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { port, listening }
    }

    pub(crate) fn tls(&self) -> Endpoint {
        Endpoint::tls("127.0.0.1", self.port)
    }

    pub(crate) fn wss(&self) -> Endpoint {
        Endpoint::wss("127.0.0.1", self.port)
    }

    pub(crate) fn tcp(&self) -> Endpoint {
        Endpoint::tcp("127.0.0.1", self.port)
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
