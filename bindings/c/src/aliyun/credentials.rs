//! Log-ins: what CONNECT says, of what the client proves itself with.

use mqtt_p2p_aliyun::{
    Credentials, CredentialsError, Password, TokenError, TokenKind, TokenSet, UserName, sign,
    verify_signature,
};

use crate::connection::mqttp2p_login_t;
use crate::handle::guarded;
use crate::status::{
    DONE, MQTTP2P_E_BUFFER_TOO_SMALL, MQTTP2P_E_CREDENTIALS_CHARACTER, MQTTP2P_E_CREDENTIALS_MISSING,
    MQTTP2P_E_INVALID_ARGUMENT, MQTTP2P_E_NULL, MQTTP2P_E_TOKEN, MQTTP2P_E_TOO_LARGE, MQTTP2P_E_UNKNOWN,
    Status, mqttp2p_status_t,
};
use crate::types::{Sized32, give, mqttp2p_bytes_t, room};

/// The account's key signs the client id: `access_key_id`, `secret`, `instance_id` (ApsaraMQ docs: signature
/// authentication). Not for devices that others can open.
pub const MQTTP2P_ALIYUN_SIGNATURE: u32 = 1;
/// Tokens that a server of the user's applied for: `access_key_id`, `instance_id` and at least one of `token_r`,
/// `token_w`, `token_rw` (ApsaraMQ docs: token authentication).
pub const MQTTP2P_ALIYUN_TOKEN: u32 = 2;
/// The device's own key signs the client id: `access_key_id`, `secret`, which both begin with `DC.`, and `instance_id`
/// (ApsaraMQ docs: unique certificate per device).
pub const MQTTP2P_ALIYUN_DEVICE_CREDENTIAL: u32 = 3;
/// A registered secret signs the client id: `user_name`, `secret` (ApsaraMQ docs: custom authentication, `SIGNED`).
pub const MQTTP2P_ALIYUN_CUSTOM_SIGNED: u32 = 4;
/// A registered secret is the password: `user_name`, `secret` (ApsaraMQ docs: custom authentication, `ORIGIN`).
pub const MQTTP2P_ALIYUN_CUSTOM_ORIGIN: u32 = 5;
/// A server computed the password, by `mqttp2p_aliyun_sign`, so that the device never holds the secret: `access_key_id`,
/// `instance_id`, and the password as `secret`.
pub const MQTTP2P_ALIYUN_PRECOMPUTED: u32 = 6;

/// How long a signature is, in bytes.
pub const MQTTP2P_ALIYUN_SIGNATURE_LEN: usize = 28;
const _: () = assert!(MQTTP2P_ALIYUN_SIGNATURE_LEN == Password::LEN);

/// What a client proves itself with. Begin with `MQTTP2P_CREDENTIALS_INIT`, set `mode` and what it names.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct mqttp2p_credentials_t {
    /// The size of this struct, as the INIT macro sets it.
    pub struct_size: u32,
    /// `MQTTP2P_ALIYUN_SIGNATURE` or another of the modes.
    pub mode: u32,
    /// Id of the account's access key, or of the device's.
    pub access_key_id: mqttp2p_bytes_t,
    /// The key's secret, a registered secret, or a password.
    pub secret: mqttp2p_bytes_t,
    /// The instance: the first label of its endpoint's name.
    pub instance_id: mqttp2p_bytes_t,
    /// The user name of custom authentication.
    pub user_name: mqttp2p_bytes_t,
    /// A token to receive.
    pub token_r: mqttp2p_bytes_t,
    /// A token to publish.
    pub token_w: mqttp2p_bytes_t,
    /// A token to publish and to receive.
    pub token_rw: mqttp2p_bytes_t,
}

// SAFETY: numbers and pointers only, and the size comes first.
unsafe impl Sized32 for mqttp2p_credentials_t {
    const DEFAULT: Self = {
        const NONE: mqttp2p_bytes_t = mqttp2p_bytes_t::NONE;
        Self {
            struct_size: size_of::<Self>() as u32,
            mode: 0,
            access_key_id: NONE,
            secret: NONE,
            instance_id: NONE,
            user_name: NONE,
            token_r: NONE,
            token_w: NONE,
            token_rw: NONE,
        }
    };
}

impl mqttp2p_credentials_t {
    /// # Safety
    /// The byte ranges may be read for as long as `'a`.
    unsafe fn get<'a>(&self) -> Result<Credentials<'a>, Status> {
        // SAFETY: the caller's promise.
        unsafe {
            Ok(match self.mode {
                MQTTP2P_ALIYUN_SIGNATURE => Credentials::Signature {
                    access_key_id: self.access_key_id.text()?,
                    access_key_secret: self.secret.text()?,
                    instance_id: self.instance_id.text()?,
                },
                MQTTP2P_ALIYUN_TOKEN => Credentials::Token {
                    access_key_id: self.access_key_id.text()?,
                    instance_id: self.instance_id.text()?,
                    tokens: self.tokens()?,
                },
                MQTTP2P_ALIYUN_DEVICE_CREDENTIAL => Credentials::DeviceCredential {
                    device_access_key_id: self.access_key_id.text()?,
                    device_access_key_secret: self.secret.text()?,
                    instance_id: self.instance_id.text()?,
                },
                MQTTP2P_ALIYUN_CUSTOM_SIGNED => Credentials::CustomSigned {
                    user_name: self.user_name.text()?,
                    secret: self.secret.text()?,
                },
                MQTTP2P_ALIYUN_CUSTOM_ORIGIN => Credentials::CustomOrigin {
                    user_name: self.user_name.text()?,
                    secret: self.secret.text()?,
                },
                MQTTP2P_ALIYUN_PRECOMPUTED => Credentials::Precomputed {
                    user_name: UserName::Signature {
                        access_key_id: self.access_key_id.text()?,
                        instance_id: self.instance_id.text()?,
                    },
                    password: self.secret.get()?,
                },
                _ => return Err(Status(MQTTP2P_E_INVALID_ARGUMENT)),
            })
        }
    }

    /// # Safety
    /// As for [`Self::get`].
    unsafe fn tokens<'a>(&self) -> Result<TokenSet<'a>, Status> {
        let given =
            [(TokenKind::R, self.token_r), (TokenKind::W, self.token_w), (TokenKind::RW, self.token_rw)];
        let mut tokens: Option<TokenSet<'a>> = None;
        for (kind, token) in given.into_iter().filter(|(_, token)| !token.ptr.is_null()) {
            // SAFETY: the caller's promise.
            let token = unsafe { token.text() }?;
            let with = match tokens {
                Some(tokens) => tokens.with(kind, token),
                None => TokenSet::new(kind, token),
            };
            tokens = Some(with.map_err(|error: TokenError| token_status(&error))?);
        }
        tokens.ok_or(Status(MQTTP2P_E_CREDENTIALS_MISSING))
    }
}

pub(crate) const fn token_status(error: &TokenError) -> Status {
    Status(match error {
        TokenError::NoToken | TokenError::Empty(_) => MQTTP2P_E_CREDENTIALS_MISSING,
        _ => MQTTP2P_E_TOKEN,
    })
}

const fn status(error: &CredentialsError) -> Status {
    Status(match error {
        CredentialsError::Empty(_) => MQTTP2P_E_CREDENTIALS_MISSING,
        CredentialsError::InvalidCharacter(_) => MQTTP2P_E_CREDENTIALS_CHARACTER,
        CredentialsError::TooLong { .. } => MQTTP2P_E_TOO_LARGE,
        CredentialsError::BufferTooSmall { .. } => MQTTP2P_E_BUFFER_TOO_SMALL,
        _ => MQTTP2P_E_UNKNOWN,
    })
}

/// Makes the log-in of a client id: writes user name and password to `buffer`, and lets `login` point to them and to
/// `client_id`. `length` is told how many bytes of the buffer they take, or would: with signatures, 160 do; tokens are of
/// any length. The buffer must stay as it is until `mqttp2p_transport_opened`, and should be wiped by the caller then.
/// Any thread.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_CREDENTIALS_MISSING; MQTTP2P_E_CREDENTIALS_CHARACTER; MQTTP2P_E_TOKEN;
/// MQTTP2P_E_TOO_LARGE; MQTTP2P_E_BUFFER_TOO_SMALL; MQTTP2P_E_TEXT; MQTTP2P_E_INVALID_ARGUMENT for the mode;
/// MQTTP2P_E_NULL. With an error `login` is as it was.
///
/// # Safety
/// `credentials` is NULL or may be read, and what it points to; `client_id` may be read; `buffer` may be written to,
/// `buffer_len` bytes; `length` and `login` are NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_aliyun_log_in(
    credentials: *const mqttp2p_credentials_t,
    client_id: mqttp2p_bytes_t,
    buffer: *mut u8,
    buffer_len: usize,
    length: *mut usize,
    login: *mut mqttp2p_login_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    guarded(|| unsafe {
        let credentials = mqttp2p_credentials_t::read(credentials)?.get()?;
        if login.is_null() {
            return Err(Status(MQTTP2P_E_NULL));
        }
        credentials.check().map_err(|error| status(&error))?;
        let id = client_id.text()?;
        let user_name_len = credentials.user_name_len();
        give(length, user_name_len.saturating_add(credentials.password_len()));
        let place = room(buffer, buffer_len)?;
        let (user_name, password) =
            place.split_at_mut_checked(user_name_len).ok_or(Status(MQTTP2P_E_BUFFER_TOO_SMALL))?;
        credentials.write_user_name(user_name).map_err(|error| status(&error))?;
        let written = credentials.write_password(id, password).map_err(|error| status(&error))?;
        let made = mqttp2p_login_t {
            client_id,
            user_name: mqttp2p_bytes_t::of(user_name),
            password: mqttp2p_bytes_t { ptr: password.as_ptr(), len: written },
            ..mqttp2p_login_t::DEFAULT
        };
        give(login, made);
        DONE
    })
}

/// Computes the password for a client id: the Base64 of HMAC-SHA1 with `secret` as key and the whole client id as message
/// (ApsaraMQ docs: signature authentication). For a server that hands it to devices. `signature` takes
/// `MQTTP2P_ALIYUN_SIGNATURE_LEN` bytes, without a NUL. Any thread.
///
/// Returns MQTTP2P_OK; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
///
/// # Safety
/// `secret` and `client_id` may be read; `signature` is NULL or may be written to, `MQTTP2P_ALIYUN_SIGNATURE_LEN` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_aliyun_sign(
    secret: mqttp2p_bytes_t,
    client_id: mqttp2p_bytes_t,
    signature: *mut u8,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    guarded(|| unsafe {
        let password = sign(secret.get()?, client_id.text()?);
        room(signature, MQTTP2P_ALIYUN_SIGNATURE_LEN)?.copy_from_slice(password.as_bytes());
        DONE
    })
}

/// Whether a password is the signature of a client id, in a time that does not depend on where they differ. Any thread.
///
/// Returns 1 or 0; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
///
/// # Safety
/// `secret`, `client_id` and `password` may be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqttp2p_aliyun_verify_signature(
    secret: mqttp2p_bytes_t,
    client_id: mqttp2p_bytes_t,
    password: mqttp2p_bytes_t,
) -> mqttp2p_status_t {
    // SAFETY: the caller's promise.
    guarded(|| unsafe { Ok(verify_signature(secret.get()?, client_id.text()?, password.get()?).into()) })
}
