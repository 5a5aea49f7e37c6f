//! The same rows by the clock.

use super::row::Row;
use crate::progress::Progress;

/// How often each row is timed, all of them in turn, so that a change of the machine's pace hits all the same.
const ROUNDS: usize = 40;

/// Nanoseconds for one message of each row: the least of several rounds, since whatever else happens only adds.
pub(crate) fn nanoseconds(rows: &[Row], progress: &Progress) -> Vec<f64> {
    let mut least = vec![f64::INFINITY; rows.len()];
    for round in 0..ROUNDS {
        progress.at("nanoseconds", round, ROUNDS);
        for (row, least) in rows.iter().zip(&mut least) {
            let took = (row.run)(row.times).as_nanos() as f64;
            *least = least.min(took / f64::from(row.times) / f64::from(row.messages));
        }
    }
    least
}
