//! Counts heap allocations.

use allocation_counter::measure;

use crate::Row;

/// Allocations per message, without those of start-up.
pub(crate) fn per_message(row: &Row) -> f64 {
    let during = |times| measure(|| (row.run)(times)).count_total;
    let (once, twice) = (during(row.times), during(row.times * 2));
    (twice as f64 - once as f64) / f64::from(row.times) / f64::from(row.messages)
}
