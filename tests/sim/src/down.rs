//! What the server owes one client, and what of it the client's caller has been given.

use std::collections::VecDeque;

use crate::payload::Content;
use crate::violation::{Check, promise};

#[derive(Debug)]
struct Copy {
    sender: u16,
    number: u32,
    topic: u8,
    qos: u8,
    delivered: u8,
    /// How often QoS 2 may be delivered.
    allowed: u8,
    /// The caller acknowledged it by hand.
    acknowledged: bool,
    /// PUBREC went out, so what the client knows of it must outlive a crash.
    confirmed: bool,
    /// The server has nothing more to do with it.
    done: bool,
}

/// All copies of messages for one client.
#[derive(Debug, Default)]
pub(crate) struct Down {
    copies: VecDeque<Copy>,
    base: u32,
    /// The latest copy that was delivered, for each QoS.
    high: [Option<u32>; 3],
}

impl Down {
    /// The server has one more message for the client. Gives the number of the copy.
    pub(crate) fn add(&mut self, sender: u16, number: u32, topic: u8, qos: u8) -> u32 {
        let copy = Copy {
            sender,
            number,
            topic,
            qos,
            delivered: 0,
            allowed: 1,
            acknowledged: false,
            confirmed: false,
            // Nothing is promised, and it may come late.
            done: qos == 0,
        };
        self.copies.push_back(copy);
        self.base + self.copies.len() as u32 - 1
    }

    fn copy(&mut self, copy: u32) -> Option<&mut Copy> {
        self.copies.get_mut(copy.wrapping_sub(self.base) as usize)
    }

    /// The caller was given a message.
    pub(crate) fn delivered(&mut self, content: Content, qos: u8, topic: Option<u8>) -> Check {
        let next = self.base + self.copies.len() as u32;
        promise!(content.copy < next, "nothing is made up", "{content:?} was never sent");
        let high = &mut self.high[usize::from(qos)];
        let first = high.is_none_or(|high| high < content.copy);
        let before = *high;
        if first {
            *high = Some(content.copy);
        }
        let Some(copy) = self.copies.get_mut(content.copy.wrapping_sub(self.base) as usize) else {
            promise!(qos != 2, "QoS 2 exactly once", "{content:?} is delivered again after its end");
            return Ok(());
        };
        promise!(
            (copy.sender, copy.number, Some(copy.topic), copy.qos)
                == (content.sender, content.number, topic, qos),
            "what is delivered is what was sent",
            "{content:?} {topic:?} QoS {qos} against {copy:?}"
        );
        promise!(
            first || copy.delivered > 0,
            "order of what is delivered first",
            "{content:?} comes after {before:?}"
        );
        copy.delivered = copy.delivered.saturating_add(1);
        promise!(qos != 2 || copy.delivered <= copy.allowed, "QoS 2 exactly once", "{content:?}: {copy:?}");
        promise!(qos != 0 || copy.delivered == 1, "QoS 0 at most once", "{content:?}: {copy:?}");
        Ok(())
    }

    /// The caller acknowledged it.
    pub(crate) fn acknowledge(&mut self, copy: u32) {
        if let Some(copy) = self.copy(copy) {
            copy.acknowledged = true;
        }
    }

    /// PUBACK or PUBREC came to the server.
    pub(crate) fn answered(&mut self, copy: u32, manual: bool) -> Check {
        if let Some(entry) = self.copy(copy) {
            promise!(
                entry.delivered > 0,
                "no acknowledgement before delivery",
                "copy {copy} is acknowledged: {entry:?}"
            );
            promise!(
                !manual || entry.acknowledged,
                "no acknowledgement before the caller's",
                "copy {copy} is acknowledged: {entry:?}"
            );
        }
        Ok(())
    }

    /// The server has nothing more to do with it: it was acknowledged, or lost by the server.
    pub(crate) fn done(&mut self, copy: u32) {
        if let Some(copy) = self.copy(copy) {
            copy.done = true;
        }
    }

    /// PUBREC goes out.
    pub(crate) fn confirmed(&mut self, copy: u32) {
        if let Some(copy) = self.copy(copy) {
            copy.confirmed = true;
        }
    }

    /// The client went through a restart that may have lost what it knew of this copy, if that had not to be kept.
    pub(crate) fn excuse(&mut self, copy: u32, even_acknowledged: bool) {
        if let Some(copy) = self.copy(copy)
            && !copy.confirmed
            && (even_acknowledged || !copy.acknowledged)
        {
            copy.allowed = copy.allowed.max(copy.delivered.saturating_add(1));
        }
    }

    /// Forgets those at the front that are done; `keep` of the latest ones may still be on their way.
    pub(crate) fn trim(&mut self, keep: usize) {
        while self.copies.len() > keep && self.copies.front().is_some_and(|copy| copy.done) {
            self.copies.pop_front();
            self.base += 1;
        }
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.copies.iter().all(|copy| copy.done)
    }
}
