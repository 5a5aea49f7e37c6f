//! Fails when a row of ours has grown since its value was checked in.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::{env, fs};

use super::callgrind;
use super::row::{OURS, Row};
use crate::machine::compiler;
use crate::progress::Progress;

/// By how much a row may grow, and by how many instructions at least, since a few of them are no news.
const GROWTH: f64 = 1.03;
const SLACK: f64 = 1.0;

/// Compares every row of ours with `instructions.txt`, or writes that.
pub(crate) fn run(write: bool, progress: &Progress) -> Result<(), Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.txt");
    let rows: Vec<Row> = super::rows().into_iter().filter(|row| row.who == OURS).collect();
    let costs = callgrind::count(&rows, |done| progress.at("instructions", done, rows.len() + 1))?;
    progress.done();
    let now: BTreeMap<&str, f64> = rows
        .iter()
        .map(|row| row.operation.as_str())
        .zip(costs.iter().map(|cost| cost.instructions))
        .collect();

    let heap: Vec<_> = rows.iter().zip(&costs).filter(|(_, cost)| cost.allocations != 0.0).collect();
    if let Some((row, cost)) = heap.first() {
        let (operation, allocations) = (&row.operation, cost.allocations);
        return Err(format!(
            "packet and core may not use the heap, but {} rows do, such as `{operation}`: {allocations} times a message",
            heap.len()
        )
        .into());
    }
    if write {
        let rows: String = now.iter().map(|(row, count)| format!("{count:8.1}  {row}\n")).collect();
        fs::write(
            &path,
            format!("# Instructions per message, renewed by `gate --write`; {}\n{rows}", compiler()),
        )?;
        println!("{} rows written to {}", now.len(), path.display());
        return Ok(());
    }
    let text = fs::read_to_string(&path)?;
    let before = text.lines().filter_map(|line| line.trim().split_once("  "));
    let before: BTreeMap<&str, f64> =
        before.filter_map(|(count, row)| Some((row, count.parse().ok()?))).collect();
    let faults = faults(&before, &now);
    if faults.is_empty() {
        println!("{} rows are at most 3 % over instructions.txt", now.len());
        return Ok(());
    }
    faults.iter().for_each(|fault| println!("{fault}"));
    let counted_by = text.lines().next().unwrap_or_default();
    println!("instructions.txt says {counted_by:?}; this is {}", compiler());
    Err("make it cheaper, or, if it is worth it, renew instructions.txt: \
         cargo run --release -p mqtt-p2p-bench -- gate --write"
        .into())
}

fn faults(before: &BTreeMap<&str, f64>, now: &BTreeMap<&str, f64>) -> Vec<String> {
    let mut faults = Vec::new();
    for (row, count) in now {
        match before.get(row) {
            None => faults.push(format!("{row}: {count:.1}, and no value is checked in")),
            Some(before) if *count > (before * GROWTH).max(before + SLACK) => {
                let percent = (count / before - 1.0) * 100.0;
                faults.push(format!("{row}: {count:.1}, which was {before:.1} (+{percent:.1} %)"));
            }
            Some(_) => {}
        }
    }
    let gone = before.keys().filter(|row| !now.contains_key(*row));
    faults.extend(gone.map(|row| format!("{row}: there is no such row any more")));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_may_grow_by_three_percent_and_no_more() {
        let before = BTreeMap::from([("a", 100.0), ("tiny", 5.0)]);
        assert!(faults(&before, &BTreeMap::from([("a", 103.0), ("tiny", 6.0)])).is_empty());
        assert!(faults(&before, &BTreeMap::from([("a", 20.0), ("tiny", 1.0)])).is_empty());
        assert_eq!(faults(&before, &BTreeMap::from([("a", 103.1), ("tiny", 6.1)])).len(), 2);
    }

    #[test]
    fn rows_that_come_or_go_are_faults_until_they_are_checked_in() {
        let (before, now) = (BTreeMap::from([("old", 1.0)]), BTreeMap::from([("new", 1.0)]));
        assert_eq!(faults(&before, &now).len(), 2);
    }
}
