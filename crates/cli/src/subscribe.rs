//! `mqtt-p2p subscribe`: messages as they come, printed as mosquitto_sub does.

use std::io::{self, IsTerminal, Write};

use mqtt_p2p_tokio::{Message, TopicFilter, TopicName};

use crate::args::Subscribe;
use crate::failure::Failure;
use crate::format::Format;
use crate::message::json_line;
use crate::output::{self, Utc, visible};
use crate::profile::Profile;
use crate::receive::{Taken, Wish, check_filter};
use crate::stop;
use crate::target::BrokerTarget;

pub(crate) async fn run(args: &Subscribe, profile: &Profile) -> Result<(), Failure> {
    let mut target = BrokerTarget::new(&args.broker, profile)?;
    let filters: Vec<_> = args.topic.iter().cloned().chain(target.topic.clone()).collect();
    if filters.is_empty() {
        return Err(Failure::NoTopic);
    }
    let wish = Wish {
        filters: &filters,
        qos: args.qos,
        count: args.count,
        wait: args.wait,
        talkative: args.broker.debug,
    };
    wish.check()?;
    args.filter_out.iter().try_for_each(|filter| check_filter(filter))?;
    wish.adapt(&mut target.options);
    let mut stopped = stop::watch()?;
    let connected = tokio::select! {
        connected = target.connect(&args.broker) => connected?,
        _ = &mut stopped => return Ok(()),
    };
    let printer = Printer::new(args);
    wish.fulfil(connected, stopped, |message| printer.print(message)).await
}

/// How messages are chosen and shown.
struct Printer<'a> {
    args: &'a Subscribe,
    format: Format,
    /// A terminal obeys control characters; a file keeps them.
    to_terminal: bool,
}

impl<'a> Printer<'a> {
    fn new(args: &'a Subscribe) -> Self {
        let format = match &args.format {
            Some(format) => format.clone(),
            None if args.verbose => Format::verbose(),
            None => Format::payload(),
        };
        Self { args, format, to_terminal: io::stdout().is_terminal() }
    }

    fn print(&self, message: &Message) -> io::Result<Taken> {
        if self.args.retained_only && !message.retain() {
            return Ok(Taken::Last);
        }
        if (self.args.no_retained && message.retain()) || self.is_filtered_out(message) {
            return Ok(Taken::LeftOut);
        }
        let now = Utc::now();
        let mut bytes = match output::is_json() {
            true => json_line(message, now).into_bytes(),
            false => self.format.apply(message, now, |bytes| self.harmless(bytes)),
        };
        if output::is_json() || !self.args.no_newline {
            bytes.push(b'\n');
        }
        let mut out = io::stdout().lock();
        out.write_all(&bytes)?;
        out.flush()?;
        Ok(Taken::Printed)
    }

    fn is_filtered_out(&self, message: &Message) -> bool {
        let Ok(topic) = TopicName::new(message.topic()) else { return false };
        let mut filters = self.args.filter_out.iter();
        filters.any(|filter| TopicFilter::new(filter).is_ok_and(|filter| filter.matches(topic)))
    }

    /// What others wrote, as it may be shown.
    fn harmless(&self, bytes: &[u8]) -> Vec<u8> {
        match self.to_terminal {
            true => visible(&String::from_utf8_lossy(bytes)).into_bytes(),
            false => bytes.into(),
        }
    }
}
