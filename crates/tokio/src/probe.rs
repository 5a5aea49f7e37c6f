//! One attempt to connect, step by step, for who looks for a fault.

use std::sync::Arc;
use std::time::Duration;

use mqtt_p2p_core::DisconnectReason;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::client::Client;
use crate::error::ConnectError;
use crate::options::Options;
use crate::step::{Step, StepReport};

/// Connects once to the first endpoint, asks for a round trip, and leaves; tells how each [`Step`] ended when it has. The
/// steps are those of every connection, since it is a real client that takes them.
///
/// The deadline is [`Config::connect_timeout_ms`](crate::Config::connect_timeout_ms) for all steps up to
/// [`Step::Connect`], and [`Config::ping_timeout_ms`](crate::Config::ping_timeout_ms) for the round trip. With
/// [`Options::fall_back_to_v31`], steps may come twice.
///
/// ```no_run
/// use mqtt_p2p_tokio::{Options, probe};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let options = Options::new("mqtts://broker.example".parse()?, "me");
/// let result = probe(options, |report| match &report.outcome {
///     Ok(detail) => println!("ok      {:<20} {:?} {detail}", report.step, report.took),
///     Err(error) => println!("failed  {:<20} {error}; {}", report.step, error.advice()),
/// });
/// result.await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// That of the step that failed, which is the last one reported.
///
/// Must be called on a tokio runtime with IO and time. Cancel safe: dropping the future ends the attempt.
pub async fn probe(mut options: Options, mut report: impl FnMut(StepReport)) -> Result<(), ConnectError> {
    let (observer, mut reports) = mpsc::unbounded_channel();
    options.observer = Some(observer);
    options.other_endpoints.clear();
    let timeout = Duration::from_millis(options.config.ping_timeout_ms.into());
    let connected = {
        let mut connecting = std::pin::pin!(Client::connect(options));
        loop {
            tokio::select! {
                biased;
                Some(step) = reports.recv() => report(step),
                connected = &mut connecting => break connected,
            }
        }
    };
    while let Ok(step) = reports.try_recv() {
        report(step);
    }
    let (client, messages) = connected?;
    // Whatever comes is not read.
    drop(messages);
    let began = Instant::now();
    let outcome = tokio::time::timeout(timeout, client.round_trip())
        .await
        .unwrap_or(Err(ConnectError::Failed { reason: DisconnectReason::KeepAliveTimeout, detail: None }));
    let took = began.elapsed();
    report(StepReport { step: Step::RoundTrip, took, outcome: outcome.clone().map(|()| String::new()) });
    client.close().await;
    outcome
}

impl Client {
    /// Waits for the answer to a ping.
    async fn round_trip(&self) -> Result<(), ConnectError> {
        let mut events = self.events();
        let shared = Arc::clone(self.shared());
        {
            let mut state = shared.lock();
            state.core.ping();
            state.pinging = state.core.is_connected();
        }
        shared.work.notify_one();
        let answered = async {
            loop {
                let answered = shared.room.notified();
                let mut answered = std::pin::pin!(answered);
                answered.as_mut().enable();
                if !shared.lock().pinging {
                    return;
                }
                answered.await;
            }
        };
        let lost = ConnectError::Failed { reason: DisconnectReason::Requested, detail: None };
        tokio::select! {
            biased;
            event = events.recv() => Err(event.and_then(|event| event.failure()).unwrap_or(lost)),
            () = answered => if self.is_connected() { Ok(()) } else { Err(lost) },
        }
    }
}
