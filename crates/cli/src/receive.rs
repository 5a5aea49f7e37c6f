//! What `listen` and `subscribe` share: messages from the stream to the output, until enough is enough.

use std::io;
use std::time::Duration;

use mqtt_p2p_tokio::{
    Client, ConnectError, ConnectionEvent, DisconnectReason, Message, Messages, Options, QoS, TopicFilter,
    TransportError,
};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::failure::Failure;
use crate::message::plain_line;
use crate::output;

/// How long leaving may take before the process ends anyway.
pub(crate) const GOOD_BYE: Duration = Duration::from_secs(2);

/// What is wanted.
pub(crate) struct Wish<'a> {
    pub(crate) filters: &'a [String],
    pub(crate) qos: QoS,
    /// End after so many messages.
    pub(crate) count: Option<u64>,
    /// End after so long.
    pub(crate) wait: Option<Duration>,
    /// Whether to say what went well.
    pub(crate) talkative: bool,
}

/// What became of a message.
pub(crate) enum Taken {
    Printed,
    LeftOut,
    /// It was left out, and no further ones are wanted.
    Last,
}

/// Why the receiving ended well.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Ctrl-C.
    Stopped,
    /// As many messages as were asked for.
    Counted,
    /// Nobody reads the output.
    Unread,
    /// The time is over.
    TimeOver,
    /// The message that was to be the last has come.
    Last,
}

impl Wish<'_> {
    /// Refuses what is no topic filter, before anything is connected.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.filters.iter().try_for_each(|filter| check_filter(filter))
    }

    /// What a count asks of the options.
    pub(crate) fn adapt(&self, options: &mut Options) {
        if self.count.is_some() {
            // What is in the queue is acknowledged already: the less comes behind the last one that counts, the better.
            options.stream_capacity = 1;
        }
    }

    /// Receives and prints until it is enough.
    pub(crate) async fn fulfil(
        &self,
        (client, mut messages): (Client, Messages),
        stopped: oneshot::Receiver<()>,
        mut print: impl FnMut(&Message) -> io::Result<Taken>,
    ) -> Result<(), Failure> {
        let wait = async {
            match self.wait {
                Some(wait) => sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        let result = tokio::select! {
            biased;
            _ = stopped => Ok(End::Stopped),
            result = self.receive(&client, &mut messages, &mut print) => result,
            () = wait => Ok(End::TimeOver),
        };
        let _ = timeout(GOOD_BYE, client.close()).await;
        // Of what is still in the queue, the server believes that it was read.
        let end = result?;
        while let Some(message) = messages.try_recv() {
            match end {
                End::Stopped | End::TimeOver => match print(&message) {
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
                    Err(error) => return Err(Failure::Output(error)),
                    Ok(_) => {}
                },
                End::Counted => output::note(&format_args!(
                    "one more had come and will not come again: {}",
                    plain_line(&message)
                )),
                End::Unread | End::Last => {}
            }
        }
        match (end, self.wait, self.count) {
            (End::TimeOver, Some(after), Some(_)) => Err(Failure::TooFew { after }),
            _ => Ok(()),
        }
    }

    async fn receive(
        &self,
        client: &Client,
        messages: &mut Messages,
        print: &mut impl FnMut(&Message) -> io::Result<Taken>,
    ) -> Result<End, Failure> {
        let mut events = client.events();
        // Beside the printing: the answers come behind messages, and those must be taken first.
        let subscribing = self.subscribe(client);
        let mut subscribing = std::pin::pin!(subscribing);
        let mut subscribed = false;
        let mut left = self.count;
        loop {
            tokio::select! {
                event = events.recv() => show(&event.ok_or(Failure::ClientEnded)?)?,
                result = &mut subscribing, if !subscribed => {
                    result?;
                    subscribed = true;
                }
                message = messages.recv() => {
                    let message = message.ok_or(Failure::ClientEnded)?;
                    match print(&message) {
                        Ok(Taken::Printed) => {}
                        Ok(Taken::LeftOut) => continue,
                        Ok(Taken::Last) => return Ok(End::Last),
                        // Who read the output has seen enough, as `head` does.
                        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(End::Unread),
                        Err(error) => return Err(Failure::Output(error)),
                    }
                    if let Some(left) = &mut left {
                        *left -= 1;
                        if *left == 0 {
                            return Ok(End::Counted);
                        }
                    }
                }
            }
        }
    }

    async fn subscribe(&self, client: &Client) -> Result<(), Failure> {
        for filter in self.filters {
            let granted = client.subscribe(filter, self.qos).await;
            let granted = granted.map_err(|error| Failure::Subscribe { filter: filter.clone(), error })?;
            if self.talkative {
                output::note(&format_args!("subscribed to {filter} with QoS {granted}"));
            }
        }
        Ok(())
    }
}

/// Refuses what is no topic filter.
pub(crate) fn check_filter(filter: &str) -> Result<(), Failure> {
    match TopicFilter::new(filter) {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::Filter { filter: filter.into(), error }),
    }
}

/// Shows what happened to the connection. A log-in that would be refused again is the end.
fn show(event: &ConnectionEvent) -> Result<(), Failure> {
    if let ConnectionEvent::Refused { reason, retry_in: None } = event {
        return Err(Failure::RefusedLater(ConnectError::Refused(*reason)));
    }
    output::event(event, advice(event));
    Ok(())
}

/// What to do about an event; nothing about a link that broke, which the client mends by itself.
pub(crate) fn advice(event: &ConnectionEvent) -> Option<&'static str> {
    match event {
        ConnectionEvent::Disconnected {
            reason: DisconnectReason::Transport(TransportError::Broken), ..
        } => None,
        event => event.advice(),
    }
}
