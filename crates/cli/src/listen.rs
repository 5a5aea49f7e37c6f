//! `mqtt-p2p listen`: messages as they come.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use mqtt_p2p_tokio::{
    Client, ConnectError, ConnectionEvent, DisconnectReason, Message, Messages, QoS, TopicFilter,
    TransportError,
};
use tokio::time::timeout;

use crate::args::Listen;
use crate::failure::Failure;
use crate::output::{self, DIM, TOPIC, Utc, hex, json, visible};
use crate::send::GOOD_BYE;
use crate::stop;

pub(crate) async fn run(args: &Listen) -> Result<(), Failure> {
    for filter in &args.subscribe {
        TopicFilter::new(filter).map_err(|error| Failure::Filter { filter: filter.clone(), error })?;
    }
    let mut options = args.connection.options()?;
    if args.count.is_some() {
        // What is in the queue is acknowledged already: the less comes behind the last one that counts, the better.
        options.stream_capacity = 1;
    }
    let mut stopped = stop::watch()?;
    let connected = tokio::select! {
        connected = Client::connect(options) => connected.map_err(Failure::Connect)?,
        _ = &mut stopped => return Ok(()),
    };
    let (client, mut messages) = connected;
    output::note(&format_args!(
        "logged in at {} as {}",
        args.connection.url, args.connection.identity.client_id
    ));
    let result = tokio::select! {
        biased;
        _ = stopped => Ok(End::Stopped),
        result = print(args, &client, &mut messages) => result,
    };
    let _ = timeout(GOOD_BYE, client.close()).await;
    // Of what is still in the queue, the server believes that it was read.
    let end = result?;
    while let Some(message) = messages.try_recv() {
        match end {
            End::Stopped => match write(&message, args.json) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
                written => written.map_err(Failure::Output)?,
            },
            End::Counted => output::note(&format_args!(
                "one more had come and will not come again: {}",
                plain_line(&message)
            )),
            End::Unread => {}
        }
    }
    Ok(())
}

/// Why the listening ended well.
#[derive(Clone, Copy)]
enum End {
    /// Ctrl-C.
    Stopped,
    /// As many messages as were asked for.
    Counted,
    /// Nobody reads the output.
    Unread,
}

async fn print(args: &Listen, client: &Client, messages: &mut Messages) -> Result<End, Failure> {
    let mut events = client.events();
    // Beside the printing: the answers come behind messages, and those must be taken first.
    let subscribing = subscribe(client, &args.subscribe, args.qos);
    let mut subscribing = std::pin::pin!(subscribing);
    let mut subscribed = false;
    let mut left = args.count;
    loop {
        tokio::select! {
            event = events.recv() => show(&event.ok_or(Failure::ClientEnded)?)?,
            result = &mut subscribing, if !subscribed => {
                result?;
                subscribed = true;
            }
            message = messages.recv() => {
                let message = message.ok_or(Failure::ClientEnded)?;
                match write(&message, args.json) {
                    // Who read the output has seen enough, as `head` does.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(End::Unread),
                    written => written.map_err(Failure::Output)?,
                }
                if let Some(left) = &mut left {
                    *left -= 1;
                    if *left == 0 {
                        return Ok(End::Counted);
                    }
                }
            }
        }
    }
}

async fn subscribe(client: &Client, filters: &[String], qos: QoS) -> Result<(), Failure> {
    for filter in filters {
        let granted = client.subscribe(filter, qos).await;
        let granted = granted.map_err(|error| Failure::Subscribe { filter: filter.clone(), error })?;
        output::note(&format_args!("subscribed to {filter} with QoS {granted}"));
    }
    Ok(())
}

/// Shows what happened to the connection. A log-in that would be refused again is the end.
fn show(event: &ConnectionEvent) -> Result<(), Failure> {
    if let ConnectionEvent::Refused { reason, retry_in: None } = event {
        return Err(Failure::RefusedLater(ConnectError::Refused(*reason)));
    }
    output::note(event);
    if let Some(advice) = advice(event) {
        output::note(&format_args!("help: {advice}"));
    }
    Ok(())
}

/// What to do about an event; nothing about a link that broke, which the client mends by itself.
pub(crate) fn advice(event: &ConnectionEvent) -> Option<&'static str> {
    match event {
        ConnectionEvent::Disconnected {
            reason: DisconnectReason::Transport(TransportError::Broken), ..
        } => None,
        event => event.advice(),
    }
}

/// Writes a message in one line.
fn write(message: &Message, as_json: bool) -> io::Result<()> {
    let now = Utc::now();
    let mut line = if as_json { json_line(message, now) } else { line(message, now) };
    line.push('\n');
    let mut out = anstream::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.flush()
}

fn line(message: &Message, now: Utc) -> String {
    format!(
        "{DIM}{}{DIM:#}  {TOPIC}{}{TOPIC:#}  {DIM}QoS {}{DIM:#}  {}",
        now.time(),
        visible(message.topic()),
        message.qos(),
        payload(message),
    )
}

/// The same without colour and time.
fn plain_line(message: &Message) -> String {
    format!("{}  QoS {}  {}", message.topic(), message.qos(), payload(message))
}

fn payload(message: &Message) -> String {
    match std::str::from_utf8(message.payload()) {
        Ok(text) => visible(text),
        Err(_) => format!("hex {}", hex(message.payload())),
    }
}

fn json_line(message: &Message, now: Utc) -> String {
    let mut line = format!(
        r#"{{"time":"{}","topic":{},"qos":{},"retain":{},"dup":{}"#,
        now.date_time(),
        json(message.topic()),
        message.qos(),
        message.retain(),
        message.dup(),
    );
    if let Some(p2p) = message.p2p() {
        let _ = write!(line, r#","parent":{},"target":{}"#, json(p2p.parent), json(p2p.target));
    }
    let _ = match std::str::from_utf8(message.payload()) {
        Ok(text) => write!(line, r#","payload":{}}}"#, json(text)),
        Err(_) => write!(line, r#","payload_hex":"{}"}}"#, hex(message.payload())),
    };
    line
}
