//! A link that can be cut.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use mqtt_p2p_tokio::Endpoint;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Stands before a server and passes bytes on, until it is told to cut. It lets no more connections in then.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    links: Arc<Mutex<JoinSet<()>>>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port of the loopback address.
    ///
    /// # Panics
    /// There is none.
    pub async fn to(server: &Endpoint) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let links = Arc::new(Mutex::new(JoinSet::new()));
        let accepted = Arc::clone(&links);
        let server_port = server.port();
        let listening = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let link = async move {
                    if let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server_port)).await {
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    }
                };
                accepted.lock().unwrap_or_else(PoisonError::into_inner).spawn(link);
            }
        });
        Self { port, links, listening }
    }

    /// Where a client finds the server through this.
    pub fn endpoint(&self, server: &Endpoint) -> Endpoint {
        endpoint_through(server, self.port)
    }

    /// Cuts all links for good.
    pub fn cut(&self) {
        self.listening.abort();
        self.links.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
    }
}

/// The same server behind another port.
pub(crate) fn endpoint_through(server: &Endpoint, port: u16) -> Endpoint {
    let url = server.to_string();
    url.replacen(&server.port().to_string(), &port.to_string(), 1).parse().expect("an endpoint")
}
