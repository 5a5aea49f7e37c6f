//! Alibaba Cloud's ApsaraMQ for MQTT: client ids, credentials, P2P topics, the life of tokens and the service's limits.
//!
//! `no_std`, no heap, no `unsafe`, no panic path. Nothing here does IO: it makes and checks the texts that go
//! into CONNECT and PUBLISH, and judges what the service does.
//!
//! ```
//! use mqtt_p2p_aliyun::{ClientId, Credentials, LogIn, P2pTopic};
//!
//! let client_id = ClientId::new("GID_Test", "0001")?;
//! let credentials = Credentials::Signature {
//!     access_key_id: "YYYYY",
//!     access_key_secret: "XXXXX",
//!     instance_id: "post-cn-example",
//! };
//! let log_in: LogIn = credentials.log_in(client_id.as_str())?;
//! assert_eq!(log_in.user_name(), "Signature|YYYYY|post-cn-example");
//! assert_eq!(log_in.password(), b"vI009IZJZVGRwBwZvnbwjfuXxVM=");
//!
//! let topic = P2pTopic::new("devices", client_id.as_str())?;
//! assert_eq!(topic.as_str(), "devices/p2p/GID_Test@@@0001");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A secret does not belong on a device. A server can compute the password with [`sign`] and hand it over for
//! [`Credentials::Precomputed`], or issue tokens for [`Credentials::Token`].
//!
//! Tokens expire: [`TokenLife`] says when to get new ones and which may be sent, [`TokenNotice`] reads what the service
//! says about them, [`write_upload`] gives it a new one on a connection that lives.
//!
//! The service says little, so there is help with what it leaves out: `Evidence` suspects what it closed a connection
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

mod bytes;
mod client_id;
mod credentials;
mod credentials_error;
mod deduplicator;
#[cfg(feature = "client")]
mod evidence;
#[cfg(feature = "defmt")]
mod format;
mod hidden;
pub mod limits;
mod log_in;
mod p2p;
#[cfg(feature = "client")]
mod profile;
mod ring;
mod signature;
mod subscription_limits;
mod text;
mod token;
mod token_kinds;
mod token_life;
mod token_notice;
mod token_upload;
mod topic;
mod uplink_order;
mod user_name;

pub use client_id::{ClientId, ClientIdError};
pub use credentials::Credentials;
pub use credentials_error::{CredentialPart, CredentialsError};
pub use deduplicator::Deduplicator;
#[cfg(feature = "client")]
pub use evidence::{Evidence, Suspicion};
pub use log_in::{LogIn, SignedLogIn};
pub use p2p::{P2p, P2pTopic, P2pTopicError, parse_p2p};
#[cfg(feature = "client")]
pub use profile::{PublishP2p, PublishP2pError, profile};
pub use signature::{Password, sign, verify_signature};
pub use subscription_limits::SubscriptionCount;
pub use token::{TokenError, TokenKind, TokenSet};
pub use token_kinds::TokenKinds;
pub use token_life::{ExpiredToken, Margins, TokenLife, Verdict};
pub use token_notice::{EXPIRE_NOTICE_TOPIC, INVALID_NOTICE_TOPIC, InvalidReason, NoticeError, TokenNotice};
pub use token_upload::{UPLOAD_TOPIC, UploadError, upload_len, write_upload};
pub use topic::{TopicWarning, same_topic, topic_warning};
pub use uplink_order::{ORDER_PAYLOAD, ORDER_TOPIC};
pub use user_name::UserName;
