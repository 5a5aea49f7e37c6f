//! `mqtt-p2p publish`: messages to any broker, as mosquitto_pub does.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::Path;

use mqtt_p2p_aliyun::{limits::MAX_PAYLOAD, topic_warning};
use mqtt_p2p_tokio::{Client, Delivery, TopicName};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use crate::args::{Input, Publish};
use crate::failure::Failure;
use crate::json;
use crate::output;
use crate::profile::Profile;
use crate::receive::GOOD_BYE;
use crate::send::{Trouble, watch};
use crate::target::BrokerTarget;

/// The longest payload that MQTT can carry, with room for the topic.
const MAX_MQTT_PAYLOAD: usize = 268_435_455 - 65_535 - 16;

/// How many messages may be handed to the client before their acknowledgements are waited for.
const UNDER_WAY: usize = 100;

/// How many lines of stdin are read ahead.
const LINES: usize = 100;

/// Where messages come from, opened and checked before anything is connected.
pub(crate) enum Source {
    /// The same message, so many times.
    One { payload: Vec<u8>, left: u64 },
    /// Lines as they come.
    Lines,
}

impl Source {
    fn new(input: &Input, repeat: u64, max: usize) -> Result<Self, Failure> {
        let payload = match (&input.message, &input.file) {
            (Some(message), _) => message.clone().into_bytes(),
            (None, Some(path)) => of_file(path, max)?,
            (None, None) if input.stdin_line => return Ok(Self::Lines),
            (None, None) if input.stdin_file => {
                read(io::stdin(), max).map_err(|error| Failure::Input { from: "stdin".into(), error })?
            }
            (None, None) => Vec::new(),
        };
        if payload.len() > max {
            return Err(Failure::PayloadTooLarge { max });
        }
        Ok(Self::One { payload, left: repeat })
    }
}

/// What a file holds, and of one that is too large no more than shows it.
pub(crate) fn of_file(path: &Path, max: usize) -> Result<Vec<u8>, Failure> {
    File::open(path)
        .and_then(|file| read(file, max))
        .map_err(|error| Failure::Input { from: path.display().to_string(), error })
}

/// Reads a message, and of one that is too large no more than shows it.
pub(crate) fn read(input: impl Read, max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(max as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(crate) async fn run(args: &Publish, profile: &Profile) -> Result<(), Failure> {
    let mut target = BrokerTarget::new(&args.broker, profile)?;
    let topic = args.topic.clone().or_else(|| target.topic.clone()).ok_or(Failure::NoTopic)?;
    TopicName::new(&topic).map_err(Failure::Topic)?;
    let is_service = target.target.log_in.is_service();
    let max = if is_service { MAX_PAYLOAD } else { MAX_MQTT_PAYLOAD };
    let source = Source::new(&args.input, args.repeat, max)?;
    if let Some(warning) = topic_warning(&topic).filter(|_| is_service) {
        output::warning(&warning);
    }
    // Messages for this client id that come meanwhile are not for this program: without an acknowledgement, the
    // server keeps them.
    target.options.config.manual_ack = true;
    if let Source::One { payload, .. } = &source {
        let needed = payload.len() + topic.len() + 64;
        target.options.max_outgoing_bytes = target.options.max_outgoing_bytes.max(needed);
    }
    let (client, messages) = target.connect(&args.broker).await?;
    // Nobody reads them.
    drop(messages);
    let mut events = client.events();
    let mut last = None;
    let start = Instant::now();
    let work = Work { args, topic: &topic, client: &client, max };
    let result = tokio::select! {
        biased;
        result = work.publish_all(source) => result,
        trouble = watch(&mut events, &mut last) => Err(trouble),
    };
    let _ = timeout(GOOD_BYE, client.close()).await;
    result.map_err(|trouble| match trouble {
        Trouble::Failure(failure) => failure,
        Trouble::NoAnswer(event) => Failure::NotDelivered { after: start.elapsed(), last: event.or(last) },
    })
}

/// A message that is under way.
struct UnderWay {
    delivery: Delivery,
    bytes: usize,
    since: Instant,
}

/// What `--json` says of a message that is through.
#[derive(Serialize)]
struct Through<'a> {
    topic: &'a str,
    qos: u8,
    retain: bool,
    bytes: usize,
    acknowledged: bool,
    millis: u128,
}

struct Work<'a> {
    args: &'a Publish,
    topic: &'a str,
    client: &'a Client,
    max: usize,
}

impl Work<'_> {
    async fn publish_all(&self, source: Source) -> Result<(), Trouble> {
        let mut under_way = VecDeque::new();
        match source {
            Source::One { payload, left } => {
                for number in 0..left {
                    if let Some(delay) = self.args.repeat_delay.filter(|_| number > 0) {
                        sleep(delay).await;
                    }
                    self.publish(&payload, &mut under_way).await?;
                }
            }
            Source::Lines => {
                let mut lines = lines_of_stdin(self.max);
                while let Some(line) = lines.recv().await {
                    self.publish(&line.map_err(Trouble::Failure)?, &mut under_way).await?;
                }
            }
        }
        while let Some(first) = under_way.pop_front() {
            self.conclude(first).await?;
        }
        Ok(())
    }

    async fn publish(&self, payload: &[u8], under_way: &mut VecDeque<UnderWay>) -> Result<(), Trouble> {
        let Publish { qos, retain, .. } = *self.args;
        let since = Instant::now();
        let accepting = async {
            match retain {
                true => self.client.publish_retained(self.topic, payload, qos).await,
                false => self.client.publish(self.topic, payload, qos).await,
            }
        };
        let accepted = timeout(self.args.timeout, accepting).await.map_err(|_| Trouble::NoAnswer(None))?;
        let delivery = accepted.map_err(|error| Trouble::Failure(Failure::Publish(error)))?;
        under_way.push_back(UnderWay { delivery, bytes: payload.len(), since });
        match under_way.len() {
            UNDER_WAY => match under_way.pop_front() {
                Some(first) => self.conclude(first).await,
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Waits until a message is through.
    async fn conclude(&self, message: UnderWay) -> Result<(), Trouble> {
        let Publish { qos, retain, .. } = *self.args;
        let delivered = timeout(self.args.timeout, message.delivery).await;
        delivered
            .map_err(|_| Trouble::NoAnswer(None))?
            .map_err(|error| Trouble::Failure(Failure::Publish(error)))?;
        if !output::is_json() {
            return Ok(());
        }
        let through = Through {
            topic: self.topic,
            qos: qos as u8,
            retain,
            bytes: message.bytes,
            acknowledged: qos as u8 > 0,
            millis: message.since.elapsed().as_millis(),
        };
        json::print(&through).map_err(|error| Trouble::Failure(Failure::Output(error)))
    }
}

/// Lines of stdin, read beside the network by a thread that may wait for them for ever.
fn lines_of_stdin(max: usize) -> mpsc::Receiver<Result<Vec<u8>, Failure>> {
    let (sender, lines) = mpsc::channel(LINES);
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let read = stdin.by_ref().take(max as u64 + 2).read_until(b'\n', &mut line);
            let line = match read {
                Ok(0) => return,
                Ok(_) => {
                    if line.last() == Some(&b'\n') {
                        line.pop();
                    }
                    match line.len() > max {
                        true => Err(Failure::PayloadTooLarge { max }),
                        false if line.is_empty() => continue,
                        false => Ok(line),
                    }
                }
                Err(error) => Err(Failure::Input { from: "stdin".into(), error }),
            };
            let is_last = line.is_err();
            if sender.blocking_send(line).is_err() || is_last {
                return;
            }
        }
    });
    lines
}
