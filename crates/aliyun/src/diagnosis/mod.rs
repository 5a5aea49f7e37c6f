//! What a client did before the service closed its connection without a word.

mod cause;
mod probation;

pub use cause::Suspicion;

use heapless::{String, Vec};
use mqtt_p2p_core::{DisconnectReason, Instant, TransportError};
use siphasher::sip::SipHasher13;

use crate::identifiers::parent_of;
use crate::limits::{MAX_PARENT_TOPIC, MAX_PARENT_TOPICS, MAX_PAYLOAD, MAX_TOPIC_LEN};
use crate::util::ring::Ring;
use probation::Trial;

/// How many parent topics can be on trial at a time. Further ones are when they are used again.
const TRIALS: usize = 4;

/// Remembers what the service may have closed the connection for. MQTT 3.1.1 has no way for it to say so, and the core
/// knows nothing of the service's rules.
///
/// What is used is on trial until the service answers it, or the connection outlives it by some seconds. If the
/// connection ends in between, by the service's hand as it seems, that is the suspicion:
///
/// - a packet that is larger than the service takes (ApsaraMQ docs: limits, FAQ about client connections),
/// - a topic that is longer than the service takes (same pages),
/// - the first use of a parent topic, which may not exist or not be allowed (ApsaraMQ docs: FAQ about client
///   connections; ApsaraMQ demos),
/// - none of these, and several connections ended shortly after they were accepted: another client with this client
///   id (ApsaraMQ docs: terms, FAQ about client connections).
///
/// What was on trial when a connection ended is on trial again at the next one, since the client sends it again.
/// It has no heap; what is used all the time costs one comparison of a parent topic with the last one.
///
/// ```
/// use mqtt_p2p_aliyun::{Evidence, Suspicion};
/// use mqtt_p2p_core::{DisconnectReason, Instant, TransportError};
///
/// let mut evidence = Evidence::new();
/// evidence.connected(Instant::from_millis(0));
/// evidence.used("devcies/state", 2, Instant::from_millis(100));
/// let reason = DisconnectReason::Transport(TransportError::ClosedByPeer);
/// let suspicion = evidence.explain(&reason, Instant::from_millis(300));
/// assert_eq!(suspicion, Suspicion::TopicNotAuthorised { parent: "devcies" });
/// println!("{suspicion}: {}", suspicion.advice());
/// ```
#[derive(Clone, Debug)]
pub struct Evidence {
    online: bool,
    /// The good parent topic that was used last.
    last: String<MAX_PARENT_TOPIC>,
    good: Ring<u32, MAX_PARENT_TOPICS>,
    /// In the order of their first use.
    parents: Vec<Parent, TRIALS>,
    large: Trial,
    long: Trial,
}

#[derive(Clone, Debug)]
struct Parent {
    name: String<MAX_PARENT_TOPIC>,
    trial: Trial,
}

impl Evidence {
    /// Nothing happened yet.
    pub const fn new() -> Self {
        Self {
            online: false,
            last: String::new(),
            good: Ring::new(0),
            parents: Vec::new(),
            large: Trial::Unused,
            long: Trial::Unused,
        }
    }

    /// The service accepted a log-in.
    pub fn connected(&mut self, now: Instant) {
        self.online = true;
        self.trials().for_each(|trial| trial.open_again(now));
    }

    /// The client publishes to a topic, or, with a payload of 0 bytes, subscribes to it.
    pub fn used(&mut self, topic: &str, payload_len: usize, now: Instant) {
        // Fixed header, length of the topic and packet identifier take eight bytes at most.
        let packet_len = payload_len.saturating_add(topic.len()).saturating_add(8);
        if packet_len > MAX_PAYLOAD {
            self.large.open(packet_len, now);
        }
        let parent = parent_of(topic);
        if topic.len() <= MAX_TOPIC_LEN && parent == self.last {
            return;
        }
        if topic.len() > MAX_TOPIC_LEN {
            self.long.open(topic.len(), now);
        }
        self.settle(now);
        self.parent_used(parent, now);
    }

    /// The service answered a use of this topic, with PUBACK, PUBCOMP or a SUBACK that grants it.
    pub fn confirmed(&mut self, topic: &str) {
        let parent = parent_of(topic);
        if topic.len() > MAX_TOPIC_LEN {
            self.long = Trial::Good;
        }
        if let Some(open) = self.parents.iter_mut().find(|open| open.name == parent) {
            open.trial = Trial::Good;
        }
        self.sort_out();
    }

    /// An answer came and left nothing unanswered, so the service has nothing against anything it was asked. It is the
    /// short form of [`confirmed`](Self::confirmed) for who does not keep topics, and a coarser one: what was published
    /// with QoS 0 meanwhile passes as well.
    pub fn answered(&mut self) {
        self.trials().filter(|trial| trial.is_open()).for_each(|trial| *trial = Trial::Good);
        self.sort_out();
    }

    /// A connection ended, or did not come about: what the service may have done it for.
    pub fn explain(&mut self, reason: &DisconnectReason, now: Instant) -> Suspicion<'_> {
        use TransportError::{Broken, ClosedByPeer};
        let takeover = *reason == DisconnectReason::TakeoverSuspected;
        self.settle(now);
        let was_online = core::mem::take(&mut self.online);
        let by_service = match reason {
            DisconnectReason::Transport(ClosedByPeer | Broken) if was_online => true,
            DisconnectReason::Transport(ClosedByPeer) => return Suspicion::LogIn,
            _ => takeover,
        };
        if !by_service {
            return Suspicion::None;
        }
        if let Some(length) = self.large.blame(now) {
            return Suspicion::Oversize { length };
        }
        if let Some(length) = self.long.blame(now) {
            return Suspicion::TopicTooLong { length };
        }
        if let Some(open) = self.parents.iter_mut().find_map(|open| open.trial.blame(now).map(|_| &open.name))
        {
            return Suspicion::TopicNotAuthorised { parent: open };
        }
        if takeover { Suspicion::Takeover } else { Suspicion::None }
    }

    fn parent_used(&mut self, parent: &str, now: Instant) {
        // Control topics are the service's own; a parent topic that is too long was noted by the topic's length.
        let Ok(name) = String::try_from(parent) else { return };
        if parent.starts_with(['$']) {
            return;
        }
        if self.good.contains(hash(parent)) {
            self.last = name;
        } else if let Some(open) = self.parents.iter_mut().find(|open| open.name == parent) {
            open.trial.open(parent.len(), now);
        } else {
            let trial = Trial::Open { since: now, size: parent.len() };
            // Without room it is on trial when it is used again.
            let _ = self.parents.push(Parent { name, trial });
        }
    }

    /// What the connection has outlived, the service has nothing against.
    fn settle(&mut self, now: Instant) {
        if self.online {
            self.trials().for_each(|trial| trial.settle(now));
            self.sort_out();
        }
    }

    /// Moves the parent topics that were found good to the others.
    fn sort_out(&mut self) {
        let Self { parents, good, .. } = self;
        parents.retain(|parent| {
            let is_good = parent.trial == Trial::Good;
            if is_good {
                good.push(hash(&parent.name));
            }
            !is_good
        });
    }

    fn trials(&mut self) -> impl Iterator<Item = &mut Trial> {
        let parents = self.parents.iter_mut().map(|parent| &mut parent.trial);
        parents.chain([&mut self.large, &mut self.long])
    }
}

impl Default for Evidence {
    fn default() -> Self {
        Self::new()
    }
}

/// Two parent topics with one hash make a suspicion escape, nothing worse: no key is needed.
fn hash(parent: &str) -> u32 {
    SipHasher13::new().hash(parent.as_bytes()) as u32
}
