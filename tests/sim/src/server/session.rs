//! What a server that follows the standard keeps for a client (§3.1.2.4 of MQTT 3.1.1).

use std::collections::VecDeque;

use crate::link::Conn;
use crate::topics::FILTERS;

/// A message to the client that is not acknowledged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Out {
    pub(crate) copy: u32,
    pub(crate) sender: u16,
    pub(crate) number: u32,
    pub(crate) topic: u8,
    pub(crate) qos: u8,
    pub(crate) id: u16,
    /// PUBREC came.
    pub(crate) released: bool,
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) exists: bool,
    pub(crate) epoch: u32,
    pub(crate) clean: bool,
    /// The client has shown that it knows this session: it sent something after CONNECT.
    pub(crate) confirmed: bool,
    pub(crate) link: Option<usize>,
    /// For each of [`FILTERS`].
    pub(crate) subscriptions: [Option<u8>; FILTERS.len()],
    /// For each topic: the best of them.
    pub(crate) granted: [Option<u8>; 8],
    /// Publications of QoS 2 whose PUBREL is due: identifier and number.
    pub(crate) unreleased: Vec<(u16, u32)>,
    pub(crate) outgoing: VecDeque<Out>,
    /// Copies that were lost with a session, and may still be on their way.
    pub(crate) lost: Vec<u32>,
    /// So many of them were sent.
    pub(crate) sent: usize,
    last_id: u16,
    /// So many of the next connections are closed as soon as they are accepted.
    pub(crate) kicks: u8,
    /// The next PUBREL is answered late.
    pub(crate) withholds: bool,
    pub(crate) withheld: Option<(usize, u32, u16)>,
}

impl Session {
    pub(crate) const fn new() -> Self {
        Self {
            exists: false,
            epoch: 0,
            clean: false,
            confirmed: false,
            link: None,
            subscriptions: [None; FILTERS.len()],
            granted: [None; 8],
            unreleased: Vec::new(),
            outgoing: VecDeque::new(),
            lost: Vec::new(),
            sent: 0,
            last_id: 0,
            kicks: 0,
            withholds: false,
            withheld: None,
        }
    }

    /// How many messages wait for the client.
    pub(crate) fn waiting(&self) -> usize {
        self.outgoing.len()
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.outgoing.is_empty()
    }

    /// Forgets all.
    pub(crate) fn forget(&mut self) {
        self.exists = false;
        self.confirmed = false;
        self.subscriptions = [None; FILTERS.len()];
        self.granted = [None; 8];
        self.unreleased.clear();
        self.sent = 0;
        self.last_id = 0;
        self.lost.extend(self.outgoing.drain(..).map(|out| out.copy));
    }

    pub(crate) fn subscribe(&mut self, filter: usize, qos: Option<u8>) {
        self.subscriptions[filter] = qos;
        for (topic, granted) in self.granted.iter_mut().enumerate() {
            let covering =
                FILTERS.iter().zip(&self.subscriptions).filter(|((_, topics), _)| topics >> topic & 1 == 1);
            *granted = covering.filter_map(|(_, qos)| *qos).max();
        }
    }

    /// The filters subscribed to, in order.
    pub(crate) fn filters(&self) -> Vec<String> {
        let subscribed = FILTERS.iter().zip(&self.subscriptions).filter(|(_, qos)| qos.is_some());
        let mut filters: Vec<_> = subscribed.map(|((filter, _), _)| (*filter).to_owned()).collect();
        filters.sort();
        filters
    }

    /// The place of the message under way with this identifier and QoS.
    pub(crate) fn position(&self, id: u16, qos: u8) -> Option<usize> {
        self.outgoing.iter().take(self.sent).position(|out| out.id == id && out.qos == qos)
    }

    /// The copy that PUBACK or PUBREC with this identifier is for.
    pub(crate) fn copy_of(&self, id: u16, qos: u8) -> Option<u32> {
        self.outgoing.get(self.position(id, qos)?).map(|out| out.copy)
    }

    /// Messages of QoS 2 that were sent and not confirmed by PUBREC.
    pub(crate) fn unreleased_copies(&self) -> impl Iterator<Item = u32> + use<'_> {
        let sent = self.outgoing.iter().take(self.sent);
        sent.filter(|out| out.qos == 2 && !out.released).map(|out| out.copy)
    }

    /// An identifier that is not in use, nor answered twice because it was sent twice.
    pub(crate) fn free_id(&mut self, last: u16, conn: &Conn) -> Option<u16> {
        for _ in 0..last {
            self.last_id = self.last_id % last + 1;
            let due = |due: &VecDeque<u16>| due.contains(&self.last_id);
            if self.outgoing.iter().take(self.sent).all(|out| out.id != self.last_id)
                && !due(&conn.acks_due)
                && !due(&conn.recs_due)
            {
                return Some(self.last_id);
            }
        }
        None
    }
}
