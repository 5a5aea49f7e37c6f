//! Runs a row under callgrind, and reads what it counted.

use std::process::Command;

use crate::Row;

/// What one operation of a row costs, the loop included.
pub(crate) fn instructions(row: &Row) -> Result<f64, String> {
    let (once, twice) = (count(row, row.times)?, count(row, row.times * 2)?);
    Ok((twice as f64 - once as f64) / f64::from(row.times))
}

/// All instructions of a process that does the row's operation so many times.
fn count(row: &Row, times: u32) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--row", row.name, &times.to_string()])
        .output()
        .map_err(|error| format!("valgrind can't be run ({error}); install it"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let counted = text
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, number)| number.trim().parse().ok());
    match counted {
        Some(counted) if output.status.success() => Ok(counted),
        _ => Err(format!("callgrind failed on `{}`:\n{text}", row.name)),
    }
}
