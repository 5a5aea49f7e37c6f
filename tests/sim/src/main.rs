//! The command: soaks, replays, storms, explorations. `mqtt-p2p-sim help` tells how.

use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, Instant};

use mqtt_p2p_sim::{
    Bounds, Length, Plan, Storm, Strategy, Tally, draw, explore, run, run_storm, shrink, soak,
};

const HELP: &str = "\
mqtt-p2p-sim soak    [--seed N] [--worlds N] [--messages N] [--seconds N] [--jobs N] [--violations N] [--no-shrink]
                     runs one world after the other, as long as asked (default: 60 seconds); tells every broken
                     promise, and the smallest plan found that breaks it
mqtt-p2p-sim run PLAN [--trace]
                     runs one world: a seed, or a plan as soak tells it, in quotes
mqtt-p2p-sim storm [DIRECTORY]
                     a million clients lose their server: figures, and pictures in a directory
mqtt-p2p-sim explore [--deep] [--depth N] [--jobs N]
                     explores the exchange of QoS 1 and 2 exhaustively, within small bounds or larger ones
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.first().map(String::as_str) {
        Some("soak") => soak_command(&args),
        Some("run") => run_command(&args),
        Some("explore") => explore_command(&args),
        Some("storm") => storm_command(args.get(1).map(Path::new)),
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

fn storm_command(directory: Option<&Path>) -> Result<bool, String> {
    let free = Storm { clients: 1_000_000, outage: 30, accepts: 10_000, refusals: 0, horizon: 900, seed: 1 };
    // A log-in costs 0.1 ms of the server's time.
    let dear = Storm { refusals: 20, ..free };
    for (name, title, storm) in [
        (
            "storm-free",
            "1,000,000 clients, server away for 30 s, takes back 10,000/s; a refusal costs nothing",
            free,
        ),
        (
            "storm-dear",
            "1,000,000 clients, server away for 30 s, takes back 10,000/s; 20 refusals cost as much as one log-in",
            dear,
        ),
    ] {
        println!("{title}");
        println!(
            "| back-off | peak, attempts/s | peak after the return | attempts | 50 % back | 90 % | 99 % | all | back at the end |"
        );
        println!("|---|---|---|---|---|---|---|---|---|");
        let mut courses = Vec::new();
        for strategy in Strategy::ALL {
            // Who never gets back is not watched for ever.
            let horizon = if storm.refusals > 0 && strategy == Strategy::Fixed { 120 } else { storm.horizon };
            let course = run_storm(&Storm { horizon, ..storm }, strategy);
            let reached = |percent: u64| {
                let clients = (u64::from(storm.clients) * percent).div_ceil(100) as u32;
                let second =
                    course.reached(clients).map(|second| second as u64 + 1 - u64::from(storm.outage));
                second.map_or_else(
                    || format!("not in {} s", horizon - storm.outage),
                    |second| format!("{second} s"),
                )
            };
            println!(
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                strategy.name(),
                course.peak(),
                course.peak_from(storm.outage),
                course.total(),
                reached(50),
                reached(90),
                reached(99),
                reached(100),
                course.connected.last().copied().unwrap_or_default()
            );
            courses.push((strategy, course));
        }
        if let Some(directory) = directory {
            let seconds = 300;
            draw(&directory.join(name).with_extension("svg"), title, seconds, &courses)
                .map_err(|error| format!("the picture can't be drawn: {error}"))?;
        }
    }
    Ok(true)
}

fn explore_command(args: &[String]) -> Result<bool, String> {
    let depth = option(args, "--depth")?.unwrap_or(usize::MAX);
    let jobs = option(args, "--jobs")?.unwrap_or(1);
    let mut kept = true;
    for (name, bounds) in Bounds::scenes(args.iter().any(|arg| arg == "--deep")) {
        let start = Instant::now();
        let explored = explore(Bounds { depth: depth.min(bounds.depth), ..bounds }, jobs);
        let complete = if explored.complete { "complete" } else { "as far as that" };
        println!(
            "{name}: {} states, {} steps deep, {complete}, {:.0} s",
            explored.states,
            explored.depth - 1,
            start.elapsed().as_secs_f64()
        );
        if let Some((way, what)) = explored.broken {
            println!("  {what}\n  {way:?}");
            kept = false;
        }
    }
    Ok(kept)
}
