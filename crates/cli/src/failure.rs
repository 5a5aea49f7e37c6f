//! What a command can end with, and the exit code that says so.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;
use std::{fmt, io};

use mqtt_p2p_aliyun::{ClientIdError, CredentialsError, P2pTopicError, TokenError, limits::MAX_PAYLOAD};
use mqtt_p2p_emulator::IssueError;
use mqtt_p2p_tokio::{
    ConnectError, ConnectionEvent, DisconnectReason, EndpointError, ProxyError, PublishError, ReasonCode,
    Step, SubscribeError, TlsError, TopicError, TransportError,
};

use crate::demo::DemoError;
use crate::receive::advice;
use crate::secret::SecretKind;

/// A part of the log-in that every place to look for lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    Url,
    ClientId,
    AccessKey,
    Instance,
    UserName,
}

impl Thing {
    const fn name(self) -> &'static str {
        match self {
            Self::Url => "server",
            Self::ClientId => "client id",
            Self::AccessKey => "access key id",
            Self::Instance => "instance id",
            Self::UserName => "user name",
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::Url => "give --url, set MQTT_P2P_URL, or choose a --profile with url",
            Self::ClientId => {
                "give --client-id, set MQTT_P2P_CLIENT_ID, or choose a --profile with client_id"
            }
            Self::AccessKey => {
                "give --access-key, set MQTT_P2P_ACCESS_KEY, or choose a --profile with access_key; \
                 for a broker other than ApsaraMQ give --user-name, or --auth none"
            }
            Self::Instance => "give --instance, set MQTT_P2P_INSTANCE, or choose a --profile with instance",
            Self::UserName => {
                "give --user-name, set MQTT_P2P_USER_NAME, or choose a --profile with user_name"
            }
        }
    }
}

/// Why a command failed. The exit codes are in the help text; scripts rely on them.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A part of the log-in is not there.
    Missing(Thing),
    ClientId(ClientIdError),
    /// Neither the environment nor a file nor a profile has the secret.
    SecretMissing {
        kind: SecretKind,
    },
    /// The profile names a variable that is not set.
    SecretVariableMissing {
        kind: SecretKind,
        name: String,
    },
    /// The secret's file can't be read.
    SecretFile {
        kind: SecretKind,
        path: PathBuf,
        error: io::Error,
    },
    /// The secret is not text, or far too long for one.
    SecretNotText {
        kind: SecretKind,
    },
    Credentials(CredentialsError),
    Token(TokenError),
    /// Nothing is computed in this mode.
    NothingToSign,
    /// There is no home to look for the configuration in.
    NoHome,
    /// The file with the profiles can't be read or understood.
    ConfigFile {
        path: PathBuf,
        line: Option<usize>,
        error: String,
    },
    ProfileUnknown {
        name: String,
        path: PathBuf,
        known: Vec<String>,
    },
    /// -L is none.
    Location,
    Endpoint(EndpointError),
    Proxy(ProxyError),
    /// Certificates or keys can't be used.
    Tls(TlsError),
    /// A step of the doctor's failed.
    Doctor {
        step: Step,
        error: ConnectError,
    },
    /// A session is to be kept under a name that is made up.
    SessionWithoutClientId,
    /// Neither -t nor -L has a topic.
    NoTopic,
    /// The message can't be read.
    Input {
        from: String,
        error: io::Error,
    },
    /// The message is larger than the service, or MQTT, takes.
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
    /// The time was over before as many messages had come as were asked for.
    TooFew {
        after: Duration,
    },
    /// Of the measured messages some were lost, or came too often.
    BenchFaulty {
        lost: u64,
        duplicates: u64,
    },
    /// The client ended by itself.
    ClientEnded,
    Emulator {
        /// TCP, WebSocket, TLS, and WebSocket over TLS.
        ports: [u16; 4],
        error: io::Error,
    },
    /// The emulator issues no such token.
    IssueToken(IssueError),
    Demo(DemoError),
    /// A file can't be written.
    Write {
        what: &'static str,
        path: PathBuf,
        error: io::Error,
    },
    Output(io::Error),
    Signals(io::Error),
    Runtime(io::Error),
}

impl Failure {
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Missing(_)
            | Self::ClientId(_)
            | Self::SecretMissing { .. }
            | Self::SecretVariableMissing { .. }
            | Self::SecretFile { .. }
            | Self::SecretNotText { .. }
            | Self::Credentials(_)
            | Self::Token(_)
            | Self::NothingToSign
            | Self::NoHome
            | Self::ConfigFile { .. }
            | Self::ProfileUnknown { .. }
            | Self::Location
            | Self::Endpoint(_)
            | Self::Proxy(_)
            | Self::Tls(_)
            | Self::SessionWithoutClientId
            | Self::NoTopic
            | Self::Input { .. }
            | Self::PayloadTooLarge { .. }
            | Self::Topic(_)
            | Self::P2pTopic(_)
            | Self::Filter { .. }
            | Self::IssueToken(_) => 2,
            Self::Doctor { error: ConnectError::Refused(reason), .. }
            | Self::Connect(ConnectError::Refused(reason))
            | Self::RefusedLater(ConnectError::Refused(reason)) => match reason {
                ReasonCode::ServerUnavailable => 3,
                _ => 4,
            },
            Self::Doctor { step, .. } => match step {
                Step::Name => 10,
                Step::Tcp | Step::UnixSocket => 11,
                Step::Proxy => 12,
                Step::Tls => 13,
                Step::WebSocket => 14,
                Step::RoundTrip => 16,
                // And what this program has no other name for.
                _ => 15,
            },
            Self::Connect(_) | Self::RefusedLater(_) => 3,
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
            Self::TooFew { .. } => 7,
            Self::BenchFaulty { .. }
            | Self::ClientEnded
            | Self::Emulator { .. }
            | Self::Demo(_)
            | Self::Write { .. }
            | Self::Output(_)
            | Self::Signals(_)
            | Self::Runtime(_) => 1,
        }
    }

    /// Its name in JSON, which stays the same from version to version.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::ClientId(_) => "client_id",
            Self::SecretMissing { .. } | Self::SecretVariableMissing { .. } => "secret_missing",
            Self::SecretFile { .. } => "secret_file",
            Self::SecretNotText { .. } => "secret_not_text",
            Self::Credentials(_) | Self::Token(_) => "credentials",
            Self::NothingToSign => "nothing_to_sign",
            Self::NoHome | Self::ConfigFile { .. } => "config_file",
            Self::ProfileUnknown { .. } => "profile_unknown",
            Self::Location | Self::Endpoint(_) => "url",
            Self::Proxy(_) => "proxy",
            Self::Tls(_) => "tls_files",
            Self::Doctor { error: ConnectError::Refused(_), .. } => "log_in_refused",
            Self::Doctor { step, .. } => step_name(*step),
            Self::SessionWithoutClientId => "session_without_client_id",
            Self::NoTopic | Self::Topic(_) | Self::P2pTopic(_) => "topic",
            Self::Input { .. } => "input",
            Self::PayloadTooLarge { .. } => "payload_too_large",
            Self::Filter { .. } => "filter",
            Self::Connect(ConnectError::Refused(_)) | Self::RefusedLater(_) => "log_in_refused",
            Self::Connect(_) => "no_connection",
            Self::ConnectTimeout { .. } => "connect_timeout",
            Self::Publish(_) => "not_accepted",
            Self::NotDelivered { .. } => "not_delivered",
            Self::Subscribe { .. } => "no_subscription",
            Self::TooFew { .. } => "too_few_messages",
            Self::BenchFaulty { .. } => "faulty",
            Self::Demo(_) => "demo",
            Self::Emulator { .. } => "emulator",
            Self::IssueToken(_) => "issue_token",
            Self::Write { .. } | Self::Output(_) => "output",
            Self::ClientEnded | Self::Signals(_) | Self::Runtime(_) => "program",
        }
    }

    /// What to do about it, where the message itself does not say so.
    pub(crate) fn advice(&self) -> Option<Cow<'static, str>> {
        let advice = match self {
            Self::Missing(thing) => thing.advice(),
            Self::ClientId(_) => "the client id is that of --client-id, MQTT_P2P_CLIENT_ID or the profile",
            Self::SecretMissing { kind } => {
                return Some(
                    format!("set {}, or name a file with {}", kind.variable(), kind.file_argument()).into(),
                );
            }
            Self::SecretVariableMissing { .. } => "set it, or correct the profile",
            Self::SecretFile { .. } => "check the path and who may read it",
            Self::SecretNotText { .. } => "it is one line of ASCII characters: copy it again",
            Self::Token(_) => {
                "give the token as it was issued, or <type>|<token> pairs with the types R, W and RW"
            }
            Self::NothingToSign => {
                "signing is for ApsaraMQ: choose --auth signature, device, token, signed or origin"
            }
            Self::NoHome => "name the file with --config",
            Self::ConfigFile { line: None, .. } => {
                "check the path and who may read it; mqtt-p2p profiles --help shows an example"
            }
            Self::ConfigFile { .. } => "mqtt-p2p profiles --help shows an example",
            Self::ProfileUnknown { known, .. } => {
                return Some(match known.is_empty() {
                    true => "the file has no profile: mqtt-p2p profiles --help shows an example".into(),
                    false => format!("choose one of {}", known.join(", ")).into(),
                });
            }
            Self::Location => "write mqtt://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC, or use --url and -t",
            Self::Endpoint(_) => {
                "a --url is mqtt://HOST[:PORT], mqtts://HOST[:PORT], ws://HOST[:PORT][/PATH], wss://HOST[:PORT][/PATH] \
                 or unix:///PATH; user name and password have options of their own"
            }
            Self::Proxy(_) => {
                "write http://[USER:PASSWORD@]HOST[:PORT] or socks5://[USER:PASSWORD@]HOST[:PORT]"
            }
            Self::Tls(TlsError::ServerName) => "give the name of the certificate with --server-name",
            Self::Tls(_) => "check the files of --cafile, --cert and --key",
            Self::SessionWithoutClientId => "give --client-id, so that the session can be found again",
            Self::NoTopic => "give it with -t",
            Self::PayloadTooLarge { max: MAX_PAYLOAD } => {
                "send less, or send it in parts: the service closes the connection on a larger message"
            }
            Self::PayloadTooLarge { .. } => "send it in parts",
            Self::Topic(_) => "a topic name has at least one character, and no +, # or U+0000",
            Self::Filter { .. } => "+ stands for a whole level, # for all levels at the end",
            Self::Connect(error) | Self::RefusedLater(error) | Self::Doctor { error, .. } => {
                connect_advice(error)
            }
            Self::ConnectTimeout { .. } => "check host and port, or give it more time with --timeout",
            Self::NotDelivered { last, .. } => last
                .as_ref()
                .and_then(advice)
                .unwrap_or("the message may have arrived all the same: check before you send it again"),
            Self::TooFew { .. } => "give it more time with -W, or ask for fewer with -C",
            Self::BenchFaulty { .. } => {
                "a broker may drop what waits for a slow subscriber: fewer --in-flight, a --rate, or a longer queue there"
            }
            Self::Emulator { error, .. } if error.kind() == io::ErrorKind::AddrInUse => {
                "choose other ports with --tcp-port, --ws-port, --tls-port and --wss-port; 0 takes a free one"
            }
            Self::IssueToken(IssueError::TooShort(_)) => {
                "ask for a longer life, or allow a shorter one with --min-token-lifetime"
            }
            Self::Write { .. } => "check the directory and who may write to it",
            _ => return None,
        };
        Some(advice.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(thing) => write!(f, "there is no {}", thing.name()),
            Self::ClientId(error) => error.fmt(f),
            Self::SecretMissing { kind } => write!(f, "there is no {}", kind.name()),
            Self::SecretVariableMissing { kind, name } => {
                write!(f, "the profile takes the {} from the variable {name}, which is not set", kind.name())
            }
            Self::SecretFile { kind, path, error } => {
                write!(f, "the {} can't be read from {}: {error}", kind.name(), path.display())
            }
            Self::SecretNotText { kind } => write!(f, "the {} is not text", kind.name()),
            Self::Credentials(error) => error.fmt(f),
            Self::Token(error) => error.fmt(f),
            Self::NothingToSign => f.write_str("a log-in with user name and password has nothing to sign"),
            Self::NoHome => f.write_str("there is no home directory to look for the configuration in"),
            Self::ConfigFile { path, line: Some(line), error } => {
                write!(f, "{}, line {line}: {error}", path.display())
            }
            Self::ConfigFile { path, line: None, error } => {
                write!(f, "the configuration can't be read from {}: {error}", path.display())
            }
            Self::ProfileUnknown { name, path, .. } => {
                write!(f, "{} has no profile {name}", path.display())
            }
            Self::Location => f.write_str("-L is no mqtt:// URL"),
            Self::Endpoint(error) => error.fmt(f),
            Self::Proxy(error) => error.fmt(f),
            Self::Tls(error) => error.fmt(f),
            Self::Doctor { error, .. } => error.fmt(f),
            Self::SessionWithoutClientId => {
                f.write_str("a session is kept under a client id, and there is none")
            }
            Self::NoTopic => f.write_str("there is no topic"),
            Self::Input { from, error } => write!(f, "the message can't be read from {from}: {error}"),
            Self::PayloadTooLarge { max: MAX_PAYLOAD } => {
                write!(f, "the message is larger than the {MAX_PAYLOAD} bytes that ApsaraMQ takes")
            }
            Self::PayloadTooLarge { max } => {
                write!(f, "the message is larger than the {max} bytes that MQTT can carry")
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
            Self::TooFew { after } => {
                write!(f, "{} s are over, and too few messages have come", after.as_secs_f64())
            }
            Self::BenchFaulty { lost, duplicates } => {
                write!(f, "{lost} messages were lost, {duplicates} came too often")
            }
            Self::ClientEnded => f.write_str("the client ended by itself, which is a fault of this program"),
            Self::Emulator { ports: [tcp, ws, tls, wss], error } => {
                write!(f, "the emulator can't listen on ports {tcp}, {ws}, {tls} and {wss}: {error}")
            }
            Self::IssueToken(IssueError::TooShort(shortest)) => {
                write!(f, "a token lives at least {} s", shortest.as_secs_f64())
            }
            Self::IssueToken(error) => error.fmt(f),
            Self::Demo(error) => error.fmt(f),
            Self::Write { what, path, error } => {
                write!(f, "{what} can't be written to {}: {error}", path.display())
            }
            Self::Output(error) => write!(f, "the output can't be written: {error}"),
            Self::Signals(error) => write!(f, "Ctrl-C can't be watched: {error}"),
            Self::Runtime(error) => write!(f, "the program can't start: {error}"),
        }
    }
}

/// What to do about a connection that did not come about, with the arguments that do it.
pub(crate) fn connect_advice(error: &ConnectError) -> &'static str {
    let ConnectError::Failed { reason: DisconnectReason::Transport(reason), .. } = error else {
        return match error {
            ConnectError::Refused(ReasonCode::BadUserNameOrPassword | ReasonCode::NotAuthorized) => {
                "check user name and password; for ApsaraMQ, access key, secret and instance id, and that the client \
                 id is the one that was signed"
            }
            error => error.advice(),
        };
    };
    match reason {
        TransportError::UnknownAuthority => {
            "if you know the authority that signed the server's certificate, name its file with --cafile; otherwise \
             somebody may be in between"
        }
        TransportError::WrongName => {
            "connect to a name that the certificate is for, or give the one that it should have with --server-name"
        }
        TransportError::ClientCertificate => {
            "give a client certificate that the server trusts with --cert, and its key with --key"
        }
        _ => error.advice(),
    }
}

/// A step's name in JSON, which stays the same from version to version.
pub(crate) const fn step_name(step: Step) -> &'static str {
    match step {
        Step::Name => "name",
        Step::Tcp => "tcp",
        Step::UnixSocket => "unix_socket",
        Step::Proxy => "proxy",
        Step::Tls => "tls",
        Step::WebSocket => "websocket",
        Step::Connect => "connect",
        Step::RoundTrip => "round_trip",
        _ => "other",
    }
}

impl std::error::Error for Failure {}

impl From<CredentialsError> for Failure {
    fn from(error: CredentialsError) -> Self {
        Self::Credentials(error)
    }
}
