//! Signatures: passwords computed from a secret and the client id.

use core::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::util::redacted::Redacted;

/// Computes the password of a client id from a secret.
///
/// The password is HMAC-SHA1 with the secret as key and the whole client id as message, in standard Base64 with padding
/// (ApsaraMQ docs: signature authentication). It is the same for every connection. A server can compute it once and
/// pass it to a device, which then never holds the secret: see
/// [`Credentials::Precomputed`](crate::Credentials::Precomputed).
///
/// ```
/// use mqtt_p2p_aliyun::sign;
///
/// assert_eq!(sign(b"XXXXX", "GID_Test@@@0001").as_bytes(), b"vI009IZJZVGRwBwZvnbwjfuXxVM=");
/// ```
pub fn sign(secret: &[u8], client_id: &str) -> Password {
    let mut password = Password([0; Password::LEN]);
    // Neither call fails: HMAC accepts keys of any length, and the buffer has the exact length of the Base64 text.
    if let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) {
        mac.update(client_id.as_bytes());
        let _ = STANDARD.encode_slice(mac.finalize().into_bytes(), &mut password.0);
    }
    password
}

/// Returns whether a password is the signature of a client id under a secret.
///
/// This is the server's counterpart of [`sign`]. The comparison runs in constant time.
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

/// A password computed by [`sign`]: 28 ASCII characters.
///
/// `Debug` does not show it, and its memory is wiped on drop.
#[derive(Clone)]
pub struct Password([u8; Self::LEN]);

impl Password {
    /// The length in bytes: 20 bytes in Base64 with padding.
    pub const LEN: usize = 28;

    /// Returns the password as bytes, as CONNECT carries it.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the password as text, for a server that passes it to a device.
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
