//! The arguments, and the environment variables that stand in for them.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use mqtt_p2p_tokio::{ClientId, Endpoint, QoS};

const EXIT_CODES: &str = "\
Secrets are never arguments: set MQTT_P2P_SECRET_KEY, or name a file with --secret-key-file.

Exit codes:
  0  done
  1  something else failed; demo: a message was lost, or came too often
  2  an argument, the configuration or the message can't be used
  3  no connection: host, port, network, or a server that is not available
  4  the log-in was refused, and would be again
  5  send: no acknowledgement in time, or the connection keeps breaking
  6  listen: a subscription was refused";

const DEMO: &str = "\
Starts the emulator on free ports of the loopback address, connects two clients, lets them send each other P2P messages at \
every QoS, and cuts the link of one while both go on. Needs no arguments, no network and no account, and takes a few seconds.

The last line is always `sent N, received N, lost N, duplicates N`, on stdout. The exit code is 0 if nothing was lost and nothing came \
more often than its QoS allows. QoS 1 allows repeats: they are counted apart.

So that QoS 2 holds across the cut, the emulator keeps standard sessions here. The service itself keeps no state of QoS 2 \
from one connection to the next.";

const SEND: &str = "\
Sends one message, waits until the server has acknowledged it (QoS 1 and 2), and ends. A connection must come about within \
3 s; one that breaks later is made anew until --timeout is over. A refused log-in is not tried again.

The server keeps the message for a target that is away, unless --clean-session is given. Messages that wait for the sender's \
own client id stay where they are.";

const LISTEN: &str = "\
Prints P2P messages to this client id, which need no subscription, and those of the topics that --subscribe names, one a \
line. Subscriptions outlive the program, unless --clean-session is given. Reconnects when the connection breaks. Ctrl-C ends it and says good-bye to the server.

Times are UTC. Control characters are shown as \\u{1b} and the like, so that a message can't play with the terminal; a payload \
that is not UTF-8 is shown in hexadecimal digits. What happens to the connection goes to stderr.

With --json a line is an object with the keys time, topic, qos, retain, dup, and payload (text) or payload_hex (a payload that \
is not UTF-8); for a P2P topic also parent and target.";

const EMULATOR: &str = "\
Starts a development stand-in for ApsaraMQ for MQTT on the loopback address. It holds everything in memory and ends with \
Ctrl-C. Without an account of your own it lets in the access key AK with the secret SK.";

const SIGN: &str = "\
Prints what a client in signature mode logs in with, in two lines:

  user name: Signature|<access key>|<instance>
  password: <Base64 of HMAC-SHA1 of the client id>

Whoever has the password can log in with that client id: treat it like the secret.";

/// MQTT client with ApsaraMQ's P2P messages
#[derive(Debug, Parser)]
#[command(name = "mqtt-p2p", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A tour: two clients, an emulator, and a link that breaks
    #[command(long_about = DEMO)]
    Demo,
    /// Send a message
    #[command(long_about = SEND, after_help = EXIT_CODES)]
    Send(Send),
    /// Print messages as they come
    #[command(long_about = LISTEN, after_help = EXIT_CODES)]
    Listen(Listen),
    /// Show the user name and password that a client logs in with
    #[command(long_about = SIGN)]
    Sign(Sign),
    /// Run a development stand-in for ApsaraMQ
    #[command(long_about = EMULATOR)]
    Emulator(Emulator),
}

/// Who the client is.
#[derive(Debug, Args)]
pub(crate) struct Identity {
    /// Access key id
    #[arg(long, env = "MQTT_P2P_ACCESS_KEY", hide_env_values = true, value_name = "ID")]
    pub(crate) access_key: String,
    /// Instance id, the first label of the endpoint's name
    #[arg(long, env = "MQTT_P2P_INSTANCE", hide_env_values = true, value_name = "ID")]
    pub(crate) instance: String,
    /// Client id: <group id>@@@<device id>
    #[arg(long, env = "MQTT_P2P_CLIENT_ID", hide_env_values = true, value_name = "ID")]
    pub(crate) client_id: ClientId,
    #[command(flatten)]
    pub(crate) secret: SecretSource,
}

/// Where the secret comes from.
#[derive(Debug, Args)]
pub(crate) struct SecretSource {
    /// File with the access key secret [without it: MQTT_P2P_SECRET_KEY]
    #[arg(long, value_name = "PATH")]
    pub(crate) secret_key_file: Option<PathBuf>,
}

/// Where the server is, and who the client is.
#[derive(Debug, Args)]
pub(crate) struct Connection {
    /// Server: mqtt[s]://HOST[:PORT], ws[s]://HOST[:PORT][/PATH] or unix:///PATH
    #[arg(long, env = "MQTT_P2P_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) url: Endpoint,
    #[command(flatten)]
    pub(crate) identity: Identity,
    /// Let the server forget this client id's session, and what waits for it
    #[arg(long)]
    pub(crate) clean_session: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    #[command(flatten)]
    pub(crate) connection: Connection,
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
}

#[derive(Debug, Args)]
pub(crate) struct Listen {
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// Topic filter to subscribe to; may be given several times
    #[arg(long, short, value_name = "FILTER")]
    pub(crate) subscribe: Vec<String>,
    /// Quality of service to subscribe with: 0, 1 or 2
    #[arg(long, short, default_value = "1", value_parser = qos)]
    pub(crate) qos: QoS,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// End after so many messages; one more that has come by then is shown on stderr
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Sign {
    #[command(flatten)]
    pub(crate) identity: Identity,
    /// As a JSON object, {"user_name":…,"password":…}
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Emulator {
    /// Port for MQTT over TCP; 0 takes a free one
    #[arg(long, default_value_t = 1883, value_name = "PORT")]
    pub(crate) tcp_port: u16,
    /// Port for MQTT over WebSocket; 0 takes a free one
    #[arg(long, default_value_t = 8083, value_name = "PORT")]
    pub(crate) ws_port: u16,
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
    #[command(flatten)]
    pub(crate) secret: SecretSource,
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
