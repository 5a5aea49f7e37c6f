//! A world: clients, links, a server, and the time that passes for them.

use mqtt_p2p_emulator::Emulator;

use crate::agenda::{Agenda, Event};
use crate::faults::Fault;
use crate::link::Links;
use crate::party::Party;
use crate::plan::{Plan, ServerKind};
use crate::server::Session;
use crate::tally::Tally;
use crate::violation::{Check, Violation, promise};

/// How long it may take until all is settled once the faults stop, in milliseconds. The longest that a client has to
/// wait is for a ping (20 s + 60 s), after a suspected takeover (60 s), for back-off (30 s), and for its pace.
const PATIENCE: u64 = 15 * 60_000;

/// How bytes move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chop {
    Whole,
    Pieces,
    Bytes,
}

/// What is the same for all links of a world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    pub(crate) latency: u64,
    pub(crate) chop: Chop,
    /// How many bytes may be under way from a client before it has to wait.
    pub(crate) capacity: usize,
    /// How many bytes the transport takes at once.
    pub(crate) write_at_most: usize,
    /// A fault comes after so many milliseconds, and so many publications: what goes wrong all the time shows little.
    pub(crate) fault_every: u64,
    pub(crate) fault_after: u64,
    /// How long a program pauses, and how many requests it makes at once.
    pub(crate) tick: u64,
    pub(crate) burst: u32,
    /// The server keeps a session although the client may not have heard of it. Then QoS 2 is not sent to clients: MQTT
    /// has no remedy for what they believe of the session before.
    pub(crate) keeps_unconfirmed: bool,
    pub(crate) last_id: u16,
    /// How many bytes the server lets wait before it drops messages of QoS 0.
    pub(crate) unread: usize,
    pub(crate) window: usize,
}

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) weather: Weather,
    pub(crate) chance: fastrand::Rng,
    pub(crate) agenda: Agenda,
    pub(crate) parties: Vec<Party>,
    pub(crate) links: Links,
    /// The server's sessions, one for each party.
    pub(crate) sessions: Vec<Session>,
    pub(crate) emulator: Option<Box<Emulator>>,
    pub(crate) emulator_due: u64,
    pub(crate) server_down: bool,
    /// So many log-ins are refused next, with these codes.
    pub(crate) refusal: Option<u8>,
    pub(crate) backend: u32,
    pub(crate) epochs: u32,
    pub(crate) faults_left: u32,
    /// How many publications there must be before the next.
    pub(crate) fault_from: u64,
    pub(crate) settling: bool,
    pub(crate) settle_by: u64,
    pub(crate) scratch: Vec<u8>,
    pub(crate) tally: Tally,
    pub(crate) trace: bool,
}

macro_rules! trace {
    ($world:expr, $($what:tt)+) => {
        if $world.trace {
            eprintln!("{:>9} {}", $world.agenda.now, format_args!($($what)+));
        }
    };
}
pub(crate) use trace;

impl World {
    fn new(plan: Plan, trace: bool) -> Self {
        let mut chance = fastrand::Rng::with_seed(plan.seed);
        let weather = weather(&mut chance);
        let mut plan = plan;
        if weather.chop == Chop::Bytes {
            plan.messages = plan.messages.min(1_000);
        }
        let emulator = (plan.server == ServerKind::Aliyun).then(|| crate::server::emulator(plan.seed));
        let parties: Vec<_> =
            (0..usize::from(plan.clients)).map(|index| Party::new(index, plan.seed, plan.server)).collect();
        Self {
            sessions: parties.iter().map(|_| Session::new()).collect(),
            parties,
            plan,
            weather,
            chance,
            agenda: Agenda::default(),
            links: Links::default(),
            emulator,
            emulator_due: u64::MAX,
            server_down: false,
            refusal: None,
            backend: 0,
            epochs: 0,
            faults_left: plan.most_faults,
            fault_from: 0,
            settling: false,
            settle_by: u64::MAX,
            scratch: Vec::new(),
            tally: Tally::default(),
            trace,
        }
    }

    fn live(&mut self) -> Check {
        for p in 0..self.parties.len() {
            self.connect(p)?;
            let later = self.chance.u64(..self.weather.tick);
            self.plan_app(p, later);
        }
        if self.plan.faults.iter().next().is_some() {
            self.agenda.after(self.weather.fault_every, Event::Fault);
        }
        self.agenda.after(1_000, Event::Look);
        // No promise: a world that goes on and on is a mistake of this harness or of the client.
        let most = 2_000_000 + u64::from(self.plan.messages) * 2_000;
        while let Some(event) = self.agenda.next() {
            self.tally.steps += 1;
            promise!(self.tally.steps < most, "a world ends", "{most} steps were not enough");
            match event {
                Event::Up(link, turn) => self.move_up(link as usize, turn)?,
                Event::Down(link, turn) => self.move_down(link as usize, turn)?,
                Event::Dialled(link, turn) => self.dialled(link as usize, turn)?,
                Event::KeepAlive(link, turn) => self.check_keep_alive(link as usize, turn)?,
                Event::Timer(p) => self.timer(p as usize)?,
                Event::App(p) => self.app(p as usize)?,
                Event::Return(p) => self.come_back(p as usize)?,
                Event::Resume(p) => self.resume(p as usize)?,
                Event::Again(p) => self.connect(p as usize)?,
                Event::Withheld(p) => self.answer_withheld(p as usize),
                Event::Alone(link, turn) => self.answer_alone(link as usize, turn),
                Event::Emulator => self.advance_emulator()?,
                Event::ServerUp => self.server_down = false,
                Event::Fault => self.next_fault()?,
                Event::Look => {
                    if self.look()? {
                        return Ok(());
                    }
                }
            }
        }
        promise!(false, "a world ends", "nothing happens any more");
        Ok(())
    }

    /// Whether all is done.
    fn look(&mut self) -> Check<bool> {
        if !self.settling && self.tally.publications >= u64::from(self.plan.messages) {
            self.settle()?;
        }
        if self.settling {
            match self.unsettled() {
                None => {
                    self.check_end()?;
                    return Ok(true);
                }
                Some(what) => promise!(
                    self.agenda.now < self.settle_by,
                    "progress once the faults stop",
                    "after {} minutes {what}",
                    PATIENCE / 60_000
                ),
            }
        }
        self.agenda.after(500, Event::Look);
        Ok(false)
    }

    /// The faults stop.
    fn settle(&mut self) -> Check {
        trace!(self, "-- the faults stop");
        self.settling = true;
        self.settle_by = self.agenda.now + PATIENCE;
        self.server_down = false;
        self.refusal = None;
        self.weather.capacity = usize::MAX;
        self.weather.write_at_most = usize::MAX;
        if self.weather.chop == Chop::Bytes {
            self.weather.chop = Chop::Pieces;
        }
        for link in 0..self.links.all.len() {
            let it = &mut self.links.all[link];
            it.up.stalled_until = 0;
            it.down.stalled_until = 0;
            self.move_soon(link);
        }
        for p in 0..self.parties.len() {
            self.sessions[p].kicks = 0;
            self.sessions[p].withholds = false;
            self.answer_withheld(p);
            self.come_back(p)?;
            self.resume(p)?;
            if !self.parties[p].wanted || self.parties[p].link.is_none() {
                self.connect(p)?;
            }
            self.settle_subscriptions(p)?;
            self.plan_app(p, 1);
        }
        Ok(())
    }

    /// What is not settled yet.
    fn unsettled(&mut self) -> Option<String> {
        for (p, party) in self.parties.iter_mut().enumerate() {
            let Some(client) = &mut party.client else {
                return Some(format!("client {p} is away"));
            };
            if !client.is_connected() {
                return Some(format!("client {p} is not connected"));
            }
            if self.emulator.is_none() && self.sessions[p].link != party.link {
                return Some(format!("client {p} has lost its connection and does not know"));
            }
            if party.up.live() > 0 {
                return Some(format!("client {p} has {} requests that have not ended", party.up.live()));
            }
            if client.requests().next().is_some() {
                return Some(format!("client {p} has requests whose end will not be told"));
            }
            // The emulator may have a long backlog of messages that nobody is owed.
            if self.emulator.is_none() && !party.to_acknowledge.is_empty() {
                return Some(format!("client {p} has messages to acknowledge"));
            }
            if party.alone {
                return Some(format!("client {p} has a publication alone under way"));
            }
            if party.unsure {
                return Some(format!("client {p} has subscriptions to settle"));
            }
            if self.emulator.is_none() && !(party.down.is_settled() && self.sessions[p].is_settled()) {
                return Some(format!("the server waits for client {p}: {:?}", self.sessions[p]));
            }
            if self.emulator.is_some() && party.expected.len() > party.dropped {
                return Some(format!("client {p} has not got {} messages", party.expected.len()));
            }
            if let Some(link) = party.link
                && self.emulator.is_none()
                && !(self.links.all[link].up.is_empty() && self.links.all[link].down.is_empty())
            {
                return Some(format!("bytes are under way to or from client {p}"));
            }
        }
        None
    }

    fn check_end(&mut self) -> Check {
        for (p, party) in self.parties.iter_mut().enumerate() {
            let bound = party.memory_bound();
            promise!(
                party.most_memory.get() <= bound,
                "memory is bounded",
                "client {p} took {} bytes, more than {bound}",
                party.most_memory.get()
            );
            let Some(client) = &mut party.client else { continue };
            promise!(
                client.requests().next().is_none() && client.in_flight() == 0,
                "what has ended is no request",
                "client {p} still has some"
            );
            if self.emulator.is_none() {
                let mut listed: Vec<_> =
                    client.subscriptions().map(|entry| entry.filter.as_str().to_owned()).collect();
                listed.sort();
                let known = self.sessions[p].filters();
                promise!(
                    listed == known,
                    "both sides agree on subscriptions",
                    "client {p}: {listed:?}, server: {known:?}"
                );
            }
            self.tally.resends += party.resends + u64::from(client.stats().resends);
            self.tally.connections += party.connections + u64::from(client.stats().connections);
        }
        Ok(())
    }

    pub(crate) fn plan_app(&mut self, p: usize, later: u64) {
        let at = self.agenda.now + later;
        if at < self.parties[p].app_at {
            self.parties[p].app_at = at;
            self.agenda.at(at, Event::App(p as u32));
        }
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.plan.faults.has(fault) && !self.settling
    }
}

fn weather(chance: &mut fastrand::Rng) -> Weather {
    let chop = match chance.u8(..32) {
        0 => Chop::Bytes,
        1..8 => Chop::Pieces,
        _ => Chop::Whole,
    };
    let narrow = chance.u8(..8) == 0;
    let mut weather = Weather {
        latency: [1, 5, 40, 300][chance.usize(..4)],
        chop,
        capacity: if narrow { chance.usize(16..512) } else { 16 * 1024 },
        write_at_most: if chance.u8(..16) == 0 { chance.usize(1..40) } else { usize::MAX },
        fault_every: [20, 200, 1_000, 5_000][chance.usize(..4)],
        fault_after: [3, 30, 150, 800][chance.usize(..4)],
        tick: [5, 20, 100][chance.usize(..3)],
        burst: [2, 16, 40][chance.usize(..3)],
        keeps_unconfirmed: chance.u8(..8) == 0,
        last_id: if chance.bool() { 12 } else { u16::MAX },
        window: chance.usize(1..10),
        unread: 16 * 1024,
    };
    if chop == Chop::Bytes {
        // Each byte takes its time: no more of them than needed.
        weather.latency = weather.latency.min(5);
        weather.capacity = weather.capacity.min(256);
        weather.unread = 256;
        weather.burst = 4;
        weather.tick = 100;
    }
    weather
}

/// Runs a plan to its end.
///
/// # Errors
/// The promise that did not hold. A panic of the client counts as one.
pub fn run(plan: &Plan, trace: bool) -> Result<Tally, Violation> {
    let outcome = std::panic::catch_unwind(|| {
        let mut world = World::new(*plan, trace);
        let result = world.live();
        world.tally.worlds = 1;
        world.tally.millis = world.agenda.now;
        result.map(|()| world.tally)
    });
    outcome.unwrap_or_else(|panic| {
        let said = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        Err(Violation { promise: "nothing panics", detail: said.unwrap_or_default() })
    })
}
