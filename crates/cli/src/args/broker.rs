//! `publish` and `subscribe`: the arguments of mosquitto_pub and mosquitto_sub.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};
use mqtt_p2p_tokio::QoS;

use super::connection::IDENTITY;
use super::{Connection, qos, seconds};
use crate::format::Format;

/// The edition of the protocol, under mosquitto's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Version {
    /// MQTT 3.1
    #[value(name = "mqttv31", aliases = ["31", "3.1"])]
    V31,
    /// MQTT 3.1.1
    #[value(name = "mqttv311", aliases = ["311", "3.1.1"])]
    V311,
}

/// What both commands know of the connection.
#[derive(Debug, Args)]
pub(crate) struct Broker {
    /// Host name or address [default: localhost]
    #[arg(long, short = 'h', value_name = "HOST")]
    pub(crate) host: Option<String>,
    /// Port [default: 1883, with TLS 8883]
    #[arg(long, short, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
    /// Server and topic in one: mqtt://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC, or mqtts://…
    #[arg(short = 'L', value_name = "URL")]
    pub(crate) location: Option<String>,
    /// Socket file of a server on this machine
    #[arg(long, value_name = "PATH", conflicts_with_all = ["host", "port", "location"])]
    pub(crate) unix: Option<String>,
    /// Keep the session when the connection ends; needs --client-id
    #[arg(long, short = 'c')]
    pub(crate) disable_clean_session: bool,
    /// Longest silence in seconds; 0 turns keep alive off [default: 60]
    #[arg(long, short = 'k', visible_alias = "keep-alive", value_name = "SECONDS")]
    pub(crate) keepalive: Option<u16>,
    /// Edition of the protocol
    #[arg(long, short = 'V', value_name = "VERSION", default_value = "mqttv311")]
    pub(crate) protocol_version: Version,
    /// Also say when the log-in and the subscriptions succeed
    #[arg(long, short)]
    pub(crate) debug: bool,
    /// Print help
    #[arg(long, action = ArgAction::Help, help_heading = "Everywhere")]
    pub(crate) help: Option<bool>,
    /// Password. Every user of the machine can see it here: better use --password-file or MQTT_P2P_PASSWORD
    #[arg(long = "pw", short = 'P', value_name = "PASSWORD", help_heading = IDENTITY)]
    pub(crate) password: Option<String>,
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(flatten)]
    pub(crate) will: WillArgs,
}

/// What the server publishes if this client vanishes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Will")]
pub(crate) struct WillArgs {
    /// Where the server publishes a message if this client vanishes
    #[arg(long, value_name = "TOPIC")]
    pub(crate) will_topic: Option<String>,
    /// That message [default: empty]
    #[arg(long, value_name = "TEXT", requires = "will_topic", allow_hyphen_values = true)]
    pub(crate) will_payload: Option<String>,
    /// Its quality of service
    #[arg(long, value_name = "QOS", requires = "will_topic", default_value = "0", value_parser = qos)]
    pub(crate) will_qos: QoS,
    /// The server keeps it for later subscribers
    #[arg(long, requires = "will_topic")]
    pub(crate) will_retain: bool,
}

/// The one place that messages come from.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Input {
    /// The message
    #[arg(long, short, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) message: Option<String>,
    /// Publish what this file holds
    #[arg(long, short, value_name = "PATH")]
    pub(crate) file: Option<PathBuf>,
    /// Publish each line of stdin, but for empty ones, as it comes
    #[arg(long, short = 'l')]
    pub(crate) stdin_line: bool,
    /// Publish all of stdin as one message
    #[arg(long, short = 's')]
    pub(crate) stdin_file: bool,
    /// Publish an empty message; retained, it removes the one that the server keeps
    #[arg(long, short)]
    pub(crate) null_message: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// Topic to publish to
    #[arg(long, short, required_unless_present = "location")]
    pub(crate) topic: Option<String>,
    #[command(flatten)]
    pub(crate) input: Input,
    /// Quality of service: 0, 1 or 2
    #[arg(long, short, default_value = "0", value_parser = qos)]
    pub(crate) qos: QoS,
    /// The server keeps the message for later subscribers
    #[arg(long, short)]
    pub(crate) retain: bool,
    /// Publish the message so many times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    #[arg(conflicts_with = "stdin_line")]
    pub(crate) repeat: u64,
    /// Seconds between two of them
    #[arg(long, value_name = "SECONDS", value_parser = seconds, requires = "repeat")]
    pub(crate) repeat_delay: Option<Duration>,
    /// Seconds that an acknowledgement may take
    #[arg(long, default_value = "30", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Duration,
    #[command(flatten, next_help_heading = "Connection")]
    pub(crate) broker: Broker,
}

#[derive(Debug, Args)]
pub(crate) struct Subscribe {
    /// Topic filter to subscribe to; may be given several times
    #[arg(long, short, value_name = "FILTER", required_unless_present = "location")]
    pub(crate) topic: Vec<String>,
    /// Quality of service to subscribe with: 0, 1 or 2
    #[arg(long, short, default_value = "0", value_parser = qos)]
    pub(crate) qos: QoS,
    /// End after so many messages
    #[arg(short = 'C', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// End after so many seconds
    #[arg(short = 'W', value_name = "SECONDS", value_parser = seconds)]
    pub(crate) wait: Option<Duration>,
    /// How a message is printed: %t topic, %p payload, %x %X payload in hexadecimal digits, %l its length, %q QoS,
    /// %r retain flag, %j %J JSON, %I %U time, %% percent; \n, \t, \\ and the like
    #[arg(short = 'F', value_name = "FORMAT", conflicts_with = "verbose", allow_hyphen_values = true)]
    pub(crate) format: Option<Format>,
    /// No line end behind a message
    #[arg(short = 'N')]
    pub(crate) no_newline: bool,
    /// Print the topic before the payload
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Leave out messages that the server had kept
    #[arg(short = 'R')]
    pub(crate) no_retained: bool,
    /// Only messages that the server had kept; ends with the first that it had not
    #[arg(long, conflicts_with = "no_retained")]
    pub(crate) retained_only: bool,
    /// Leave out messages whose topic this filter matches; may be given several times
    #[arg(long, short = 'T', value_name = "FILTER")]
    pub(crate) filter_out: Vec<String>,
    #[command(flatten, next_help_heading = "Connection")]
    pub(crate) broker: Broker,
}
