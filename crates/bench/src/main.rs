//! Measurements beside the budgets and the peers: `cargo run --release -p mqtt-p2p-bench -- report`.

mod instructions;
mod machine;
mod plot;
mod progress;
mod report;
mod scale;
mod sockets;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use progress::Progress;

#[derive(Parser)]
#[command(about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures everything, and writes a Markdown report with plots
    Report(report::Report),
    /// Instructions and allocations per operation, beside the budgets and the peers
    Instructions {
        /// Only the operations with this in their names
        #[arg(default_value = "")]
        word: String,
    },
    /// Fails when instructions have grown over the values that are checked in
    Gate {
        /// Checks in those of now
        #[arg(long)]
        write: bool,
    },
    /// One row so many times
    #[command(hide = true)]
    Row { who: String, operation: String, times: u32 },
    /// A server for contenders
    #[command(hide = true)]
    Sink(sockets::sink::Sink),
    /// One measured client
    #[command(hide = true)]
    Contender {
        name: String,
        #[command(flatten)]
        job: sockets::job::Job,
    },
    /// Many clients
    #[command(hide = true)]
    Crowd(scale::crowd::Crowd),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    let progress = Progress::new();
    scale::open_files();
    match command {
        Command::Instructions { word } => {
            let text = instructions::report(&word, &progress)?;
            progress.done();
            print!("{text}");
            Ok(())
        }
        Command::Gate { write } => instructions::gate::run(write, &progress),
        Command::Row { who, operation, times } => instructions::run_row(&who, &operation, times),
        Command::Report(report) => report::run(&report, &progress),
        Command::Sink(sink) => Ok(sockets::sink::run(&sink)?),
        Command::Contender { name, job } => sockets::contend(&name, &job),
        Command::Crowd(crowd) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(scale::crowd::run(&crowd))
        }
    }
}
