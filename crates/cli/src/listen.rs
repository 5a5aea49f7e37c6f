//! `mqtt-p2p listen`: messages as they come.

use std::io::{self, Write as _};

use mqtt_p2p_tokio::{Client, Message};

use crate::args::Listen;
use crate::failure::Failure;
use crate::message::{json_line, line};
use crate::output::{self, Utc};
use crate::profile::Profile;
use crate::receive::{Taken, Wish};
use crate::stop;
use crate::target::Target;

pub(crate) async fn run(args: &Listen, profile: &Profile) -> Result<(), Failure> {
    let wish =
        Wish { filters: &args.subscribe, qos: args.qos, count: args.count, wait: None, talkative: true };
    wish.check()?;
    let target = Target::service(&args.connection, profile)?;
    let mut options = target.options()?.clean_session(args.clean_session);
    wish.adapt(&mut options);
    let mut stopped = stop::watch()?;
    let connected = tokio::select! {
        connected = Client::connect(options) => connected.map_err(Failure::Connect)?,
        _ = &mut stopped => return Ok(()),
    };
    output::note(&format_args!("logged in at {} as {}", target.endpoint, target.client_id));
    wish.fulfil(connected, stopped, print).await
}

/// Prints a message in one line.
fn print(message: &Message) -> io::Result<Taken> {
    let now = Utc::now();
    let mut line = if output::is_json() { json_line(message, now) } else { line(message, now) };
    line.push('\n');
    let mut out = anstream::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.flush()?;
    Ok(Taken::Printed)
}
