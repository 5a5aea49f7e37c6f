//! Credentials of every authentication mode, and the user name and password of CONNECT that follow from them.

mod connect_credentials;
mod credentials;
mod error;
mod signature;
mod user_name;

pub use connect_credentials::ConnectCredentials;
pub use credentials::Credentials;
pub use error::{CredentialPart, CredentialsError};
pub use signature::{Password, sign, verify_signature};
pub use user_name::UserName;
