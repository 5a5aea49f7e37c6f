//! Where the server is, and who the client is: the arguments that most commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

/// How the client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// ApsaraMQ: the account's access key signs the client id
    Signature,
    /// ApsaraMQ: the device's own key, whose id starts with DC., signs the client id
    Device,
    /// ApsaraMQ: a token that a server of yours applied for
    Token,
    /// ApsaraMQ, custom authentication: a registered secret signs the client id
    Signed,
    /// ApsaraMQ, custom authentication: a registered secret is the password
    Origin,
    /// Any broker: user name and password as they are
    Password,
    /// Any broker: no user name
    None,
}

/// What stands above these arguments in the help.
pub(super) const IDENTITY: &str = "Who the client is";

/// Who the client is.
#[derive(Debug, Args)]
#[command(next_help_heading = IDENTITY)]
pub(crate) struct Identity {
    /// Client id; for ApsaraMQ <group id>@@@<device id>
    #[arg(
        long,
        short = 'i',
        visible_alias = "id",
        env = "MQTT_P2P_CLIENT_ID",
        hide_env_values = true,
        value_name = "ID"
    )]
    pub(crate) client_id: Option<String>,
    /// How it logs in [default: what the other arguments suggest]
    #[arg(long, env = "MQTT_P2P_AUTH", hide_env_values = true, value_name = "MODE")]
    pub(crate) auth: Option<Mode>,
    /// ApsaraMQ: access key id
    #[arg(long, env = "MQTT_P2P_ACCESS_KEY", hide_env_values = true, value_name = "ID")]
    pub(crate) access_key: Option<String>,
    /// ApsaraMQ: instance id, the first label of the endpoint's name
    #[arg(long, env = "MQTT_P2P_INSTANCE", hide_env_values = true, value_name = "ID")]
    pub(crate) instance: Option<String>,
    /// User name, of any broker or of custom authentication
    #[arg(
        long,
        short,
        visible_alias = "username",
        env = "MQTT_P2P_USER_NAME",
        hide_env_values = true,
        value_name = "NAME"
    )]
    pub(crate) user_name: Option<String>,
    #[command(flatten)]
    pub(crate) secret: SecretSource,
}

/// Where secrets come from.
#[derive(Debug, Args)]
pub(crate) struct SecretSource {
    /// File with the secret of the access key, device or custom user [without it: MQTT_P2P_SECRET_KEY]
    #[arg(long, value_name = "PATH")]
    pub(crate) secret_key_file: Option<PathBuf>,
    /// File with the password [without it: MQTT_P2P_PASSWORD]
    #[arg(long, value_name = "PATH")]
    pub(crate) password_file: Option<PathBuf>,
    /// File with a token, or with <type>|<token> pairs [without it: MQTT_P2P_TOKEN]
    #[arg(long, value_name = "PATH")]
    pub(crate) token_file: Option<PathBuf>,
}

/// Where the server is, how to get there, and who the client is.
#[derive(Debug, Args)]
pub(crate) struct Connection {
    /// Server: mqtt[s]://HOST[:PORT], ws[s]://HOST[:PORT][/PATH] or unix:///PATH. Given several times,
    /// they are tried in turn; in the environment, blanks stand between them
    // Read later: an error of the parser would show what is in it, which may be somebody's password.
    #[arg(long, env = "MQTT_P2P_URL", hide_env_values = true, value_name = "URL", value_delimiter = ' ')]
    pub(crate) url: Vec<String>,
    #[command(flatten)]
    pub(crate) security: Security,
    #[command(flatten)]
    pub(crate) identity: Identity,
}

/// TLS, and the way there.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS and proxy")]
pub(crate) struct Security {
    /// Trust the authorities in this PEM file instead of those of the platform
    #[arg(long, value_name = "PATH")]
    pub(crate) cafile: Option<PathBuf>,
    /// PEM file with the client's certificate
    #[arg(long, value_name = "PATH", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// PEM file with its private key
    #[arg(long, value_name = "PATH", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// The name that the server's certificate has to have, if it is not the host
    #[arg(long, value_name = "NAME")]
    pub(crate) server_name: Option<String>,
    /// DANGER: accept any certificate. Anybody in between can read and change everything, the log-in included
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Go through a proxy: http://[USER:PASSWORD@]HOST[:PORT] or socks5://…
    // Read later, as above.
    #[arg(long, env = "MQTT_P2P_PROXY", hide_env_values = true, value_name = "URL")]
    pub(crate) proxy: Option<String>,
}

impl Security {
    /// Whether anything asks for TLS.
    pub(crate) const fn wants_tls(&self) -> bool {
        self.cafile.is_some() || self.cert.is_some() || self.server_name.is_some() || self.insecure
    }
}
