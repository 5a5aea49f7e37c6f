//! The command: soaks, replays, storms, explorations. `mqtt-p2p-sim help` tells how.

use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, Instant};

use mqtt_p2p_sim::{Length, Plan, Tally, run, shrink, soak};

const HELP: &str = "\
mqtt-p2p-sim soak    [--seed N] [--worlds N] [--messages N] [--seconds N] [--jobs N] [--violations N] [--no-shrink]
                     runs one world after the other, as long as asked (default: 60 seconds); tells every broken
                     promise, and the smallest plan found that breaks it
mqtt-p2p-sim run PLAN [--trace]
                     runs one world: a seed, or a plan as soak tells it, in quotes
mqtt-p2p-sim storm [DIRECTORY]
                     a million clients lose their server: figures, and pictures in a directory
mqtt-p2p-sim explore [DEPTH]
                     explores the exchange of QoS 1 and 2 exhaustively
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.first().map(String::as_str) {
        Some("soak") => soak_command(&args),
        Some("run") => run_command(&args),
        _ => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(what) => {
            eprintln!("{what}");
            ExitCode::from(2)
        }
    }
}

/// The value of an option.
fn option<T: FromStr>(args: &[String], name: &str) -> Result<Option<T>, String> {
    let Some(place) = args.iter().position(|arg| arg == name) else {
        return Ok(None);
    };
    let value = args.get(place + 1).ok_or_else(|| format!("{name} wants a number"))?;
    value.parse().map(Some).map_err(|_| format!("{value:?} is no number for {name}"))
}

fn soak_command(args: &[String]) -> Result<bool, String> {
    let seconds: Option<u64> = option(args, "--seconds")?;
    let messages = option(args, "--messages")?;
    let worlds = option(args, "--worlds")?;
    let bounded = messages.is_some() || worlds.is_some();
    let length = Length {
        seed: option(args, "--seed")?.unwrap_or(1),
        worlds: worlds.unwrap_or(u64::MAX),
        messages: messages.unwrap_or(u64::MAX),
        time: seconds.or(if bounded { None } else { Some(60) }).map_or(Duration::MAX, Duration::from_secs),
        violations: option(args, "--violations")?.unwrap_or(10),
    };
    let jobs = option(args, "--jobs")?
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    let start = Instant::now();
    let report = soak(&length, jobs, |tally| eprintln!("{}", speed(tally, start)));
    for (plan, violation) in &report.violations {
        println!("{plan}\n    {violation}");
        if !args.iter().any(|arg| arg == "--no-shrink") {
            let (plan, violation) = shrink(*plan, violation);
            println!("  smallest: {plan}\n    {violation}");
        }
    }
    println!("{}\n{}", report.tally, speed(&report.tally, start));
    println!("{} violations", report.violations.len());
    Ok(report.violations.is_empty())
}

fn speed(tally: &Tally, start: Instant) -> String {
    let seconds = start.elapsed().as_secs_f64();
    format!(
        "{} messages in {seconds:.0} s: {:.0} messages/s, {:.0} steps/s",
        tally.messages(),
        tally.messages() as f64 / seconds,
        tally.steps as f64 / seconds
    )
}

fn run_command(args: &[String]) -> Result<bool, String> {
    let plan: Plan = args.get(1).ok_or("run wants a plan")?.parse()?;
    println!("{plan}");
    match run(&plan, args.iter().any(|arg| arg == "--trace")) {
        Ok(tally) => println!("{tally}\nall promises were kept"),
        Err(violation) => {
            println!("{violation}");
            return Ok(false);
        }
    }
    Ok(true)
}
