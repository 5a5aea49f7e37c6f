//! The arguments of `mqtt-p2p emulator`.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use mqtt_p2p_aliyun::TokenKind;

use super::fault::{self, Fault};
use super::seconds;

#[derive(Debug, Args)]
pub(crate) struct Emulator {
    /// Port for MQTT over TCP; 0 takes a free one
    #[arg(long, default_value_t = 1883, value_name = "PORT")]
    pub(crate) tcp_port: u16,
    /// Port for MQTT over WebSocket; 0 takes a free one
    #[arg(long, default_value_t = 8083, value_name = "PORT")]
    pub(crate) ws_port: u16,
    /// Port for MQTT over TLS; 0 takes a free one
    #[arg(long, default_value_t = 8883, value_name = "PORT")]
    pub(crate) tls_port: u16,
    /// Port for MQTT over WebSocket over TLS; 0 takes a free one
    #[arg(long, default_value_t = 8084, value_name = "PORT")]
    pub(crate) wss_port: u16,
    /// Access key id to let in
    #[arg(
        long,
        env = "MQTT_P2P_ACCESS_KEY",
        hide_env_values = true,
        value_name = "ID",
        default_value = "AK"
    )]
    pub(crate) access_key: String,
    /// Instance id
    #[arg(
        long,
        env = "MQTT_P2P_INSTANCE",
        hide_env_values = true,
        value_name = "ID",
        default_value = "post-cn-demo"
    )]
    pub(crate) instance: String,
    /// File with the access key secret [without it: MQTT_P2P_SECRET_KEY]
    #[arg(long, value_name = "PATH")]
    pub(crate) secret_key_file: Option<PathBuf>,
    /// Behave as MQTT 3.1.1 says, without the service's quirks and delays
    #[arg(long)]
    pub(crate) standard: bool,
    #[command(flatten)]
    pub(crate) tls: Tls,
    #[command(flatten)]
    pub(crate) tokens: Tokens,
    #[command(flatten)]
    pub(crate) faults: Faults,
}

/// What it shows over TLS, and wants to see.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct Tls {
    /// Write the certificate of its authority here, as PEM: the --cafile of clients. Each start makes a new one
    #[arg(long, value_name = "PATH")]
    pub(crate) ca_out: Option<PathBuf>,
    /// Which certificate the server shows
    #[arg(long, value_name = "KIND", default_value = "valid")]
    pub(crate) certificate: Certificate,
    /// Let in over TLS only who shows a certificate of the same authority
    #[arg(long, requires_all = ["cert_out", "key_out"])]
    pub(crate) mutual_tls: bool,
    /// Write such a certificate here, as PEM: the --cert of clients
    #[arg(long, value_name = "PATH", requires = "mutual_tls")]
    pub(crate) cert_out: Option<PathBuf>,
    /// Write its private key here, as PEM: the --key of clients
    #[arg(long, value_name = "PATH", requires = "mutual_tls")]
    pub(crate) key_out: Option<PathBuf>,
}

/// Which certificate the emulator shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Certificate {
    /// A good one, for localhost and the loopback addresses
    Valid,
    /// One that expired in 2001
    Expired,
    /// One that is for wrong.example
    WrongName,
}

/// Tokens that it issues.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tokens")]
pub(crate) struct Tokens {
    /// Issue a token at the start: topics with commas between them, R, W or RW, and its life in seconds, such as
    /// demo/#:RW:3600. May be given several times
    #[arg(long, value_name = "TOPICS:TYPE:SECONDS")]
    pub(crate) issue_token: Vec<TokenRequest>,
    /// The shortest life of a token, in seconds; the service's is 60
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) min_token_lifetime: Duration,
}

/// What goes wrong.
#[derive(Debug, Args)]
#[command(next_help_heading = "Faults")]
pub(crate) struct Faults {
    /// Let something go wrong, as listed above. May be given several times
    #[arg(long = "fault", value_name = "FAULT[=VALUE]", value_parser = fault::parse)]
    pub(crate) every: Vec<Fault>,
    /// Let it happen to this client only
    #[arg(long, value_name = "ID", requires = "every")]
    pub(crate) fault_client: Option<String>,
}

/// A token to be issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenRequest {
    pub(crate) topics: Vec<String>,
    pub(crate) kind: TokenKind,
    pub(crate) lifetime: Duration,
}

impl FromStr for TokenRequest {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // From behind: a topic may have colons.
        let mut parts = text.rsplitn(3, ':');
        let (Some(lifetime), Some(kind), Some(topics)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("write TOPICS:TYPE:SECONDS, such as demo/#:RW:3600");
        };
        let lifetime = lifetime.parse().map_err(|_| "the life is a whole number of seconds")?;
        Ok(Self {
            topics: topics.split(',').map(Into::into).collect(),
            kind: kind.parse().map_err(|_| "the type is R (receive), W (publish) or RW")?,
            lifetime: Duration::from_secs(lifetime),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_asked_for_with_topics_type_and_life() {
        let request = "a:b/#,c:R:60".parse();
        let topics = vec!["a:b/#".into(), "c".into()];
        assert_eq!(
            request,
            Ok(TokenRequest { topics, kind: TokenKind::R, lifetime: Duration::from_secs(60) })
        );
        for text in ["", "demo/#", "demo/#:RW", "demo/#:X:60", "demo/#:RW:", "demo/#:RW:-1", "demo/#:RW:1.5"]
        {
            assert!(text.parse::<TokenRequest>().is_err(), "{text}");
        }
    }
}
