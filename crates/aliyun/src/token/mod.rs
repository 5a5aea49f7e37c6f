//! Tokens: passwords made of tokens, renewal messages, notices, and the decision when to renew.

mod error;
mod invalid_reason;
mod kind;
mod kinds;
mod lifecycle;
mod notice;
mod notice_fields;
mod set;
mod upload;

pub use error::TokenError;
pub use invalid_reason::InvalidReason;
pub use kind::TokenKind;
pub use kinds::TokenKinds;
pub use lifecycle::{Advice, ExpiredToken, Margins, TokenLifecycle};
pub use notice::{EXPIRE_NOTICE_TOPIC, INVALID_NOTICE_TOPIC, NoticeError, TokenNotice};
pub use set::TokenSet;
pub use upload::{UPLOAD_TOPIC, UploadError, upload_len, write_upload};
