//! MQTT 3.1 and 3.1.1 control packets: decode from and encode into byte slices.
//!
//! `no_std`, no heap, no `unsafe`, no panic path. What is decoded borrows from the input; what is encoded
//! goes into a slice of the caller's, whose exact length [`Packet::encoded_len`] tells beforehand. Decoding is
//! as strict as the [standard][OASIS]: whatever it calls malformed is a [`DecodeError`] that names the rule.
//!
//! ```
//! use mqtt_p2p_packet::{Decoded, Options, Packet, Publish, QoS, TopicName, decode};
//!
//! let publish = Publish::new(TopicName::new("site/p2p/GID_a@@@1")?, b"hello");
//! let mut buffer = [0; 64];
//! let len = Packet::Publish(publish).encode(&mut buffer)?;
//!
//! let Decoded::Packet { packet: Packet::Publish(read), len: used } = decode(&buffer[..len], &Options::default())?
//! else { panic!("one whole PUBLISH went in") };
//! assert_eq!((read.topic.as_str(), read.payload, read.qos(), used), ("site/p2p/GID_a@@@1", &b"hello"[..], QoS::AtMostOnce, len));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Bytes come in as the network cuts them; [`decode`] says how many more it needs:
//!
//! ```
//! use mqtt_p2p_packet::{Decoded, Options, decode};
//!
//! // A PUBLISH whose fixed header promises ten more bytes, of which three are here.
//! let Decoded::Incomplete { needed } = decode(&[0x30, 10, 0, 3, b'a'], &Options::default())? else { panic!() };
//! assert_eq!(needed, 7);
//! # Ok::<(), mqtt_p2p_packet::DecodeError>(())
//! ```
//!
//! Sections and statements in brackets (`[MQTT-3.3.1-2]`) are those of the OASIS standard MQTT 3.1.1.
//!
//! [OASIS]: https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html
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

mod ack;
mod connack;
mod connect;
mod constants;
mod error;
#[cfg(feature = "defmt")]
mod format;
mod frame;
mod packet;
mod packet_type;
mod publish;
mod read;
mod reason;
mod suback;
mod subscribe;
mod text;
mod topic;
mod types;
mod unsubscribe;
mod write;

pub use ack::Ack;
pub use connack::ConnAck;
pub use connect::{Connect, Will};
pub use constants::MAX_REMAINING_LENGTH;
pub use error::{DecodeError, EncodeError, TopicError};
pub use frame::{Frame, Framed, frame, packet_len};
pub use packet::{Decoded, Packet, decode};
pub use packet_type::PacketType;
pub use publish::{AckedQoS, Publish, PublishHead};
pub use reason::ReasonCode;
pub use suback::{ReturnCodes, SubAck};
pub use subscribe::{Filters, Subscribe, SubscribeFilter};
pub use text::is_text;
pub use topic::{TopicFilter, TopicName};
pub use types::{Options, PacketId, Protocol, QoS};
pub use unsubscribe::Unsubscribe;
