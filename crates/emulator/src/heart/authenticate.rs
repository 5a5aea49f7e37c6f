//! Whether a CONNECT is let in: its client id, its user name and its password.

use mqtt_p2p_aliyun::{ClientId, UserName, verify_signature};
use mqtt_p2p_packet::{Connect, ReasonCode};
use subtle::ConstantTimeEq;

use super::event::CloseReason;
use super::tokens::Grant;
use super::{ConnectionId, Emulator};
use crate::account::{Account, SignMode};
use crate::config::Config;
use crate::quirks::{BadClientId, WrongCredentials};

impl Emulator {
    /// Checks the client id's form first, then the credentials, as they need the client id. Only tokens limit what a
    /// client may do: without them there is `None`. What it receives without a subscription (P2P) is not limited.
    pub(super) fn authenticate(
        &mut self,
        id: ConnectionId,
        connect: &Connect<'_>,
    ) -> Result<Option<Vec<Grant>>, CloseReason> {
        let config = &self.config;
        let wrong = CloseReason::Refused(match config.quirks.wrong_credentials {
            WrongCredentials::BadUserNameOrPassword => ReasonCode::BadUserNameOrPassword,
            WrongCredentials::NotAuthorized => ReasonCode::NotAuthorized,
        });
        let user_name = connect.user_name.map(UserName::parse);
        let well_formed = match user_name {
            None => !connect.client_id.is_empty(),
            // With custom authentication the group rules are waived.
            Some(UserName::Other(_)) => ClientId::custom(connect.client_id).is_ok(),
            Some(_) => ClientId::parse(connect.client_id).is_ok_and(|client_id| {
                let group = client_id.group().unwrap_or_default();
                config.groups.as_ref().is_none_or(|groups| groups.contains(group))
            }),
        };
        let tolerated = config.quirks.bad_client_id == BadClientId::Accept && !connect.client_id.is_empty();
        if !well_formed && !tolerated {
            return Err(match config.quirks.bad_client_id {
                BadClientId::Close => CloseReason::BadClientId,
                BadClientId::Refuse | BadClientId::Accept => {
                    CloseReason::Refused(ReasonCode::ClientIdentifierNotValid)
                }
            });
        }
        let on_instance = |instance_id: &str| instance_id == config.instance_id;
        let password = connect.password.unwrap_or_default();
        let right = match user_name {
            None => config.allow_anonymous,
            Some(UserName::Signature { access_key_id, instance_id }) => {
                on_instance(instance_id) && signature(config, access_key_id, connect.client_id, password)
            }
            Some(UserName::DeviceCredential { device_access_key_id, instance_id }) => {
                on_instance(instance_id) && device(config, device_access_key_id, connect.client_id, password)
            }
            Some(UserName::Token { access_key_id, instance_id }) => {
                if !on_instance(instance_id) {
                    return Err(wrong);
                }
                let tokens = self.read_tokens(id, connect.client_id, access_key_id, password);
                return tokens.map(Some).ok_or(wrong);
            }
            Some(UserName::Other(user_name)) => custom(config, user_name, connect.client_id, password),
            // A mode that the aliyun crate knows and this emulator does not.
            Some(_) => false,
        };
        if right { Ok(None) } else { Err(wrong) }
    }
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
