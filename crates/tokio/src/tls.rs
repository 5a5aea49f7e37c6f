//! TLS by rustls: whom to trust, who to be, and what went wrong.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use mqtt_p2p_core::TransportError;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};

use crate::dial::{DialError, Stream};
use crate::endpoint::Endpoint;

/// How TLS is spoken, with endpoints of `mqtts://` and `wss://`. TLS 1.3 and 1.2.
///
/// The server's certificate is always checked: by default against the authorities that the platform trusts (on
/// Debian `/etc/ssl/certs`; the environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name others), or against those of
/// [`ca_file`](Self::ca_file). The one exception has a name that can't be overlooked.
///
/// ```no_run
/// use mqtt_p2p_tokio::{Options, Tls};
///
/// let tls = Tls::new().ca_file("ca.pem")?.client_certificate_files("me.pem", "me.key")?;
/// let options = Options::new("mqtts://broker.example".parse()?, "me").tls(tls);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Tls {
    trust: Trust,
    identity: Option<Arc<CertifiedKey>>,
    server_name: Option<ServerName<'static>>,
    /// The caller's own, instead of trust and identity.
    config: Option<Arc<ClientConfig>>,
}

#[derive(Clone, Default)]
enum Trust {
    #[default]
    Platform,
    Only(Arc<RootCertStore>),
    PlatformAnd(Arc<RootCertStore>),
    Everybody,
}

/// Why certificates or keys can't be used. It is the caller's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsError {
    /// A file can't be read.
    File {
        /// Which.
        path: String,
        /// What the operating system said.
        error: String,
    },
    /// No certificate in PEM form is there, or one of them is none.
    Certificate,
    /// No private key in PEM form is there, or of no known kind: PKCS #8, PKCS #1 or SEC 1, without a passphrase.
    Key,
    /// The private key is not that of the first certificate.
    KeyMismatch,
    /// The server name is neither a DNS name nor an address.
    ServerName,
}

impl Tls {
    /// Trusts whom the platform trusts, and has no certificate of its own.
    pub fn new() -> Self {
        Self::default()
    }

    /// A configuration of rustls of the caller's. It decides whom to trust; certificates given here are not used.
    pub fn with_config(config: Arc<ClientConfig>) -> Self {
        Self { config: Some(config), ..Self::default() }
    }

    /// Trusts the authorities in this PEM file, and no others. To be called once; several authorities go into one file.
    ///
    /// # Errors
    /// [`TlsError::File`], [`TlsError::Certificate`].
    pub fn ca_file(self, path: impl AsRef<Path>) -> Result<Self, TlsError> {
        let pem = read(path.as_ref())?;
        self.ca_pem(&pem)
    }

    /// Trusts the authorities in this PEM text, and no others.
    ///
    /// # Errors
    /// [`TlsError::Certificate`].
    pub fn ca_pem(mut self, pem: &[u8]) -> Result<Self, TlsError> {
        let mut store = RootCertStore::empty();
        for certificate in certificates(pem)? {
            store.add(certificate).map_err(|_| TlsError::Certificate)?;
        }
        self.trust = Trust::Only(Arc::new(store));
        Ok(self)
    }

    /// Trusts the authorities of the platform besides those given with [`ca_file`](Self::ca_file) or
    /// [`ca_pem`](Self::ca_pem) before.
    #[must_use]
    pub fn and_platform_authorities(mut self) -> Self {
        if let Trust::Only(store) = self.trust {
            self.trust = Trust::PlatformAnd(store);
        }
        self
    }

    /// Shows this certificate to a server that asks for one: PEM files of the certificate, with those of its
    /// authorities behind it, and of its private key.
    ///
    /// # Errors
    /// [`TlsError::File`], and those of [`client_certificate_pem`](Self::client_certificate_pem).
    pub fn client_certificate_files(
        self,
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, TlsError> {
        let certificate = read(certificate.as_ref())?;
        let key = zeroize::Zeroizing::new(read(key.as_ref())?);
        self.client_certificate_pem(&certificate, &key)
    }

    /// The same from PEM text.
    ///
    /// # Errors
    /// [`TlsError::Certificate`], [`TlsError::Key`], [`TlsError::KeyMismatch`].
    pub fn client_certificate_pem(mut self, certificate: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates(certificate)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::Key)?;
        let identity = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
            Error::InconsistentKeys(_) => TlsError::KeyMismatch,
            Error::InvalidCertificate(_) => TlsError::Certificate,
            _ => TlsError::Key,
        })?;
        self.identity = Some(Arc::new(identity));
        Ok(self)
    }

    /// Asks for a server of this name (SNI), whose certificate has to be for it; by default the endpoint's host.
    ///
    /// # Errors
    /// [`TlsError::ServerName`].
    pub fn server_name(mut self, name: impl Into<String>) -> Result<Self, TlsError> {
        self.server_name = Some(ServerName::try_from(name.into()).map_err(|_| TlsError::ServerName)?);
        Ok(self)
    }

    /// Talks to whoever answers: **anybody in between can read and change everything, log-in included.** For
    /// experiments only; [`ca_file`](Self::ca_file) with the server's own authority costs little more. Each client
    /// that is made so says it with a warning.
    #[must_use]
    pub fn dangerously_accept_any_certificate(mut self) -> Self {
        self.trust = Trust::Everybody;
        self
    }

    /// What rustls needs. Reads the platform's store, so it may block.
    pub(crate) fn build(&self) -> Result<Arc<ClientConfig>, DialError> {
        if let Some(config) = &self.config {
            return Ok(Arc::clone(config));
        }
        let provider = Arc::new(provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| DialError::new(TransportError::Tls, error))?;
        let builder = match &self.trust {
            Trust::Platform => builder.with_root_certificates(platform(RootCertStore::empty())?),
            Trust::Only(store) => builder.with_root_certificates(Arc::clone(store)),
            Trust::PlatformAnd(store) => builder.with_root_certificates(platform((**store).clone())?),
            Trust::Everybody => {
                tracing::warn!(
                    "the server's certificate is not checked: anybody in between can read everything"
                );
                builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
            }
        };
        Ok(Arc::new(match &self.identity {
            Some(identity) => {
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(identity))))
            }
            None => builder.with_no_client_auth(),
        }))
    }

    /// The handshake.
    pub(crate) async fn open<S: Stream>(
        &self,
        config: Arc<ClientConfig>,
        endpoint: &Endpoint,
        stream: S,
    ) -> Result<TlsStream<S>, DialError> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(endpoint.host().to_owned()).map_err(|_| {
                DialError::new(
                    TransportError::WrongName,
                    format!("{} can't be in a certificate", endpoint.host()),
                )
            })?,
        };
        TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
            DialError::of_tls(&error).unwrap_or_else(|| match error.kind() {
                // Whoever speaks TLS says why before it leaves.
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                    DialError::new(TransportError::NotTls, "it ended the connection during the handshake")
                }
                _ => DialError::new(TransportError::Broken, &error),
            })
        })
    }
}

/// What was agreed on, such as `TLSv1_3, TLS13_AES_256_GCM_SHA384`.
pub(crate) fn describe<S>(stream: &TlsStream<S>) -> String {
    let connection = stream.get_ref().1;
    let version = connection.protocol_version().map(|version| format!("{version:?}")).unwrap_or_default();
    let suite = connection.negotiated_cipher_suite().map(|suite| format!(", {:?}", suite.suite()));
    version + &suite.unwrap_or_default()
}

fn provider() -> CryptoProvider {
    ring::default_provider()
}

fn platform(mut store: RootCertStore) -> Result<RootCertStore, DialError> {
    let found = rustls_native_certs::load_native_certs();
    // Some stores hold what no verifier understands; that takes nothing from the rest.
    store.add_parsable_certificates(found.certs);
    if store.is_empty() {
        let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(DialError::new(
            TransportError::UnknownAuthority,
            format!("this machine has no trusted authorities (on Debian, package ca-certificates){why}"),
        ));
    }
    Ok(store)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path)
        .map_err(|error| TlsError::File { path: path.display().to_string(), error: error.to_string() })
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| TlsError::Certificate)?;
    if chain.is_empty() { Err(TlsError::Certificate) } else { Ok(chain) }
}

impl DialError {
    /// What rustls said, if it is rustls that ended the connection.
    pub(crate) fn of_tls(error: &io::Error) -> Option<Self> {
        let error = error.get_ref()?.downcast_ref::<Error>()?;
        let reason = match error {
            Error::InvalidCertificate(problem) => match problem {
                CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                    TransportError::UnknownAuthority
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    TransportError::CertificateExpired
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    TransportError::CertificateNotYetValid
                }
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    TransportError::WrongName
                }
                // The verifier behind rustls has this as text only.
                CertificateError::Other(problem) if problem.to_string() == "CaUsedAsEndEntity" => {
                    TransportError::AuthorityAsServer
                }
                _ => TransportError::Tls,
            },
            // Only a client's certificate can displease a server.
            Error::AlertReceived(
                AlertDescription::CertificateRequired
                | AlertDescription::NoCertificate
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied,
            ) => TransportError::ClientCertificate,
            Error::InvalidMessage(_) => TransportError::NotTls,
            _ => TransportError::Tls,
        };
        Some(Self::new(reason, error))
    }
}

/// Believes everybody. What is signed with a certificate's key is checked all the same.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trust = match &self.trust {
            _ if self.config.is_some() => "as rustls is configured",
            Trust::Platform => "platform",
            Trust::Only(_) => "own authorities",
            Trust::PlatformAnd(_) => "platform and own authorities",
            Trust::Everybody => "ANYBODY",
        };
        f.debug_struct("Tls")
            .field("trust", &trust)
            .field("client_certificate", &self.identity.is_some())
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, error } => write!(f, "{path} can't be read: {error}"),
            Self::Certificate => f.write_str("there is no valid certificate in PEM form"),
            Self::Key => f.write_str(
                "there is no usable private key in PEM form: PKCS #8, PKCS #1 or SEC 1, without a passphrase",
            ),
            Self::KeyMismatch => f.write_str("the private key does not belong to the certificate"),
            Self::ServerName => f.write_str("the server name is neither a DNS name nor an address"),
        }
    }
}

impl std::error::Error for TlsError {}
