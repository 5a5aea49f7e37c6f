//! The arguments of what is not messaging: measuring, signing, completions, manual pages.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap_complete::Shell;
use mqtt_p2p_tokio::QoS;

use super::{Connection, Identity, qos, seconds};

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Server, instead of --url
    #[arg(value_name = "URL")]
    pub(crate) server: Option<String>,
    /// Messages that each publisher sends
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10_000, conflicts_with = "duration")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub(crate) messages: u64,
    /// Send for so many seconds instead
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) duration: Option<Duration>,
    /// Bytes of a payload, at least 16
    #[arg(long, short, value_name = "BYTES", default_value_t = 64)]
    #[arg(value_parser = clap::value_parser!(u32).range(16..=1_048_576))]
    pub(crate) size: u32,
    /// Quality of service: 0, 1 or 2
    #[arg(long, short, default_value = "1", value_parser = qos)]
    pub(crate) qos: QoS,
    /// Messages that a publisher may have under way at once
    #[arg(long, value_name = "N", default_value_t = 100)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) in_flight: u16,
    /// Clients that publish
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) publishers: u16,
    /// Clients that subscribe, each to all messages
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub(crate) subscribers: u16,
    /// Messages a second of each publisher [default: as many as will go]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) rate: Option<u32>,
    /// Topic below which messages go; on ApsaraMQ its first level must exist
    #[arg(long, default_value = "mqtt-p2p-bench")]
    pub(crate) topic: String,
    /// Seconds without any progress after which it ends
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Server, instead of --url
    #[arg(value_name = "URL")]
    pub(crate) server: Option<String>,
    /// Seconds for all steps up to the log-in, and again for the round trip
    #[arg(long, default_value = "5", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Sign {
    #[command(flatten)]
    pub(crate) identity: Identity,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Where to write a page for each command
    #[arg(value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}
