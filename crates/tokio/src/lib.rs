//! An async MQTT client on tokio: publish, subscribe, and ApsaraMQ's P2P messages, over TCP, TLS,
//! WebSocket, both together, or streams of the caller's.
//!
//! ```no_run
//! use mqtt_p2p_tokio::{Client, ClientId, Credentials, Endpoint, Options, QoS};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client_id = ClientId::new("GID_demo", "alice")?;
//! let credentials = Credentials::Signature {
//!     access_key_id: "AK",
//!     access_key_secret: &std::env::var("MQTT_P2P_SECRET_KEY")?,
//!     instance_id: "post-cn-demo",
//! };
//! let endpoint: Endpoint = "ws://post-cn-demo.mqtt.aliyuncs.com".parse()?;
//! let (client, mut messages) = Client::connect(Options::aliyun(endpoint, &client_id, &credentials)?).await?;
//!
//! client.send_p2p("parent", "GID_demo@@@bob", "hello", QoS::AtLeastOnce).await?.await?;
//! while let Some(message) = messages.recv().await {
//!     println!("{}: {} bytes", message.topic(), message.payload().len());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # How it behaves
//!
//! - A [`Client`] is a handle; clones share one connection, kept by one task. It reconnects by itself, asks for its
//!   subscriptions again, and sends again what was under way. The state machine is that of [`mqtt_p2p_core`].
//! - [`Client::publish`] returns when the message is *accepted*: it is kept until it is through, over any number of
//!   connections. What it returns is a future of its own, [`Delivery`], for who wants to know when that is.
//! - Every future may be dropped at any await point: either nothing was accepted, or all of it was.
//! - Messages go to every stream that asked for them ([`Client::messages`], [`Client::messages_matching`]) through a
//!   bounded queue. A stream that is full stops the reading from the socket until there is room: nothing is dropped.
//!   So drop the streams that you do not read.
//! - Names are resolved anew at every attempt; TCP_NODELAY is on.
//! - With `mqtts://` and `wss://` the server's certificate is always checked, unless [`Tls`] says otherwise in so many
//!   words. [`Options`] also names proxies, WebSocket headers, and endpoints to go to when the first one fails.
//! - Log-ins are fixed, or asked for before every attempt ([`Options::login_with`]), or made of ApsaraMQ's tokens, which a
//!   [`TokenSource`] gives and the client renews in time, without a reconnect ([`Options::aliyun_tokens`]).
//! - With a [`FileStore`] the session outlives the program, however that ends ([`Options::session_store`]).
//! - [`ConnectionEvent`]s say what happened to the connection, its likely cause, and what to do about it.
//! - [`probe`] tells how far an attempt to connect gets, step by step.
//!
//! # Testing a program
//!
//! `mqtt-p2p-emulator`, a development dependency, stands in for ApsaraMQ in the test's own process. Three lines, and
//! a client is connected:
//!
//! ```
//! use mqtt_p2p_emulator::Server;
//! use mqtt_p2p_tokio::{Client, ClientId, Options, QoS};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::demo().await?;
//! let options = |id: &ClientId| Options::aliyun(server.url().parse().unwrap(), id, &server.credentials());
//! let (client, mut messages) = Client::connect(options(&server.client_id("alice").parse()?)?).await?;
//!
//! client.send_p2p(server.parent_topic(), "GID_demo@@@alice", "hello, me", QoS::AtLeastOnce).await?.await?;
//! assert_eq!(messages.recv().await.unwrap().payload_str()?, "hello, me");
//! assert_eq!(server.client_counters("GID_demo@@@alice").published, 1);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod alone;
mod attempts;
mod client;
mod dial;
mod driver;
mod endpoint;
mod error;
mod event;
mod file_store;
mod handlers;
mod identity;
mod journal;
mod keeper;
mod log_ins;
mod message;
mod meter;
mod news;
mod options;
mod probe;
mod proxy;
mod route;
mod scratch;
mod shared;
mod stats;
mod step;
mod streams;
mod tickets;
mod tls;
mod tokens;
mod trace;
mod websocket;

pub use client::Client;
pub use endpoint::{Endpoint, EndpointError, Transport};
pub use error::{AcknowledgeError, ConnectError, PublishError, SubscribeError};
pub use event::{Cause, ConnectionEvent, Events};
pub use file_store::{FileStore, StoreError};
pub use handlers::Handler;
pub use message::Message;
pub use options::{HeaderError, Login, Options};
pub use probe::probe;
pub use proxy::{Proxy, ProxyError};
pub use route::Connector;
pub use stats::Stats;
pub use step::{Step, StepReport};
pub use streams::{Messages, StreamBuilder, WhenFull};
pub use tickets::Delivery;
pub use tls::{Tls, TlsError};
pub use tokens::{Token, TokenRequest, TokenSource};
/// The TLS library, for [`Tls::with_config`].
#[doc(no_inline)]
pub use tokio_rustls::rustls;
pub use trace::{Direction, TraceEntry};

#[doc(no_inline)]
pub use mqtt_p2p_aliyun::{
    ClientId, Credentials, Deduplicator, InvalidReason, Margins, P2p, P2pTopic, SubscriptionCount, TokenKind,
    TokenKinds, parse_p2p,
};
#[doc(no_inline)]
pub use mqtt_p2p_core::{
    Backoff, Config, DisconnectReason, Error, Key, Offline, PacketType, Protocol, QoS, ReasonCode,
    Resubscribe, SessionStore, TopicError, TopicFilter, TopicName, TransportError,
};

/// The README's first program compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
