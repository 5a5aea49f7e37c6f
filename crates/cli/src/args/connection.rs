//! Where the server is, and who the client is: the arguments that most commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use mqtt_p2p_tokio::Endpoint;
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

/// Who the client is.
#[derive(Debug, Args)]
#[command(next_help_heading = "Who the client is")]
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

/// Where the server is, and who the client is.
#[derive(Debug, Args)]
pub(crate) struct Connection {
    /// Server: mqtt://HOST[:PORT] or ws://HOST[:PORT][/PATH]
    #[arg(long, env = "MQTT_P2P_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) url: Option<Endpoint>,
    #[command(flatten)]
    pub(crate) identity: Identity,
}
