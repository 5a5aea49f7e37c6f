//! Runs rows under callgrind, and reads what it counted.

use std::num::NonZero;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;
use std::{env, fs, io, thread};

use super::row::{Row, empty};

/// What a row costs for one message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Without those of the loop.
    pub(crate) instructions: f64,
    pub(crate) allocations: f64,
}

/// Counts every row, as many at a time as there are CPUs. `progress` hears how many are done.
pub(crate) fn count(rows: &[Row], progress: impl Fn(usize)) -> Result<Vec<Cost>, String> {
    let (empty, next) = (empty(), AtomicUsize::new(0));
    let (tell, counted) = mpsc::channel();
    let mut costs = vec![Cost::default(); rows.len() + 1];
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            let (tell, empty, next) = (tell.clone(), &empty, &next);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Relaxed);
                    if index > rows.len()
                        || tell.send((index, one(rows.get(index).unwrap_or(empty)))).is_err()
                    {
                        return;
                    }
                }
            });
        }
        for done in 1..=costs.len() {
            let (index, cost) = counted.recv().map_err(|error| error.to_string())?;
            costs[index] = cost?;
            progress(done);
        }
        Ok::<_, String>(())
    })?;
    let empty = costs.pop().unwrap_or_default();
    for (cost, row) in costs.iter_mut().zip(rows) {
        // Rows of many messages repeat each of them.
        let per = f64::from(row.messages);
        *cost = Cost {
            instructions: (cost.instructions - empty.instructions) / per,
            allocations: cost.allocations / per,
        };
    }
    Ok(costs)
}

/// One operation's, the loop included: the difference of N and 2 N of them, which has no start-up in it.
fn one(row: &Row) -> Result<Cost, String> {
    let (once, twice) = (run(row, row.times)?, run(row, row.times * 2)?);
    let per_time = |of: fn(&Cost) -> f64| (of(&twice) - of(&once)) / f64::from(row.times);
    Ok(Cost {
        instructions: per_time(|cost| cost.instructions),
        allocations: per_time(|cost| cost.allocations),
    })
}

/// All of a process that does the row's operation so many times.
fn run(row: &Row, times: u32) -> Result<Cost, String> {
    let failed = |error: io::Error| format!("valgrind can't be run ({error}); install it");
    let file =
        env::temp_dir().join(format!("mqtt-p2p-bench-{}-{:?}", std::process::id(), thread::current().id()));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--compress-strings=no"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(env::current_exe().map_err(failed)?)
        .args(["row", row.who, &row.operation, &times.to_string()])
        .stdin(Stdio::null())
        .output()
        .map_err(failed)?;
    let calls = fs::read_to_string(&file).map_err(|error| format!("callgrind wrote nothing: {error}"));
    let _ = fs::remove_file(&file);
    let text = String::from_utf8_lossy(&output.stderr);
    let counted = text
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, number)| number.trim().parse().ok());
    match counted {
        Some(instructions) if output.status.success() => {
            Ok(Cost { instructions, allocations: allocations(&calls?) })
        }
        _ => Err(format!("callgrind failed on `{}: {}`:\n{text}", row.who, row.operation)),
    }
}

/// Calls of the allocator, in what callgrind wrote: `cfn=` names whom the next line, `calls=`, is about.
fn allocations(written: &str) -> f64 {
    let mut allocates = false;
    let mut calls = 0;
    for line in written.lines() {
        if let Some(callee) = line.strip_prefix("cfn=") {
            allocates =
                matches!(callee, "malloc" | "calloc" | "realloc" | "posix_memalign" | "aligned_alloc");
        } else if let Some(counts) = line.strip_prefix("calls=")
            && allocates
        {
            calls += counts.split(' ').next().and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
        }
    }
    calls as f64
}
