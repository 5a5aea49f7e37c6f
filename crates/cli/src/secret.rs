//! The access key secret: from the environment or a file, wiped when no longer needed.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use crate::args::{Identity, SecretSource};
use crate::failure::Failure;

/// Read by hand, because clap would make an argument of it, which every user of the machine can see.
const VARIABLE: &str = "MQTT_P2P_SECRET_KEY";

/// No secret is nearly as long; a device such as /dev/zero has no end.
const MAX_LEN: usize = 4096;

/// Text that is wiped when dropped.
pub(crate) type Secret = Zeroizing<String>;

impl SecretSource {
    /// The secret: of the file if one is named, else of the environment; `None` if neither is there.
    pub(crate) fn find(&self) -> Result<Option<Secret>, Failure> {
        match &self.secret_key_file {
            Some(path) => read(path).map(Some),
            None => std::env::var_os(VARIABLE)
                .map(|secret| secret.into_string().map_err(|_| Failure::SecretNotText))
                .transpose()
                .map(|secret| secret.map(Zeroizing::new)),
        }
    }
}

impl Identity {
    /// The secret, which must be there.
    pub(crate) fn secret(&self) -> Result<Secret, Failure> {
        self.secret.find()?.ok_or(Failure::SecretMissing)
    }

    pub(crate) fn credentials<'a>(&'a self, secret: &'a Secret) -> mqtt_p2p_aliyun::Credentials<'a> {
        mqtt_p2p_aliyun::Credentials::Signature {
            access_key_id: &self.access_key,
            access_key_secret: secret,
            instance_id: &self.instance,
        }
    }
}

fn read(path: &Path) -> Result<Secret, Failure> {
    let failed = |error| Failure::SecretFile { path: path.into(), error };
    // In one piece: a buffer that grows would leave copies behind.
    let mut bytes = Zeroizing::new(vec![0; MAX_LEN]);
    let mut file = File::open(path).map_err(failed)?;
    let mut len = 0;
    loop {
        let Some(rest) = bytes.get_mut(len..).filter(|rest| !rest.is_empty()) else {
            return Err(Failure::SecretNotText);
        };
        match file.read(rest).map_err(failed)? {
            0 => break,
            read => len += read,
        }
    }
    let text = std::str::from_utf8(&bytes[..len]).map_err(|_| Failure::SecretNotText)?;
    // Editors and echo end a file with a line end, which is not part of the secret.
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok(Zeroizing::new(text.into()))
}
