//! Which endpoint and which edition of MQTT the next attempt takes, and when a round of attempts has failed.

use std::sync::Arc;

use mqtt_p2p_core::{DisconnectReason, Protocol, ReasonCode, TransportError};
use tokio::sync::oneshot;

use crate::endpoint::Endpoint;
use crate::error::ConnectError;
use crate::options::Options;

/// Who waits for the end of the first round.
pub(crate) type First = oneshot::Sender<Result<(), ConnectError>>;

/// A round tries every endpoint once, without a pause; a pause follows. What succeeded comes first in the next one.
pub(crate) struct Attempts {
    endpoints: Vec<Arc<Endpoint>>,
    /// The one to try.
    at: usize,
    /// How many have failed in this round.
    failed: usize,
    /// What the caller wants to speak.
    preferred: Protocol,
    /// What the next attempt speaks.
    protocol: Protocol,
    fall_back: bool,
    progress: Progress,
    first: Option<First>,
}

/// How far the attempt is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Dialling,
    /// CONNECT may have gone out.
    LoggingIn,
    Connected,
}

impl Attempts {
    pub(crate) fn new(options: &Options, first: Option<First>) -> Self {
        let endpoints = std::iter::once(&options.endpoint).chain(&options.other_endpoints);
        let preferred = options.config.protocol;
        Self {
            endpoints: endpoints.cloned().map(Arc::new).collect(),
            at: 0,
            failed: 0,
            preferred,
            protocol: preferred,
            fall_back: options.fall_back_to_v31 && preferred == Protocol::V311,
            progress: Progress::Dialling,
            first,
        }
    }

    pub(crate) fn endpoint(&self) -> Arc<Endpoint> {
        Arc::clone(&self.endpoints[self.at])
    }

    pub(crate) const fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(crate) const fn dialling(&mut self) {
        self.progress = Progress::Dialling;
    }

    pub(crate) const fn opened(&mut self) {
        self.progress = Progress::LoggingIn;
    }

    /// CONNACK is what has to come next.
    pub(crate) fn is_logging_in(&self) -> bool {
        self.progress == Progress::LoggingIn
    }

    /// The server accepted the log-in. Gives who waits for it.
    pub(crate) const fn connected(&mut self) -> Option<First> {
        self.progress = Progress::Connected;
        self.failed = 0;
        self.first.take()
    }

    /// An attempt, or a connection, ended. `wanted`: another one is wanted. Whether it follows at once.
    pub(crate) fn ended(&mut self, error: &ConnectError, wanted: bool) -> bool {
        let progress = std::mem::replace(&mut self.progress, Progress::Dialling);
        if !wanted || progress == Progress::Connected {
            self.failed = 0;
            return false;
        }
        if self.fall_back && self.protocol == Protocol::V311 && may_be_too_new(error, progress) {
            self.protocol = Protocol::V31;
            return true;
        }
        self.protocol = self.preferred;
        if !may_differ_elsewhere(error) {
            return false;
        }
        self.at = (self.at + 1) % self.endpoints.len();
        self.failed += 1;
        if self.failed < self.endpoints.len() {
            return true;
        }
        self.failed = 0;
        false
    }

    /// Who waits for the end of the first round, which has failed.
    pub(crate) const fn first(&mut self) -> Option<First> {
        self.first.take()
    }
}

/// Whether a server that knows MQTT 3.1 only may have acted so.
fn may_be_too_new(error: &ConnectError, progress: Progress) -> bool {
    match error {
        ConnectError::Refused(reason) => *reason == ReasonCode::UnsupportedProtocolVersion,
        ConnectError::Failed { reason: DisconnectReason::Transport(why), .. } => match why {
            // It closed instead of CONNACK.
            TransportError::ClosedByPeer | TransportError::Broken => progress == Progress::LoggingIn,
            // It does not know the subprotocol `mqtt`.
            TransportError::Upgrade => true,
            _ => false,
        },
        ConnectError::Failed { .. } => false,
    }
}

/// Whether another server may act differently. The same log-in is refused everywhere.
fn may_differ_elsewhere(error: &ConnectError) -> bool {
    match error {
        ConnectError::Refused(reason) => {
            matches!(reason, ReasonCode::ServerUnavailable | ReasonCode::UnsupportedProtocolVersion)
        }
        ConnectError::Failed { reason, .. } => !matches!(
            reason,
            DisconnectReason::Requested
                | DisconnectReason::Paused
                | DisconnectReason::InvalidLogin(_)
                | DisconnectReason::WillUnsupported
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_left_in_the_meantime_gets_no_other_attempt() {
        let options =
            Options::new(Endpoint::tcp("a", 1), "1").or_endpoint(Endpoint::tcp("b", 1)).fall_back_to_v31();
        let refused = ConnectError::Refused(ReasonCode::UnsupportedProtocolVersion);
        for (wanted, at_once, next) in [(false, false, Protocol::V311), (true, true, Protocol::V31)] {
            let mut attempts = Attempts::new(&options, None);
            attempts.opened();
            assert_eq!(attempts.ended(&refused, wanted), at_once);
            assert_eq!((attempts.protocol(), attempts.endpoint().host()), (next, "a"));
        }
    }

    #[test]
    fn each_endpoint_is_asked_in_both_editions_before_the_round_ends() {
        let options =
            Options::new(Endpoint::tcp("a", 1), "1").or_endpoint(Endpoint::tcp("b", 1)).fall_back_to_v31();
        let closed = ConnectError::Failed {
            reason: DisconnectReason::Transport(TransportError::ClosedByPeer),
            detail: None,
        };
        let mut attempts = Attempts::new(&options, None);
        let mut tried = Vec::new();
        loop {
            tried.push((attempts.endpoint().host().to_owned(), attempts.protocol()));
            attempts.dialling();
            attempts.opened();
            if !attempts.ended(&closed, true) {
                break;
            }
        }
        let editions = [Protocol::V311, Protocol::V31];
        let expected: Vec<_> =
            ["a", "b"].iter().flat_map(|host| editions.map(|edition| (host.to_string(), edition))).collect();
        assert_eq!(tried, expected);
    }
}
