//! What the tasks share, under the lock.

use core::task::Waker;

use mqtt_p2p_core::{
    AckToken, Client, Event, HeldEvent, ReasonCode, Storage, Ticket, TopicFilter, TopicName,
};

use super::status::Status;
use crate::receive::Receive;

pub(super) struct State<'b, S, const TASKS: usize, const RECEIVERS: usize> {
    pub(super) client: Client<S>,
    /// Those of the task that runs the client, while none does.
    pub(super) receive: Option<Receive<'b>>,
    pub(super) transmit: Option<&'b mut [u8]>,
    /// That task, and whether there is something for it to do.
    runner: Option<Waker>,
    pub(super) work: bool,
    pub(super) wish: Option<Wish>,
    /// Whoever waits for room, for an acknowledgement, for the connection.
    pub(super) waiting: Wakers<TASKS>,
    pub(super) status: Status,
    /// Counts the changes of the status.
    pub(super) changes: u32,
    /// Subscriptions that somebody waits for.
    pub(super) answers: [Option<Answer>; TASKS],
    pub(super) upload: Upload,
    pub(super) receivers: [Slot<'b>; RECEIVERS],
    /// A message that lies in the receive buffer and waits for its receivers.
    pub(super) lent: Option<Lent<'b>>,
    /// It is to be acknowledged.
    pub(super) acknowledge: Option<AckToken>,
    pub(super) unclaimed: u32,
}

/// What a task wants of the connection.
#[derive(Clone, Copy)]
pub(super) enum Wish {
    Connect,
    Disconnect,
}

/// A subscription under way.
#[derive(Clone, Copy)]
pub(super) struct Answer {
    pub(super) ticket: Ticket,
    pub(super) code: Option<ReasonCode>,
}

/// The upload of a token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Upload {
    None,
    UnderWay,
    Done,
    Lost,
}

/// A receiver.
pub(super) struct Slot<'b> {
    pub(super) used: bool,
    pub(super) filter: Option<TopicFilter<'b>>,
    pub(super) waker: Option<Waker>,
}

/// A message in its receive buffer.
pub(super) struct Lent<'b> {
    pub(super) receive: Receive<'b>,
    pub(super) held: HeldEvent,
    pub(super) ack: Option<AckToken>,
    /// One bit for each receiver that has not taken it.
    pub(super) open: u32,
}

/// The tasks that wait for something.
pub(super) struct Wakers<const N: usize>([Option<Waker>; N]);

impl<const N: usize> Wakers<N> {
    pub(super) fn register(&mut self, waker: &Waker) {
        if self.0.iter().flatten().any(|known| known.will_wake(waker)) {
            return;
        }
        match self.0.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(waker.clone()),
            None => {
                // Each looks again, and registers again if it still waits.
                self.wake();
                match self.0.first_mut() {
                    Some(place) => *place = Some(waker.clone()),
                    None => waker.wake_by_ref(),
                }
            }
        }
    }

    pub(super) fn wake(&mut self) {
        self.0.iter_mut().filter_map(Option::take).for_each(Waker::wake);
    }
}

impl<'b, S: Storage, const TASKS: usize, const RECEIVERS: usize> State<'b, S, TASKS, RECEIVERS> {
    pub(super) fn new(client: Client<S>, receive: Receive<'b>, transmit: &'b mut [u8]) -> Self {
        Self {
            client,
            receive: Some(receive),
            transmit: Some(transmit),
            runner: None,
            work: false,
            wish: None,
            waiting: Wakers([const { None }; TASKS]),
            status: Status::Starting,
            changes: 0,
            answers: [None; TASKS],
            upload: Upload::None,
            receivers: [const { Slot { used: false, filter: None, waker: None } }; RECEIVERS],
            lent: None,
            acknowledge: None,
            unclaimed: 0,
        }
    }

    /// There is something to do for the task that runs the client.
    pub(super) fn wake_runner(&mut self) {
        self.work = true;
        if let Some(waker) = self.runner.take() {
            waker.wake();
        }
    }

    /// Whether there is something to do; it registers to be woken if not.
    pub(super) fn has_work(&mut self, waker: &Waker) -> bool {
        if core::mem::take(&mut self.work) {
            return true;
        }
        self.runner = Some(waker.clone());
        false
    }

    /// Tells whoever waits for it. A message is not told here.
    pub(super) fn note(&mut self, event: &Event<'_>) {
        match *event {
            Event::Connected { session_present, .. } => self.change(Status::Connected { session_present }),
            Event::Refused { reason, retry_at, .. } => self.change(Status::Refused { reason, retry_at }),
            Event::Disconnected { reason, retry_at, .. } => {
                self.change(Status::Disconnected { reason, retry_at })
            }
            Event::Subscribed { ticket, return_codes, .. } => {
                let answer = self.answers.iter_mut().flatten().find(|answer| answer.ticket == ticket);
                if let Some(answer) = answer {
                    answer.code = return_codes.iter().next();
                }
            }
            Event::PublishedAlone if self.upload == Upload::UnderWay => self.upload = Upload::Done,
            _ => {}
        }
        self.waiting.wake();
    }

    fn change(&mut self, status: Status) {
        self.status = status;
        self.changes = self.changes.wrapping_add(1);
        if self.upload == Upload::UnderWay && !status.is_connected() {
            self.upload = Upload::Lost;
        }
    }

    /// One bit for each receiver that a message is for. Those are woken.
    pub(super) fn receivers_of(&mut self, topic: TopicName<'_>) -> u32 {
        // One `/` at the end does not make a topic differ (ApsaraMQ).
        let bare = topic.as_bytes().strip_suffix(b"/").and_then(|bytes| TopicName::from_bytes(bytes).ok());
        let mut open = 0;
        for (bit, slot) in bits().zip(&mut self.receivers) {
            let matches = |filter: TopicFilter<'_>| {
                filter.matches(topic) || bare.is_some_and(|bare| filter.matches(bare))
            };
            if slot.used && slot.filter.is_none_or(matches) {
                open |= bit;
                slot.wake();
            }
        }
        open
    }

    /// A receiver is through with the message, or gone.
    pub(super) fn take_from_lent(&mut self, bit: u32) {
        // Some may have gone while another one had it.
        let there =
            bits().zip(&self.receivers).filter(|(_, slot)| slot.used).fold(0, |all, (bit, _)| all | bit);
        if let Some(lent) = &mut self.lent {
            lent.open &= there & !bit;
            let open = lent.open;
            if open == 0 {
                self.wake_runner();
            }
            // Whoever came while another one had it.
            for (bit, slot) in bits().zip(&mut self.receivers) {
                if open & bit != 0 {
                    slot.wake();
                }
            }
        }
    }
}

impl Slot<'_> {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// One bit after the other.
pub(super) fn bits() -> impl Iterator<Item = u32> {
    (0..u32::BITS).filter_map(|place| 1_u32.checked_shl(place))
}
