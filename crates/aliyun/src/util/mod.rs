//! Helpers shared by all modules. They know nothing of the service.

pub(crate) mod bytes;
pub(crate) mod redacted;
pub(crate) mod ring;
pub(crate) mod text;
