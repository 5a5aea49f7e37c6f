//! MQTT over WebSocket (RFC 6455; MQTT 3.1.1, 6), the client's side: handshake and framing, without IO and without a heap.
//! TLS is somebody else's.
//!
//! A [`WebSocket`] stands between a byte stream and a client that is driven by bytes, such as that of `mqtt-p2p-core`:
//!
//! 1. Send [`request`](WebSocket::request), and read until [`answer`](WebSocket::answer) is true.
//! 2. What comes in goes through [`unwrap`](WebSocket::unwrap), in place: what is left is MQTT.
//! 3. What is to go out goes through [`wrap`](WebSocket::wrap), which also puts in what the protocol itself has to say.
//! 4. When [`end`](WebSocket::end) says so, the connection is over.
//!
//! ```
//! use mqtt_p2p_websocket::WebSocket;
//!
//! let mut socket = WebSocket::new([7; 16]); // 16 random bytes
//! let mut buffer = [0; 256];
//! let len = socket.request("broker.example:8083", "/mqtt", &mut buffer)?;
//! assert!(buffer[..len].starts_with(b"GET /mqtt HTTP/1.1\r\nHost: broker.example:8083\r\n"));
//! // … the server's answer goes to `answer`. From then on:
//!
//! // A frame of two bytes, as it comes in, becomes the PINGRESP that it carries.
//! let mut received = [0x82, 2, 0xd0, 0];
//! assert_eq!(socket.unwrap(&mut received), 2);
//! assert_eq!(received[..2], [0xd0, 0]);
//!
//! // A PINGREQ, as it goes out: two bytes of header, four of mask, two of payload.
//! let mut packets: &[u8] = &[0xc0, 0];
//! assert_eq!(socket.wrap(&mut packets, &mut buffer), 8);
//! assert_eq!((buffer[0], buffer[1], packets.len()), (0x82, 0x82, 0));
//! # Ok::<(), mqtt_p2p_websocket::RequestError>(())
//! ```
//!
//! # Why not a library
//!
//! Two that need no heap were looked at. `embedded-websocket` 0.9 takes masked frames from a server, reserved bits, long
//! and fragmented control frames and lengths of more than 63 bits for good, and a text where the rest of a binary message
//! is due; of handshakes with some bytes changed it accepted one in fifty. `ws-framer` 0.4 needs room for a whole frame
//! and drops what does not fit, so bytes in the middle of the MQTT stream go missing.
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
mod handshake;
mod incoming;
mod masks;
mod outgoing;
mod socket;

pub use error::{AnswerError, End, FrameError, RequestError};
pub use socket::WebSocket;
