//! What every wing shares: bytes, text, and what `Debug` shows of a secret. It knows nothing of the service.

pub(crate) mod bytes;
pub(crate) mod redacted;
pub(crate) mod ring;
pub(crate) mod text;
