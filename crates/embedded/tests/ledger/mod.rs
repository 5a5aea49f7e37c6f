//! A device that sends messages to itself, and what came of them.
#![allow(dead_code, reason = "each test needs some of it")]

use std::collections::BTreeSet;

use mqtt_p2p_aliyun::{PublishP2p, profile};
use mqtt_p2p_embedded::{Backoff, Config, Error, QoS, SignedLogin, Storage, Ticket};

use crate::world::{CLIENT_ID, CREDENTIALS, Seen};

pub(crate) fn config() -> Config {
    profile().with_backoff(Backoff::Fixed { delay_ms: 500 })
}

pub(crate) fn logins() -> SignedLogin<'static> {
    SignedLogin::new(CLIENT_ID, CREDENTIALS).unwrap()
}

/// A device that sends messages to itself, and what came of them.
#[derive(Default)]
pub(crate) struct Ledger {
    /// QoS 2 instead of 1.
    pub(crate) exactly_once: bool,
    pub(crate) sent: u32,
    pub(crate) open: BTreeSet<u32>,
    pub(crate) published: u32,
    pub(crate) received: Vec<u32>,
    pub(crate) ends: Vec<Seen>,
}

impl Ledger {
    pub(crate) fn send<S: Storage>(&mut self, client: &mut mqtt_p2p_embedded::Client<S>, total: u32) {
        while self.sent < total {
            let mut payload = [0x5a; 100];
            payload[..4].copy_from_slice(&self.sent.to_be_bytes());
            let qos = if self.exactly_once { QoS::ExactlyOnce } else { QoS::AtLeastOnce };
            match client.publish_p2p("demo", CLIENT_ID, &payload, qos) {
                Ok(ticket) => {
                    self.open.insert(ticket.to_bits());
                    self.sent += 1;
                }
                Err(mqtt_p2p_aliyun::PublishP2pError::NotAccepted(Error::Full(_))) => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub(crate) fn note(&mut self, event: Seen) {
        match event {
            Seen::Message { payload, .. } => {
                assert_eq!(payload[4..], [0x5a; 96]);
                self.received.push(u32::from_be_bytes(payload[..4].try_into().unwrap()));
            }
            Seen::Published(ticket) => self.end(ticket),
            Seen::Disconnected(..) | Seen::Refused(..) => self.ends.push(event),
            _ => {}
        }
    }

    pub(crate) fn end(&mut self, ticket: Ticket) {
        assert!(self.open.remove(&ticket.to_bits()), "{ticket:?} ends twice, or was never given");
        self.published += 1;
    }

    pub(crate) fn is_done(&self, total: u32) -> bool {
        let received: BTreeSet<u32> = self.received.iter().copied().collect();
        self.published == total && received.len() == total as usize
    }
}
