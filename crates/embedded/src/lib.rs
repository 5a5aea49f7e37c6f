#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![deny(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects
)]
// Who drives these futures decides whether they are Send: firmware's executors need not.
#![allow(async_fn_in_trait)]

mod address;
mod aliyun_login;
pub mod blocking;
mod clock;
mod dial;
mod driver;
#[cfg(feature = "flash")]
pub mod flash;
mod io;
mod line;
mod link;
mod login;
mod receive;
mod shared;
mod websocket;

pub use aliyun_login::{AliyunLogin, SignedLogin};
#[cfg(feature = "embassy-time")]
pub use clock::EmbassyTimer;
pub use clock::{Clock, Timer};
pub use dial::{Dial, Port, TcpDialer};
pub use driver::Driver;
pub use link::Link;
pub use login::LoginSource;
pub use shared::{NoReceiver, Receiver, Shared, Status, SubscribeError, UploadError, Watcher};

pub use mqtt_p2p_aliyun;
pub use mqtt_p2p_core;

pub use websocket::{WebSocketConnection, WebSocketDialer, WebSocketError};

#[doc(no_inline)]
pub use mqtt_p2p_aliyun::{PublishP2p, profile};
#[doc(no_inline)]
pub use mqtt_p2p_core::{
    Backoff, Client, Config, DisconnectReason, Error, Event, Inline, Instant, Login, Memory, Message,
    Publication, QoS, ReasonCode, Storage, SubscribeFilter, Ticket, TopicFilter, TopicName, TransportError,
    Will,
};
