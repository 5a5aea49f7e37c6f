//! The one command: everything that applies on this machine, as Markdown with plots.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use crate::progress::Progress;
use crate::{instructions, machine, scale, sockets};

#[derive(Args)]
pub(crate) struct Report {
    /// Where it goes
    #[arg(long, default_value = "target/bench")]
    directory: PathBuf,
    /// A little of everything, to see that it runs: the figures mean nothing
    #[arg(long)]
    quick: bool,
    /// Only these parts
    #[arg(long, value_delimiter = ',', value_parser = PARTS, default_values = PARTS)]
    only: Vec<String>,
}

/// Their names, in the order of the report.
const PARTS: [&str; 3] = ["sockets", "scale", "instructions"];

type Part = fn(bool, &Path, &Progress) -> Result<String, Box<dyn Error>>;

pub(crate) fn run(report: &Report, progress: &Progress) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    fs::create_dir_all(&report.directory)?;
    let mut text = format!("# Speed\n\n{}", machine::markdown());
    text += "\nTopics have 32 bytes, payloads 64 where no other size is named. Ratios are what counts: absolute figures are \
             this machine's.\n";
    if report.quick {
        text += "\n**A smoke run: the figures mean nothing.**\n";
    }
    let instructions: Part =
        |quick, _, progress| instructions::report(if quick { "encode PUBACK" } else { "" }, progress);
    let parts = [
        ("End to end on sockets", sockets::report as Part),
        ("Scale", scale::report),
        ("Packets and client, without sockets", instructions),
    ];
    let wanted = |name: &str| report.only.iter().any(|only| only == name);
    for (name, (title, part)) in PARTS.into_iter().zip(parts).filter(|(name, _)| wanted(name)) {
        let began = Instant::now();
        text += &format!("\n## {title}\n{}", part(report.quick, &report.directory, progress)?);
        progress.done();
        eprintln!("{name}: {} s", began.elapsed().as_secs());
    }
    text += &format!("\nMeasured in {} s.\n", start.elapsed().as_secs());
    let path = report.directory.join("report.md");
    fs::write(&path, &text)?;
    println!("{}", path.display());
    Ok(())
}
