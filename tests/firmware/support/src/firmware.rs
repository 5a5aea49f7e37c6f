//! The firmware itself, between an [`Exchange`] and a client of whatever driver: what to send, what to make of events.

use core::fmt;

use firmware_scenario::{Exchange, Outgoing, Progress, Settings, Target};
use mqtt_p2p_embedded::mqtt_p2p_aliyun::{P2pTopic, PublishP2pError, same_topic};
use mqtt_p2p_embedded::{
    Backoff, Client, Config, DisconnectReason, Error, Event, Instant, Message, PublishP2p, QoS, ReasonCode,
    Storage, SubscribeFilter, TopicFilter, profile,
};
use static_cell::StaticCell;

use crate::report::{Outcome, finish};
use crate::{memory, say};

/// What a firmware knows between two events.
#[derive(Debug)]
pub struct Firmware<'a> {
    settings: &'a Settings<'a>,
    own_topic: &'a str,
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
        static TOPIC: StaticCell<P2pTopic> = StaticCell::new();
        let own_topic = match P2pTopic::new(settings.parent, settings.client_id) {
            Ok(topic) => TOPIC.init(topic).as_str(),
            Err(error) => finish(Outcome::Unusable(&error)),
        };
        let exchange = Exchange::new(settings.messages, settings.peer.is_some(), settings.pause);
        Self { settings, own_topic, exchange, stage: Stage::Begins, failures: 0 }
    }

    /// The service's profile, quick to find that a link is dead and to come back: a link that only falls silent is found
    /// out by keep alive, and by the deadline for connecting.
    pub const fn config() -> Config {
        profile()
            .with_keep_alive_secs(2)
            .with_ping_timeout_ms(2_500)
            .with_connect_timeout_ms(2_000)
            .with_backoff(Backoff::Fixed { delay_ms: 300 })
            // The link is cut on purpose, soon after it came about: nobody has taken over the client id.
            .with_stable_after_ms(0)
            .with_max_in_flight(4)
    }

    /// Lets the client accept what is to be sent now. To be called before every wait for an event.
    pub fn feed<S: Storage>(&mut self, client: &mut Client<S>, now: Instant) {
        if self.stage == Stage::Begins {
            self.stage = Stage::Runs;
            if let Some(filter) = self.filter() {
                let filter = SubscribeFilter::new(filter, QoS::AtLeastOnce);
                if let Err(error) = client.subscribe(&[filter]) {
                    finish(Outcome::Unusable(&error));
                }
            }
        }
        while let Some(outgoing) = self.exchange.next() {
            match self.publish(client, outgoing) {
                Ok(()) => self.exchange.sent(outgoing),
                Err(PublishP2pError::NotAccepted(Error::Full(_))) => break,
                Err(error) => finish(Outcome::Unusable(&error)),
            }
        }
        if self.is_done() {
            client.disconnect(now);
        }
    }

    fn publish<S: Storage>(&self, client: &mut Client<S>, outgoing: Outgoing) -> Result<(), PublishP2pError> {
        let payload = outgoing.payload();
        client.publish_p2p(self.settings.parent, self.target(outgoing), &payload, QoS::AtLeastOnce)?;
        Ok(())
    }

    /// Makes something of an event. What can't go well ends the firmware, with a report.
    pub fn heed(&mut self, event: &Event<'_>, now: Instant) {
        match event {
            Event::Connected { session_present, .. } => self.connected(*session_present, now),
            Event::Refused { reason, retry_at, .. } => self.refused(*reason, *retry_at),
            Event::Disconnected { reason, retry_at, .. } => self.disconnected(*reason, *retry_at, now),
            Event::Message(message) => self.received(message),
            Event::Published { .. } => self.acknowledged(),
            Event::Subscribed { return_codes, .. } | Event::Resubscribed { return_codes, .. }
                if !return_codes.all_granted() =>
            {
                wrong(&Wrong::NotGranted);
            }
            Event::Dropped { .. } | Event::Rejected { .. } => wrong(&Wrong::Dropped),
            _ => {}
        }
    }

    // ---- the same step by step, for tasks that share a client ----

    /// What to subscribe to at first, if it takes that.
    pub fn filter(&self) -> Option<TopicFilter<'a>> {
        if !self.settings.plain {
            return None;
        }
        match TopicFilter::new(self.own_topic) {
            Ok(filter) => Some(filter),
            Err(error) => finish(Outcome::Unusable(&error)),
        }
    }

    /// Who gets a message.
    pub fn target(&self, outgoing: Outgoing) -> &'a str {
        match (outgoing.target, self.settings.peer) {
            (Target::Peer, Some(peer)) => peer,
            _ => self.settings.client_id,
        }
    }

    /// What to send now, if anything: it counts as sent.
    pub fn take_next(&mut self) -> Option<Outgoing> {
        if self.stage == Stage::Begins {
            self.stage = Stage::Runs;
        }
        let outgoing = self.exchange.next()?;
        self.exchange.sent(outgoing);
        Some(outgoing)
    }

    /// Whether it is time to leave. It says so once.
    pub fn is_done(&mut self) -> bool {
        let done = self.stage == Stage::Runs && self.exchange.is_done();
        if done {
            self.stage = Stage::Leaves;
        }
        done
    }

    /// The server accepted the log-in.
    pub fn connected(&mut self, session_present: bool, now: Instant) {
        self.failures = 0;
        say!("connected, session present {session_present}, at {} ms", now.as_millis());
    }

    /// The server refused the log-in.
    pub fn refused(&mut self, reason: ReasonCode, retry_at: Option<Instant>) {
        say!("refused: {reason}");
        if retry_at.is_none() {
            finish(Outcome::Refused(&reason));
        }
        self.failed(&reason);
    }

    /// The connection ended, or an attempt failed.
    pub fn disconnected(&mut self, reason: DisconnectReason, retry_at: Option<Instant>, now: Instant) {
        if reason == DisconnectReason::Requested {
            say!("left");
            return;
        }
        say!("disconnected: {reason}, at {} ms", now.as_millis());
        if retry_at.is_none() {
            finish(Outcome::NoConnection(&reason));
        }
        self.failed(&reason);
    }

    /// A message came.
    pub fn received(&mut self, message: &Message<'_>) {
        if !same_topic(message.topic.as_str(), self.own_topic) {
            wrong(&Wrong::Topic);
        }
        match self.exchange.received(message.payload) {
            Ok(progress) => tell(progress),
            Err(fault) => wrong(&fault),
        }
    }

    /// A message was acknowledged.
    pub fn acknowledged(&mut self) {
        match self.exchange.acknowledged() {
            Ok(progress) => tell(progress),
            Err(fault) => wrong(&fault),
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
