//! Profiles: what log-ins need, by name, in a file of the user's.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use etcetera::{BaseStrategy, choose_base_strategy};
use mqtt_p2p_tokio::Endpoint;
use serde::{Deserialize, Deserializer, Serialize, de};
use zeroize::Zeroizing;

use crate::args::{Mode, ProfileChoice};
use crate::failure::Failure;
use crate::json;
use crate::output::{self, BOLD, DIM, visible};
use crate::secret::{Secret, SecretKind};

/// The whole file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

/// One log-in and its server. Whatever is missing comes from the arguments or the environment, which also override it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Profile {
    #[serde(deserialize_with = "endpoints")]
    pub(crate) url: Vec<Endpoint>,
    pub(crate) client_id: Option<String>,
    pub(crate) auth: Option<Mode>,
    pub(crate) access_key: Option<String>,
    pub(crate) instance: Option<String>,
    pub(crate) user_name: Option<String>,
    pub(crate) keep_alive: Option<u16>,
    pub(crate) cafile: Option<PathBuf>,
    pub(crate) cert: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) server_name: Option<String>,
    /// It may have a password.
    #[serde(deserialize_with = "secret")]
    pub(crate) proxy: Option<Secret>,
    #[serde(deserialize_with = "secret")]
    secret_key: Option<Secret>,
    secret_key_env: Option<String>,
    secret_key_file: Option<PathBuf>,
    #[serde(deserialize_with = "secret")]
    password: Option<Secret>,
    password_env: Option<String>,
    password_file: Option<PathBuf>,
    #[serde(deserialize_with = "secret")]
    token: Option<Secret>,
    token_env: Option<String>,
    token_file: Option<PathBuf>,
}

/// Where a secret of a profile is.
pub(crate) enum SecretPlace<'a> {
    Here(&'a Secret),
    Variable(&'a str),
    File(&'a Path),
}

impl Profile {
    /// The profile that the user chose, an empty one without a choice.
    pub(crate) fn choose(choice: &ProfileChoice) -> Result<Self, Failure> {
        let Some(name) = &choice.profile else { return Ok(Self::default()) };
        let path = path(choice)?;
        let mut file = read(&path)?;
        let profile = file.profiles.remove(name).ok_or_else(|| Failure::ProfileUnknown {
            name: name.clone(),
            path: path.clone(),
            known: file.profiles.keys().cloned().collect(),
        })?;
        if profile.has_secret() {
            warn_if_others_may_read(&path);
        }
        Ok(profile)
    }

    /// Where this profile has a secret of this kind.
    pub(crate) fn secret(&self, kind: SecretKind) -> Option<SecretPlace<'_>> {
        let (here, variable, file) = match kind {
            SecretKind::SecretKey => (&self.secret_key, &self.secret_key_env, &self.secret_key_file),
            SecretKind::Password => (&self.password, &self.password_env, &self.password_file),
            SecretKind::Token => (&self.token, &self.token_env, &self.token_file),
        };
        let here = here.as_ref().map(SecretPlace::Here);
        here.or_else(|| file.as_deref().map(SecretPlace::File))
            .or_else(|| variable.as_deref().map(SecretPlace::Variable))
    }

    fn has_secret(&self) -> bool {
        let proxy = self.proxy.as_ref().is_some_and(|proxy| proxy.contains('@'));
        proxy || [&self.secret_key, &self.password, &self.token].into_iter().any(Option::is_some)
    }
}

/// Reads a secret. What it is instead of a text is not told, since the error would quote it.
fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
    match toml::Value::deserialize(from)? {
        toml::Value::String(text) => Ok(Some(Zeroizing::new(text))),
        _ => Err(de::Error::custom("a secret is a text: write it in quotes")),
    }
}

/// Reads one URL or several. What is no URL is not told, since it may hold a password.
fn endpoints<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Endpoint>, D::Error> {
    let urls = match toml::Value::deserialize(from)? {
        toml::Value::Array(urls) => urls,
        url => vec![url],
    };
    let endpoint = |url: toml::Value| match url {
        toml::Value::String(url) => url.parse().map_err(de::Error::custom),
        _ => Err(de::Error::custom("a URL is a text: write it in quotes")),
    };
    urls.into_iter().map(endpoint).collect()
}

fn path(choice: &ProfileChoice) -> Result<PathBuf, Failure> {
    if let Some(path) = &choice.config {
        return Ok(path.clone());
    }
    let directories = choose_base_strategy().map_err(|_| Failure::NoHome)?;
    Ok(directories.config_dir().join("mqtt-p2p").join("config.toml"))
}

fn read(path: &Path) -> Result<File, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::ConfigFile {
        path: path.into(),
        line: None,
        error: error.to_string(),
    })?;
    let text = Zeroizing::new(text);
    toml::from_str(&text).map_err(|error| Failure::ConfigFile {
        path: path.into(),
        line: error
            .span()
            .and_then(|span| text.get(..span.start))
            .map(|before| 1 + before.matches('\n').count()),
        // Without the line itself, which may hold a secret.
        error: error.message().into(),
    })
}

#[cfg(unix)]
fn warn_if_others_may_read(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map(|metadata| metadata.permissions().mode()).unwrap_or_default();
    if mode & 0o077 != 0 {
        output::warning(&format_args!(
            "{} holds a secret, and others may read it: chmod 600 {0}",
            path.display()
        ));
    }
}

/// On other systems, what is in a user's own directories is the user's own.
#[cfg(not(unix))]
fn warn_if_others_may_read(_: &Path) {}

/// A profile as it may be shown.
#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    url: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<Mode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<&'a str>,
}

/// `mqtt-p2p profiles`: what there is, without secrets.
pub(crate) fn list(choice: &ProfileChoice) -> Result<(), Failure> {
    use std::io::Write as _;
    let path = path(choice)?;
    if choice.config.is_none() && !path.exists() {
        output::note(&format_args!(
            "there is no file {} yet: mqtt-p2p profiles --help shows one",
            path.display()
        ));
        return Ok(());
    }
    let file = read(&path)?;
    if file.profiles.values().any(Profile::has_secret) {
        warn_if_others_may_read(&path);
    }
    let mut out = anstream::stdout().lock();
    for (name, profile) in &file.profiles {
        let entry = Entry {
            name,
            url: profile.url.iter().map(Endpoint::to_string).collect(),
            client_id: profile.client_id.as_deref(),
            auth: profile.auth,
            access_key: profile.access_key.as_deref(),
            instance: profile.instance.as_deref(),
            user_name: profile.user_name.as_deref(),
        };
        if output::is_json() {
            writeln!(out, "{}", json::line(&entry))
        } else {
            let url = if entry.url.is_empty() { "no URL".into() } else { entry.url.join(" ") };
            let client_id = entry.client_id.unwrap_or("no client id");
            let (name, url, client_id) = (visible(name), visible(&url), visible(client_id));
            writeln!(out, "{BOLD}{name}{BOLD:#}  {url}  {DIM}{client_id}{DIM:#}")
        }
        .map_err(Failure::Output)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_no_text_is_not_quoted_in_the_error() {
        let error = toml::from_str::<File>("[profiles.a]\npassword = 12345678").err().unwrap();
        assert!(!error.message().contains("12345678"), "{}", error.message());
    }
}
