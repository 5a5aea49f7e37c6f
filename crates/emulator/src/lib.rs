//! A development stand-in for Alibaba Cloud's ApsaraMQ for MQTT, held in memory. It is for development,
//! demonstrations and tests, and never for production: that is what the service is for.
//!
//! [`Server`] listens on TCP and WebSocket, plain and over TLS, in a program or a test:
//!
//! ```
//! use mqtt_p2p_aliyun::ConnectCredentials;
//! use mqtt_p2p_emulator::Server;
//! use mqtt_p2p_packet::{Connect, Packet};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::demo().await?;
//! let alice = server.client_id("alice");
//! let login: ConnectCredentials = server.credentials().for_client(&alice)?;
//! // Here a client library would take over, with `server.url()`.
//!
//! let mut connect = Connect::new(&alice);
//! connect.user_name = Some(login.user_name());
//! connect.password = Some(login.password());
//! let mut buffer = [0; 256];
//! let len = Packet::Connect(connect).encode(&mut buffer)?;
//!
//! let mut socket = tokio::net::TcpStream::connect(server.tcp_addr()).await?;
//! socket.write_all(&buffer[..len]).await?;
//! let mut connack = [0; 4];
//! socket.read_exact(&mut connack).await?;
//! assert_eq!(connack, [0x20, 2, 0, 0]);
//! assert_eq!(server.client_counters(&alice).log_ins, 1);
//! # Ok(())
//! # }
//! ```
//!
//! A test can ask it for what goes wrong ([`Faults`]), what happened ([`Server::events`], [`Server::counters`],
//! [`Server::client_counters`]), for tokens ([`Server::issue_token`]) and for bad certificates
//! ([`ServerCertificate`]).
//!
//! Behind it is [`Emulator`], which has neither sockets nor a clock: for simulations that can be repeated.
//!
//! # What it does, and how that is known
//!
//! The service is not described in all details. What follows tells apart its *documentation*, its *open-source kernel*
//! (Apache RocketMQ MQTT, by the same team: a strong hint, no proof), and our *choice* where neither says anything.
//! What can be switched is in [`Quirks`], with the same marks.
//!
//! - **Log-in** by signature, device credential, custom authentication and token ([`Account`]; documentation). Refused
//!   with CONNACK are: an edition other than 3.1 and 3.1.1 with 1 (standard); a client id that is empty or, but for
//!   custom authentication, not `<GroupID>@@@<DeviceID>` with 2 (choice); wrong credentials with 4 (kernel); who finds
//!   no room with 3 (choice). All else that is wrong ends in a bare close (kernel).
//! - **Tokens** are issued ([`Server::issue_token`]), expire and are revoked; all that a log-in presents must be good.
//!   `$SYS/uploadToken` replaces one, with its PUBACK. A token that has become invalid, and to publish or to subscribe
//!   without one that allows it, closes the connection, after `$SYS/tokenInvalidNotice` (documentation). Who logged in
//!   otherwise may upload a token without effect (choice). Other messages to `$SYS/…` are acknowledged and go nowhere.
//! - **A client id that connects twice** takes over ([`Takeover`]).
//! - **P2P**: what is published to `<parent>/p2p/<client id>` goes to that client, which need not subscribe
//!   (documentation), at the message's own QoS, further levels kept in the topic (kernel); to nobody else, not even to
//!   who subscribed to `#`; once, even if the target subscribed to it as well (choice). For an offline target it waits
//!   if it is of QoS 1 and its *sender* is connected with cleanSession=false (documentation), even if the target never
//!   connected (choice). A client that connects with cleanSession=true loses what waited (kernel).
//! - **Pub/sub**: one copy for each client, at the lower QoS of message and subscription (standard); who connected
//!   with cleanSession=false gets messages of QoS 1 later (documentation).
//! - **RETAIN and wills** are not supported (documentation) and ignored (choice). Nothing delivered has RETAIN or DUP
//!   (kernel), but for DUP in [standard sessions](SessionPresent::Standard).
//! - **Offline messages** come in batches and live ones may overtake them (documentation). They wait from the moment
//!   the emulator knows that the link is gone; the service takes 5 to 10 s for it (documentation), which is not
//!   imitated.
//! - **A client that does not acknowledge** gets messages again ([`RePush`]), and no more than [`Config::in_flight`]
//!   at a time; further ones wait (choice). One that does not read loses messages of QoS 0 first, and then its
//!   connection (choice).
//! - **Bare closes** (documentation or kernel): a first packet other than CONNECT or none within 10 s; malformed
//!   packets; a payload over 64 KB; a parent topic that is not configured; a topic over 64 characters; silence for
//!   one and a half times the keep alive; keep alive 0, after 10 s.
#![forbid(unsafe_code)]

mod account;
mod config;
mod faults;
mod heart;
mod quirks;
#[cfg(feature = "server")]
mod server;
mod token;

pub use account::{Account, SignMode};
pub use config::Config;
pub use faults::Faults;
pub use heart::{ClientCounters, CloseReason, ConnectionId, Counters, DropReason, Emulator, Event, Output};
pub use quirks::{
    BadClientId, OfflineBatch, Oversize, P2pOffline, Quirks, RePush, SessionPresent, Takeover,
    TokenInvalidNotice, TrailingSlash, Unsupported, WrongCredentials,
};
#[cfg(feature = "server")]
pub use server::{Identity, Server, ServerCertificate, ServerConfig};
pub use token::{InvalidToken, IssueError, IssuedToken, TokenUse};

/// What a program that starts an emulator tells its user first.
pub const BANNER: &str = "This is a development stand-in for ApsaraMQ for MQTT. It is not the service: it holds \
     everything in memory and forgets it when it ends. Do not use it in production.";
