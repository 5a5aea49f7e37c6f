//! What a client did before the service closed its connection without a word.

mod cause;
mod probation;

pub use cause::Cause;

use heapless::{String, Vec};
use mqtt_p2p_core::{DisconnectReason, Instant, TransportError};
use siphasher::sip::SipHasher13;

use crate::identifiers::parent_of;
use crate::limits::{MAX_PARENT_TOPIC, MAX_PARENT_TOPICS, MAX_PAYLOAD, MAX_TOPIC_LEN};
use crate::util::ring::Ring;
use probation::Probation;

/// How many parent topics can be on probation at a time. Further ones are when they are used again.
const MAX_PENDING_PARENTS: usize = 4;

/// Remembers what the service may have closed the connection for. MQTT 3.1.1 has no way for it to say so, and the core
/// knows nothing of the service's rules.
///
/// What is used is on probation until the service answers it, or the connection outlives it by some seconds. If the
/// connection ends in between, by the service's hand as it seems, that is the cause:
///
/// - a packet that is larger than the service takes (ApsaraMQ docs: limits, FAQ about client connections),
/// - a topic that is longer than the service takes (same pages),
/// - the first use of a parent topic, which may not exist or not be allowed (ApsaraMQ docs: FAQ about client
///   connections; ApsaraMQ demos),
/// - none of these, and several connections ended shortly after they were accepted: another client with this client
///   id (ApsaraMQ docs: terms, FAQ about client connections).
///
/// What was on probation when a connection ended is on probation again at the next one, since the client sends it again.
/// It has no heap; what is used all the time costs one comparison of a parent topic with the last one.
///
/// ```
/// use mqtt_p2p_aliyun::{Diagnosis, Cause};
/// use mqtt_p2p_core::{DisconnectReason, Instant, TransportError};
///
/// let mut diagnosis = Diagnosis::new();
/// diagnosis.connected(Instant::from_millis(0));
/// diagnosis.used("devcies/state", 2, Instant::from_millis(100));
/// let reason = DisconnectReason::Transport(TransportError::ClosedByPeer);
/// let cause = diagnosis.explain(&reason, Instant::from_millis(300));
/// assert_eq!(cause, Cause::TopicNotAuthorised { parent: "devcies" });
/// println!("{cause}: {}", cause.advice());
/// ```
#[derive(Clone, Debug)]
pub struct Diagnosis {
    online: bool,
    /// The good parent topic that was used last.
    last: String<MAX_PARENT_TOPIC>,
    cleared: Ring<u32, MAX_PARENT_TOPICS>,
    /// In the order of their first use.
    parents: Vec<Parent, MAX_PENDING_PARENTS>,
    large: Probation,
    long: Probation,
}

#[derive(Clone, Debug)]
struct Parent {
    name: String<MAX_PARENT_TOPIC>,
    probation: Probation,
}

impl Diagnosis {
    /// Nothing happened yet.
    pub const fn new() -> Self {
        Self {
            online: false,
            last: String::new(),
            cleared: Ring::new(0),
            parents: Vec::new(),
            large: Probation::Unused,
            long: Probation::Unused,
        }
    }

    /// The service accepted a log-in.
    pub fn connected(&mut self, now: Instant) {
        self.online = true;
        self.probations().for_each(|probation| probation.restart(now));
    }

    /// The client publishes to a topic, or, with a payload of 0 bytes, subscribes to it.
    pub fn used(&mut self, topic: &str, payload_len: usize, now: Instant) {
        // Fixed header, length of the topic and packet identifier take eight bytes at most.
        let packet_len = payload_len.saturating_add(topic.len()).saturating_add(8);
        if packet_len > MAX_PAYLOAD {
            self.large.start(packet_len, now);
        }
        let parent = parent_of(topic);
        if topic.len() <= MAX_TOPIC_LEN && parent == self.last {
            return;
        }
        if topic.len() > MAX_TOPIC_LEN {
            self.long.start(topic.len(), now);
        }
        self.clear_outlived(now);
        self.parent_used(parent, now);
    }

    /// The service answered a use of this topic, with PUBACK, PUBCOMP or a SUBACK that grants it.
    pub fn confirmed(&mut self, topic: &str) {
        let parent = parent_of(topic);
        if topic.len() > MAX_TOPIC_LEN {
            self.long = Probation::Cleared;
        }
        if let Some(open) = self.parents.iter_mut().find(|open| open.name == parent) {
            open.probation = Probation::Cleared;
        }
        self.move_cleared();
    }

    /// An answer came and left nothing unanswered, so the service has nothing against anything it was asked. It is the
    /// short form of [`confirmed`](Self::confirmed) for who does not keep topics, and a coarser one: what was published
    /// with QoS 0 meanwhile passes as well.
    pub fn answered(&mut self) {
        self.probations()
            .filter(|probation| probation.is_pending())
            .for_each(|probation| *probation = Probation::Cleared);
        self.move_cleared();
    }

    /// A connection ended, or did not come about: what the service may have done it for.
    pub fn explain(&mut self, reason: &DisconnectReason, now: Instant) -> Cause<'_> {
        use TransportError::{Broken, ClosedByPeer};
        let takeover = *reason == DisconnectReason::TakeoverSuspected;
        self.clear_outlived(now);
        let was_online = core::mem::take(&mut self.online);
        let by_service = match reason {
            DisconnectReason::Transport(ClosedByPeer | Broken) if was_online => true,
            DisconnectReason::Transport(ClosedByPeer) => return Cause::Login,
            _ => takeover,
        };
        if !by_service {
            return Cause::None;
        }
        if let Some(length) = self.large.blame(now) {
            return Cause::Oversize { length };
        }
        if let Some(length) = self.long.blame(now) {
            return Cause::TopicTooLong { length };
        }
        if let Some(open) =
            self.parents.iter_mut().find_map(|open| open.probation.blame(now).map(|_| &open.name))
        {
            return Cause::TopicNotAuthorised { parent: open };
        }
        if takeover { Cause::Takeover } else { Cause::None }
    }

    fn parent_used(&mut self, parent: &str, now: Instant) {
        // Control topics are the service's own; a parent topic that is too long was noted by the topic's length.
        let Ok(name) = String::try_from(parent) else { return };
        if parent.starts_with(['$']) {
            return;
        }
        if self.cleared.contains(hash(parent)) {
            self.last = name;
        } else if let Some(open) = self.parents.iter_mut().find(|open| open.name == parent) {
            open.probation.start(parent.len(), now);
        } else {
            let probation = Probation::Pending { since: now, size: parent.len() };
            // Without room it is on probation when it is used again.
            let _ = self.parents.push(Parent { name, probation });
        }
    }

    /// What the connection has outlived, the service has nothing against.
    fn clear_outlived(&mut self, now: Instant) {
        if self.online {
            self.probations().for_each(|probation| probation.clear_outlived(now));
            self.move_cleared();
        }
    }

    /// Moves the parent topics that were found good to the others.
    fn move_cleared(&mut self) {
        let Self { parents, cleared, .. } = self;
        parents.retain(|parent| {
            let is_good = parent.probation == Probation::Cleared;
            if is_good {
                cleared.push(hash(&parent.name));
            }
            !is_good
        });
    }

    fn probations(&mut self) -> impl Iterator<Item = &mut Probation> {
        let parents = self.parents.iter_mut().map(|parent| &mut parent.probation);
        parents.chain([&mut self.large, &mut self.long])
    }
}

impl Default for Diagnosis {
    fn default() -> Self {
        Self::new()
    }
}

/// Two parent topics with one hash make a cause escape, nothing worse: no key is needed.
fn hash(parent: &str) -> u32 {
    SipHasher13::new().hash(parent.as_bytes()) as u32
}
