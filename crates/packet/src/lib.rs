//! Decodes and encodes MQTT 3.1 and 3.1.1 control packets.
//!
//! The crate is `no_std` and has no heap allocation, no `unsafe` code and no panic path. Decoded packets borrow from the
//! input. Packets are encoded into a slice of the caller's, and [`Packet::encoded_len`] returns the exact length in advance.
//! Decoding is as strict as the [standard][OASIS]: every violation is a [`DecodeError`] that names it.
//!
//! ```
//! use mqtt_p2p_packet::{Decoded, Options, Packet, Publish, QoS, TopicName, decode};
//!
//! let publish = Publish::new(TopicName::new("site/p2p/GID_a@@@1")?, b"hello");
//! let mut buffer = [0; 64];
//! let len = Packet::Publish(publish).encode(&mut buffer)?;
//!
//! let Decoded::Packet { packet: Packet::Publish(decoded), len: decoded_len } = decode(&buffer[..len], &Options::default())?
//! else { panic!("the packet is complete") };
//! assert_eq!((decoded.topic.as_str(), decoded.payload, decoded.qos(), decoded_len), ("site/p2p/GID_a@@@1", &b"hello"[..], QoS::AtMostOnce, len));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! If the packet is incomplete, [`decode`] returns how many bytes are missing:
//!
//! ```
//! use mqtt_p2p_packet::{Decoded, Options, decode};
//!
//! // The fixed header of this PUBLISH announces ten bytes, of which three have arrived.
//! let Decoded::Incomplete { needed } = decode(&[0x30, 10, 0, 3, b'a'], &Options::default())? else { panic!("the packet is incomplete") };
//! assert_eq!(needed, 7);
//! # Ok::<(), mqtt_p2p_packet::DecodeError>(())
//! ```
//!
//! Section numbers (§3.3) and statement numbers (`[MQTT-3.3.1-2]`) refer to the OASIS standard MQTT 3.1.1.
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
