//! Where the client keeps what it must remember: inline arrays, the caller's slices, or buffers that grow.

use core::fmt;

use crate::error::Need;
use crate::inbound::InboundId;
use crate::outbox::Request;

/// A client's memory, in five parts. The state machine's code is the same for any sizes. Debug shows the sizes only: the
/// login passes through here.
///
/// ```
/// use mqtt_p2p_core::{Client, Config, InboundId, Memory, Request};
///
/// let (mut tx, mut requests, mut control) = ([0; 1024], [Request::EMPTY; 8], [0; 256]);
/// let (mut subscriptions, mut inbound) = ([0; 128], [InboundId::EMPTY; 4]);
/// let memory = Memory::new(&mut tx, &mut requests, &mut control)
///     .with_subscriptions(&mut subscriptions)
///     .with_inbound(&mut inbound);
/// let client = Client::new(Config::new(), 42, memory);
/// ```
#[non_exhaustive]
pub struct Memory<'m> {
    /// Outgoing packets: those that wait, and those of QoS 1 and 2 until their handshake ends, encoded. The largest
    /// publication must fit.
    pub tx: &'m mut [u8],
    /// One entry for each request under way. Twice [`Config::max_in_flight`](crate::Config::max_in_flight) is a
    /// good number.
    pub requests: &'m mut [Request],
    /// Acknowledgements and pings, and at first the log-in, which must fit: at least 64 bytes more than client id,
    /// user name, password and will.
    pub control: &'m mut [u8],
    /// The subscriptions that the server granted: the length of each topic filter and 3 bytes.
    pub subscriptions: &'m mut [u8],
    /// One entry for each incoming message of QoS 2 under way.
    pub inbound: &'m mut [InboundId],
    /// Whether [`Storage::grow`] may give more.
    pub growable: bool,
}

impl<'m> Memory<'m> {
    /// Creates memory that does not grow, with room for outgoing packets, requests and control packets, but for no
    /// subscription and no incoming message of QoS 2.
    #[inline]
    pub const fn new(tx: &'m mut [u8], requests: &'m mut [Request], control: &'m mut [u8]) -> Self {
        Self { tx, requests, control, subscriptions: &mut [], inbound: &mut [], growable: false }
    }

    /// Sets the memory for subscriptions.
    #[inline]
    #[must_use]
    pub const fn with_subscriptions(self, subscriptions: &'m mut [u8]) -> Self {
        Self { subscriptions, ..self }
    }

    /// Sets the memory for incoming messages of QoS 2.
    #[inline]
    #[must_use]
    pub const fn with_inbound(self, inbound: &'m mut [InboundId]) -> Self {
        Self { inbound, ..self }
    }

    /// Sets whether [`Storage::grow`] may give more.
    #[inline]
    #[must_use]
    pub const fn with_growable(self, growable: bool) -> Self {
        Self { growable, ..self }
    }
}

/// Memory for a [`Client`](crate::Client).
pub trait Storage {
    /// The memory. It must hold what the client put there, and keep its sizes unless [`Self::grow`] changes them.
    fn memory(&mut self) -> Memory<'_>;

    /// Makes room, keeps what is there, and says whether it did.
    fn grow(&mut self, need: Need) -> bool {
        let _ = need;
        false
    }
}

/// Memory of fixed sizes inside the client itself: no pointer, no heap.
///
/// ```
/// use mqtt_p2p_core::{Client, Config, Inline};
///
/// // 1 KiB of packets, 8 requests, 256 bytes of control packets, 128 of subscriptions, 4 messages of QoS 2.
/// let client = Client::new(Config::new(), 1, Inline::<1024, 8, 256, 128, 4>::new());
/// ```
#[derive(Clone)]
pub struct Inline<
    const TX: usize,
    const REQUESTS: usize = 8,
    const CONTROL: usize = 256,
    const SUBSCRIPTIONS: usize = 128,
    const INBOUND: usize = 4,
> {
    tx: [u8; TX],
    requests: [Request; REQUESTS],
    control: [u8; CONTROL],
    subscriptions: [u8; SUBSCRIPTIONS],
    inbound: [InboundId; INBOUND],
}

impl<const T: usize, const R: usize, const C: usize, const S: usize, const I: usize> Inline<T, R, C, S, I> {
    /// Empty memory.
    pub const fn new() -> Self {
        Self {
            tx: [0; T],
            requests: [Request::EMPTY; R],
            control: [0; C],
            subscriptions: [0; S],
            inbound: [InboundId::EMPTY; I],
        }
    }
}

impl<const T: usize, const R: usize, const C: usize, const S: usize, const I: usize> Default
    for Inline<T, R, C, S, I>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<const T: usize, const R: usize, const C: usize, const S: usize, const I: usize> Storage
    for Inline<T, R, C, S, I>
{
    #[inline]
    fn memory(&mut self) -> Memory<'_> {
        Memory {
            tx: &mut self.tx,
            requests: &mut self.requests,
            control: &mut self.control,
            subscriptions: &mut self.subscriptions,
            inbound: &mut self.inbound,
            growable: false,
        }
    }
}

/// Memory that lies elsewhere: in a `static`, so that the client itself is small enough for a stack.
impl<S: Storage + ?Sized> Storage for &mut S {
    #[inline]
    fn memory(&mut self) -> Memory<'_> {
        (**self).memory()
    }

    #[inline]
    fn grow(&mut self, need: Need) -> bool {
        (**self).grow(need)
    }
}

/// The caller's slices, as C and firmware with buffers of its own give them.
impl Storage for Memory<'_> {
    #[inline]
    fn memory(&mut self) -> Memory<'_> {
        Memory {
            tx: self.tx,
            requests: self.requests,
            control: self.control,
            subscriptions: self.subscriptions,
            inbound: self.inbound,
            growable: false,
        }
    }
}

impl fmt::Debug for Memory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("tx", &self.tx.len())
            .field("requests", &self.requests.len())
            .field("control", &self.control.len())
            .field("subscriptions", &self.subscriptions.len())
            .field("inbound", &self.inbound.len())
            .field("growable", &self.growable)
            .finish()
    }
}

impl<const T: usize, const R: usize, const C: usize, const S: usize, const I: usize> fmt::Debug
    for Inline<T, R, C, S, I>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inline<{T}, {R}, {C}, {S}, {I}>")
    }
}
