//! Memory that grows, for hosts with a heap.

use core::fmt;

use alloc::vec;
use alloc::vec::Vec;

use crate::error::Need;
use crate::inbound::InboundId;
use crate::outbox::Request;
use crate::storage::{Memory, Storage};

/// Memory that starts small and doubles as the load asks for it, up to a bound on outgoing bytes.
#[derive(Clone)]
pub struct Growing {
    tx: Vec<u8>,
    requests: Vec<Request>,
    control: Vec<u8>,
    subscriptions: Vec<u8>,
    inbound: Vec<InboundId>,
    max_tx: usize,
}

impl Growing {
    /// A log-in may take up to this: client id, user name, password and will of the longest kind.
    const MAX_CONTROL: usize = 512 * 1024;
    /// The most subscriptions' bytes.
    const MAX_SUBSCRIPTIONS: usize = 16 * 1024 * 1024;
    /// Packet identifiers.
    const MAX_INBOUND: usize = 65_535;

    /// Memory for at most `max_tx` bytes of outgoing packets. [`Error::Full`](crate::Error::Full) comes beyond.
    pub fn new(max_tx: usize) -> Self {
        Self {
            tx: vec![0; max_tx.min(4096)],
            requests: vec![Request::EMPTY; 64],
            control: vec![0; 1024],
            subscriptions: Vec::new(),
            inbound: Vec::new(),
            max_tx,
        }
    }
}

impl Default for Growing {
    /// Up to 64 MiB of outgoing packets.
    fn default() -> Self {
        Self::new(64 * 1024 * 1024)
    }
}

impl Storage for Growing {
    #[inline]
    fn memory(&mut self) -> Memory<'_> {
        Memory {
            growable: true,
            tx: &mut self.tx,
            requests: &mut self.requests,
            control: &mut self.control,
            subscriptions: &mut self.subscriptions,
            inbound: &mut self.inbound,
        }
    }

    fn grow(&mut self, need: Need) -> bool {
        match need {
            Need::Bytes(bytes) => double(&mut self.tx, bytes, self.max_tx, 0),
            // A publication takes at least eight bytes or so: the bound on bytes bounds these too.
            Need::Requests => double(&mut self.requests, 1, self.max_tx.div_ceil(8), Request::EMPTY),
            Need::Control(bytes) => double(&mut self.control, bytes, Self::MAX_CONTROL, 0),
            Need::Subscriptions(bytes) => double(&mut self.subscriptions, bytes, Self::MAX_SUBSCRIPTIONS, 0),
            Need::Inbound => double(&mut self.inbound, 1, Self::MAX_INBOUND, InboundId::EMPTY),
        }
    }
}

/// Doubles a buffer, or more if that does not make room for `more`. Towards `max` it grows by what is left: who asks
/// may have counted in what the buffer holds, and it may do.
fn double<T: Copy>(buffer: &mut Vec<T>, more: usize, max: usize, fill: T) -> bool {
    if buffer.len() >= max {
        return false;
    }
    let least = buffer.len().saturating_add(more);
    buffer.resize(buffer.len().saturating_mul(2).max(least).min(max), fill);
    true
}

impl fmt::Debug for Growing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Growing")
            .field("tx", &self.tx.len())
            .field("requests", &self.requests.len())
            .field("max_tx", &self.max_tx)
            .finish_non_exhaustive()
    }
}
