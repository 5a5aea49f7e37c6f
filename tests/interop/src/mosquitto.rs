//! Debian's mosquitto as a fixture.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use mqtt_p2p_tokio::{Endpoint, Tls};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::certificates::{Authority, Fault};
use crate::within;

/// How a broker behaves.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Save sessions when it is stopped.
    pub persistence: bool,
    /// Let only these users in, with these passwords.
    pub users: Vec<(&'static str, &'static str)>,
    /// Listen with TLS as well, with a certificate that has this fault, and on a Unix socket.
    pub secure: Option<Fault>,
    /// Log errors alone, for what runs long.
    pub quiet: bool,
    /// How many messages it has under way to a client, if not 100. What is more is queued, and mosquitto 2.0.11 lets new
    /// messages overtake those that it has queued.
    pub in_flight: Option<u16>,
}

/// Where a broker listens with TLS, and who signed its certificate.
#[derive(Debug)]
pub struct Secure {
    /// Who signs the certificates of the broker, and of the clients that [`Self::mutual`] lets in.
    pub authority: Authority,
    tls_port: u16,
    mutual_port: u16,
    wss_port: u16,
}

impl Secure {
    /// TLS over TCP.
    pub fn tls(&self) -> Endpoint {
        Endpoint::tls("127.0.0.1", self.tls_port)
    }

    /// TLS over TCP, for clients with a certificate.
    pub fn mutual(&self) -> Endpoint {
        Endpoint::tls("127.0.0.1", self.mutual_port)
    }

    /// WebSocket over TLS.
    pub fn wss(&self) -> Endpoint {
        Endpoint::wss("127.0.0.1", self.wss_port)
    }

    /// Trust in the broker's authority alone.
    ///
    /// # Panics
    /// The authority is none.
    pub fn trusted(&self) -> Tls {
        Tls::new().ca_pem(self.authority.pem().as_bytes()).expect("an authority")
    }
}

/// A broker on free loopback ports, TCP and WebSocket. It is killed when dropped.
#[derive(Debug)]
pub struct Mosquitto {
    directory: Directory,
    tcp_port: u16,
    ws_port: u16,
    secure: Option<Secure>,
    /// `None` while it is stopped.
    process: Option<Child>,
}

/// A directory that is removed with everything in it.
#[derive(Debug)]
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where a program of mosquitto's packages is.
///
/// # Panics
/// It is not installed.
pub fn tool(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/bin".into()])
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{name} is missing: apt-get install mosquitto mosquitto-clients"))
}

/// A port that nobody uses. It is below those that the system gives to outgoing connections, so that it stays free
/// while the broker is away.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Tests that start together have process ids next to each other, and a port that was found is not taken at once.
    let start = std::process::id().wrapping_mul(61) % 8_000;
    loop {
        let offset = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 20_000 + ((start + offset) % 8_000) as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

impl Mosquitto {
    /// Starts a broker that lets everybody in and saves nothing.
    pub async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    /// Starts a broker.
    ///
    /// # Panics
    /// It does not start.
    pub async fn with(settings: Settings) -> Self {
        let (tcp_port, ws_port) = (free_port(), free_port());
        let directory = std::env::temp_dir().join(format!("mqtt-p2p-{}-{tcp_port}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory");
        let secure = settings.secure.map(|fault| {
            let authority = Authority::new("interop");
            authority.write(&directory, fault);
            Secure { authority, tls_port: free_port(), mutual_port: free_port(), wss_port: free_port() }
        });
        let mut broker = Self { directory: Directory(directory), tcp_port, ws_port, secure, process: None };
        let directory = broker.directory.0.as_path();
        let passwords = passwords(directory, &settings.users).await;
        let mut config = config(directory, tcp_port, ws_port, &settings, &passwords);
        if let Some(secure) = &broker.secure {
            config += &secure_config(directory, secure);
        }
        std::fs::write(directory.join("mosquitto.conf"), config).expect("a config file");
        broker.restart().await;
        broker
    }

    /// Starts it again on the same ports, after [`stop`](Self::stop) or [`kill`](Self::kill).
    ///
    /// # Panics
    /// It does not start.
    pub async fn restart(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        let child = Command::new(tool("mosquitto"))
            .arg("-c")
            .arg(self.directory.0.join("mosquitto.conf"))
            // What it has to say is in its log.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("mosquitto starts");
        let child = self.process.insert(child);
        let secure =
            self.secure.iter().flat_map(|secure| [secure.tls_port, secure.mutual_port, secure.wss_port]);
        for port in [self.tcp_port, self.ws_port].into_iter().chain(secure) {
            let accepts = async {
                while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
                    if let Ok(Some(status)) = child.try_wait() {
                        let log = std::fs::read_to_string(self.directory.0.join("log"));
                        panic!("mosquitto ended with {status}: {}", log.unwrap_or_default());
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            within("mosquitto accepts connections", accepts).await;
        }
    }

    /// Asks it to end, and waits for that; it saves the sessions if it is to.
    ///
    /// # Panics
    /// It does not end.
    pub async fn stop(&mut self) {
        let mut child = self.process.take().expect("it runs");
        let id = child.id().expect("it runs");
        let asked = Command::new("sh").arg("-c").arg(format!("kill -TERM {id}")).status().await;
        assert!(asked.is_ok_and(|status| status.success()));
        within("mosquitto ends", child.wait()).await.expect("its end");
    }

    /// Kills it: it saves nothing.
    ///
    /// # Panics
    /// It does not end.
    pub async fn kill(&mut self) {
        let mut child = self.process.take().expect("it runs");
        within("mosquitto ends", child.kill()).await.expect("its end");
    }

    /// Where it is over TCP.
    pub fn tcp(&self) -> Endpoint {
        Endpoint::tcp("127.0.0.1", self.tcp_port)
    }

    /// Where it is over WebSocket.
    pub fn ws(&self) -> Endpoint {
        Endpoint::ws("127.0.0.1", self.ws_port)
    }

    /// Where it is through a Unix socket.
    ///
    /// # Panics
    /// It was not started with [`Settings::secure`].
    pub fn unix(&self) -> Endpoint {
        assert!(self.secure.is_some());
        Endpoint::unix(self.directory.0.join("socket").display().to_string())
    }

    /// Where it is over TLS.
    ///
    /// # Panics
    /// It was not started with [`Settings::secure`].
    pub fn secure(&self) -> &Secure {
        self.secure.as_ref().expect("a broker with TLS")
    }

    /// Both, each with a name that can be part of a client id.
    pub fn endpoints(&self) -> [(&'static str, Endpoint); 2] {
        [("tcp", self.tcp()), ("ws", self.ws())]
    }

    /// One of mosquitto's client programs, with this broker as its server. MQTT 3.1.1, over TCP.
    pub fn client(&self, name: &str) -> Command {
        let mut command = Command::new(tool(name));
        command
            .args(["-h", "127.0.0.1", "-V", "311", "-p"])
            .arg(self.tcp_port.to_string())
            .kill_on_drop(true);
        command
    }
}

/// In-flight messages are limited on purpose: without a limit (0), mosquitto 2.0.11 forgets at a restart which messages
/// of QoS 2 it had released, and publishes them once more.
fn config(directory: &Path, tcp_port: u16, ws_port: u16, settings: &Settings, passwords: &str) -> String {
    let directory = directory.display();
    let persistence = settings.persistence;
    let log = if settings.quiet { "error" } else { "all" };
    let in_flight = settings.in_flight.unwrap_or(100);
    format!(
        "user root
set_tcp_nodelay true
max_inflight_messages {in_flight}
max_queued_messages 0
queue_qos0_messages true
sys_interval 1
persistence {persistence}
persistence_location {directory}/
autosave_interval 0
log_type {log}
log_dest file {directory}/log
{passwords}
listener {tcp_port} 127.0.0.1
listener {ws_port} 127.0.0.1
protocol websockets
socket_domain ipv4
"
    )
}

/// The listeners with TLS, and the Unix socket.
fn secure_config(directory: &Path, secure: &Secure) -> String {
    let Secure { tls_port, mutual_port, wss_port, .. } = secure;
    let directory = directory.display();
    let files = format!("certfile {directory}/server.pem\nkeyfile {directory}/server.key");
    format!(
        "listener {tls_port} 127.0.0.1
{files}
listener {mutual_port} 127.0.0.1
{files}
cafile {directory}/ca.pem
require_certificate true
listener {wss_port} 127.0.0.1
protocol websockets
socket_domain ipv4
{files}
listener 0 {directory}/socket
"
    )
}

/// Writes the password file, and says how the config names it.
async fn passwords(directory: &Path, users: &[(&str, &str)]) -> String {
    if users.is_empty() {
        return "allow_anonymous true".into();
    }
    let file = directory.join("passwords");
    std::fs::write(&file, "").expect("a password file");
    for (user, password) in users {
        let status =
            Command::new(tool("mosquitto_passwd")).arg("-b").arg(&file).args([user, password]).status().await;
        assert!(status.is_ok_and(|status| status.success()));
    }
    format!("allow_anonymous false\npassword_file {}", file.display())
}
