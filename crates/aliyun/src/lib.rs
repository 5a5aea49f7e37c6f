//! Support for Alibaba Cloud's ApsaraMQ for MQTT: client ids, credentials, tokens, P2P topics, limits and diagnosis.
//!
//! The crate is `no_std`, uses no heap and no `unsafe`, and has no panic path. It does no IO: it computes and
//! checks the texts of CONNECT and PUBLISH and interprets what the service does.
//!
//! ```
//! use mqtt_p2p_aliyun::{ClientId, ConnectCredentials, Credentials, P2pTopic};
//!
//! let client_id = ClientId::new("GID_Test", "0001")?;
//! let credentials = Credentials::Signature {
//!     access_key_id: "YYYYY",
//!     access_key_secret: "XXXXX",
//!     instance_id: "post-cn-example",
//! };
//! let login: ConnectCredentials = credentials.for_client(client_id.as_str())?;
//! assert_eq!(login.user_name(), "Signature|YYYYY|post-cn-example");
//! assert_eq!(login.password(), b"vI009IZJZVGRwBwZvnbwjfuXxVM=");
//!
//! let topic = P2pTopic::new("devices", client_id.as_str())?;
//! assert_eq!(topic.as_str(), "devices/p2p/GID_Test@@@0001");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Don't store a secret on a device that others have access to. Let a server compute the password with [`sign`]
//! and pass it to the device for [`Credentials::Precomputed`], or let the server issue tokens for
//! [`Credentials::Token`].
//!
//! Tokens expire. [`TokenLifecycle`] decides when to obtain new ones and which may be sent, [`TokenNotice`] parses the
//! service's notices about them, and [`write_upload`] writes the message that replaces a token on an open connection.
//!
//! The service rarely gives reasons. `Diagnosis` finds the likely cause of a disconnect, [`Deduplicator`] recognizes
//! repeated messages, and [`SubscriptionCount`] and [`topic_warning`] detect what the service would silently ignore.
//! These helpers are independent of each other, and unused ones add nothing to a program.
//!
//! Comments such as "ApsaraMQ docs: limits" name the page of the service's documentation that a rule comes from.
//!
//! # Features
//!
//! - `client` (default): `profile`, `PublishP2p` and `Diagnosis`, which depend on the client of `mqtt-p2p-core`.
//! - `defmt`: implements `defmt::Format` for the public types.
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::exhaustive_enums, clippy::exhaustive_structs)]
#![deny(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects
)]

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod diagnosis;
#[cfg(feature = "defmt")]
mod format;
mod identifiers;
pub mod limits;
mod login;
mod messaging;
mod token;
mod util;

#[cfg(feature = "client")]
pub use client::{PublishP2p, PublishP2pError, profile};
#[cfg(feature = "client")]
pub use diagnosis::{Cause, Diagnosis};
pub use identifiers::{
    ClientId, ClientIdError, P2p, P2pTopic, P2pTopicError, TopicWarning, parse_p2p, same_topic, topic_warning,
};
pub use login::{
    ConnectCredentials, CredentialPart, Credentials, CredentialsError, Password, UserName, sign,
    verify_signature,
};
pub use messaging::{Deduplicator, ORDER_PAYLOAD, ORDER_TOPIC, SubscriptionCount};
pub use token::{
    Advice, EXPIRE_NOTICE_TOPIC, ExpiredToken, INVALID_NOTICE_TOPIC, InvalidReason, Margins, NoticeError,
    TokenError, TokenKind, TokenKinds, TokenLifecycle, TokenNotice, TokenSet, UPLOAD_TOPIC, UploadError,
    upload_len, write_upload,
};
