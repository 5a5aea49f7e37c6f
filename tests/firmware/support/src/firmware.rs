//! The firmware itself, between an [`Exchange`] and a client of whatever driver: what to send, what to make of events.

use core::fmt;

use firmware_scenario::{Exchange, Outgoing, Progress, Settings, Target};
use mqtt_p2p_embedded::mqtt_p2p_aliyun::{P2pTopic, PublishP2pError, same_topic};
use mqtt_p2p_embedded::{
    Backoff, Client, Config, DisconnectReason, Error, Event, Instant, PublishP2p, QoS, Storage,
    SubscribeFilter, TopicFilter, profile,
};

use crate::report::{Outcome, finish};
use crate::{memory, say};

/// What a firmware knows between two events.
#[derive(Debug)]
pub struct Firmware<'a> {
    settings: &'a Settings<'a>,
    own_topic: P2pTopic,
    exchange: Exchange,
    stage: Stage,
    /// Attempts to connect in a row that came to nothing.
    failures: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Begins,
    Runs,
    Leaves,
}

/// What else than the exchange may go wrong.
#[derive(Debug)]
enum Wrong {
    Topic,
    NotGranted,
    Dropped,
    Left,
}

impl<'a> Firmware<'a> {
    /// A firmware with these settings.
    pub fn new(settings: &'a Settings<'a>) -> Self {
        let own_topic = match P2pTopic::new(settings.parent, settings.client_id) {
            Ok(topic) => topic,
            Err(error) => finish(Outcome::Unusable(&error)),
        };
        let exchange = Exchange::new(settings.messages, settings.peer.is_some(), settings.pause);
        Self { settings, own_topic, exchange, stage: Stage::Begins, failures: 0 }
    }

    /// The service's profile, quick to find that a link is dead and to come back: a link that only falls silent is found
    /// out by keep alive, and by the deadline for connecting.
    pub const fn config() -> Config {
        Config {
            keep_alive_secs: 2,
            ping_timeout_ms: 2_500,
            connect_timeout_ms: 2_000,
            backoff: Backoff::Fixed { delay_ms: 300 },
            // The link is cut on purpose, soon after it came about: nobody has taken over the client id.
            stable_after_ms: 0,
            max_in_flight: 4,
            ..profile()
        }
    }

    /// Lets the client accept what is to be sent now. To be called before every wait for an event.
    pub fn feed<S: Storage>(&mut self, client: &mut Client<S>, now: Instant) {
        if self.stage == Stage::Begins {
            self.stage = Stage::Runs;
            if self.settings.plain {
                self.subscribe(client);
            }
        }
        while let Some(outgoing) = self.exchange.next() {
            match self.publish(client, outgoing) {
                Ok(()) => self.exchange.sent(outgoing),
                Err(PublishP2pError::NotAccepted(Error::Full(_))) => break,
                Err(error) => finish(Outcome::Unusable(&error)),
            }
        }
        if self.stage == Stage::Runs && self.exchange.is_done() {
            self.stage = Stage::Leaves;
            client.disconnect(now);
        }
    }

    fn publish<S: Storage>(&self, client: &mut Client<S>, outgoing: Outgoing) -> Result<(), PublishP2pError> {
        let target = match (outgoing.target, self.settings.peer) {
            (Target::Peer, Some(peer)) => peer,
            _ => self.settings.client_id,
        };
        client.publish_p2p(self.settings.parent, target, &outgoing.payload(), QoS::AtLeastOnce)?;
        Ok(())
    }

    fn subscribe<S: Storage>(&self, client: &mut Client<S>) {
        let filter = match TopicFilter::new(self.own_topic.as_str()) {
            Ok(filter) => filter,
            Err(error) => finish(Outcome::Unusable(&error)),
        };
        if let Err(error) = client.subscribe(&[SubscribeFilter { filter, qos: QoS::AtLeastOnce }]) {
            finish(Outcome::Unusable(&error));
        }
    }

    /// Makes something of an event. What can't go well ends the firmware, with a report.
    pub fn heed(&mut self, event: &Event<'_>, now: Instant) {
        match event {
            Event::Connected { session_present } => {
                self.failures = 0;
                say!("connected, session present {session_present}, at {} ms", now.as_millis());
            }
            Event::Refused { reason, retry_at } => {
                say!("refused: {reason}");
                if retry_at.is_none() {
                    finish(Outcome::Refused(reason));
                }
                self.failed(reason);
            }
            Event::Disconnected { reason: DisconnectReason::Requested, .. } => {
                say!("disconnected on request")
            }
            Event::Disconnected { reason, retry_at } => {
                say!("disconnected: {reason}, at {} ms", now.as_millis());
                if retry_at.is_none() {
                    finish(Outcome::NoConnection(reason));
                }
                self.failed(reason);
            }
            Event::Message(message) => {
                if !same_topic(message.topic.as_str(), self.own_topic.as_str()) {
                    wrong(&Wrong::Topic);
                }
                match self.exchange.received(message.payload) {
                    Ok(progress) => tell(progress),
                    Err(fault) => wrong(&fault),
                }
            }
            Event::Published { .. } => match self.exchange.acknowledged() {
                Ok(progress) => tell(progress),
                Err(fault) => wrong(&fault),
            },
            Event::Subscribed { return_codes, .. } | Event::Resubscribed { return_codes, .. }
                if !return_codes.all_granted() =>
            {
                wrong(&Wrong::NotGranted);
            }
            Event::Dropped { .. } => wrong(&Wrong::Dropped),
            _ => {}
        }
    }

    /// An attempt came to nothing, or a connection ended.
    fn failed(&mut self, why: &dyn fmt::Display) {
        self.failures += 1;
        if self.failures >= self.settings.attempts {
            finish(Outcome::NoConnection(why));
        }
    }

    /// Nobody wants a connection any more: ends the firmware. The driver, with the client in it, takes so many bytes.
    pub fn end(&self, driver: usize) -> ! {
        if self.stage != Stage::Leaves {
            wrong(&Wrong::Left);
        }
        say!(
            "facts: {} + {} duplicates in the firmware; driver {driver} B, static RAM {} B, stack {} B",
            self.exchange.own().duplicates(),
            self.exchange.peer().duplicates(),
            memory::statics(),
            memory::deepest_stack(),
        );
        finish(Outcome::Passed)
    }
}

fn wrong(what: &dyn fmt::Debug) -> ! {
    finish(Outcome::Wrong(what))
}

fn tell(progress: Option<Progress>) {
    match progress {
        Some(Progress::Own(count)) => say!("{count} messages to itself came back"),
        Some(Progress::Peer(count)) => say!("{count} messages came from the host"),
        Some(Progress::Paused) => say!("paused"),
        Some(Progress::GoesOn) => say!("goes on"),
        None => {}
    }
}
