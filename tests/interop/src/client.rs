//! Our client, as most tests want it.

use std::time::Duration;

use mqtt_p2p_tokio::{Backoff, Client, Config, Endpoint, Message, Messages, Options};

/// Ends every wait. Long, since a loaded machine is no failure.
const DEADLINE: Duration = Duration::from_secs(40);

/// Waits, but not for ever.
///
/// # Panics
/// It took too long.
pub async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what}: not within {DEADLINE:?}"),
    }
}

/// A client that comes back quickly and takes large packets.
pub fn options(endpoint: Endpoint, client_id: &str) -> Options {
    let config = Config::new()
        .with_backoff(Backoff::Fixed { delay_ms: 20 })
        .with_max_packet_size(4 * 1024 * 1024)
        // A broker that is restarted in a test closes young connections.
        .with_stable_after_ms(0);
    Options::new(endpoint, client_id).config(config)
}

/// Connects.
///
/// # Panics
/// It fails.
pub async fn connect(options: Options) -> (Client, Messages) {
    within("connect", Client::connect(options)).await.expect("a connection")
}

/// The next message.
///
/// # Panics
/// None comes.
pub async fn next(messages: &mut Messages) -> Message {
    within("a message", messages.recv()).await.expect("an open stream")
}

/// Says whether no message comes for a while.
pub async fn nothing_more(messages: &mut Messages) -> bool {
    tokio::time::timeout(Duration::from_millis(300), messages.recv()).await.is_err()
}

/// The number that a message has for its payload.
///
/// # Panics
/// It has another payload.
pub fn number(message: &Message) -> usize {
    std::str::from_utf8(message.payload()).ok().and_then(|text| text.parse().ok()).expect("a number")
}
