//! Where a client keeps what it must remember: one buffer of the caller's, shared out; hosted, also memory that grows.

use core::mem::align_of;

use mqtt_p2p_core::{InboundId, Memory, Request, Storage};
use zeroize::Zeroize;

use crate::config::mqttp2p_config_t;
use crate::status::{MQTTP2P_E_MEMORY_TOO_SMALL, MQTTP2P_E_MISALIGNED, MQTTP2P_E_NULL, Status};

/// A client's memory, in five parts. They are kept as pointers, not as slices, since the caller reads from them what is to
/// be transmitted; and they are found in the same place whoever owns them.
#[derive(Debug)]
pub(crate) struct Store {
    parts: Parts,
    /// Who owns them, unless it is the caller.
    #[cfg(feature = "std")]
    growing: Option<Box<mqtt_p2p_core::Growing>>,
}

#[derive(Debug)]
struct Parts {
    requests: Part<Request>,
    inbound: Part<InboundId>,
    control: Part<u8>,
    subscriptions: Part<u8>,
    tx: Part<u8>,
}

#[derive(Debug)]
struct Part<T> {
    first: *mut T,
    len: usize,
}

impl<T> Part<T> {
    #[cfg(feature = "std")]
    const fn of(slice: &mut [T]) -> Self {
        Self { first: slice.as_mut_ptr(), len: slice.len() }
    }

    #[inline]
    fn slice(&mut self) -> &mut [T] {
        // SAFETY: the part lies in the caller's buffer, aligned and filled, as `lent` saw to, and the caller left that to
        // the client until its end; or in memory of `growing`, which does not move while `grow` is not called. Parts do
        // not overlap, and each is lent out by `&mut`.
        unsafe { core::slice::from_raw_parts_mut(self.first, self.len) }
    }
}

/// Takes the next part off a buffer and fills it.
///
/// # Safety
/// `buffer` may be written to, `left` bytes.
unsafe fn part<T: Copy>(
    buffer: &mut *mut u8,
    left: &mut usize,
    len: usize,
    fill: T,
) -> Result<Part<T>, Status> {
    let size = len.checked_mul(size_of::<T>()).filter(|size| size <= left);
    let size = size.ok_or(Status(MQTTP2P_E_MEMORY_TOO_SMALL))?;
    let first = buffer.cast::<T>();
    if !first.is_aligned() {
        return Err(Status(MQTTP2P_E_MISALIGNED));
    }
    for index in 0..len {
        // SAFETY: within the buffer, as was just checked, and aligned.
        unsafe { first.add(index).write(fill) };
    }
    // SAFETY: at most behind the last byte of the buffer.
    *buffer = unsafe { buffer.add(size) };
    *left -= size;
    Ok(Part { first, len })
}

impl Store {
    /// Shares out a buffer: first what must be aligned, at last what is left for packets.
    ///
    /// # Safety
    /// `buffer` is NULL, or `len` bytes may be written there, and are nobody else's, until the client ends.
    pub(crate) unsafe fn lent(
        config: &mqttp2p_config_t,
        mut buffer: *mut u8,
        mut len: usize,
    ) -> Result<Self, Status> {
        if buffer.is_null() {
            return Err(Status(MQTTP2P_E_NULL));
        }
        if len > isize::MAX as usize {
            return Err(Status(MQTTP2P_E_MEMORY_TOO_SMALL));
        }
        let [requests, inbound] = [config.requests, config.inbound].map(usize::from);
        let [control, subscriptions] =
            [config.control_bytes, config.subscription_bytes].map(|size| size as usize);
        // SAFETY: the same condition; each part takes its bytes off the rest.
        let parts = unsafe {
            Parts {
                requests: part(&mut buffer, &mut len, requests, Request::EMPTY)?,
                inbound: part(&mut buffer, &mut len, inbound, InboundId::EMPTY)?,
                control: part(&mut buffer, &mut len, control, 0)?,
                subscriptions: part(&mut buffer, &mut len, subscriptions, 0)?,
                tx: {
                    let rest = len;
                    part(&mut buffer, &mut len, rest, 0)?
                },
            }
        };
        Ok(Self {
            parts,
            #[cfg(feature = "std")]
            growing: None,
        })
    }

    /// Memory that grows.
    #[cfg(feature = "std")]
    pub(crate) fn growing(growing: mqtt_p2p_core::Growing) -> Self {
        let mut growing = Box::new(growing);
        Self { parts: Parts::of(&mut growing.memory()), growing: Some(growing) }
    }
}

#[cfg(feature = "std")]
impl Parts {
    fn of(memory: &mut Memory<'_>) -> Self {
        Self {
            requests: Part::of(memory.requests),
            inbound: Part::of(memory.inbound),
            control: Part::of(memory.control),
            subscriptions: Part::of(memory.subscriptions),
            tx: Part::of(memory.tx),
        }
    }
}

// The macro in the header counts with these.
const _: () = assert!(size_of::<Request>() == 16 && size_of::<InboundId>() == 4);
const _: () = assert!(align_of::<Request>() <= 4 && align_of::<InboundId>() <= 4);

/// What was kept is wiped: log-ins and messages.
impl Drop for Store {
    fn drop(&mut self) {
        let memory = self.memory();
        memory.control.zeroize();
        memory.tx.zeroize();
    }
}

impl Storage for Store {
    #[inline]
    fn memory(&mut self) -> Memory<'_> {
        #[cfg(feature = "std")]
        let growable = self.growing.is_some();
        #[cfg(not(feature = "std"))]
        let growable = false;
        Memory::new(self.parts.tx.slice(), self.parts.requests.slice(), self.parts.control.slice())
            .with_subscriptions(self.parts.subscriptions.slice())
            .with_inbound(self.parts.inbound.slice())
            .with_growable(growable)
    }

    #[cfg(feature = "std")]
    fn grow(&mut self, need: mqtt_p2p_core::Need) -> bool {
        let Some(growing) = &mut self.growing else { return false };
        let grew = growing.grow(need);
        self.parts = Parts::of(&mut growing.memory());
        grew
    }
}
