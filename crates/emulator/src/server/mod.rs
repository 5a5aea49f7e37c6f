//! The emulator on sockets: a thin front that moves bytes between them and the [`Emulator`].

mod certificates;
mod config;
mod link;
mod outbox;
mod shared;
mod tcp;
mod tls;
mod websocket;

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use mqtt_p2p_aliyun::{Credentials, TokenKind, limits};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::account::Account;
use crate::config::{Config, DEMO_GROUP, DEMO_KEY, DEMO_PARENT, DEMO_SECRET};
use crate::faults::Faults;
use crate::heart::{ClientCounters, Counters, Emulator, Event};
use crate::token::{InvalidToken, IssueError, IssuedToken};
use certificates::Certificates;
pub use certificates::{Identity, ServerCertificate};
pub use config::ServerConfig;
use link::Link;
use shared::Shared;

/// An emulator that listens. It stops when it is dropped; several in one process know nothing of each other.
///
/// ```
/// use mqtt_p2p_emulator::{Account, Config, Server};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let config = Config::new("post-cn-demo").account(Account::access_key("AK", "SK"));
/// let server = Server::start(config).await?;
/// println!("{}", mqtt_p2p_emulator::BANNER);
/// println!("{}  {}  {}  {}", server.url(), server.tls_url(), server.ws_url(), server.wss_url());
///
/// assert!(server.connected_clients().is_empty());
/// server.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    tcp_addr: SocketAddr,
    ws_addr: SocketAddr,
    tls_addr: SocketAddr,
    wss_addr: SocketAddr,
    ca_pem: String,
    client_identity: Identity,
    instance_id: String,
    access_key: Option<Account>,
    group: String,
    parent_topic: String,
    tasks: Vec<JoinHandle<()>>,
}

impl Server {
    /// Binds the ports and serves them, on the tokio runtime that this is called in.
    ///
    /// # Errors
    /// A port that can't be bound; no random numbers for the keys of certificates.
    pub async fn start(config: impl Into<ServerConfig>) -> io::Result<Self> {
        let config = config.into();
        let tcp = TcpListener::bind(config.tcp).await?;
        let ws = TcpListener::bind(config.ws).await?;
        let tls = TcpListener::bind(config.tls).await?;
        let wss = TcpListener::bind(config.wss).await?;
        let (tcp_addr, ws_addr) = (tcp.local_addr()?, ws.local_addr()?);
        let (tls_addr, wss_addr) = (tls.local_addr()?, wss.local_addr()?);
        let Certificates { ca_pem, client, acceptor } =
            Certificates::new(config.certificate, config.mutual_tls, &[tls_addr.ip(), wss_addr.ip()])?;
        let max_packet_size = usize::try_from(config.instance.max_packet_size()).unwrap_or(usize::MAX);
        let instance = &config.instance;
        let instance_id = instance.instance_id.clone();
        let is_access_key = |account: &&Account| matches!(account, Account::AccessKey { .. });
        let access_key = instance.accounts.iter().find(is_access_key).cloned();
        let first = |names: &Option<BTreeSet<String>>, default: &str| {
            names.as_ref().and_then(BTreeSet::first).cloned().unwrap_or_else(|| default.to_owned())
        };
        let group = first(&instance.groups, DEMO_GROUP);
        let parent_topic = first(&instance.parents, DEMO_PARENT);
        let shared = Arc::new(Shared::new(Emulator::new(config.instance, config.seed)));
        let clock = Arc::clone(&shared);
        let tasks = vec![
            tokio::spawn(async move { clock.run_clock().await }),
            tokio::spawn(listen(tcp, Arc::clone(&shared), tcp::serve)),
            tokio::spawn(listen(ws, Arc::clone(&shared), move |stream, link| {
                websocket::serve(stream, link, max_packet_size)
            })),
            tokio::spawn(listen(tls, Arc::clone(&shared), {
                let acceptor = acceptor.clone();
                move |stream, link| {
                    let acceptor = acceptor.clone();
                    async move {
                        if let Some(stream) = tls::accept(acceptor, stream, &link).await {
                            tcp::serve(stream, link).await;
                        }
                    }
                }
            })),
            tokio::spawn(listen(wss, Arc::clone(&shared), move |stream, link| {
                let acceptor = acceptor.clone();
                async move {
                    if let Some(stream) = tls::accept(acceptor, stream, &link).await {
                        websocket::serve(stream, link, max_packet_size).await;
                    }
                }
            })),
        ];
        Ok(Self {
            shared,
            tcp_addr,
            ws_addr,
            tls_addr,
            wss_addr,
            ca_pem,
            client_identity: client,
            instance_id,
            access_key,
            group,
            parent_topic,
            tasks,
        })
    }

    /// [Starts](Self::start) with [`Config::demo`], on free ports.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn demo() -> io::Result<Self> {
        Self::start(Config::demo()).await
    }

    /// What a client logs in with in signature mode: the instance's first access key. Without one, it is that of the
    /// [demo](Config::demo), which will be refused.
    pub fn credentials(&self) -> Credentials<'_> {
        let (access_key_id, access_key_secret) = match &self.access_key {
            Some(Account::AccessKey { id, secret }) => (id.as_str(), secret.as_str()),
            _ => (DEMO_KEY, DEMO_SECRET),
        };
        Credentials::Signature { access_key_id, access_key_secret, instance_id: &self.instance_id }
    }

    /// A client id for a device: `<group>@@@<device>`, of the instance's first group, or `GID_demo`.
    pub fn client_id(&self, device: &str) -> String {
        format!("{}@@@{device}", self.group)
    }

    /// A parent topic that may be used: the instance's first, or `demo`.
    pub fn parent_topic(&self) -> &str {
        &self.parent_topic
    }

    /// Where MQTT over TCP is.
    pub fn tcp_addr(&self) -> SocketAddr {
        self.tcp_addr
    }

    /// Where MQTT over WebSocket is, at the path `/mqtt`.
    pub fn ws_addr(&self) -> SocketAddr {
        self.ws_addr
    }

    /// Where MQTT over TLS is.
    pub fn tls_addr(&self) -> SocketAddr {
        self.tls_addr
    }

    /// Where MQTT over WebSocket over TLS is, at the path `/mqtt`.
    pub fn wss_addr(&self) -> SocketAddr {
        self.wss_addr
    }

    /// MQTT over TCP, as `mqtt://127.0.0.1:1883`.
    pub fn url(&self) -> String {
        url("mqtt", self.tcp_addr, "")
    }

    /// MQTT over WebSocket, as `ws://127.0.0.1:80/mqtt`.
    pub fn ws_url(&self) -> String {
        url("ws", self.ws_addr, limits::WS_PATH)
    }

    /// MQTT over TLS, as `mqtts://127.0.0.1:8883`. The certificate is for `localhost` as well.
    pub fn tls_url(&self) -> String {
        url("mqtts", self.tls_addr, "")
    }

    /// MQTT over WebSocket over TLS, as `wss://127.0.0.1:443/mqtt`.
    pub fn wss_url(&self) -> String {
        url("wss", self.wss_addr, limits::WS_PATH)
    }

    /// The certificate of the authority that signed the server's, as PEM: what a client has to trust. Each start
    /// makes a new one.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A certificate and key with which a client passes [mutual TLS](ServerConfig::mutual_tls).
    pub fn client_identity(&self) -> &Identity {
        &self.client_identity
    }

    /// Cuts a client's link: what was under way is lost. Whether the client was connected.
    pub fn drop_connection(&self, client_id: &str) -> bool {
        self.shared.cut(Some(client_id)) > 0
    }

    /// Cuts all links; how many there were.
    pub fn drop_all(&self) -> usize {
        self.shared.cut(None)
    }

    /// Closes every new connection as soon as it is there, or no longer does. Connections that are there stay.
    pub fn set_refusing(&self, refusing: bool) {
        self.shared.look(|heart| heart.set_refusing(refusing));
    }

    /// Issues a token in the name of the instance's first access key, as ApplyToken of the service does.
    ///
    /// `resources` are 1 to 100 topics, wildcards allowed; a P2P topic needs one that covers it, such as `parent/#`.
    /// A lifetime over 30 days is cut to it.
    ///
    /// # Errors
    /// See [`IssueError`].
    pub fn issue_token<T: Into<String>>(
        &self,
        resources: impl IntoIterator<Item = T>,
        kind: TokenKind,
        lifetime: Duration,
    ) -> Result<IssuedToken, IssueError> {
        self.shared.input(|heart, now| heart.issue_token(now, resources, kind, lifetime))
    }

    /// Makes a token invalid, as RevokeToken of the service does: who is connected with it is told so and closed.
    ///
    /// # Errors
    /// [`InvalidToken::Unparsable`] or [`InvalidToken::BadSignature`] for a text that is no token of this emulator.
    pub fn revoke_token(&self, token: &str) -> Result<(), InvalidToken> {
        self.shared.input(|heart, now| heart.revoke_token(now, token))
    }

    /// Forbids an access key what its tokens allow, or no longer does: who is connected with such a token is told so,
    /// with code −1, and closed.
    pub fn set_access_key_permitted(&self, access_key_id: &str, permitted: bool) {
        self.shared.input(|heart, now| heart.set_access_key_permitted(now, access_key_id, permitted));
    }

    /// Checks a token as a log-in would, as QueryToken of the service does.
    ///
    /// # Errors
    /// Why it is no good now.
    pub fn check_token(&self, kind: TokenKind, token: &str) -> Result<(), InvalidToken> {
        self.shared.input(|heart, now| heart.check_token(now, kind, token))
    }

    /// Sets the emulator's clock, for tests with a client whose clock is wrong. Until then it has the system's time.
    pub fn set_unix_time(&self, unix_time: Duration) {
        self.shared.input(|heart, now| heart.set_unix_time(now, unix_time));
    }

    /// What happened since the last call; of very many events the latest.
    pub fn events(&self) -> Vec<Event> {
        self.shared.look(|heart| std::iter::from_fn(|| heart.poll_event()).collect())
    }

    /// The client ids of who is logged in now, in alphabetical order.
    pub fn connected_clients(&self) -> Vec<String> {
        self.shared.look(|heart| heart.connected_clients().map(Into::into).collect())
    }

    /// How many messages wait for a client that is away, or was.
    pub fn offline_messages(&self, client_id: &str) -> usize {
        self.shared.look(|heart| heart.offline_messages(client_id))
    }

    /// Changes what goes wrong: see [`Faults`].
    pub fn set_faults(&self, change: impl FnOnce(&mut Faults)) {
        self.shared.look(|heart| change(heart.faults_mut()));
    }

    /// Sends bytes to a client that need not be a packet, or no packet that a server sends. Whether the client was
    /// connected.
    pub fn send_raw(&self, client_id: &str, bytes: &[u8]) -> bool {
        self.shared.input(|heart, now| heart.send_raw(now, client_id, bytes))
    }

    /// What one client id did and got since the start, over all its connections.
    pub fn client_counters(&self, client_id: &str) -> ClientCounters {
        self.shared.look(|heart| heart.client_counters(client_id))
    }

    /// Whether a client is connected and has asked for its publications to stay in order, with
    /// `$SYS/enableOrderMsg`.
    pub fn is_ordered(&self, client_id: &str) -> bool {
        self.shared.look(|heart| heart.is_ordered(client_id))
    }

    /// How many messages went which way since the start.
    pub fn counters(&self) -> Counters {
        self.shared.look(|heart| heart.counters())
    }

    /// Cuts all links and frees the ports. All that was held is gone.
    pub async fn shutdown(mut self) {
        for task in std::mem::take(&mut self.tasks) {
            task.abort();
            let _ = task.await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// A server that listens on all addresses is found on the loopback address.
fn url(scheme: &str, mut addr: SocketAddr, path: &str) -> String {
    if addr.ip().is_unspecified() {
        addr.set_ip(match addr {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("{scheme}://{addr}{path}")
}

/// Accepts connections for ever. With this task, those of its connections end.
async fn listen<F>(listener: TcpListener, shared: Arc<Shared>, serve: impl Fn(TcpStream, Link) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    /// What may fail is a shortage, such as of file descriptors: it passes, or not.
    const AFTER_FAILURE: Duration = Duration::from_millis(50);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let _ = stream.set_nodelay(true);
                    connections.spawn(serve(stream, Link::open(&shared)));
                }
                Err(_) => tokio::time::sleep(AFTER_FAILURE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
