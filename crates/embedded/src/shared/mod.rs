//! One client for several tasks.

mod receiver;
mod requests;
mod run;
mod state;
mod status;

use core::cell::RefCell;
use core::fmt;

use embassy_sync::blocking_mutex::Mutex;
use embassy_sync::blocking_mutex::raw::RawMutex;
use mqtt_p2p_core::{Client, Config, Storage};

pub use receiver::{NoReceiver, Receiver};
pub use requests::{SubscribeError, UploadError};
pub use status::{Status, Watcher};

use crate::receive::Receive;
use state::State;

/// A client that several tasks use: publishers, receivers, and one task that [runs](Self::run) it. It lies in a static
/// (a `StaticCell`, say), and its tasks share references to it.
///
/// ```
/// use embassy_sync::blocking_mutex::raw::NoopRawMutex;
/// use mqtt_p2p_embedded::mqtt_p2p_aliyun::PublishP2pError;
/// use mqtt_p2p_embedded::{Dial, Inline, LoginSource, QoS, Shared, Timer, profile};
///
/// type Client = Shared<'static, NoopRawMutex, Inline<2048>>;
///
/// // Once, at the start: where the client lies is a `StaticCell`'s business.
/// fn client(seed: u64, receive: &'static mut [u8; 1024], transmit: &'static mut [u8; 256]) -> Client {
///     Client::new(profile(), seed, Inline::new(), receive, transmit)
/// }
///
/// // A task: the one that runs it.
/// async fn network(client: &Client, mut dialer: impl Dial, mut logins: impl LoginSource, timer: impl Timer) {
///     client.run(&mut dialer, &mut logins, &timer).await;
/// }
///
/// // Another one: publishes, waits for room, and for the acknowledgement.
/// async fn measure(client: &Client) -> Result<(), PublishP2pError> {
///     let ticket = client.publish_p2p("devices", "GID_demo@@@server", b"21.5", QoS::AtLeastOnce).await?;
///     client.acknowledged(ticket).await;
///     Ok(())
/// }
///
/// // A third one: takes what comes.
/// async fn commands(client: &Client) {
///     let Ok(mut commands) = client.receiver(None) else { return };
///     loop {
///         let on = commands.next(|message| message.payload == b"on").await;
///         // …
/// #       let _ = on;
///     }
/// }
/// ```
///
/// # What is bounded, and how
///
/// - **Publishing** waits for room in the client's storage: a server that does not acknowledge slows its publishers down.
/// - **Receiving** copies nothing: a message stays in the receive buffer until every [`Receiver`] whose filter it matches
///   has taken it, and until then nothing further is read, which slows the server down. It is acknowledged when all have
///   taken it. A task that answers what it receives must not just wait for room, or for an acknowledgement, between two
///   messages: what it waits for may lie behind the next message, which waits for that task, and neither ever comes. It
///   waits with [`Receiver::take_until`], which takes messages meanwhile; or it uses [`try_publish`](Self::try_publish), or
///   another task answers.
/// - **Tasks**: `TASKS` may wait for something of the client at once without disturbance; more only cost wake-ups.
///   `RECEIVERS`, at most 32, may exist at once.
///
/// # Locks
///
/// `M` suits the tasks: `NoopRawMutex` if all of them run on one executor, `CriticalSectionRawMutex` if others or
/// interrupts take part. It is held for one step of the client at a time, never while anything is waited for, and no
/// code of yours runs under it.
///
/// # What the driver decides
///
/// [`Config::manual_ack`] is on, [`Config::keep_session`] is off, messages are told as a whole.
pub struct Shared<'b, M: RawMutex, S, const TASKS: usize = 8, const RECEIVERS: usize = 4> {
    state: Mutex<M, RefCell<State<'b, S, TASKS, RECEIVERS>>>,
}

impl<'b, M: RawMutex, S: Storage, const TASKS: usize, const RECEIVERS: usize>
    Shared<'b, M, S, TASKS, RECEIVERS>
{
    /// A client that does nothing until it is [run](Self::run). For `seed` see [`Driver::new`](crate::Driver::new); packets
    /// longer than `receive` are refused; what goes out is collected in `transmit` and written at once, so that its length
    /// is the longest write. Over WebSocket it takes 5 bytes at least: a frame begins when the length of its packet is there.
    pub fn new(config: Config, seed: u64, storage: S, receive: &'b mut [u8], transmit: &'b mut [u8]) -> Self {
        const { assert!(RECEIVERS <= 32, "a message notes its receivers in 32 bits") };
        let receive = Receive::new(receive);
        let config = config.with_manual_ack(true).with_keep_session(false).with_max_whole_message(u32::MAX);
        let client = Client::new(receive.fit(config), seed, storage);
        Self { state: Mutex::new(RefCell::new(State::new(client, receive, transmit))) }
    }

    /// Does something with what is shared. It never waits, and `None` never happens: nothing calls it from within.
    fn with<R>(&self, work: impl FnOnce(&mut State<'b, S, TASKS, RECEIVERS>) -> R) -> Option<R> {
        self.state.lock(|state| state.try_borrow_mut().ok().map(|mut state| work(&mut state)))
    }

    /// Does something with the client itself: to take over a session, to look at counters. The lock is held meanwhile.
    /// `None` from within itself only.
    pub fn with_client<R>(&self, work: impl FnOnce(&mut Client<S>) -> R) -> Option<R> {
        self.with(|state| {
            let result = work(&mut state.client);
            state.wake_runner();
            result
        })
    }
}

impl<M: RawMutex, S, const TASKS: usize, const RECEIVERS: usize> fmt::Debug
    for Shared<'_, M, S, TASKS, RECEIVERS>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("tasks", &TASKS).field("receivers", &RECEIVERS).finish_non_exhaustive()
    }
}
