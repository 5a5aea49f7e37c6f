//! Who logs in, and how: arguments, environment and profile put together.

use mqtt_p2p_aliyun::{ClientId, Credentials, TokenKind, TokenSet};
use mqtt_p2p_tokio::{Endpoint, Options};

use crate::args::{Identity, Mode};
use crate::failure::{Failure, Thing};
use crate::profile::Profile;
use crate::secret::{Secret, SecretKind};

/// What stands between a token's type and the token.
const BAR: char = '|';

/// A log-in with all its parts.
pub(crate) enum LogIn {
    /// At any broker, without a user name.
    Anonymous,
    /// At any broker.
    Password { user_name: String, password: Option<Secret> },
    /// At ApsaraMQ.
    Service(ServiceLogIn),
}

/// A log-in at ApsaraMQ. Which fields a mode uses is in [`ServiceLogIn::credentials`].
pub(crate) struct ServiceLogIn {
    mode: Mode,
    /// The access key id, or the user name of custom authentication.
    name: String,
    instance: String,
    secret: Secret,
}

/// A choice of the mode, where the user made none.
pub(crate) fn mode(identity: &Identity, profile: &Profile, otherwise: Mode) -> Mode {
    if let Some(mode) = identity.auth.or(profile.auth) {
        return mode;
    }
    if identity.user_name.is_some() {
        return Mode::Password;
    }
    let has_token =
        identity.secret.token_file.is_some() || std::env::var_os(SecretKind::Token.variable()).is_some();
    match identity.access_key.as_deref().or(profile.access_key.as_deref()) {
        Some(id) if id.starts_with("DC.") => Mode::Device,
        Some(_) if has_token || profile.secret(SecretKind::Token).is_some() => Mode::Token,
        Some(_) => Mode::Signature,
        None if profile.user_name.is_some() => Mode::Password,
        None => otherwise,
    }
}

impl LogIn {
    /// Puts a log-in together. `password` is that of the command line, which wins.
    pub(crate) fn new(
        mode: Mode,
        identity: &Identity,
        profile: &Profile,
        password: Option<Secret>,
    ) -> Result<Self, Failure> {
        let secret = |kind| identity.secret.need(kind, profile);
        let access_key = || need(&identity.access_key, &profile.access_key, Thing::AccessKey);
        let instance = || need(&identity.instance, &profile.instance, Thing::Instance);
        let user_name = || need(&identity.user_name, &profile.user_name, Thing::UserName);
        let (name, instance, kind) = match mode {
            Mode::None => return Ok(Self::Anonymous),
            Mode::Password => {
                let password = match password {
                    None => identity.secret.find(SecretKind::Password, profile)?,
                    password => password,
                };
                return Ok(Self::Password { user_name: user_name()?, password });
            }
            Mode::Signature | Mode::Device => (access_key()?, instance()?, SecretKind::SecretKey),
            Mode::Token => (access_key()?, instance()?, SecretKind::Token),
            Mode::Signed | Mode::Origin => (user_name()?, String::new(), SecretKind::SecretKey),
        };
        Ok(Self::Service(ServiceLogIn { mode, name, instance, secret: secret(kind)? }))
    }

    /// Whether the server is ApsaraMQ.
    pub(crate) const fn is_service(&self) -> bool {
        matches!(self, Self::Service(_))
    }

    /// What a client is made from.
    pub(crate) fn options(&self, endpoint: Endpoint, client_id: &str) -> Result<Options, Failure> {
        match self {
            Self::Anonymous => Ok(Options::new(endpoint, client_id)),
            Self::Password { user_name, password } => {
                let options = Options::new(endpoint, client_id);
                Ok(match password {
                    Some(password) => options.password(user_name, password.as_bytes()),
                    None => options.user_name(user_name),
                })
            }
            Self::Service(log_in) => {
                let id = log_in.client_id(client_id)?;
                Ok(Options::aliyun(endpoint, &id, &log_in.credentials()?)?)
            }
        }
    }
}

impl ServiceLogIn {
    /// The client id, checked by the rules of the mode.
    pub(crate) fn client_id(&self, text: &str) -> Result<ClientId, Failure> {
        match self.mode {
            Mode::Signed | Mode::Origin => ClientId::custom(text),
            _ => ClientId::parse(text),
        }
        .map_err(Failure::ClientId)
    }

    pub(crate) fn credentials(&self) -> Result<Credentials<'_>, Failure> {
        let (name, instance_id, secret) = (&self.name, &self.instance, self.secret.as_str());
        Ok(match self.mode {
            Mode::Token => Credentials::Token { access_key_id: name, instance_id, tokens: tokens(secret)? },
            Mode::Device => Credentials::DeviceCredential {
                device_access_key_id: name,
                device_access_key_secret: secret,
                instance_id,
            },
            Mode::Signed => Credentials::CustomSigned { user_name: name, secret },
            Mode::Origin => Credentials::CustomOrigin { user_name: name, secret },
            // The other two are none of the service's, and never get here.
            Mode::Signature | Mode::Password | Mode::None => {
                Credentials::Signature { access_key_id: name, access_key_secret: secret, instance_id }
            }
        })
    }
}

/// Tokens as `<type>|<token>` pairs; one without a type is for publishing and receiving.
fn tokens(text: &str) -> Result<TokenSet<'_>, Failure> {
    match text.contains(BAR) {
        true => TokenSet::parse(text),
        false => TokenSet::new(TokenKind::RW, text),
    }
    .map_err(Failure::Token)
}

/// The client id of arguments or profile.
pub(crate) fn client_id(identity: &Identity, profile: &Profile) -> Option<String> {
    identity.client_id.clone().or_else(|| profile.client_id.clone())
}

/// A part of the log-in that must be there.
pub(crate) fn need(
    argument: &Option<String>,
    profile: &Option<String>,
    thing: Thing,
) -> Result<String, Failure> {
    argument.clone().or_else(|| profile.clone()).ok_or(Failure::Missing(thing))
}

/// The user name and the password that a log-in makes for a client id.
pub(crate) fn user_name_and_password(log_in: &LogIn, client_id: &str) -> Result<(String, Secret), Failure> {
    let LogIn::Service(log_in) = log_in else { return Err(Failure::NothingToSign) };
    let id = log_in.client_id(client_id)?;
    let credentials = log_in.credentials()?;
    let mut user_name = vec![0; credentials.user_name_len()];
    let mut password = zeroize::Zeroizing::new(vec![0; credentials.password_len()]);
    credentials.write_user_name(&mut user_name)?;
    credentials.write_password(id.as_str(), &mut password)?;
    // Both are made of text.
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((text(&user_name), zeroize::Zeroizing::new(text(&password))))
}
