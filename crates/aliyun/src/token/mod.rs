//! Tokens: their text, the messages about them, and when to get new ones.

mod kinds;
mod lifecycle;
mod notice;
mod set;
mod upload;

pub use kinds::TokenKinds;
pub use lifecycle::{ExpiredToken, Margins, TokenLife, Verdict};
pub use notice::{EXPIRE_NOTICE_TOPIC, INVALID_NOTICE_TOPIC, InvalidReason, NoticeError, TokenNotice};
pub use set::{TokenError, TokenKind, TokenSet};
pub use upload::{UPLOAD_TOPIC, UploadError, upload_len, write_upload};
