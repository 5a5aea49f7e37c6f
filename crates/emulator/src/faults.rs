//! Faults on demand: what can go wrong with a server or a network, for tests of what a client does then.

use std::time::Duration;

use mqtt_p2p_packet::ReasonCode;

/// What goes wrong from now on, until it is changed again. By default nothing does.
///
/// Other faults are single deeds: [`Server::drop_connection`](crate::Server::drop_connection) (a link that breaks),
/// [`Server::send_raw`](crate::Server::send_raw) (a peer that speaks nonsense),
/// [`Server::set_refusing`](crate::Server::set_refusing) (a server that takes no connections) and
/// [`Server::revoke_token`](crate::Server::revoke_token).
///
/// ```
/// use mqtt_p2p_emulator::{Faults, Server};
/// use mqtt_p2p_packet::ReasonCode;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let server = Server::demo().await?;
/// server.set_faults(|faults| faults.refuse_log_ins = Some(ReasonCode::ServerUnavailable));
/// // … what does the client do? …
/// server.set_faults(|faults| *faults = Faults::default());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Faults {
    /// Only this client suffers; `None`: all do.
    pub client_id: Option<String>,
    /// Every log-in is answered with this return code of CONNACK, right or wrong, and closed. Shows whether a client
    /// comes back after 3 (unavailable), and leaves it be after 1, 2, 4 and 5. A code that CONNACK does not have is
    /// ignored.
    pub refuse_log_ins: Option<ReasonCode>,
    /// CONNECT is read and never answered. Shows whether a client gives up waiting for CONNACK.
    pub silent_connack: bool,
    /// The connection closes so long after CONNACK. Shows whether a client's back-off grows though each log-in
    /// succeeds.
    pub close_after_connack: Option<Duration>,
    /// Somebody takes over the client id so long after each CONNACK, as a second device with the same id does. Shows
    /// whether a client reports the takeover, and does not fight for ever.
    pub take_over_after: Option<Duration>,
    /// Links stay up, and nothing that is sent over them arrives, either way. A link that was used while this was on
    /// never comes back to life. Shows whether a client notices that PINGRESP stays away.
    pub half_open: bool,
    /// So many of the next messages to clients get lost: of QoS 1 until the re-push.
    pub lose_publishes: u32,
    /// So many of the next PUBACKs get lost, those for uploaded tokens included: the server has the message. Shows
    /// whether a client sends it again, or waits for ever.
    pub lose_pubacks: u32,
    /// So many of the next PUBRECs get lost.
    pub lose_pubrecs: u32,
    /// So many of the next PUBRELs get lost.
    pub lose_pubrels: u32,
    /// So many of the next PUBCOMPs get lost.
    pub lose_pubcomps: u32,
    /// So many of the next SUBACKs get lost: the subscription is there. Shows whether a client waits for ever.
    pub lose_subacks: u32,
    /// So many of the next UNSUBACKs get lost.
    pub lose_unsubacks: u32,
    /// So many of the next PINGRESPs get lost.
    pub lose_pingresps: u32,
    /// So many of the next messages of QoS 1 and 2 come twice, under the same packet identifier and without DUP. Shows
    /// whether a client's handler is idempotent, and that QoS 2 reaches it once.
    pub duplicate_publishes: u32,
    /// All that goes out comes so much later, in order. When the emulator closes a connection, what waits goes out
    /// first, at once. Shows whether a client's timeouts are long enough for a slow network.
    pub delay: Duration,
}
