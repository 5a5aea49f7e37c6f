//! The certificates of a server: an authority made at its start, and what the authority signed.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, RootCertStore};

/// Which certificate a server shows over TLS. All are signed by [`Server::ca_pem`](crate::Server::ca_pem).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServerCertificate {
    /// A good one, for `localhost`, the loopback addresses and the addresses that the server listens on.
    #[default]
    Valid,
    /// One that expired in 2001: clients must refuse it.
    Expired,
    /// One that is for `wrong.example` only: clients must refuse it.
    WrongName,
}

/// A certificate and its private key, as PEM. Debug does not show the key.
#[derive(Clone)]
#[non_exhaustive]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// The private key (PKCS #8).
    pub key: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// What a server's start makes of certificates.
pub(super) struct Certificates {
    pub(super) ca_pem: String,
    pub(super) client: Identity,
    pub(super) acceptor: TlsAcceptor,
}

impl Certificates {
    pub(super) fn new(kind: ServerCertificate, mutual: bool, listening_on: &[IpAddr]) -> io::Result<Self> {
        let authority = authority().map_err(io::Error::other)?;
        let (certificate, key) =
            server_certificate(&authority, kind, listening_on).map_err(io::Error::other)?;
        let client = client_identity(&authority).map_err(io::Error::other)?;

        let provider = Arc::new(ring::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let builder = if mutual {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone()).map_err(io::Error::other)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(io::Error::other)?)
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
        let config =
            builder.with_single_cert(vec![certificate.der().clone()], key).map_err(io::Error::other)?;
        Ok(Self { ca_pem: authority.pem(), client, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Result<Authority, rcgen::Error> {
    let mut params = named("ApsaraMQ stand-in: authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn server_certificate(
    authority: &Authority,
    kind: ServerCertificate,
    listening_on: &[IpAddr],
) -> Result<(rcgen::Certificate, KeyPair), rcgen::Error> {
    let mut params = named("ApsaraMQ stand-in: server");
    params.subject_alt_names = if kind == ServerCertificate::WrongName {
        vec![SanType::DnsName("wrong.example".try_into()?)]
    } else {
        let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        let mut names = vec![SanType::DnsName("localhost".try_into()?)];
        for &ip in loopback.iter().chain(listening_on) {
            let name = SanType::IpAddress(ip);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    };
    if kind == ServerCertificate::Expired {
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(2001, 1, 1);
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, authority)?, key))
}

fn client_identity(authority: &Authority) -> Result<Identity, rcgen::Error> {
    let mut params = named("ApsaraMQ stand-in: client");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // Strict verifiers ask for it.
    params.use_authority_key_identifier_extension = true;
    params
}
