//! End to end on sockets: each contender a process of its own, on one CPU, against a server on the same CPU or on another.

mod endpoint;
pub(crate) mod job;
mod native;
mod ours;
mod raw;
mod rumqttc;
pub(crate) mod server;
pub(crate) mod sink;
mod table;

use std::env;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::alarm;

pub(crate) use crate::instructions::row::OURS;
use crate::progress::Progress;
use job::{Carrier, Job, Measured, Work};
use server::{Certificates, Server};

pub(crate) const RAW: &str = "raw socket";
pub(crate) const RUMQTTC: &str = "rumqttc";
const ENDPOINT: &str = "mqtt-endpoint-tokio";

/// Who is measured.
struct Contender {
    name: &'static str,
    /// A program of its own, instead of this one.
    program: Option<PathBuf>,
    /// It speaks TLS and WebSocket here.
    any_carrier: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Against {
    Sink,
    Mosquitto,
}

/// The medians of each contender, in the order of the contenders.
type Results = Vec<(&'static str, Measured)>;

/// How many are published before the client sends them, and whether the end of each is awaited.
#[derive(Clone, Copy)]
struct AtOnce {
    count: u32,
    awaited: bool,
}

/// What was measured of our client alone, with 1, 10 and 100 publications at once.
struct Batches {
    work: Work,
    awaited: bool,
    results: Vec<Measured>,
}

/// What was measured under the same circumstances, of every contender.
struct Scene {
    against: Against,
    carrier: Carrier,
    /// Client and server share a CPU.
    same_cpu: bool,
    work: Work,
    results: Results,
}

/// Runs as one contender, in a process of its own.
pub(crate) fn contend(name: &str, job: &Job) -> Result<(), Box<dyn Error>> {
    // Nobody waits for ever for one that hangs.
    alarm::set(60);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match name {
        RAW => Ok(raw::run(job)?),
        OURS => runtime.block_on(ours::run(job)),
        RUMQTTC => runtime.block_on(rumqttc::run(job)),
        ENDPOINT => runtime.block_on(endpoint::run(job)),
        "flood" => Ok(sink::send(&mut raw::connect(job.port, b"fld")?, job.messages)?),
        _ => Err("no such contender".into()),
    }
}

/// The tables as Markdown; rates on one CPU go into a plot.
pub(crate) fn report(quick: bool, directory: &Path, progress: &Progress) -> Result<String, Box<dyn Error>> {
    let temporary = tempfile::tempdir()?;
    let certificates = Certificates::make(temporary.path())?;
    let built_in = |name, any_carrier| Contender { name, program: None, any_carrier };
    let mut contenders =
        vec![built_in(RAW, false), built_in(OURS, true), built_in(RUMQTTC, true), built_in(ENDPOINT, false)];
    let mut missing = Vec::new();
    for native in native::NATIVE {
        match native.build(temporary.path())? {
            Some(program) => {
                contenders.push(Contender { name: native.name, program: Some(program), any_carrier: false });
            }
            None => missing.push(format!("{} can't be built (Debian: {})", native.name, native.package)),
        }
    }
    let mut scenes = Vec::new();
    let plan = plan(quick);
    for (done, (against, carrier, same_cpu)) in plan.iter().copied().enumerate() {
        for work in Work::ALL {
            progress.at(&format!("sockets, {} {}", carrier.name(), work.name()), done, plan.len());
            let contenders: Vec<_> = contenders
                .iter()
                .filter(|contender| carrier == Carrier::Tcp || contender.any_carrier)
                .collect();
            let stage = Stage {
                against,
                carrier,
                same_cpu,
                work,
                at_once: None,
                certificates: &certificates,
                directory: temporary.path(),
            };
            match stage.play(&contenders, quick)? {
                Some(results) => scenes.push(Scene { against, carrier, same_cpu, work, results }),
                None => missing.push("mosquitto is not installed".into()),
            }
        }
    }
    let mut batches = Vec::new();
    let ours = built_in(OURS, true);
    for (work, awaited) in [(Work::Publish0, false), (Work::Publish0, true), (Work::Publish1, true)] {
        let mut results = Vec::new();
        for count in [1, 10, 100] {
            progress.at(&format!("sockets, {} {count} at once", work.name()), plan.len(), plan.len());
            let stage = Stage {
                against: Against::Sink,
                carrier: Carrier::Tcp,
                same_cpu: true,
                work,
                at_once: Some(AtOnce { count, awaited }),
                certificates: &certificates,
                directory: temporary.path(),
            };
            let played = stage.play(&[&ours], quick)?.into_iter().flatten();
            results.extend(played.map(|(_, measured)| measured));
        }
        batches.push(Batches { work, awaited, results });
    }
    table::draw(&scenes, directory)?;
    missing.dedup();
    Ok(table::markdown(&scenes, &missing) + &table::at_once(&batches))
}

fn plan(quick: bool) -> Vec<(Against, Carrier, bool)> {
    if quick {
        return vec![(Against::Sink, Carrier::Tcp, true), (Against::Mosquitto, Carrier::Tcp, false)];
    }
    let mut plan = vec![(Against::Sink, Carrier::Tcp, true), (Against::Sink, Carrier::Tcp, false)];
    for carrier in [Carrier::Tls, Carrier::Ws] {
        plan.extend([(Against::Sink, carrier, true), (Against::Sink, carrier, false)]);
    }
    plan.push((Against::Mosquitto, Carrier::Tcp, false));
    plan
}

/// The circumstances of a measurement.
struct Stage<'a> {
    against: Against,
    carrier: Carrier,
    same_cpu: bool,
    work: Work,
    /// Only of our client.
    at_once: Option<AtOnce>,
    certificates: &'a Certificates,
    directory: &'a Path,
}

impl Stage<'_> {
    /// Several short rounds, each with every contender, so that a change of the machine's pace hits all the same; gives
    /// the medians. `None` if there is no such server.
    fn play(&self, contenders: &[&Contender], quick: bool) -> Result<Option<Results>, Box<dyn Error>> {
        let (rounds, seconds) = if quick { (1, 0.02) } else { (5, 0.15) };
        // A first round, which does not count, tells how many messages take that time.
        let few = if self.work == Work::RoundTrip { 500 } else { 5_000 };
        let mut counts = Vec::new();
        for contender in contenders {
            let Some(measured) = self.measure(contender, few)? else { return Ok(None) };
            let messages = seconds / measured.seconds_per_message();
            // Whole windows.
            counts.push((messages as u32).clamp(few, 4_000_000) / 100 * 100);
        }
        let mut all = vec![Vec::new(); contenders.len()];
        for _ in 0..rounds {
            for ((contender, messages), measured) in contenders.iter().zip(&counts).zip(&mut all) {
                measured.extend(self.measure(contender, *messages)?);
            }
        }
        let names = contenders.iter().map(|contender| contender.name);
        Ok(Some(names.zip(all.iter().map(|measured| Measured::median(measured))).collect()))
    }

    fn server(&self, cpu: usize, flood: u32) -> Result<Option<Server>, Box<dyn Error>> {
        Ok(match self.against {
            Against::Sink => Some(server::sink(cpu, self.carrier, flood, self.certificates)?),
            Against::Mosquitto => server::mosquitto(cpu, self.directory)?,
        })
    }

    fn measure(&self, contender: &Contender, messages: u32) -> Result<Option<Measured>, Box<dyn Error>> {
        let (client_cpu, other_cpu) = server::cpus()?;
        let server_cpu = if self.same_cpu { client_cpu } else { other_cpu };
        let Some(server) = self.server(server_cpu, messages)? else { return Ok(None) };
        let (work, port, count) = (self.work.name(), server.port.to_string(), messages.to_string());
        let mut command;
        match &contender.program {
            Some(program) => {
                command = Command::new(program);
                command.args([work, &port, &count]);
            }
            None => {
                command = Command::new(env::current_exe()?);
                command.args(["contender", contender.name, work, &port, &count]);
                command.args(["--carrier", self.carrier.name()]);
                if let Some(AtOnce { count, awaited }) = self.at_once {
                    command.args(["--at-once", &count.to_string()]).args(awaited.then_some("--awaited"));
                }
                if self.carrier == Carrier::Tls {
                    command.args(["--authority", &self.certificates.authority]);
                }
            }
        }
        let mut child = server::spawn(client_cpu, command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut measured = None;
        for line in output.lines() {
            let line = line?;
            if line == "ready" && self.against == Against::Mosquitto {
                let mut flood = Command::new(env::current_exe()?);
                flood.args(["contender", "flood", work, &port, &count]);
                server::spawn(server_cpu, &mut flood)?.wait()?;
            }
            measured = measured.or(Measured::read(&line, messages));
        }
        let output = child.wait_with_output()?;
        let failed = || {
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            format!("{} failed at {work} over {}: {error}", contender.name, self.carrier.name())
        };
        Ok(Some(measured.ok_or_else(failed)?))
    }
}
