//! An MQTT 3.1 and 3.1.1 client as a state machine: events in, actions out.
//!
//! It does no IO, reads no clock, makes no random number, needs no heap and calls nobody. Whoever drives it (the
//! tokio client, a firmware's main loop, a C program, a test with a clock of its own) does three things:
//!
//! 1. **Say what happens.** Each event is a method: [`connect`](Client::connect), [`publish`](Client::publish),
//!    [`subscribe`](Client::subscribe), [`transport_opened`](Client::transport_opened), … None blocks.
//! 2. **Then drain.** Call [`poll`](Client::poll) with the time and the bytes that came in, and do what it says, again
//!    and again until it says [`Action::Wait`].
//! 3. **Sleep** until that moment, until bytes come, or until there is something to say.
//!
//! ```
//! use mqtt_p2p_core::{Action, Client, Config, Event, Inline, Instant, Login, Publication, QoS, TopicName};
//!
//! let mut client = Client::new(Config::new(), 42, Inline::<512>::new());
//! let now = Instant::from_millis(0);
//! client.connect(now);
//! // Accepted while there is no connection: it waits.
//! let topic = TopicName::new("site/p2p/GID_a@@@1")?;
//! let ticket = client.publish(&Publication::new(topic, b"hello").with_qos(QoS::AtLeastOnce))?;
//!
//! // The server's side of this example: CONNACK and PUBACK.
//! let mut input: &[u8] = &[0x20, 2, 0, 0, 0x40, 2, 0, 1];
//! let mut sent = 0;
//! loop {
//!     // A real driver passes what has come in; here the answers come after what they answer.
//!     let mut received = if sent == 0 { &[][..] } else { input };
//!     match client.poll(now, &mut received) {
//!         Action::OpenTransport { .. } => client.transport_opened(now, &Login::new("GID_a@@@0")),
//!         Action::Transmit(bytes) => {
//!             sent = bytes.len();
//!             client.transmitted(sent);
//!         }
//!         Action::Event(Event::Connected { .. }) => { input = &input[4..]; sent = 0 }
//!         Action::Event(Event::Published { ticket: done, .. }) => { assert_eq!(done, ticket); break }
//!         other => panic!("{other:?}"),
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The caller's part
//!
//! - The transport is the caller's: at most one at a time. Report its end once, after all bytes that came have gone
//!   through [`poll`](Client::poll); say nothing more of it after [`Action::CloseTransport`].
//! - Call [`transmitted`](Client::transmitted) before passing in bytes that came later than the write.
//! - What poll has not taken of `received` stays in the caller's buffer, in front of what comes next.
//! - TCP_NODELAY is on. On WebSocket, every message is one packet ([`packet_len`] tells where it ends).
//!
//! # Nothing accepted is lost
//!
//! Every request gets a [`Ticket`], and every ticket ends in exactly one event (but see [`Config::tell_qos_0`]). What
//! waits or is under way stays in the client's memory over any number of connections. Over a restart it is taken by
//! [`export_session`](Client::export_session), and over a crash by a [`SessionStore`]: with [`Config::keep_session`] every
//! change is an [`Action::Store`] that comes before the bytes that depend on it, and [`restore`](Client::restore) goes on
//! from there.
//!
//! # In firmware
//!
//! What [`Config`] does not ask for is not linked if it is a constant; with a [`FixedConfig`] it takes no memory either, and
//! every question that it answers is settled when the program is built.
#![no_std]
#![forbid(unsafe_code)]
#![deny(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects
)]
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]

#[cfg(feature = "alloc")]
extern crate alloc;

mod action;
mod backoff;
mod client;
mod config;
mod constants;
mod control;
mod copy;
mod disconnect;
mod error;
mod exactly_once;
#[cfg(feature = "defmt")]
mod format;
#[cfg(feature = "alloc")]
mod growing;
mod held;
mod inbound;
mod keep_alive;
mod login;
mod machine;
mod optional;
mod outbox;
mod pace;
mod parts;
mod passing;
mod poll;
mod receive;
mod session;
mod settings;
mod stats;
mod storage;
mod subscriptions;
mod ticket;
mod time;

pub use action::{AckToken, Action, DropReason, Event, Message};
pub use client::{Client, Publication};
pub use config::{Backoff, Config, Limits, Offline, Resubscribe};
pub use disconnect::{DisconnectReason, TransportError};
pub use error::{Error, Need};
#[cfg(feature = "alloc")]
pub use growing::Growing;
pub use held::HeldEvent;
pub use inbound::InboundId;
pub use login::Login;
pub use outbox::Request;
pub use session::{Change, Crc32, Key, RestoreError, SessionError, SessionStore};
pub use settings::{Chosen, FixedConfig, Settings};
pub use stats::Stats;
pub use storage::{Inline, Memory, Storage};
pub use ticket::Ticket;
pub use time::Instant;

#[doc(no_inline)]
pub use mqtt_p2p_packet::{
    DecodeError, EncodeError, Frame, Framed, PacketId, PacketType, Protocol, QoS, ReasonCode, ReturnCodes,
    SubscribeFilter, TopicError, TopicFilter, TopicName, Will, frame, is_text, packet_len,
};
