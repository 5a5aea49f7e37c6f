//! Where a server listens, and with which certificate.

use std::net::{Ipv4Addr, SocketAddr};

use super::certificates::ServerCertificate;
use crate::config::Config;

/// Where a [`Server`](crate::Server) listens, and what it emulates.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerConfig {
    /// The instance.
    pub instance: Config,
    /// Where MQTT over TCP is. Default: a free port of the loopback address.
    pub tcp: SocketAddr,
    /// Where MQTT over WebSocket is, at the path `/mqtt`. Default: a free port of the loopback address.
    pub ws: SocketAddr,
    /// Where MQTT over TLS is. Default: a free port of the loopback address.
    pub tls: SocketAddr,
    /// Where MQTT over WebSocket over TLS is, at the path `/mqtt`. Default: a free port of the loopback address.
    pub wss: SocketAddr,
    /// Which certificate it shows.
    pub certificate: ServerCertificate,
    /// Whether a client over TLS needs a certificate as well: [`Server::client_identity`](crate::Server::client_identity). Default: no.
    pub mutual_tls: bool,
    /// What random delays are drawn from.
    pub seed: u64,
}

impl ServerConfig {
    /// An instance on free ports of the loopback address.
    pub fn new(instance: Config) -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            instance,
            tcp: loopback,
            ws: loopback,
            tls: loopback,
            wss: loopback,
            certificate: ServerCertificate::Valid,
            mutual_tls: false,
            seed: 0,
        }
    }

    /// The same on these ports of the loopback address; 0 is a free port.
    #[must_use]
    pub fn ports(mut self, tcp: u16, ws: u16) -> Self {
        self.tcp.set_port(tcp);
        self.ws.set_port(ws);
        self
    }

    /// The same with TLS on these ports of the loopback address; 0 is a free port.
    #[must_use]
    pub fn tls_ports(mut self, tls: u16, wss: u16) -> Self {
        self.tls.set_port(tls);
        self.wss.set_port(wss);
        self
    }

    /// The same with another certificate, for tests of what a client refuses.
    #[must_use]
    pub fn certificate(mut self, certificate: ServerCertificate) -> Self {
        self.certificate = certificate;
        self
    }

    /// The same, letting in clients over TLS only if they have a certificate of the server's authority
    /// (documentation: certificate-based authentication). They log in as ever.
    #[must_use]
    pub fn mutual_tls(mut self) -> Self {
        self.mutual_tls = true;
        self
    }
}

impl From<Config> for ServerConfig {
    fn from(instance: Config) -> Self {
        Self::new(instance)
    }
}
