//! What the firmware logs in with.

use firmware_scenario::Settings;
use mqtt_p2p_embedded::mqtt_p2p_aliyun::Credentials;
use mqtt_p2p_embedded::{Login, LoginSource, SignedLogin};

use crate::report::{Outcome, finish};

/// A signature that is computed here (HMAC-SHA1), or a client id alone where the server knows no accounts.
#[derive(Debug)]
pub enum LogIns<'a> {
    Signed(SignedLogin<'a>),
    Plain(Login<'a>),
}

impl<'a> LogIns<'a> {
    /// As the settings ask for. Credentials that can't be end the firmware.
    pub fn new(settings: &Settings<'a>) -> Self {
        if settings.plain {
            return Self::Plain(Login::new(settings.client_id));
        }
        let credentials = Credentials::Signature {
            access_key_id: settings.access_key,
            access_key_secret: settings.secret,
            instance_id: settings.instance,
        };
        match SignedLogin::new(settings.client_id, credentials) {
            Ok(signed) => Self::Signed(signed),
            Err(error) => finish(Outcome::Unusable(&error)),
        }
    }
}

impl LoginSource for LogIns<'_> {
    async fn login(&mut self, attempt: u32) -> Option<Login<'_>> {
        match self {
            Self::Signed(signed) => signed.login(attempt).await,
            Self::Plain(login) => login.login(attempt).await,
        }
    }
}
