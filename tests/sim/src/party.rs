//! One client with its program: configuration, clock, store, and what it is owed.

use std::cell::Cell;
use std::collections::HashSet;
use std::rc::Rc;

use mqtt_p2p_core::{AckToken, Backoff, Client, Config, Offline, QoS, Resubscribe};

use crate::down::Down;
use crate::plan::ServerKind;
use crate::room::Room;
use crate::store::Store;
use crate::up::Up;

pub(crate) struct Party {
    /// `None` between a crash and the return.
    pub(crate) client: Option<Client<Room>>,
    pub(crate) config: Config,
    max_tx: Option<usize>,
    pub(crate) most_memory: Rc<Cell<usize>>,
    pub(crate) store: Option<Store>,
    pub(crate) up: Up,
    pub(crate) down: Down,
    pub(crate) client_id: String,
    /// With a store: what it wrote of a packet that is not whole yet.
    pub(crate) written: Vec<u8>,
    /// What arrived and the client has not taken.
    pub(crate) rx: Vec<u8>,
    /// The transport that it dials or has.
    pub(crate) link: Option<usize>,
    pub(crate) dials: u32,
    /// An attempt that has not had its terminal event.
    pub(crate) attempt: bool,
    /// Where the client's clock began, and how far it has run ahead or behind since.
    clock_start: u64,
    pub(crate) clock_skew: i64,
    /// The latest moment that the client was told.
    pub(crate) clock_seen: u64,
    /// When it has to be polled, in the world's time.
    pub(crate) due: u64,
    /// How often in a row it wanted to be polled at once although it could not write.
    pub(crate) hurry: u8,
    /// The earliest event for that.
    pub(crate) timer_at: u64,
    pub(crate) wanted: bool,
    pub(crate) paused: bool,
    /// With manual acknowledgement: what the program has still to acknowledge.
    pub(crate) to_acknowledge: Vec<(AckToken, u32)>,
    /// Nobody knows what the server made of a request about subscriptions.
    pub(crate) unsure: bool,
    /// There was no room: the program waits until no more requests than this are under way.
    pub(crate) full: Option<usize>,
    pub(crate) app_at: u64,
    /// The next dial goes wrong.
    pub(crate) bad_dial: bool,
    /// Messages that ApsaraMQ has taken for this client and that it has not got, and how many it dropped.
    pub(crate) expected: HashSet<(u16, u32)>,
    pub(crate) dropped: usize,
    pub(crate) resends: u64,
    pub(crate) connections: u64,
    /// A publication that goes alone is under way.
    pub(crate) alone: bool,
    /// A message that comes in parts.
    pub(crate) part: Vec<u8>,
    pub(crate) part_of: Option<(String, QoS)>,
}

impl Party {
    pub(crate) fn new(index: usize, seed: u64, server: ServerKind) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed ^ (index as u64 + 1) << 32);
        let config = config(&mut chance, server);
        let clock_start = match chance.u8(..6) {
            0 => 0,
            1 => (1 << 32) - 5_000,
            2 => 1 << 53,
            // The end of time is some centuries away.
            3 => u64::MAX - (1 << 43),
            _ => chance.u64(..1 << 40),
        };
        let max_tx = chance.bool().then(|| 1 << chance.u32(10..15));
        let mut party = Self {
            client: None,
            config,
            max_tx,
            most_memory: Rc::default(),
            store: config.keep_session.then(Store::default),
            up: Up::new(),
            down: Down::default(),
            client_id: format!("GID_s@@@{index}"),
            written: Vec::new(),
            rx: Vec::new(),
            link: None,
            dials: 0,
            attempt: false,
            clock_start,
            clock_skew: 0,
            clock_seen: 0,
            due: u64::MAX,
            hurry: 0,
            timer_at: u64::MAX,
            wanted: false,
            paused: false,
            to_acknowledge: Vec::new(),
            unsure: false,
            full: None,
            app_at: u64::MAX,
            bad_dial: false,
            expected: HashSet::new(),
            dropped: 0,
            resends: 0,
            connections: 0,
            alone: false,
            part: Vec::new(),
            part_of: None,
        };
        party.client = Some(party.make(chance.u64(..)));
        party
    }

    /// A client that has done nothing.
    pub(crate) fn make(&self, seed: u64) -> Client<Room> {
        Client::new(self.config, seed, Room::new(self.max_tx, Rc::clone(&self.most_memory)))
    }

    /// The client's clock.
    pub(crate) const fn clock(&self, now: u64) -> u64 {
        self.clock_start.wrapping_add(now).wrapping_add_signed(self.clock_skew)
    }

    /// How many messages of QoS 2 the server may have under way to it.
    pub(crate) const fn qos_2_window(&self) -> usize {
        if self.max_tx.is_some() { usize::MAX } else { crate::room::SMALL_INBOUND }
    }

    /// The most memory that it may ever take: its outgoing bytes, entries for as many requests, and some for the rest.
    pub(crate) fn memory_bound(&self) -> usize {
        self.max_tx.map_or(2 * 1024, |max| 3 * max.max(4096) + 16 * 1024)
    }
}

fn config(chance: &mut fastrand::Rng, server: ServerKind) -> Config {
    let aliyun = server == ServerKind::Aliyun;
    let keep_session = chance.u8(..3) == 0;
    Config::new()
        .with_clean_session(!keep_session && chance.u8(..3) == 0)
        .with_keep_session(keep_session)
        .with_keep_alive_secs(if chance.u8(..16) == 0 && !aliyun { 0 } else { chance.u16(5..60) })
        .with_ping_timeout_ms(chance.u32(2_000..20_000))
        .with_connect_timeout_ms(chance.u32(2_000..10_000))
        .with_backoff(if chance.u8(..4) == 0 {
            Backoff::Fixed { delay_ms: chance.u32(..2_000) }
        } else {
            Backoff::Exponential { base_ms: chance.u32(10..1_000), cap_ms: chance.u32(1_000..30_000) }
        })
        .with_max_in_flight(chance.u16(1..24))
        .with_max_packet_size(1_024)
        .with_resubscribe(if aliyun || chance.bool() {
            Resubscribe::Always
        } else {
            Resubscribe::WithoutSession
        })
        .with_offline(
            [Offline::QueueAll, Offline::QueueAll, Offline::QueueAcknowledged, Offline::Refuse]
                [chance.usize(..4)],
        )
        .with_manual_ack(chance.u8(..3) == 0)
        .with_max_requests_per_sec(if chance.u8(..16) == 0 { chance.u16(20..200) } else { 0 })
        .with_max_whole_message(if chance.u8(..8) == 0 { 200 } else { u32::MAX })
        .with_tell_qos_0(chance.bool())
}
