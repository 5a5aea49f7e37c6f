//! The password of signature authentication: Base64 of HMAC-SHA1 over the client id.

use core::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::util::redacted::Redacted;

/// Computes the password for a client id: the standard Base64, with padding, of HMAC-SHA1 with the secret as
/// key and the whole client id as message (ApsaraMQ docs: signature authentication).
///
/// The password is the same at every connect, so a server can compute it once and hand it to the device,
/// which then never holds the secret: see [`Credentials::Precomputed`](crate::Credentials::Precomputed).
///
/// ```
/// use mqtt_p2p_aliyun::sign;
///
/// assert_eq!(sign(b"XXXXX", "GID_Test@@@0001").as_bytes(), b"vI009IZJZVGRwBwZvnbwjfuXxVM=");
/// ```
pub fn sign(secret: &[u8], client_id: &str) -> Password {
    let mut password = Password([0; Password::LEN]);
    // HMAC takes a key of any length, and the buffer has the length of the code in Base64: neither fails.
    if let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) {
        mac.update(client_id.as_bytes());
        let _ = STANDARD.encode_slice(mac.finalize().into_bytes(), &mut password.0);
    }
    password
}

/// Whether a password is the signature of a client id, in a time that does not depend on where they differ.
/// It is the server's side of [`sign`].
///
/// ```
/// use mqtt_p2p_aliyun::verify_signature;
///
/// assert!(verify_signature(b"XXXXX", "GID_Test@@@0001", b"vI009IZJZVGRwBwZvnbwjfuXxVM="));
/// assert!(!verify_signature(b"XXXXX", "GID_Test@@@0002", b"vI009IZJZVGRwBwZvnbwjfuXxVM="));
/// ```
pub fn verify_signature(secret: &[u8], client_id: &str, password: &[u8]) -> bool {
    sign(secret, client_id).0.ct_eq(password).into()
}

/// A computed password of 28 ASCII characters. Debug hides it, and it is wiped when dropped.
#[derive(Clone)]
pub struct Password([u8; Self::LEN]);

impl Password {
    /// The length in bytes: what Base64 with padding makes of 20 bytes.
    pub const LEN: usize = 28;

    /// The password as bytes, as CONNECT carries it.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The password as text, for a server that hands it to a device.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Password").field(&Redacted).finish()
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for Password {}
