//! The steps that wait: for the transport, for the time, for whichever comes first.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;

use embedded_io_async::{Read, Write};
use mqtt_p2p_core::Instant;

use crate::clock::{Timer, wait_for};

/// How long a transport that takes no bytes may stop the reading, in milliseconds, and the other way round: a transport
/// that is one object can't wait for both.
pub(crate) const TURN_MS: u32 = 50;

/// Which of two came first.
pub(crate) enum First<A, B> {
    Left(A),
    Right(B),
}

/// Waits for either; for the left one if both are there.
pub(crate) async fn first<A: Future, B: Future>(
    mut left: Pin<&mut A>,
    mut right: Pin<&mut B>,
) -> First<A::Output, B::Output> {
    poll_fn(|context| match left.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(First::Left(output)),
        Poll::Pending => right.as_mut().poll(context).map(First::Right),
    })
    .await
}

/// Waits for a future, but no longer than until this moment.
pub(crate) async fn in_time<F: Future>(
    future: Pin<&mut F>,
    timer: &impl Timer,
    until: Option<Instant>,
) -> First<F::Output, ()> {
    let mut late = pin!(wait_for(timer, until));
    first(future, late.as_mut()).await
}

/// Looks once whether a future is ready, and drops it if it is not.
pub(crate) async fn now_or_never<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Lets others have a turn.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if core::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What became of an attempt to write.
pub(crate) enum Written {
    Bytes(usize),
    /// The transport takes nothing for now.
    Stalled,
    Failed,
}

/// Writes some of these bytes, unless the transport does not take any in time.
pub(crate) async fn write<C: Write>(io: &mut C, bytes: &[u8], timer: &impl Timer, until: Instant) -> Written {
    let mut write = pin!(io.write(bytes));
    match in_time(write.as_mut(), timer, Some(until)).await {
        First::Left(Ok(len)) if len > 0 => Written::Bytes(len.min(bytes.len())),
        First::Left(_) => Written::Failed,
        First::Right(()) => Written::Stalled,
    }
}

/// What came of waiting.
pub(crate) enum Came {
    Bytes(usize),
    /// The transport ended.
    End,
    /// It ended, or broke, with an error.
    Broken,
    /// Nothing, but the time has come.
    Time,
}

/// Waits for bytes, or for the moment. Without room, it only waits.
pub(crate) async fn read<C: Read>(
    io: &mut C,
    room: &mut [u8],
    timer: &impl Timer,
    until: Option<Instant>,
) -> Came {
    if room.is_empty() {
        wait_for(timer, until).await;
        return Came::Time;
    }
    let len = room.len();
    let mut read = pin!(io.read(room));
    match in_time(read.as_mut(), timer, until).await {
        First::Left(Ok(0)) => Came::End,
        First::Left(Ok(read)) => Came::Bytes(read.min(len)),
        First::Left(Err(_)) => Came::Broken,
        First::Right(()) => Came::Time,
    }
}
