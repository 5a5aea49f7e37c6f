//! The steps of an attempt to connect, for who wants to know how far it got.

use std::fmt;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use crate::dial::DialError;
use crate::error::ConnectError;

/// A step on the way to a working connection, in their order. An attempt takes those that its options ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// The name is resolved: the proxy's, if there is one.
    Name,
    /// TCP connects, to the proxy if there is one.
    Tcp,
    /// The Unix socket connects.
    UnixSocket,
    /// The caller's connector opens a stream.
    Connector,
    /// The proxy lets the connection through.
    Proxy,
    /// The TLS handshake, with the check of the certificate.
    Tls,
    /// The WebSocket upgrade.
    WebSocket,
    /// The log-in: CONNECT, to which the server answers CONNACK.
    Connect,
    /// PINGREQ, to which the server answers PINGRESP.
    RoundTrip,
}

/// How a step ended, from [`probe`](crate::probe).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StepReport {
    /// Which step.
    pub step: Step,
    /// How long it took.
    pub took: Duration,
    /// What came of it, such as the addresses or the version of TLS; empty if there is nothing to say. Or why it
    /// failed.
    pub outcome: Result<String, ConnectError>,
}

/// The step under way, and who hears of those that ended.
pub(crate) struct Steps {
    current: Mutex<Option<(Step, Instant)>>,
    observer: Option<UnboundedSender<StepReport>>,
}

impl Steps {
    pub(crate) const fn new(observer: Option<UnboundedSender<StepReport>>) -> Self {
        Self { current: Mutex::new(None), observer }
    }

    /// Runs a step. If it fails, or is dropped, it stays the current one until [`Self::failed`].
    pub(crate) async fn run<T>(
        &self,
        step: Step,
        work: impl Future<Output = Result<T, DialError>>,
        describe: impl FnOnce(&T) -> String,
    ) -> Result<T, DialError> {
        self.begin(step);
        let done = work.await?;
        self.done(|| describe(&done));
        Ok(done)
    }

    pub(crate) fn begin(&self, step: Step) {
        *self.current() = Some((step, Instant::now()));
    }

    /// The current step is through.
    pub(crate) fn done(&self, describe: impl FnOnce() -> String) {
        let current = self.current().take();
        if self.observer.is_some() {
            self.report(current, Ok(describe()));
        }
    }

    /// The attempt failed at the current step.
    pub(crate) fn failed(&self, error: &ConnectError) {
        let current = self.current().take();
        self.report(current, Err(error.clone()));
    }

    /// Which step is under way.
    pub(crate) fn under_way(&self) -> Option<Step> {
        self.current().map(|(step, _)| step)
    }

    fn report(&self, current: Option<(Step, Instant)>, outcome: Result<String, ConnectError>) {
        if let (Some(observer), Some((step, began))) = (&self.observer, current) {
            // Or nobody listens any more.
            let _ = observer.send(StepReport { step, took: began.elapsed(), outcome });
        }
    }

    fn current(&self) -> MutexGuard<'_, Option<(Step, Instant)>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Name => "name resolution",
            Self::Tcp => "TCP connection",
            Self::UnixSocket => "Unix socket",
            Self::Connector => "connector",
            Self::Proxy => "proxy",
            Self::Tls => "TLS handshake",
            Self::WebSocket => "WebSocket upgrade",
            Self::Connect => "log-in",
            Self::RoundTrip => "round trip",
        })
    }
}
