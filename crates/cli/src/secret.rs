//! Secrets: from a file, the environment or a profile, wiped when no longer needed.

use std::env;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use crate::args::SecretSource;
use crate::failure::Failure;
use crate::profile::{Profile, SecretPlace};

/// No secret is nearly as long; a device such as /dev/zero has no end.
const MAX_LEN: usize = 4096;

/// Text that is wiped when dropped.
pub(crate) type Secret = Zeroizing<String>;

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretKind {
    /// Signs the client id, or is the password of custom authentication.
    SecretKey,
    /// Goes to the server as it is.
    Password,
    /// What a server of the user's applied for.
    Token,
}

impl SecretKind {
    /// The variable of the environment. It is read by hand, because clap would make an argument of it, which every
    /// user of the machine can see.
    pub(crate) const fn variable(self) -> &'static str {
        match self {
            Self::SecretKey => "MQTT_P2P_SECRET_KEY",
            Self::Password => "MQTT_P2P_PASSWORD",
            Self::Token => "MQTT_P2P_TOKEN",
        }
    }

    /// The argument that names a file.
    pub(crate) const fn file_argument(self) -> &'static str {
        match self {
            Self::SecretKey => "--secret-key-file",
            Self::Password => "--password-file",
            Self::Token => "--token-file",
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SecretKey => "access key secret",
            Self::Password => "password",
            Self::Token => "token",
        }
    }
}

impl SecretSource {
    fn file(&self, kind: SecretKind) -> Option<&Path> {
        match kind {
            SecretKind::SecretKey => self.secret_key_file.as_deref(),
            SecretKind::Password => self.password_file.as_deref(),
            SecretKind::Token => self.token_file.as_deref(),
        }
    }

    /// The secret: of the file if one is named, else of the environment, else of the profile; `None` if none is there.
    pub(crate) fn find(&self, kind: SecretKind, profile: &Profile) -> Result<Option<Secret>, Failure> {
        if let Some(path) = self.file(kind) {
            return read(kind, path).map(Some);
        }
        if let Some(secret) = variable(kind, kind.variable())? {
            return Ok(Some(secret));
        }
        match profile.secret(kind) {
            None => Ok(None),
            Some(SecretPlace::Here(secret)) => Ok(Some(secret.clone())),
            Some(SecretPlace::File(path)) => read(kind, path).map(Some),
            Some(SecretPlace::Variable(name)) => match variable(kind, name)? {
                None => Err(Failure::SecretVariableMissing { kind, name: name.into() }),
                secret => Ok(secret),
            },
        }
    }

    /// The secret, which must be there.
    pub(crate) fn need(&self, kind: SecretKind, profile: &Profile) -> Result<Secret, Failure> {
        self.find(kind, profile)?.ok_or(Failure::SecretMissing { kind })
    }
}

fn variable(kind: SecretKind, name: &str) -> Result<Option<Secret>, Failure> {
    let secret =
        env::var_os(name).map(|secret| secret.into_string().map_err(|_| Failure::SecretNotText { kind }));
    Ok(secret.transpose()?.map(Zeroizing::new))
}

fn read(kind: SecretKind, path: &Path) -> Result<Secret, Failure> {
    let failed = |error| Failure::SecretFile { kind, path: path.into(), error };
    // In one piece: a buffer that grows would leave copies behind.
    let mut bytes = Zeroizing::new(vec![0; MAX_LEN]);
    let mut file = File::open(path).map_err(failed)?;
    let mut len = 0;
    loop {
        let Some(rest) = bytes.get_mut(len..).filter(|rest| !rest.is_empty()) else {
            return Err(Failure::SecretNotText { kind });
        };
        match file.read(rest).map_err(failed)? {
            0 => break,
            read => len += read,
        }
    }
    let text = std::str::from_utf8(&bytes[..len]).map_err(|_| Failure::SecretNotText { kind })?;
    // Editors and echo end a file with a line end, which is not part of the secret.
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok(Zeroizing::new(text.into()))
}
