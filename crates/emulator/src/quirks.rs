//! Where the service departs from the MQTT standard, as switches.

use std::time::Duration;

use mqtt_p2p_aliyun::limits;
use mqtt_p2p_packet::QoS;

/// Where the service departs from the standard. The default is the [service](Quirks::service).
///
/// Each field says where its default comes from: the service's *documentation*, its *open-source kernel*
/// (Apache RocketMQ MQTT, by the same team: a strong hint, no proof), or our *choice* where neither says anything.
///
/// ```
/// use mqtt_p2p_emulator::{Quirks, SessionPresent, Takeover};
///
/// let mut quirks = Quirks::service();
/// quirks.takeover = Takeover::NewLoses;
/// assert_eq!(quirks.session_present, SessionPresent::AlwaysZero);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// What CONNACK says about a kept session, and what such a session keeps. Kernel: always 0.
    pub session_present: SessionPresent,
    /// CONNACK comes this much later at most; how much is drawn from the seed. Kernel: up to 1 s. Choice: 50 ms, so
    /// that demonstrations stay brisk.
    pub connack_delay: Duration,
    /// SUBACK comes this much later at most; messages may overtake it. Kernel: up to 1 s. Choice: 50 ms.
    pub suback_delay: Duration,
    /// How a message of QoS 1 without PUBACK is sent again on the same connection, without DUP; `None`: never. Kernel:
    /// every 3 s, 15 times, then it is dropped (documentation: every 3–6 s); first under the same packet identifier,
    /// later under new ones. Choice: from the fourth time on.
    pub re_push: Option<RePush>,
    /// How messages that waited for an offline client come after it connects; `None`: all at once, as fast as it
    /// acknowledges. Documentation: 30 at once, the next 30 after 5 s.
    pub offline_batch: Option<OfflineBatch>,
    /// A client that is silent for so many hundredths of its keep alive is cut; `None`: never. Documentation and standard
    /// ([MQTT-3.1.2-24]): 150.
    pub keep_alive_percent: Option<u32>,
    /// A client with keep alive 0 is cut so long after it connects; `None`: never. Kernel: about 10 s.
    pub keep_alive_zero: Option<Duration>,
    /// Which side loses when a client id connects twice. The documentation does not agree with itself; choice: the
    /// old connection, as the standard asks ([MQTT-3.1.4-2]).
    pub takeover: Takeover,
    /// CONNACK's return code for wrong credentials. Kernel: 4.
    pub wrong_credentials: WrongCredentials,
    /// What becomes of a client id against the rules: empty, over 64 characters, without a group, or of a group that is
    /// not [configured](crate::Config::groups). Documentation: it "may be dropped"; choice: CONNACK 2.
    pub bad_client_id: BadClientId,
    /// What a will does: it is not supported (documentation). Choice: nothing.
    pub will: Unsupported,
    /// What RETAIN does: it is not supported (documentation). Choice: nothing.
    pub retain: Unsupported,
    /// What a payload over [`Config::max_payload`](crate::Config::max_payload) does. The documentation has both;
    /// choice: it closes the connection.
    pub oversize: Oversize,
    /// Whether `<parent>/p2p/<client id>` reaches its client without a subscription (documentation). Otherwise it is a
    /// topic like others.
    pub implicit_p2p: bool,
    /// Whether a P2P message of QoS 1 waits for a client that is away. Documentation: if its sender is connected with
    /// cleanSession=false.
    pub p2p_offline: P2pOffline,
    /// Whether delivered topics get a `/` at the end. The documentation knows the case, the kernel delivers topics
    /// as they were published; choice: never.
    pub trailing_slash: TrailingSlash,
    /// A longer topic, in characters, closes the connection; `None`: any length. Documentation: 64. It does not say
    /// whether P2P topics are exempt; choice: they are, or clients with long ids could not be reached.
    pub max_topic_len: Option<usize>,
    /// So long before a token expires its client is told so with `$SYS/tokenExpireNotice`, once for each connection;
    /// `None`: never. Documentation: about 5 minutes, and not guaranteed. Choice: for a token that is nearer to its
    /// end, at once.
    pub token_expire_notice: Option<Duration>,
    /// When a client learns from `$SYS/tokenInvalidNotice` why it was disconnected. Documentation: before that, but
    /// it may come late or never.
    pub token_invalid_notice: TokenInvalidNotice,
    /// At which QoS the notices about tokens come. Nothing says it; choice: 0.
    pub notice_qos: QoS,
    /// PUBACK for `$SYS/uploadToken` comes this much later, and with it the token takes effect. What comes earlier is
    /// judged by the old token (documentation). Choice: 50 ms.
    pub upload_ack_delay: Duration,
    /// More subscriptions of a client are granted but have no effect; `None`: any number. Documentation: 30.
    pub max_subscriptions: Option<usize>,
    /// More subscriptions with a wildcard below one parent topic, over all clients, are granted but have no effect;
    /// `None`: any number. Documentation: 100.
    pub max_wildcard_subscriptions_per_parent: Option<usize>,
}

impl Quirks {
    /// The service, as far as it is known.
    pub const fn service() -> Self {
        Self {
            session_present: SessionPresent::AlwaysZero,
            connack_delay: Duration::from_millis(50),
            suback_delay: Duration::from_millis(50),
            re_push: Some(RePush { interval: Duration::from_secs(3), times: 15, same_id: 3 }),
            offline_batch: Some(OfflineBatch {
                messages: limits::OFFLINE_BATCH,
                interval: limits::OFFLINE_BATCH_INTERVAL,
            }),
            keep_alive_percent: Some(150),
            keep_alive_zero: Some(Duration::from_secs(10)),
            takeover: Takeover::OldLoses,
            wrong_credentials: WrongCredentials::BadUserNameOrPassword,
            bad_client_id: BadClientId::Refuse,
            will: Unsupported::Ignore,
            retain: Unsupported::Ignore,
            oversize: Oversize::Close,
            implicit_p2p: true,
            p2p_offline: P2pOffline::BySender,
            trailing_slash: TrailingSlash::Never,
            max_topic_len: Some(limits::MAX_TOPIC_LEN),
            token_expire_notice: Some(limits::TOKEN_EXPIRY_NOTICE),
            token_invalid_notice: TokenInvalidNotice::BeforeClose,
            notice_qos: QoS::AtMostOnce,
            upload_ack_delay: Duration::from_millis(50),
            max_subscriptions: Some(limits::MAX_SUBSCRIPTIONS),
            max_wildcard_subscriptions_per_parent: Some(limits::MAX_WILDCARD_SUBSCRIPTIONS_PER_PARENT),
        }
    }

    /// The standard MQTT 3.1.1, for tests that ask what a client does with any broker: standard sessions, no delay,
    /// no re-push, no limits on topics and subscriptions. Will and retain are not there all the same.
    pub const fn standard() -> Self {
        Self {
            session_present: SessionPresent::Standard,
            connack_delay: Duration::ZERO,
            suback_delay: Duration::ZERO,
            upload_ack_delay: Duration::ZERO,
            re_push: None,
            offline_batch: None,
            keep_alive_zero: None,
            max_topic_len: None,
            max_subscriptions: None,
            max_wildcard_subscriptions_per_parent: None,
            ..Self::service()
        }
    }

    /// The same, answering CONNECT, SUBSCRIBE and an uploaded token at once: for tests that want to wait for nothing.
    #[must_use]
    pub const fn without_delays(mut self) -> Self {
        self.connack_delay = Duration::ZERO;
        self.suback_delay = Duration::ZERO;
        self.upload_ack_delay = Duration::ZERO;
        self
    }
}

impl Default for Quirks {
    fn default() -> Self {
        Self::service()
    }
}

/// What becomes of a session with cleanSession=false while its client is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionPresent {
    /// CONNACK always says 0 (kernel), so the client starts anew, and the server must not count on packet
    /// identifiers of the last connection. Kept are the subscriptions and the messages of QoS 1 (documentation);
    /// what was under way when the connection ended is sent again as new (choice: of QoS 2 only what the client has
    /// not confirmed with PUBREC, and nothing new of QoS 2 is kept for an offline client, since the service has no
    /// persistent QoS 2). A publication of QoS 2 that a client repeats after a reconnect counts as a new one: with
    /// session present 0 nobody can know better.
    AlwaysZero,
    /// As §3.1.2.4 of the standard asks: CONNACK tells the truth; messages under way, QoS 1 and 2, stay with their
    /// packet identifiers and are sent again with DUP in their order, PUBREL where PUBREC came; the identifiers of
    /// received QoS 2 publications are kept; QoS 2 waits for an offline client like QoS 1. With these sessions,
    /// QoS 2 is exactly once across connections.
    Standard,
}

/// How a message without PUBACK is sent again on the same connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RePush {
    /// The time between two attempts.
    pub interval: Duration,
    /// How often; the message is dropped one interval after the last attempt.
    pub times: u32,
    /// How many of them are under the same packet identifier; each later one has a new one.
    pub same_id: u32,
}

/// How messages that waited are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OfflineBatch {
    /// So many at once.
    pub messages: usize,
    /// The time until the next ones.
    pub interval: Duration,
}

/// Which side loses when a client id connects twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Takeover {
    /// The connection that is there is closed.
    OldLoses,
    /// The connection that comes is closed, without CONNACK: the service's trace says "TCP connection closed".
    NewLoses,
}

/// When a client learns that its token was no good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenInvalidNotice {
    /// Right before the connection closes.
    BeforeClose,
    /// On its next connection: the close was faster than the notice.
    AfterReconnect,
    /// Never: the notice got lost.
    Never,
}

/// CONNACK's return code for wrong credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WrongCredentials {
    /// 4.
    BadUserNameOrPassword,
    /// 5.
    NotAuthorized,
}

/// What becomes of a client id against the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BadClientId {
    /// CONNACK 2, then the close.
    Refuse,
    /// A bare close.
    Close,
    /// It is let in, unless it is empty.
    Accept,
}

/// What a feature does that the service does not support.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unsupported {
    /// Nothing.
    Ignore,
    /// It closes the connection.
    Close,
}

/// What a payload over the limit does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Oversize {
    /// It closes the connection.
    Close,
    /// It is acknowledged and not passed on. Over 1 MiB it closes the connection all the same.
    Drop,
}

/// Whether a P2P message of QoS 1 waits for a client that is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum P2pOffline {
    /// If its sender is connected with cleanSession=false.
    BySender,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Which delivered topics get a `/` at the end, if they have none. Where any do, topics and filters are also compared
/// without it, as the kernel does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrailingSlash {
    /// None.
    Never,
    /// All but P2P topics; the one device log that is public shows a P2P topic without it.
    ButP2p,
    /// All.
    Always,
}
