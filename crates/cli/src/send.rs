//! `mqtt-p2p send`: one message, and what became of it.

use std::io::{self, Write as _};
use std::time::Duration;

use mqtt_p2p_aliyun::{P2pTopic, limits::MAX_PAYLOAD, topic_warning};
use mqtt_p2p_tokio::{Client, ConnectError, ConnectionEvent, DisconnectReason, Events, QoS, TopicName};
use serde::Serialize;
use tokio::time::{Instant, timeout, timeout_at};

use crate::args::Send;
use crate::failure::Failure;
use crate::json;
use crate::output::{self, visible};
use crate::profile::Profile;
use crate::publish::{of_file, read};
use crate::receive::GOOD_BYE;
use crate::target::Target;

/// What is to be sent, read and checked before anything is connected.
pub(crate) struct Outgoing {
    topic: String,
    payload: Vec<u8>,
}

impl Outgoing {
    pub(crate) fn new(args: &Send) -> Result<Self, Failure> {
        let topic = match (&args.parent, &args.to, &args.topic) {
            (Some(parent), Some(to), _) => {
                P2pTopic::new(parent, to).map_err(Failure::P2pTopic)?.as_str().into()
            }
            (_, _, topic) => topic.clone().unwrap_or_default(),
        };
        TopicName::new(&topic).map_err(Failure::Topic)?;
        Ok(Self { topic, payload: payload(args)? })
    }
}

fn payload(args: &Send) -> Result<Vec<u8>, Failure> {
    let payload = match (&args.file, args.message.as_deref()) {
        (Some(path), _) => of_file(path, MAX_PAYLOAD)?,
        (None, Some("-")) => {
            read(io::stdin(), MAX_PAYLOAD).map_err(|error| Failure::Input { from: "stdin".into(), error })?
        }
        (None, message) => message.unwrap_or_default().into(),
    };
    if payload.len() > MAX_PAYLOAD {
        return Err(Failure::PayloadTooLarge { max: MAX_PAYLOAD });
    }
    Ok(payload)
}

pub(crate) async fn run(args: &Send, message: Outgoing, profile: &Profile) -> Result<(), Failure> {
    let start = Instant::now();
    let deadline = start + args.timeout;
    let target = Target::service(&args.connection, profile)?;
    let mut options = target.options()?.clean_session(args.clean_session);
    // Messages for this client id that come meanwhile are not for this program: without an acknowledgement, the
    // server keeps them.
    options.config.manual_ack = true;
    if let Some(warning) = topic_warning(&message.topic) {
        output::warning(&warning);
    }
    let connecting = timeout_at(deadline, Client::connect(options)).await;
    let (client, messages) =
        connecting.map_err(|_| Failure::ConnectTimeout { after: args.timeout })?.map_err(Failure::Connect)?;
    // Nobody reads them.
    drop(messages);
    output::note(&format_args!("logged in at {} as {}", target.endpoint, target.client_id));
    let sent = Instant::now();
    let result = deliver(&client, &message, args.qos, deadline).await;
    let took = sent.elapsed();
    // In vain after a failure, and bounded in any case: the result stands.
    let _ = timeout(GOOD_BYE, client.close()).await;
    let last = match result {
        Ok(()) => return report(&message, args.qos, took),
        Err(Trouble::Failure(failure)) => return Err(failure),
        Err(Trouble::NoAnswer(last)) => last,
    };
    Err(Failure::NotDelivered { after: start.elapsed(), last })
}

/// Why a message was not delivered.
pub(crate) enum Trouble {
    Failure(Failure),
    /// No acknowledgement, and what happened to the connection last.
    NoAnswer(Option<ConnectionEvent>),
}

async fn deliver(client: &Client, message: &Outgoing, qos: QoS, deadline: Instant) -> Result<(), Trouble> {
    let mut events = client.events();
    let delivery = async {
        let publishing = client.publish(&message.topic, &message.payload, qos).await;
        let delivery = publishing.map_err(Failure::Publish)?;
        delivery.await.map_err(Failure::Publish)
    };
    let mut last = None;
    tokio::select! {
        biased;
        delivered = delivery => delivered.map_err(Trouble::Failure),
        trouble = watch(&mut events, &mut last) => Err(trouble),
        () = tokio::time::sleep_until(deadline) => Err(Trouble::NoAnswer(None)),
    }
    .map_err(|trouble| match trouble {
        Trouble::NoAnswer(None) => Trouble::NoAnswer(last),
        other => other,
    })
}

/// Shows what happens to the connection; ends when there is no use in waiting.
pub(crate) async fn watch(events: &mut Events, last: &mut Option<ConnectionEvent>) -> Trouble {
    while let Some(event) = events.recv().await {
        output::event(&event, None);
        match &event {
            ConnectionEvent::Refused { reason, retry_in: None } => {
                return Trouble::Failure(Failure::RefusedLater(ConnectError::Refused(*reason)));
            }
            ConnectionEvent::Disconnected { reason: DisconnectReason::TakeoverSuspected, .. } => {
                return Trouble::NoAnswer(Some(event));
            }
            ConnectionEvent::Disconnected { .. } => *last = Some(event),
            _ => {}
        }
    }
    Trouble::Failure(Failure::ClientEnded)
}

/// What `--json` says of a message that is through.
#[derive(Serialize)]
struct Sent<'a> {
    topic: &'a str,
    qos: u8,
    bytes: usize,
    acknowledged: bool,
    millis: u128,
}

fn report(message: &Outgoing, qos: QoS, took: Duration) -> Result<(), Failure> {
    if output::is_json() {
        return json::print(&Sent {
            topic: &message.topic,
            qos: qos as u8,
            bytes: message.payload.len(),
            acknowledged: qos != QoS::AtMostOnce,
            millis: took.as_millis(),
        })
        .map_err(Failure::Output);
    }
    let what = format!("{} bytes to {}, QoS {qos}", message.payload.len(), visible(&message.topic));
    let mut out = io::stdout().lock();
    match qos {
        QoS::AtMostOnce => writeln!(out, "sent, without acknowledgement: {what}"),
        _ => writeln!(out, "sent, acknowledged by the server after {} ms: {what}", took.as_millis()),
    }
    .map_err(Failure::Output)
}
