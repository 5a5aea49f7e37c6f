//! Where a client keeps what it must remember: one buffer of the caller's, shared out; hosted, also memory that grows.

use core::mem::align_of;

use mqtt_p2p_core::{InboundId, Memory, Request, Storage};
use zeroize::Zeroize;

use crate::config::mqttp2p_config_t;
use crate::status::{MQTTP2P_E_MEMORY_TOO_SMALL, MQTTP2P_E_MISALIGNED, MQTTP2P_E_NULL, Status};

/// A client's memory.
#[derive(Debug)]
pub(crate) enum Store {
    /// A buffer of the caller's.
    Lent(Lent),
    /// The heap's.
    #[cfg(feature = "std")]
    Growing(mqtt_p2p_core::Growing),
}

/// A buffer of the caller's, in five parts. They are kept as pointers, not as slices, since the caller reads from them
/// what is to be transmitted.
#[derive(Debug)]
pub(crate) struct Lent {
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
    #[inline]
    fn slice(&mut self) -> &mut [T] {
        // SAFETY: `Lent::new` made sure that the part lies in the buffer, aligned and filled, and the caller left the
        // buffer to the client until its end. Parts do not overlap, and each is lent out by `&mut`.
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

impl Lent {
    /// Shares out a buffer: first what must be aligned, at last what is left for packets.
    ///
    /// # Safety
    /// `buffer` is NULL, or `len` bytes may be written there, and are nobody else's, until the client ends.
    pub(crate) unsafe fn new(
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
        unsafe {
            Ok(Self {
                requests: part(&mut buffer, &mut len, requests, Request::EMPTY)?,
                inbound: part(&mut buffer, &mut len, inbound, InboundId::EMPTY)?,
                control: part(&mut buffer, &mut len, control, 0)?,
                subscriptions: part(&mut buffer, &mut len, subscriptions, 0)?,
                tx: {
                    let rest = len;
                    part(&mut buffer, &mut len, rest, 0)?
                },
            })
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
        match self {
            Self::Lent(lent) => Memory {
                tx: lent.tx.slice(),
                requests: lent.requests.slice(),
                control: lent.control.slice(),
                subscriptions: lent.subscriptions.slice(),
                inbound: lent.inbound.slice(),
                growable: false,
            },
            #[cfg(feature = "std")]
            Self::Growing(growing) => growing.memory(),
        }
    }

    #[cfg(feature = "std")]
    fn grow(&mut self, need: mqtt_p2p_core::Need) -> bool {
        match self {
            Self::Lent(_) => false,
            Self::Growing(growing) => growing.grow(need),
        }
    }
}
