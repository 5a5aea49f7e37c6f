//! One connection per identity in a process: who asks again joins.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use crate::client::Client;
use crate::error::ConnectError;
use crate::options::Options;
use crate::shared::Shared;
use crate::streams::Messages;

/// The shared connections of this process. Taken before the lock of a connection's state, never under it.
static CONNECTIONS: LazyLock<Mutex<HashMap<Identity, Known>>> = LazyLock::new(Mutex::default);
/// Makes numbers of options, so that no secret has to be kept for comparing.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Endpoints and client id.
type Identity = (String, String);

struct Known {
    shared: Weak<Shared>,
    /// Of all options.
    fingerprint: u64,
}

/// What came of asking.
enum Answer {
    /// There was one, or there is one now.
    Joined(Client, Messages),
    /// There is one that is about to end.
    Leaving(Arc<Shared>),
    /// There is one, made with other options.
    Other,
}

pub(crate) async fn connect(options: Options) -> Result<(Client, Messages), ConnectError> {
    loop {
        match ask(&options) {
            Answer::Joined(client, messages) => {
                client.shared.first_round().await?;
                return Ok((client, messages));
            }
            Answer::Leaving(shared) => shared.closed().await,
            Answer::Other => return Err(ConnectError::OtherOptions),
        }
    }
}

fn ask(options: &Options) -> Answer {
    let endpoints = std::iter::once(&options.endpoint).chain(&options.other_endpoints);
    let endpoints = endpoints.map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let identity = (endpoints, options.login.client_id.clone());
    let fingerprint = fingerprint(options);
    let mut connections = CONNECTIONS.lock().unwrap_or_else(PoisonError::into_inner);
    connections.retain(|_, known| known.shared.strong_count() > 0);
    let known =
        connections.get(&identity).and_then(|known| Some((known.shared.upgrade()?, known.fingerprint)));
    let known = known.map(|(shared, found)| (join(&shared, found == fingerprint), shared));
    let (answer, ended) = match known {
        Some((Some(answer), shared)) => (answer, Some(shared)),
        none => {
            let (client, messages) = Client::prepare(options.clone(), true);
            let shared = Arc::downgrade(&client.shared);
            connections.insert(identity, Known { shared, fingerprint });
            (Answer::Joined(client, messages), none.map(|(_, shared)| shared))
        }
    };
    drop(connections);
    // Not under the lock, since this may be the last that is left of it.
    drop(ended);
    answer
}

/// `None` if it has ended.
fn join(shared: &Arc<Shared>, same_options: bool) -> Option<Answer> {
    let mut state = shared.lock();
    if state.closed {
        return None;
    }
    if state.closing || state.handles == 0 {
        return Some(Answer::Leaving(Arc::clone(shared)));
    }
    if !same_options {
        return Some(Answer::Other);
    }
    state.handles += 1;
    drop(state);
    let client = Client { shared: Arc::clone(shared) };
    let messages = client.messages();
    Some(Answer::Joined(client, messages))
}

/// Secrets go in as they are; of the rest, what Debug shows.
fn fingerprint(options: &Options) -> u64 {
    let credentials = options.login.credentials.as_ref().map(|(user, password)| (user, password.as_deref()));
    let will = &options.login.will;
    let will = will.as_ref().map(|(topic, payload, qos, retain)| (topic, payload, *qos as u8, retain));
    HASHER.hash_one((credentials, will, format!("{options:?}")))
}
