//! The arguments, and the environment variables that stand in for them.

mod broker;
mod connection;
mod emulator;
mod fault;
mod help;
mod tools;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use mqtt_p2p_tokio::QoS;

pub(crate) use broker::{Broker, Input, Publish, Subscribe, Version};
pub(crate) use connection::{Connection, Identity, Mode, SecretSource, Security};
pub(crate) use emulator::{Certificate, Emulator, TokenRequest};
pub(crate) use tools::{Bench, Completions, Doctor, Man, Sign};

/// MQTT client with ApsaraMQ's P2P messages
#[derive(Debug, Parser)]
#[command(name = "mqtt-p2p", version, max_term_width = 100, after_help = help::EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Write JSON, an object a line: results to stdout, errors and what happens meanwhile to stderr
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) profile: ProfileChoice,
}

/// Which profile stands in for arguments that are not given.
#[derive(Debug, Args)]
pub(crate) struct ProfileChoice {
    /// Take from this profile what neither arguments nor environment say; see `mqtt-p2p profiles --help`
    #[arg(
        long,
        global = true,
        env = "MQTT_P2P_PROFILE",
        hide_env_values = true,
        value_name = "NAME",
        help_heading = "Everywhere"
    )]
    pub(crate) profile: Option<String>,
    /// The file with the profiles [default: mqtt-p2p/config.toml where the platform keeps such files]
    #[arg(
        long,
        global = true,
        env = "MQTT_P2P_CONFIG",
        hide_env_values = true,
        value_name = "PATH",
        help_heading = "Everywhere"
    )]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A tour: two clients, an emulator, and a link that breaks
    #[command(long_about = help::DEMO)]
    Demo,
    /// Send a P2P message, or one to a topic, and wait for its acknowledgement
    #[command(long_about = help::SEND, after_help = help::EXIT_CODES)]
    Send(Send),
    /// Print P2P messages, and those of topics, as they come
    #[command(long_about = help::LISTEN, after_help = help::EXIT_CODES)]
    Listen(Listen),
    /// Publish to any broker, with the flags of mosquitto_pub
    #[command(long_about = help::PUBLISH, after_help = help::EXIT_CODES, disable_help_flag = true)]
    Publish(Box<Publish>),
    /// Subscribe at any broker, with the flags of mosquitto_sub
    #[command(long_about = help::SUBSCRIBE, after_help = help::EXIT_CODES, disable_help_flag = true)]
    Subscribe(Box<Subscribe>),
    /// Find out, step by step, why there is no connection
    #[command(long_about = help::DOCTOR, after_help = help::EXIT_CODES)]
    Doctor(Doctor),
    /// Measure message rates and latencies
    #[command(long_about = help::BENCH, after_help = help::EXIT_CODES)]
    Bench(Bench),
    /// Show the user name and password that a client logs in with
    #[command(long_about = help::SIGN)]
    Sign(Sign),
    /// List the profiles
    #[command(long_about = help::PROFILES)]
    Profiles,
    /// Run a development stand-in for ApsaraMQ
    #[command(long_about = help::EMULATOR)]
    Emulator(Box<Emulator>),
    /// Print the completions for a shell
    #[command(long_about = help::COMPLETIONS)]
    Completions(Completions),
    /// Print the manual page, or write one for each command
    Man(Man),
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// Let the server forget this client id's session, and what waits for it
    #[arg(long)]
    pub(crate) clean_session: bool,
    /// P2P: parent topic
    #[arg(long, value_name = "TOPIC", requires = "to", conflicts_with = "topic")]
    pub(crate) parent: Option<String>,
    /// P2P: client id of the receiver
    #[arg(long, value_name = "CLIENTID", requires = "parent")]
    pub(crate) to: Option<String>,
    /// Publish to this topic instead
    #[arg(long, required_unless_present = "parent")]
    pub(crate) topic: Option<String>,
    /// Quality of service: 0, 1 or 2
    #[arg(long, short, default_value = "1", value_parser = qos)]
    pub(crate) qos: QoS,
    /// Seconds that all of it may take
    #[arg(long, default_value = "30", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Send what this file holds
    #[arg(long, value_name = "PATH", conflicts_with = "message")]
    pub(crate) file: Option<PathBuf>,
    /// The message; - reads it from stdin
    #[arg(required_unless_present = "file", allow_negative_numbers = true)]
    pub(crate) message: Option<String>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// Let the server forget this client id's session, and what waits for it
    #[arg(long)]
    pub(crate) clean_session: bool,
    /// Topic filter to subscribe to; may be given several times
    #[arg(long, short, value_name = "FILTER")]
    pub(crate) subscribe: Vec<String>,
    /// Quality of service to subscribe with: 0, 1 or 2
    #[arg(long, short, default_value = "1", value_parser = qos)]
    pub(crate) qos: QoS,
    /// End after so many messages; one more that has come by then is shown on stderr
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

fn qos(text: &str) -> Result<QoS, &'static str> {
    match text {
        "0" => Ok(QoS::AtMostOnce),
        "1" => Ok(QoS::AtLeastOnce),
        "2" => Ok(QoS::ExactlyOnce),
        _ => Err("there are 0 (at most once), 1 (at least once) and 2 (exactly once)"),
    }
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    /// More than anybody waits, and little enough for every clock.
    const MAX: f64 = 86_400.0;
    text.parse()
        .ok()
        .filter(|seconds| *seconds > 0.0 && *seconds <= MAX)
        .map(Duration::from_secs_f64)
        .ok_or("give seconds, more than 0 and at most 86400")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_timeout_is_a_positive_number_of_seconds() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for text in ["0", "-1", "NaN", "inf", "1e9", "x", ""] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
