//! As the load grows: clients in one process, and what a message costs the core.

pub(crate) mod crowd;
mod curves;

use std::env;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::plot::{self, Line};
use crate::progress::Progress;
use crate::sockets::job::Carrier;
use crate::sockets::server::{self, Certificates};
use crate::sockets::{OURS, RUMQTTC};
use crowd::Measured;

/// Open files for ten thousand connections, and some.
const FILES: u64 = 20_000;

/// Lets this process, and those it starts, open as many files as the system allows, or as are needed.
pub(crate) fn open_files() -> u64 {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((0, 0));
    if soft < FILES {
        // A hard limit below that yields to root alone.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, FILES, hard.max(FILES))
            .or_else(|_| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    }
    getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft)
}

/// The tables as Markdown; curves go into plots.
pub(crate) fn report(quick: bool, directory: &Path, progress: &Progress) -> Result<String, Box<dyn Error>> {
    let mut text = crowds(quick, directory, progress)?;
    text += &curves::report(quick, directory, progress)?;
    Ok(text)
}

fn crowds(quick: bool, directory: &Path, progress: &Progress) -> Result<String, Box<dyn Error>> {
    let temporary = tempfile::tempdir()?;
    let certificates = Certificates::make(temporary.path())?;
    let sizes: &[u32] = if quick { &[100] } else { &[1, 10, 100, 1_000, 10_000] };
    let mut text = String::from(
        "\n### Clients in one process, over tcp\n\nBusy: each client publishes a message a second at QoS 1. 10,000 clients \
         are to take less than 200 MB, all over.\n\n\
         | clients | library | connects/s | process MB | KiB per client | idle: CPU µs per client and second | \
         busy: CPU µs per client and second |\n|--:|---|--:|--:|--:|--:|--:|\n",
    );
    let mut memory = [(OURS, Vec::new()), (RUMQTTC, Vec::new())];
    let mut busy = memory.clone();
    for (done, clients) in sizes.iter().copied().enumerate() {
        if u64::from(clients) + 50 > open_files() {
            text += &format!("\n{clients} clients need more open files than this machine allows.\n");
            continue;
        }
        for who in 0..memory.len() {
            progress.at(&format!("{clients} clients"), done, sizes.len());
            let name = memory[who].0;
            let measured = measure(name, clients, &certificates)?;
            let each = f64::from(clients);
            let kib = measured.memory as f64 / 1024.0 / each;
            let [idle, at_work] = [measured.idle, measured.busy].map(|time| time.as_secs_f64() * 1e6 / each);
            text += &format!(
                "| {clients} | {name} | {:.0} | {:.1} | {kib:.1} | {idle:.1} | {at_work:.1} |\n",
                each / measured.connected_in.as_secs_f64(),
                measured.total_memory as f64 / 1e6,
            );
            memory[who].1.push((each, kib));
            busy[who].1.push((each, at_work));
        }
    }
    let lines =
        |of: [(&str, Vec<(f64, f64)>); 2]| of.map(|(name, points)| Line { name: name.into(), points });
    plot::lines(
        &directory.join("memory.svg"),
        "Memory of a client",
        "clients in the process",
        "KiB per client",
        &lines(memory),
    )?;
    plot::lines(
        &directory.join("busy.svg"),
        "CPU of a client that publishes a message a second at QoS 1",
        "clients in the process",
        "µs of CPU per second",
        &lines(busy),
    )?;
    text += "\n![Memory](memory.svg)\n![CPU](busy.svg)\n";
    Ok(text)
}

fn measure(who: &str, clients: u32, certificates: &Certificates) -> Result<Measured, Box<dyn Error>> {
    let (client_cpu, server_cpu) = server::cpus()?;
    let server = server::sink(server_cpu, Carrier::Tcp, 0, certificates)?;
    let mut command = Command::new(env::current_exe()?);
    command.args(["crowd", who, &server.port.to_string(), &clients.to_string()]);
    let mut child = server::spawn(client_cpu, command.stdout(Stdio::piped()))?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    child.wait()?;
    Measured::read(line.trim()).ok_or_else(|| format!("{clients} clients of {who} failed").into())
}
