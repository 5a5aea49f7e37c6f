//! The servers that a firmware meets, and their restart.

use std::io;

use mqtt_p2p_emulator::{Account, Config, Server as Emulator, ServerConfig};
use mqtt_p2p_interop::{Mosquitto, Settings};
use mqtt_p2p_tokio::Endpoint;

use crate::Failure;

/// The instance's account.
pub(crate) const ACCESS_KEY: &str = "AK";
/// Its secret.
pub(crate) const SECRET: &str = "firmware-secret";
/// The instance.
pub(crate) const INSTANCE: &str = "post-cn-demo";
/// The parent topic of the messages.
pub(crate) const PARENT: &str = "parent";

/// A server that can be stopped and started again at the same port.
#[derive(Debug)]
pub(crate) enum Server {
    /// The stand-in for ApsaraMQ. It forgets everything when it is stopped.
    Emulator {
        /// `None` while it is stopped.
        running: Option<Box<Emulator>>,
        port: u16,
        ws_port: u16,
    },
    /// Debian's broker. It keeps its sessions in a file.
    Mosquitto(Box<Mosquitto>),
}

impl Server {
    pub(crate) async fn emulator() -> Result<Self, Failure> {
        let running =
            emulator(0, 0).await.map_err(|error| format!("the emulator does not start: {error}"))?;
        let (port, ws_port) = (running.tcp_addr().port(), running.ws_addr().port());
        Ok(Self::Emulator { running: Some(Box::new(running)), port, ws_port })
    }

    pub(crate) async fn mosquitto() -> Self {
        Self::Mosquitto(Box::new(
            Mosquitto::with(Settings { persistence: true, ..Settings::default() }).await,
        ))
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        match self {
            Self::Emulator { port, .. } => Endpoint::tcp("127.0.0.1", *port),
            Self::Mosquitto(broker) => broker.tcp(),
        }
    }

    /// Where MQTT over TCP is.
    pub(crate) fn port(&self) -> u16 {
        self.endpoint().port()
    }

    /// Where MQTT over WebSocket is.
    pub(crate) fn ws_port(&self) -> u16 {
        match self {
            Self::Emulator { ws_port, .. } => *ws_port,
            Self::Mosquitto(broker) => broker.ws().port(),
        }
    }

    pub(crate) async fn stop(&mut self) {
        match self {
            Self::Emulator { running, .. } => {
                if let Some(server) = running.take() {
                    server.shutdown().await;
                }
            }
            Self::Mosquitto(broker) => broker.stop().await,
        }
    }

    pub(crate) async fn start(&mut self) -> Result<(), Failure> {
        match self {
            Self::Emulator { running, port, ws_port } => {
                let server = emulator(*port, *ws_port).await;
                *running = Some(
                    server
                        .map(Box::new)
                        .map_err(|error| format!("the emulator does not start again: {error}"))?,
                );
            }
            Self::Mosquitto(broker) => broker.restart().await,
        }
        Ok(())
    }

    /// How often a client has logged in, if the server counts it.
    pub(crate) fn log_ins(&self, client_id: &str) -> Option<u64> {
        match self {
            Self::Emulator { running, .. } => {
                running.as_ref().map(|server| server.client_counters(client_id).log_ins)
            }
            Self::Mosquitto(_) => None,
        }
    }
}

async fn emulator(port: u16, ws_port: u16) -> io::Result<Emulator> {
    let instance = Config::new(INSTANCE).account(Account::access_key(ACCESS_KEY, SECRET)).parents([PARENT]);
    Emulator::start(ServerConfig::new(instance).ports(port, ws_port)).await
}
