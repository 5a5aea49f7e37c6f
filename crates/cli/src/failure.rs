//! What a command can end with, and the exit code that says so.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use std::{fmt, io};

use mqtt_p2p_aliyun::{CredentialsError, P2pTopicError};
use mqtt_p2p_tokio::{ConnectError, ConnectionEvent, PublishError, ReasonCode, SubscribeError, TopicError};

use crate::demo::DemoError;
use crate::listen::advice;

/// Why a command failed. The exit codes are in the help text; scripts rely on them.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Neither the environment nor a file has the secret.
    SecretMissing,
    /// The secret's file can't be read.
    SecretFile {
        path: PathBuf,
        error: io::Error,
    },
    /// The secret is not text, or far too long for one.
    SecretNotText,
    Credentials(CredentialsError),
    /// The message can't be read.
    Input {
        from: String,
        error: io::Error,
    },
    /// The message is larger than the service takes.
    PayloadTooLarge {
        max: usize,
    },
    Topic(TopicError),
    P2pTopic(P2pTopicError),
    Filter {
        filter: String,
        error: TopicError,
    },
    /// The first attempt failed.
    Connect(ConnectError),
    /// The first attempt did not end within the user's time.
    ConnectTimeout {
        after: Duration,
    },
    /// The log-in was refused at a later attempt.
    RefusedLater(ConnectError),
    Publish(PublishError),
    /// No acknowledgement came.
    NotDelivered {
        after: Duration,
        /// What happened to the connection last, if it broke.
        last: Option<ConnectionEvent>,
    },
    Subscribe {
        filter: String,
        error: SubscribeError,
    },
    /// The client ended by itself.
    ClientEnded,
    Emulator {
        tcp_port: u16,
        ws_port: u16,
        error: io::Error,
    },
    Demo(DemoError),
    Output(io::Error),
    Signals(io::Error),
    Runtime(io::Error),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::SecretMissing
            | Self::SecretFile { .. }
            | Self::SecretNotText
            | Self::Credentials(_)
            | Self::Input { .. }
            | Self::PayloadTooLarge { .. }
            | Self::Topic(_)
            | Self::P2pTopic(_)
            | Self::Filter { .. } => 2,
            Self::Connect(error) | Self::RefusedLater(error) => match error {
                ConnectError::Refused(ReasonCode::ServerUnavailable) => 3,
                ConnectError::Refused(_) => 4,
                _ => 3,
            },
            Self::ConnectTimeout { .. } => 3,
            Self::Publish(error) => match error {
                PublishError::Closed => 1,
                _ => 2,
            },
            Self::NotDelivered { .. } => 5,
            Self::Subscribe { error, .. } => match error {
                SubscribeError::Refused(_) => 6,
                SubscribeError::Closed => 1,
                _ => 2,
            },
            Self::ClientEnded
            | Self::Emulator { .. }
            | Self::Demo(_)
            | Self::Output(_)
            | Self::Signals(_)
            | Self::Runtime(_) => 1,
        })
    }

    /// What to do about it, where the message itself does not say so.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::SecretMissing => Some("set MQTT_P2P_SECRET_KEY, or name a file with --secret-key-file"),
            Self::SecretFile { .. } => Some("check the path of --secret-key-file and who may read it"),
            Self::SecretNotText => Some("the secret is one line of ASCII characters: copy it again"),
            Self::PayloadTooLarge { .. } => {
                Some("send less, or send it in parts: the service closes the connection on a larger message")
            }
            Self::Topic(_) => Some("a topic name has at least one character, and no +, # or U+0000"),
            Self::Filter { .. } => Some("+ stands for a whole level, # for all levels at the end"),
            Self::Connect(error) | Self::RefusedLater(error) => Some(error.advice()),
            Self::ConnectTimeout { .. } => Some("check host and port, or give it more time with --timeout"),
            Self::NotDelivered { last, .. } => Some(
                last.as_ref()
                    .and_then(advice)
                    .unwrap_or("the message may have arrived all the same: check before you send it again"),
            ),
            Self::Emulator { error, .. } => match error.kind() {
                io::ErrorKind::AddrInUse => {
                    Some("choose other ports with --tcp-port and --ws-port; 0 takes a free one")
                }
                _ => None,
            },
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SecretMissing => f.write_str("there is no access key secret"),
            Self::SecretFile { path, error } => {
                write!(f, "the secret can't be read from {}: {error}", path.display())
            }
            Self::SecretNotText => f.write_str("the access key secret is not text"),
            Self::Credentials(error) => error.fmt(f),
            Self::Input { from, error } => write!(f, "the message can't be read from {from}: {error}"),
            Self::PayloadTooLarge { max } => {
                write!(f, "the message is larger than the {max} bytes that ApsaraMQ takes")
            }
            Self::Topic(error) => write!(f, "this is no topic: {error}"),
            Self::P2pTopic(error) => error.fmt(f),
            Self::Filter { filter, error } => write!(f, "{filter} is no topic filter: {error}"),
            Self::Connect(error) | Self::RefusedLater(error) => error.fmt(f),
            Self::ConnectTimeout { after } => {
                write!(f, "no connection came about within {} s", after.as_secs_f64())
            }
            Self::Publish(error) => error.fmt(f),
            Self::NotDelivered { after, last } => {
                write!(f, "the server did not acknowledge the message within {:.1} s", after.as_secs_f64())?;
                match last {
                    Some(ConnectionEvent::Disconnected { reason, .. }) => write!(f, ": {reason}"),
                    _ => Ok(()),
                }
            }
            Self::Subscribe { filter, error } => write!(f, "no subscription to {filter}: {error}"),
            Self::ClientEnded => f.write_str("the client ended by itself, which is a fault of this program"),
            Self::Emulator { tcp_port, ws_port, error } => write!(
                f,
                "the emulator can't listen on ports {tcp_port} (TCP) and {ws_port} (WebSocket): {error}"
            ),
            Self::Demo(error) => error.fmt(f),
            Self::Output(error) => write!(f, "the output can't be written: {error}"),
            Self::Signals(error) => write!(f, "Ctrl-C can't be watched: {error}"),
            Self::Runtime(error) => write!(f, "the program can't start: {error}"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<CredentialsError> for Failure {
    fn from(error: CredentialsError) -> Self {
        Self::Credentials(error)
    }
}
