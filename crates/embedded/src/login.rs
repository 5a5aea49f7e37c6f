//! Where log-ins come from.

use mqtt_p2p_core::Login;

/// Who is asked for the log-in of every attempt to connect, before it dials: for what was given ready-made, that is a
/// [`Login`]; for what is computed on the device an [`AliyunLogin`](crate::AliyunLogin); and whoever fetches tokens from
/// a server implements it.
///
/// It has until the attempt's deadline ([`Config::connect_timeout_ms`](crate::Config::connect_timeout_ms), which covers
/// the dialling too); after that its future is dropped.
pub trait LoginSource {
    /// The log-in for this attempt, counted from 1 since the last stable connection. `None`: there is none to be had, and
    /// the attempt ends with [`TransportError::NoLogIn`](crate::TransportError::NoLogIn) before it dials.
    async fn login(&mut self, attempt: u32) -> Option<Login<'_>>;
}

/// The same for every attempt, such as a user name and a password that a server computed, so that the device never holds
/// the secret.
impl LoginSource for Login<'_> {
    async fn login(&mut self, _attempt: u32) -> Option<Login<'_>> {
        Some(*self)
    }
}

impl<L: LoginSource + ?Sized> LoginSource for &mut L {
    async fn login(&mut self, attempt: u32) -> Option<Login<'_>> {
        L::login(self, attempt).await
    }
}
