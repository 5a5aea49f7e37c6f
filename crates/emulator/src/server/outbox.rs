//! What waits to be written to one client: bounded, so that a client that takes nothing costs little.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

/// Above this many bytes, messages of QoS 0 are dropped.
const QOS_0_LIMIT: usize = 8 << 20;
/// Above this many bytes, the connection is cut.
const LIMIT: usize = 32 << 20;

/// Whether a connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// It does.
    Open,
    /// It ends when all is written.
    Finish,
    /// It ends now.
    Cut,
}

#[derive(Debug)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    filled: Notify,
    end: watch::Sender<End>,
}

#[derive(Debug, Default)]
struct Queue {
    packets: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self { queue: Mutex::default(), filled: Notify::new(), end: watch::Sender::new(End::Open) }
    }

    /// Adds a packet; `false` if there is too much, and the connection must be cut.
    pub(super) fn push(&self, packet: Vec<u8>) -> bool {
        let mut queue = self.lock();
        if queue.bytes > LIMIT {
            return false;
        }
        if queue.bytes > QOS_0_LIMIT && is_qos_0_publish(&packet) {
            return true;
        }
        queue.bytes += packet.len();
        queue.packets.push_back(packet);
        drop(queue);
        self.filled.notify_one();
        true
    }

    /// All packets that wait, at least one; `None` when there will be none. For one reader only.
    pub(super) async fn next(&self) -> Option<VecDeque<Vec<u8>>> {
        loop {
            // Looked at before the queue: what was pushed before the end must still be found.
            let end = *self.end.borrow();
            let mut queue = std::mem::take(&mut *self.lock());
            if end == End::Cut {
                return None;
            }
            if !queue.packets.is_empty() {
                return Some(std::mem::take(&mut queue.packets));
            }
            if end == End::Finish {
                return None;
            }
            self.filled.notified().await;
        }
    }

    /// Ends the connection, or ends it harder.
    pub(super) fn end(&self, end: End) {
        self.end.send_modify(|now| *now = end.max(*now));
        self.filled.notify_one();
    }

    /// Waits until the connection ends this way, or harder.
    pub(super) async fn ended(&self, end: End) {
        // The sender lives in `self`, so the channel is never closed.
        let _ = self.end.subscribe().wait_for(|now| *now >= end).await;
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_qos_0_publish(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first & 0b1111_0110 == 0b0011_0000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_outbox_drops_qos_0_first_and_then_gives_up() {
        let outbox = Outbox::new();
        assert!(outbox.push(vec![0; QOS_0_LIMIT + 1]));
        assert!(outbox.push(vec![0x30, 0]));
        assert_eq!(outbox.lock().packets.len(), 1);
        assert!(outbox.push(vec![0x32; LIMIT - QOS_0_LIMIT]));
        assert!(!outbox.push(vec![0x32]));
    }

    #[tokio::test]
    async fn what_was_pushed_before_the_end_is_still_taken() {
        let outbox = Outbox::new();
        outbox.push(vec![1]);
        outbox.end(End::Finish);
        assert_eq!(outbox.next().await, Some(VecDeque::from([vec![1]])));
        assert_eq!(outbox.next().await, None);
    }

    #[tokio::test]
    async fn a_cut_loses_what_waits() {
        let outbox = Outbox::new();
        outbox.push(vec![1]);
        outbox.end(End::Cut);
        assert_eq!(outbox.next().await, None);
    }
}
