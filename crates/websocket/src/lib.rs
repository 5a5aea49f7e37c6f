//! The client's end of a WebSocket that carries MQTT (RFC 6455, MQTT 3.1.1 §6), as a state machine over the caller's
//! buffers: for C programs, firmware and whoever else brings a transport of their own.
//!
//! Like the client of `mqtt-p2p-core` it does no IO, makes no random number and needs no heap; it never panics. It sits
//! between that client and the transport:
//!
//! 1. The transport is connected: [`open`](WebSocket::open) writes the request for the upgrade; send it.
//! 2. **Bytes come in**: append them to what the client has left, and let
//!    [`receive_in_place`](WebSocket::receive_in_place) make MQTT's bytes of them. All of them are read at once, so that
//!    the buffer never holds anything but MQTT. [`receive`](WebSocket::receive) does it without moving a byte.
//!    Once [`is_open`](WebSocket::is_open) says so, tell the client that its transport is open.
//! 3. **Packets go out**: [`transmit`](WebSocket::transmit) makes frames of what the client wants to transmit.
//! 4. Whenever [`wants_transmit`](WebSocket::wants_transmit) says so, call it without packets, too: there is a ping to
//!    answer, or the end to confirm.
//!
//! ```
//! use mqtt_p2p_websocket::{Received, Request, Transmitted, WebSocket};
//!
//! let mut socket = WebSocket::new([7; 16]); // in truth, from an entropy source
//! let mut out = [0; 256];
//! let len = socket.open(&Request::new("broker.example", "/mqtt"), &mut out)?;
//! assert!(out[..len].starts_with(b"GET /mqtt HTTP/1.1\r\nHost: broker.example\r\nUpgrade: websocket\r\n"));
//!
//! // The server's answer, and right behind it a frame with CONNACK.
//! let mut buffer = *b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
//!     Sec-WebSocket-Accept: WmD3fgkZ5TrMuVbxJw9aDP2gmlE=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n\x82\x04\x20\x02\x00\x00";
//! assert_eq!(socket.receive_in_place(&mut buffer), Received { len: 4, end: None });
//! assert_eq!(buffer[..4], [0x20, 2, 0, 0]);
//! assert!(socket.is_open());
//!
//! // Two packets, PINGREQ and DISCONNECT, are two messages: each has a header of 6 bytes.
//! let done = socket.transmit(&[0xc0, 0, 0xe0, 0], &mut out)?;
//! assert_eq!(done, Transmitted { taken: 4, written: 16 });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The caller's part
//!
//! - The seed of the mask keys comes from an entropy source, or is a secret of the device hashed with a number that never
//!   comes again: see [`WebSocket::new`].
//! - Nothing here has a clock. The client's own deadline covers the handshake, and its pings find a dead peer.
//! - After an [`End`], send what [`transmit`](WebSocket::transmit) still writes, without waiting for it, and close the
//!   transport. The bytes of MQTT that came before are good: pass them to the client first.
//! - Over TLS, that is between this and the transport; nothing here knows of it.
//!
//! # Why not another crate
//!
//! Of the small ones that need no heap, `ws-framer` 0.4 is sound, but wants a whole message in its buffer (a server may
//! put any number of packets into one), takes masked frames and does not look at `Upgrade`, `Connection`, subprotocol and
//! extensions; `embedded-websocket` 0.9 takes a handshake without `Sec-WebSocket-Accept` and panics at a long subprotocol;
//! `edge-ws` and `websocket-sans-io` read headers and leave all rules to their caller.
#![no_std]
#![forbid(unsafe_code)]
#![deny(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects
)]

mod error;
#[cfg(feature = "defmt")]
mod format;
mod frame;
mod handshake;
mod mask;
mod receive;
mod request;
mod websocket;

pub use error::{End, FrameError, HandshakeError, RequestError, TransmitError};
pub use request::Request;
pub use websocket::{Received, Transmitted, WebSocket};

#[doc(no_inline)]
pub use mqtt_p2p_packet::Protocol;
