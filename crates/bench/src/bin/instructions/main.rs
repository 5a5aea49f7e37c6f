//! Instructions per operation, by callgrind, beside the budgets; heap allocations; sizes of types.
//!
//! `cargo run --release -p mqtt-p2p-bench --bin instructions [WORD]` prints Markdown tables (of the rows whose name
//! has `WORD` in it). It needs `valgrind`. Every row runs in a process of its own, with N and with 2N operations: the
//! difference by N is the cost of one, without start-up; that of a loop with nothing in it is taken off. A build
//! gives the same numbers every time, so they can be a gate.

mod allocations;
mod callgrind;
mod client;
mod packet;
mod peer;
mod sizes;

use std::process::ExitCode;

/// 32 bytes.
const TOPIC: &str = "site-01/p2p/GID_devices@@@000042";
/// 64 bytes.
const PAYLOAD: [u8; 64] = [b'x'; 64];

/// One line of the table.
struct Row {
    name: &'static str,
    /// What one operation holds.
    what: &'static str,
    /// Instructions, of the design's table.
    budget: Option<u32>,
    /// How many messages one operation handles.
    messages: u32,
    /// How often to repeat it; the second run does it twice as often.
    times: u32,
    /// Does the operation so many times.
    run: fn(u32),
}

impl Row {
    const fn new(name: &'static str, what: &'static str, budget: Option<u32>, run: fn(u32)) -> Self {
        Self { name, what, budget, messages: 1, times: 1000, run }
    }

    const fn many(self, messages: u32, times: u32) -> Self {
        Self { messages, times, ..self }
    }
}

/// Does something so many times.
#[inline]
fn repeat(times: u32, mut operation: impl FnMut()) {
    for _ in 0..times {
        operation();
        std::hint::black_box(());
    }
}

/// What every row's loop costs besides its operation.
const EMPTY: Row = Row::new("empty loop", "", None, |times| repeat(times, || ()));

fn rows() -> Vec<Row> {
    [packet::rows(), peer::rows(), client::rows()].into_iter().flatten().collect()
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (Some("--row"), Some(name), Some(times)) => {
            let times = times.parse().expect("how many times is a number");
            let row = rows().into_iter().chain([EMPTY]).find(|row| row.name == name);
            (row.expect("the row exists").run)(times);
            ExitCode::SUCCESS
        }
        (word, _, _) => match report(word.unwrap_or_default()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        },
    }
}

fn report(word: &str) -> Result<(), String> {
    let rows: Vec<Row> = rows().into_iter().filter(|row| row.name.contains(word)).collect();
    let empty = callgrind::instructions(&EMPTY)?;

    println!("## Instructions per message (topic {} bytes, payload {})\n", TOPIC.len(), PAYLOAD.len());
    println!("| row | instructions | budget | ratio | in one operation |");
    println!("|---|--:|--:|--:|---|");
    for row in &rows {
        let per_message = (callgrind::instructions(row)? - empty) / f64::from(row.messages);
        let (budget, ratio) = match row.budget {
            Some(budget) => (budget.to_string(), format!("{:.2}", per_message / f64::from(budget))),
            None => ("–".into(), "–".into()),
        };
        println!("| {} | {per_message:.0} | {budget} | {ratio} | {} |", row.name, row.what);
    }

    println!("\n## Heap allocations per message\n");
    println!("| row | allocations |");
    println!("|---|--:|");
    let mut allocating = Vec::new();
    for row in &rows {
        let allocations = allocations::per_message(row);
        println!("| {} | {allocations} |", row.name);
        if allocations != 0.0 && !row.name.starts_with(peer::PREFIX) {
            allocating.push(row.name);
        }
    }

    if word.is_empty() {
        sizes::print();
    }
    if allocating.is_empty() {
        Ok(())
    } else {
        Err(format!("packet and core may not use the heap, but do in {allocating:?}"))
    }
}
