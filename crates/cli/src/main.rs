//! `mqtt-p2p`: the command line of the client for MQTT and ApsaraMQ's P2P messages.
#![forbid(unsafe_code)]

mod args;
mod demo;
mod emulator;
mod failure;
mod listen;
mod output;
mod secret;
mod send;
mod sign;
mod stop;

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Builder;

use args::{Cli, Command};
use failure::Failure;

fn main() -> ExitCode {
    match run(&Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::error(&failure, failure.advice());
            failure.exit_code()
        }
    }
}

fn run(command: &Command) -> Result<(), Failure> {
    // One thread does for a client. `listen` may have to wait for who reads its output, and meanwhile the connection
    // must live on: it gets a second one.
    let mut builder = match command {
        Command::Listen(_) => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    };
    let runtime = || builder.worker_threads(1).enable_all().build().map_err(Failure::Runtime);
    match command {
        Command::Sign(args) => sign::run(args),
        Command::Demo => runtime_block(runtime, demo::run()),
        Command::Send(args) => {
            let message = send::Outgoing::new(args)?;
            runtime_block(runtime, send::run(args, message))
        }
        Command::Listen(args) => runtime_block(runtime, listen::run(args)),
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
