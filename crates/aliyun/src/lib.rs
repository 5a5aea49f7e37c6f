//! Alibaba Cloud's ApsaraMQ for MQTT: client ids, credentials, P2P topics, the life of tokens and the service's limits.
//!
//! `no_std`, no heap, no `unsafe`, no panic path. Nothing here does IO: it makes and checks the texts that go
//! into CONNECT and PUBLISH, and judges what the service does.
//!
//! ```
//! use mqtt_p2p_aliyun::{ClientId, Credentials, ConnectCredentials, P2pTopic};
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
//! A secret does not belong on a device. A server can compute the password with [`sign`] and hand it over for
//! [`Credentials::Precomputed`], or issue tokens for [`Credentials::Token`].
//!
//! Tokens expire: [`TokenLifecycle`] says when to get new ones and which may be sent, [`TokenNotice`] reads what the service
//! says about them, [`write_upload`] gives it a new one on a connection that lives.
//!
//! The service says little, so there is help with what it leaves out: `Diagnosis` suspects what it closed a connection
//! for, [`Deduplicator`] tells messages that it sends again, [`SubscriptionCount`] and [`topic_warning`] find what it
//! would ignore. Each is apart from the others and costs nothing where it is not used.
#![no_std]
#![forbid(unsafe_code)]
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
