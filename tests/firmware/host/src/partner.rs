//! The host's client: it answers each message of the firmware with one of its own, and checks every byte.

use std::sync::{Arc, Mutex, PoisonError};

use firmware_scenario::Seen;
use firmware_scenario::payload::{self, Origin};
use mqtt_p2p_interop::{options, within};
use mqtt_p2p_tokio::{Client, ClientId, Credentials, Message, Messages, Options, QoS};
use tokio::task::JoinHandle;

use crate::Failure;
use crate::server::{ACCESS_KEY, INSTANCE, PARENT, SECRET, Server};

/// A client that answers. It ends when dropped.
#[derive(Debug)]
pub(crate) struct Partner {
    client: Client,
    firmware: String,
    ledger: Arc<Mutex<Ledger>>,
    answering: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Ledger {
    seen: Seen,
    faults: Vec<String>,
}

impl Partner {
    /// Connects to a server, for this firmware.
    pub(crate) async fn connect(server: &Server, client_id: &str, firmware: &str) -> Result<Self, Failure> {
        let options = log_in(server, client_id)?;
        let (client, messages) = within("the host's client connects", Client::connect(options))
            .await
            .map_err(|error| format!("the host's client does not connect: {error}"))?;
        let own_topic = format!("{PARENT}/p2p/{client_id}");
        if matches!(server, Server::Mosquitto(_)) {
            let subscribed = client.subscribe(&own_topic, QoS::AtLeastOnce).await;
            subscribed.map_err(|error| format!("the host's client does not subscribe: {error}"))?;
        }
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let answering =
            tokio::spawn(answer(client.clone(), messages, own_topic, firmware.into(), Arc::clone(&ledger)));
        Ok(Self { client, firmware: firmware.into(), ledger, answering })
    }

    /// Tells the firmware to go on.
    pub(crate) async fn tell_to_go_on(&self) -> Result<(), Failure> {
        send(&self.client, &self.firmware, payload::GO).await
    }

    /// How many messages came twice, if all have come and nothing else.
    pub(crate) fn result(&self, messages: u16) -> Result<u32, Failure> {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        if !ledger.faults.is_empty() {
            return Err(format!("at the host: {}", ledger.faults.join("; ")));
        }
        if ledger.seen.count() != messages {
            return Err(format!("{} of {messages} messages came to the host", ledger.seen.count()));
        }
        Ok(ledger.seen.duplicates())
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        self.answering.abort();
    }
}

fn log_in(server: &Server, client_id: &str) -> Result<Options, Failure> {
    // Quickly back, and keeping its session: what is sent to who is away must wait.
    let mut quick = options(server.endpoint(), client_id);
    if let Server::Emulator { .. } = server {
        let id: ClientId = client_id.parse().map_err(|error| format!("{client_id}: {error}"))?;
        let credentials = Credentials::Signature {
            access_key_id: ACCESS_KEY,
            access_key_secret: SECRET,
            instance_id: INSTANCE,
        };
        let signed = Options::aliyun(server.endpoint(), &id, &credentials);
        quick.login = signed.map_err(|error| error.to_string())?.login;
    }
    Ok(quick)
}

async fn send(client: &Client, firmware: &str, payload: &[u8]) -> Result<(), Failure> {
    // Accepted is enough: the client sees to it over restarts.
    match client.send_p2p(PARENT, firmware, payload.to_vec(), QoS::AtLeastOnce).await {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("the host's client does not send: {error}")),
    }
}

async fn answer(
    client: Client,
    mut messages: Messages,
    own_topic: String,
    firmware: String,
    ledger: Arc<Mutex<Ledger>>,
) {
    while let Some(message) = messages.recv().await {
        let answered = match note(&message, &own_topic, &ledger) {
            Some(number) => send(&client, &firmware, &payload::of(Origin::Host, number)).await,
            None => Ok(()),
        };
        if let Err(failure) = answered {
            ledger.lock().unwrap_or_else(PoisonError::into_inner).faults.push(failure);
        }
    }
}

/// Checks a message; says which one it is, if it is new.
fn note(message: &Message, own_topic: &str, ledger: &Mutex<Ledger>) -> Option<u16> {
    let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    if message.topic() != own_topic {
        ledger.faults.push(format!("a message under the topic {}", message.topic()));
        return None;
    }
    match payload::read(message.payload()) {
        Ok((Origin::Firmware, number)) => ledger.seen.note(number).then_some(number),
        other => {
            ledger.faults.push(format!("a payload of {} bytes: {other:?}", message.payload().len()));
            None
        }
    }
}
