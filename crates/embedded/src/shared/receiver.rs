//! Messages for the tasks that want them.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use embassy_sync::blocking_mutex::raw::RawMutex;
use mqtt_p2p_core::{Event, Message, Storage, TopicFilter};

use super::Shared;
use super::state::{Lent, bits};
use crate::io::{First, first};

/// Takes the messages that match its filter, in their order: see [`Shared::receiver`]. While it exists, its messages wait
/// for it, and everything behind them as well.
pub struct Receiver<'s, 'b, M: RawMutex, S: Storage, const TASKS: usize, const RECEIVERS: usize> {
    shared: &'s Shared<'b, M, S, TASKS, RECEIVERS>,
    index: usize,
    bit: u32,
}

/// There are as many receivers as there may be: drop one, or make the client with more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NoReceiver;

impl fmt::Display for NoReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there are as many receivers as there may be; drop one, or make the client with more")
    }
}

impl core::error::Error for NoReceiver {}

impl<'b, M: RawMutex, S: Storage, const TASKS: usize, const RECEIVERS: usize>
    Shared<'b, M, S, TASKS, RECEIVERS>
{
    /// A receiver of the messages that match a filter, or of all of them: also those that come without a subscription,
    /// which P2P messages and ApsaraMQ's notices do. It asks the server for nothing: see
    /// [`subscribe`](Self::subscribe). Make it before the client runs, so that no message comes too early.
    ///
    /// # Errors
    /// There are as many as there may be.
    pub fn receiver(
        &self,
        filter: Option<TopicFilter<'b>>,
    ) -> Result<Receiver<'_, 'b, M, S, TASKS, RECEIVERS>, NoReceiver> {
        let free = self.with(|state| {
            let (bit, (index, slot)) =
                bits().zip(state.receivers.iter_mut().enumerate()).find(|(_, (_, slot))| !slot.used)?;
            (slot.used, slot.filter, slot.waker) = (true, filter, None);
            Some((index, bit))
        });
        let (index, bit) = free.flatten().ok_or(NoReceiver)?;
        Ok(Receiver { shared: self, index, bit })
    }

    /// How many messages came that matched no receiver's filter. They were acknowledged.
    pub fn unclaimed(&self) -> u32 {
        self.with(|state| state.unclaimed).unwrap_or_default()
    }
}

impl<'b, M: RawMutex, S: Storage, const TASKS: usize, const RECEIVERS: usize>
    Receiver<'_, 'b, M, S, TASKS, RECEIVERS>
{
    /// Waits for the next message, and gives what `take` makes of it: a copy of its payload, or what it says. The message
    /// lies in the receive buffer; it is acknowledged when every receiver that it is for has taken it.
    ///
    /// To drop the future loses nothing: the message waits for the next call.
    pub async fn next<R>(&mut self, take: impl FnOnce(&Message<'_>) -> R) -> R {
        loop {
            let lent = self.lent().await;
            // There is no await from here on, so that the buffer comes back in any case.
            if let Some(Event::Message(message)) = lent.held.event(lent.receive.whole()) {
                let result = take(&message);
                self.give_back(lent);
                return result;
            }
            self.give_back(lent);
        }
    }

    /// Waits for something else, and takes messages while it does: for room, or for an acknowledgement, which may lie
    /// behind messages that this receiver has to take first. A task that waited for these alone, between two calls of
    /// [`next`](Self::next), might wait for ever.
    ///
    /// ```
    /// # use embassy_sync::blocking_mutex::raw::NoopRawMutex;
    /// # use mqtt_p2p_embedded::{Inline, QoS, Shared};
    /// # use mqtt_p2p_embedded::mqtt_p2p_aliyun::PublishP2pError;
    /// async fn answer(client: &Shared<'_, NoopRawMutex, Inline<2048>>) -> Result<(), PublishP2pError> {
    ///     let Ok(mut receiver) = client.receiver(None) else { return Ok(()) };
    ///     // Questions that came while an answer was under way.
    ///     let mut questions = 0_u32;
    ///     loop {
    ///         if questions == 0 {
    ///             receiver.next(|_question| questions += 1).await;
    ///         }
    ///         questions -= 1;
    ///         let answered = async {
    ///             let ticket = client.publish_p2p("devices", "GID_demo@@@server", b"21.5", QoS::AtLeastOnce).await?;
    ///             client.acknowledged(ticket).await;
    ///             Ok(())
    ///         };
    ///         receiver.take_until(answered, |_question| questions += 1).await?;
    ///     }
    /// }
    /// ```
    ///
    /// To drop the future loses no message.
    pub async fn take_until<F: Future>(&mut self, done: F, mut take: impl FnMut(&Message<'_>)) -> F::Output {
        let mut done = pin!(done);
        loop {
            let mut next = pin!(self.next(&mut take));
            if let First::Left(output) = first(done.as_mut(), next.as_mut()).await {
                return output;
            }
        }
    }

    async fn lent(&mut self) -> Lent<'b> {
        let (index, bit) = (self.index, self.bit);
        poll_fn(|context| {
            let lent = self.shared.with(|state| {
                if state.lent.as_ref().is_some_and(|lent| lent.open & bit != 0) {
                    return state.lent.take();
                }
                if let Some(slot) = state.receivers.get_mut(index) {
                    slot.waker = Some(context.waker().clone());
                }
                None
            });
            lent.flatten().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    fn give_back(&self, lent: Lent<'b>) {
        self.shared.with(|state| {
            state.lent = Some(lent);
            state.take_from_lent(self.bit);
        });
    }
}

impl<M: RawMutex, S: Storage, const TASKS: usize, const RECEIVERS: usize> Drop
    for Receiver<'_, '_, M, S, TASKS, RECEIVERS>
{
    fn drop(&mut self) {
        self.shared.with(|state| {
            if let Some(slot) = state.receivers.get_mut(self.index) {
                (slot.used, slot.filter, slot.waker) = (false, None, None);
            }
            state.take_from_lent(self.bit);
        });
    }
}

impl<M: RawMutex, S: Storage, const TASKS: usize, const RECEIVERS: usize> fmt::Debug
    for Receiver<'_, '_, M, S, TASKS, RECEIVERS>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("index", &self.index).finish_non_exhaustive()
    }
}
