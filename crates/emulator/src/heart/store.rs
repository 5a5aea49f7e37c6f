//! Messages that wait, for offline clients or for slow ones, within a limit over all clients.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::message::Delivery;

/// Waiting messages by client, each client's in the order of publication. Over its limits the oldest goes first, whoever
/// it is for (documentation: limits, offline messages).
#[derive(Debug)]
pub(super) struct Store {
    by_client: BTreeMap<Arc<str>, BTreeMap<u64, Delivery>>,
    /// All of them by age.
    ages: BTreeSet<(u64, Arc<str>)>,
    bytes: usize,
    max_messages: usize,
    max_bytes: usize,
}

impl Store {
    pub(super) const fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self { by_client: BTreeMap::new(), ages: BTreeSet::new(), bytes: 0, max_messages, max_bytes }
    }

    /// Keeps a message, and returns whose messages had to give way to it.
    pub(super) fn push(&mut self, client: &Arc<str>, delivery: Delivery) -> Vec<Arc<str>> {
        let number = delivery.message.number;
        self.bytes += delivery.cost();
        self.ages.insert((number, Arc::clone(client)));
        self.by_client.entry(Arc::clone(client)).or_default().insert(number, delivery);
        let mut dropped = Vec::new();
        while self.ages.len() > self.max_messages || self.bytes > self.max_bytes {
            let Some((number, owner)) = self.ages.first().cloned() else {
                break;
            };
            self.remove(&owner, number);
            dropped.push(owner);
        }
        dropped
    }

    /// Takes a client's oldest message.
    pub(super) fn pop(&mut self, client: &str) -> Option<Delivery> {
        let (&number, _) = self.by_client.get(client)?.first_key_value()?;
        self.remove(client, number)
    }

    /// Takes all messages of a client, oldest first.
    pub(super) fn take_all(&mut self, client: &str) -> Vec<Delivery> {
        std::iter::from_fn(|| self.pop(client)).collect()
    }

    /// Drops what was published before `earliest`, and returns whose messages that were. A message published later
    /// is also numbered later, so the first that is young enough ends the search.
    pub(super) fn expire(&mut self, earliest: Duration) -> Vec<Arc<str>> {
        let mut expired = Vec::new();
        while let Some((number, owner)) = self.ages.first().cloned() {
            let oldest = self.by_client.get(&owner).and_then(|queue| queue.get(&number));
            if oldest.is_some_and(|oldest| oldest.message.published >= earliest) {
                break;
            }
            self.remove(&owner, number);
            expired.push(owner);
        }
        expired
    }

    pub(super) fn len_of(&self, client: &str) -> usize {
        self.by_client.get(client).map_or(0, BTreeMap::len)
    }

    pub(super) fn has_none_of(&self, client: &str) -> bool {
        !self.by_client.contains_key(client)
    }

    fn remove(&mut self, client: &str, number: u64) -> Option<Delivery> {
        let (owner, queue) = self.by_client.get_key_value(client)?;
        let age = (number, Arc::clone(owner));
        let last = queue.len() == 1;
        let delivery = self.by_client.get_mut(client)?.remove(&number);
        self.ages.remove(&age);
        if let Some(delivery) = &delivery {
            self.bytes -= delivery.cost();
            if last {
                self.by_client.remove(client);
            }
        }
        delivery
    }
}

#[cfg(test)]
mod tests {
    use mqtt_p2p_packet::QoS;

    use super::super::message::Message;
    use super::*;

    fn delivery(number: u64) -> Delivery {
        Delivery {
            message: Arc::new(Message {
                number,
                published: Duration::from_secs(number),
                topic: "t".into(),
                payload: Vec::new(),
            }),
            qos: QoS::AtLeastOnce,
            keep: true,
        }
    }

    fn numbers(deliveries: &[Delivery]) -> Vec<u64> {
        deliveries.iter().map(|delivery| delivery.message.number).collect()
    }

    #[test]
    fn messages_come_out_in_the_order_of_publication() {
        let (mut store, client) = (Store::new(9, 9999), Arc::from("a"));
        for number in [2, 1, 3] {
            store.push(&client, delivery(number));
        }
        assert_eq!(numbers(&store.take_all("a")), [1, 2, 3]);
        assert!(store.has_none_of("a") && store.ages.is_empty() && store.bytes == 0);
    }

    #[test]
    fn over_the_limit_the_oldest_of_all_clients_goes_first() {
        let mut store = Store::new(2, 9999);
        assert!(store.push(&"a".into(), delivery(1)).is_empty());
        assert!(store.push(&"b".into(), delivery(2)).is_empty());
        assert_eq!(store.push(&"b".into(), delivery(3)), ["a".into()]);
        assert_eq!((store.len_of("a"), store.len_of("b")), (0, 2));
    }

    #[test]
    fn a_message_larger_than_all_room_is_not_kept() {
        let mut store = Store::new(2, 10);
        assert_eq!(store.push(&"a".into(), delivery(1)), ["a".into()]);
        assert_eq!(store.bytes, 0);
    }

    #[test]
    fn what_is_too_old_expires() {
        let (mut store, client) = (Store::new(9, 9999), Arc::from("a"));
        for number in 1..=4 {
            store.push(&client, delivery(number));
        }
        assert_eq!(store.expire(Duration::from_secs(3)).len(), 2);
        assert_eq!(numbers(&store.take_all("a")), [3, 4]);
    }
}
