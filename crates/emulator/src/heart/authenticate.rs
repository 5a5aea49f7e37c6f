//! Whether a CONNECT is let in: its client id, its user name and its password.

use mqtt_p2p_aliyun::{ClientId, TokenKind, TokenSet, UserName, verify_signature};
use mqtt_p2p_packet::{Connect, ReasonCode};
use subtle::ConstantTimeEq;

use crate::account::{Account, SignMode};
use crate::config::Config;
use crate::quirks::WrongCredentials;

/// What a client may do. Only tokens limit it; what it receives without a subscription (P2P) is not limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) publish: bool,
    pub(super) subscribe: bool,
}

impl Rights {
    const ALL: Self = Self { publish: true, subscribe: true };
}

/// Checks the client id's form first, then the credentials, as they need the client id.
pub(super) fn authenticate(config: &Config, connect: &Connect<'_>) -> Result<Rights, ReasonCode> {
    let wrong = match config.quirks.wrong_credentials {
        WrongCredentials::BadUserNameOrPassword => ReasonCode::BadUserNameOrPassword,
        WrongCredentials::NotAuthorized => ReasonCode::NotAuthorized,
    };
    let user_name = connect.user_name.map(UserName::parse);
    let well_formed = match user_name {
        None => !connect.client_id.is_empty(),
        // With custom authentication the group rules are waived.
        Some(UserName::Other(_)) => ClientId::custom(connect.client_id).is_ok(),
        Some(_) => ClientId::parse(connect.client_id).is_ok(),
    };
    if !well_formed {
        return Err(ReasonCode::ClientIdentifierNotValid);
    }
    let on_instance = |instance_id: &str| instance_id == config.instance_id;
    let password = connect.password.unwrap_or_default();
    match user_name {
        None => config.allow_anonymous.then_some(Rights::ALL),
        Some(UserName::Signature { access_key_id, instance_id }) => {
            allow(on_instance(instance_id) && signature(config, access_key_id, connect.client_id, password))
        }
        Some(UserName::DeviceCredential { device_access_key_id, instance_id }) => allow(
            on_instance(instance_id) && device(config, device_access_key_id, connect.client_id, password),
        ),
        Some(UserName::Token { access_key_id, instance_id }) => {
            on_instance(instance_id).then(|| tokens(config, access_key_id, password)).flatten()
        }
        Some(UserName::Other(user_name)) => allow(custom(config, user_name, connect.client_id, password)),
        // A mode that the aliyun crate knows and this emulator does not.
        Some(_) => None,
    }
    .ok_or(wrong)
}

fn allow(right: bool) -> Option<Rights> {
    right.then_some(Rights::ALL)
}

fn signature(config: &Config, access_key_id: &str, client_id: &str, password: &[u8]) -> bool {
    config.accounts.iter().any(|account| match account {
        Account::AccessKey { id, secret } => {
            id == access_key_id && verify_signature(secret.as_bytes(), client_id, password)
        }
        _ => false,
    })
}

fn device(config: &Config, key_id: &str, client_id: &str, password: &[u8]) -> bool {
    config.accounts.iter().any(|account| match account {
        Account::Device { client_id: registered, id, secret } => {
            id == key_id
                && registered == client_id
                && verify_signature(secret.as_bytes(), client_id, password)
        }
        _ => false,
    })
}

fn custom(config: &Config, name: &str, client_id: &str, password: &[u8]) -> bool {
    config.accounts.iter().any(|account| match account {
        Account::Custom { user_name, secret, sign_mode, client_id: bound_to } => {
            user_name == name
                && bound_to.as_ref().is_none_or(|bound_to| bound_to == client_id)
                && match sign_mode {
                    SignMode::Origin => secret.as_bytes().ct_eq(password).into(),
                    SignMode::Signed => verify_signature(secret.as_bytes(), client_id, password),
                }
        }
        _ => false,
    })
}

/// All tokens must be good: one bad one spoils the connection (documentation: token authentication).
fn tokens(config: &Config, access_key: &str, password: &[u8]) -> Option<Rights> {
    let set = TokenSet::parse(std::str::from_utf8(password).ok()?).ok()?;
    let issued = |kind: TokenKind, token: &str| {
        config.accounts.iter().any(|account| match account {
            Account::Token { access_key_id, kind: issued_kind, token: issued } => {
                access_key_id == access_key
                    && *issued_kind == kind
                    && bool::from(issued.as_bytes().ct_eq(token.as_bytes()))
            }
            _ => false,
        })
    };
    let has = |kind| set.get(kind).is_some();
    set.iter().all(|(kind, token)| issued(kind, token)).then(|| Rights {
        publish: has(TokenKind::W) || has(TokenKind::RW),
        subscribe: has(TokenKind::R) || has(TokenKind::RW),
    })
}
