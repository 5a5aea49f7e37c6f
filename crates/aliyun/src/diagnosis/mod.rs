//! Diagnosis of connections that the service closed without giving a reason.

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

/// The maximum number of parent topics on probation at a time. Further ones are recorded at a later use.
const MAX_PENDING_PARENTS: usize = 4;

/// Finds the likely [cause](Cause) for which the service closed a connection.
///
/// MQTT 3.1.1 gives the service no way to state a reason, and the core does not know the service's rules. The adapter
/// reports what the client does and calls [`explain`](Self::explain) when a connection ends.
///
/// Everything that the service may reject is on probation, until the service acknowledges it or the connection stays
/// open for 5 s. If the service closes the connection before that, it is the likely cause:
///
/// - a packet larger than the service accepts (ApsaraMQ docs: limits, FAQ about client connections);
/// - a topic longer than the service accepts (ApsaraMQ docs: limits, FAQ about client connections);
/// - the first use of a parent topic, which may not exist or not be permitted (ApsaraMQ docs: FAQ about client
///   connections; ApsaraMQ demos);
/// - otherwise, if several connections ended shortly after their CONNACK, another client with the same client id
///   (ApsaraMQ docs: terms, FAQ about client connections).
///
/// Probation resumes on the next connection, since the client sends pending messages again. The memory is fixed, and a
/// repeated use of the same parent topic costs one string comparison.
///
/// ```
/// use mqtt_p2p_aliyun::{Cause, Diagnosis};
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
    /// The last used parent topic that is cleared.
    last: String<MAX_PARENT_TOPIC>,
    /// The hashes of cleared parent topics.
    cleared: Ring<u32, MAX_PARENT_TOPICS>,
    /// The parent topics on probation, in the order of their first use.
    parents: Vec<Parent, MAX_PENDING_PARENTS>,
    /// The probation of oversized packets.
    large: Probation,
    /// The probation of overlong topics.
    long: Probation,
}

/// A parent topic on probation.
#[derive(Clone, Debug)]
struct Parent {
    name: String<MAX_PARENT_TOPIC>,
    probation: Probation,
}

impl Diagnosis {
    /// Creates a diagnosis without a history.
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

    /// Reports that the service accepted the login.
    pub fn connected(&mut self, now: Instant) {
        self.online = true;
        self.probations().for_each(|probation| probation.restart(now));
    }

    /// Reports that the client publishes to a topic with a payload of this length in bytes, or subscribes to it with a
    /// length of 0.
    pub fn used(&mut self, topic: &str, payload_len: usize, now: Instant) {
        // The fixed header, the length of the topic and the packet identifier take at most 8 bytes.
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

    /// Reports that the service acknowledged a message to this topic (PUBACK, PUBCOMP) or granted a subscription
    /// (SUBACK).
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

    /// Reports that the service has acknowledged everything that requires an acknowledgement, which ends all
    /// probations.
    ///
    /// Use it instead of [`confirmed`](Self::confirmed) if the adapter does not store topics. It is less precise:
    /// it also clears topics that were published to with QoS 0 in the meantime.
    pub fn answered(&mut self) {
        self.probations()
            .filter(|probation| probation.is_pending())
            .for_each(|probation| *probation = Probation::Cleared);
        self.move_cleared();
    }

    /// Reports that a connection or a connection attempt ended, and returns the likely cause.
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

    /// Starts the probation of a parent topic, unless it is cleared.
    fn parent_used(&mut self, parent: &str, now: Instant) {
        // An overlong parent topic is covered by the probation of overlong topics, and control topics always exist.
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
            // If there is no room, a later use starts the probation.
            let _ = self.parents.push(Parent { name, probation });
        }
    }

    /// Ends the probations that the connection has outlived.
    fn clear_outlived(&mut self, now: Instant) {
        if self.online {
            self.probations().for_each(|probation| probation.clear_outlived(now));
            self.move_cleared();
        }
    }

    /// Moves cleared parent topics from the list to the ring.
    fn move_cleared(&mut self) {
        let Self { parents, cleared, .. } = self;
        parents.retain(|parent| {
            let is_cleared = parent.probation == Probation::Cleared;
            if is_cleared {
                cleared.push(hash(&parent.name));
            }
            !is_cleared
        });
    }

    /// Returns all probations.
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

/// Hashes a parent topic. A collision only hides a likely cause, so the hash needs no key.
fn hash(parent: &str) -> u32 {
    SipHasher13::new().hash(parent.as_bytes()) as u32
}
