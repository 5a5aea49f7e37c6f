//! The transport as `embedded-io-async` has it, and what polls futures on this machine.

use core::cell::UnsafeCell;
use core::convert::Infallible;
use core::future::{Future, poll_fn};
use core::mem::MaybeUninit;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

use embedded_io_async::{ErrorType, Read, Write};

use crate::{clock, is_open, receive, sleep, transmit};

/// The open transport.
pub struct Socket;

impl ErrorType for Socket {
    type Error = Infallible;
}

impl Read for Socket {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, Infallible> {
        poll_fn(|_| match receive(room) {
            0 if is_open() => Poll::Pending,
            len => Poll::Ready(Ok(len)),
        })
        .await
    }
}

impl Write for Socket {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        poll_fn(|_| match transmit(bytes) {
            0 if is_open() => Poll::Pending,
            len => Poll::Ready(Ok(len)),
        })
        .await
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Where the program's future lies, as an executor would have it: not on the stack. Its size is no measure; that of the
/// future is.
#[repr(align(8))]
struct Arena(UnsafeCell<[MaybeUninit<u8>; ARENA_BYTES]>);

// SAFETY: there is one thread, and `place` is called once.
unsafe impl Sync for Arena {}

const ARENA_BYTES: usize = 4096;
static ARENA: Arena = Arena(UnsafeCell::new([MaybeUninit::uninit(); ARENA_BYTES]));

#[inline(never)]
fn place<F: Future + 'static>(make: impl FnOnce() -> F) -> Pin<&'static mut F> {
    const { assert!(size_of::<F>() <= ARENA_BYTES && align_of::<F>() <= 8) }
    let place = ARENA.0.get().cast::<MaybeUninit<F>>();
    // SAFETY: it is large enough and aligned, nobody else has a reference to it, and the future stays there for ever.
    unsafe { Pin::new_unchecked((*place).write(make())) }
}

/// Makes the program's future, and polls it for ever. To be called once.
pub fn block_on<F: Future + 'static>(make: impl FnOnce() -> F) -> ! {
    let mut future = place(make);
    #[cfg(feature = "run")]
    crate::stack::note_future(size_of::<F>());
    crate::begin();
    loop {
        let _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        sleep(clock().wrapping_add(100));
    }
}

/// Polls a future once, and drops it.
pub fn once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Lets a moment pass.
pub async fn pause() {
    let mut passed = false;
    poll_fn(|_| if core::mem::replace(&mut passed, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}
