//! `mqtt-p2p`: the command line of the client for MQTT and ApsaraMQ's P2P messages.
#![forbid(unsafe_code)]

mod args;
mod bench;
mod demo;
mod doctor;
mod emulator;
mod failure;
mod format;
mod json;
mod listen;
mod login;
mod message;
mod output;
mod pages;
mod profile;
mod publish;
mod receive;
mod secret;
mod send;
mod sign;
mod stop;
mod subscribe;
mod target;

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Builder;

use args::{Cli, Command};
use failure::Failure;
use profile::Profile;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    output::set_json(cli.json);
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let code = failure.exit_code();
            output::error(failure.kind(), code, &failure, failure.advice().as_deref());
            ExitCode::from(code)
        }
    }
}

/// Arguments that can't be used, or a wish for help.
fn misused(error: &clap::Error) -> ExitCode {
    let code = u8::try_from(error.exit_code()).unwrap_or(1);
    let wants_json = std::env::args_os().take_while(|arg| arg != "--").any(|arg| arg == "--json");
    if wants_json && error.use_stderr() {
        output::set_json(true);
        let text = error.to_string();
        let mut paragraphs = text.split("\n\n").map(str::trim);
        let what = paragraphs.next().unwrap_or_default();
        output::error("usage", code, &what.strip_prefix("error: ").unwrap_or(what), paragraphs.next());
    } else {
        // Nobody has to listen.
        let _ = error.print();
    }
    ExitCode::from(code)
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let command = &cli.command;
    // One thread does for a client. Who may have to wait for a reader of the output, while the connection must live
    // on, gets a second one; the measuring gets as many as there are.
    let mut builder = match command {
        Command::Listen(_) | Command::Subscribe(_) => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(1);
            builder
        }
        Command::Bench(_) => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    };
    let runtime = || builder.enable_all().build().map_err(Failure::Runtime);
    let profile = || Profile::choose(&cli.profile);
    match command {
        Command::Sign(args) => sign::run(args, &profile()?),
        Command::Profiles => profile::list(&cli.profile),
        Command::Completions(args) => pages::completions(args),
        Command::Man(args) => pages::man(args),
        Command::Demo => runtime_block(runtime, demo::run()),
        Command::Send(args) => {
            let message = send::Outgoing::new(args)?;
            runtime_block(runtime, send::run(args, message, &profile()?))
        }
        Command::Listen(args) => runtime_block(runtime, listen::run(args, &profile()?)),
        Command::Publish(args) => runtime_block(runtime, publish::run(args, &profile()?)),
        Command::Subscribe(args) => runtime_block(runtime, subscribe::run(args, &profile()?)),
        Command::Doctor(args) => runtime_block(runtime, doctor::run(args, &profile()?)),
        Command::Bench(args) => runtime_block(runtime, bench::run(args, &profile()?)),
        Command::Emulator(args) => runtime_block(runtime, emulator::run(args)),
    }
}

fn runtime_block(
    runtime: impl FnOnce() -> Result<tokio::runtime::Runtime, Failure>,
    command: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let runtime = runtime()?;
    let result = runtime.block_on(command);
    // What still runs, such as a look-up of a name that does not end, must not hold up the end.
    runtime.shutdown_background();
    result
}
