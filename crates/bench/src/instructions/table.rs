//! The rows side by side.

use super::callgrind::Cost;
use super::row::{OURS, Row};

/// Ratios first, instructions next, then what each of them does.
pub(crate) fn markdown(rows: &[Row], costs: &[Cost], times: &[f64]) -> String {
    let mut contenders: Vec<&str> = Vec::new();
    let mut operations: Vec<&str> = Vec::new();
    for row in rows {
        if !contenders.contains(&row.who) {
            contenders.push(row.who);
        }
        if row.who == OURS {
            operations.push(&row.operation);
        }
    }
    let find =
        |who: &str, operation: &str| rows.iter().position(|row| row.who == who && row.operation == operation);
    let mut text = String::new();
    let mut table = |title: &str, cell: &dyn Fn(usize, usize) -> String| {
        text += &format!("\n### {title}\n\n| operation | {} |\n", contenders.join(" | "));
        text += &format!("|---|{}\n", "--:|".repeat(contenders.len()));
        for operation in &operations {
            let all: Vec<_> = contenders.iter().map(|who| find(who, operation)).collect();
            let Some(ours) = all[0].filter(|_| all.iter().flatten().count() > 1) else { continue };
            let cells = all.into_iter().map(|index| index.map_or("–".into(), |index| cell(ours, index)));
            text += &format!("| {operation} | {} |\n", cells.collect::<Vec<_>>().join(" | "));
        }
    };
    table("Instructions, as multiples of ours", &|ours, index| {
        // callgrind counts what the processor copies in one instruction as one for each byte.
        if rows[index].operation.ends_with("64 KiB") {
            return "by time".into();
        }
        if ours == index {
            return format!("{:.0} instructions", costs[index].instructions);
        }
        format!("{:.2}×", costs[index].instructions / costs[ours].instructions)
    });
    table("Nanoseconds, as multiples of ours", &|ours, index| {
        if ours == index {
            return format!("{:.1} ns", times[index]);
        }
        format!("{:.2}×", times[index] / times[ours])
    });
    table("Heap allocations per message", &|_, index| {
        format!("{:.2}", costs[index].allocations).replace(".00", "")
    });

    text +=
        "\n### Ours beside the budgets\n\n| row | instructions | budget | ratio | ns | in one operation |\n";
    text += "|---|--:|--:|--:|--:|---|\n";
    for ((row, cost), time) in rows.iter().zip(costs).zip(times).filter(|((row, _), _)| row.who == OURS) {
        let (budget, ratio) = match row.budget {
            Some(budget) => (budget.to_string(), format!("{:.2}", cost.instructions / f64::from(budget))),
            None => ("–".into(), "–".into()),
        };
        let (operation, instructions, what) = (&row.operation, cost.instructions, row.what);
        text += &format!("| {operation} | {instructions:.0} | {budget} | {ratio} | {time:.1} | {what} |\n");
    }
    text += "\n### What the others do in one operation\n\n";
    for who in contenders.iter().filter(|who| **who != OURS) {
        let mut said: Vec<&str> = Vec::new();
        for row in rows.iter().filter(|row| row.who == *who) {
            if !said.contains(&row.what) {
                said.push(row.what);
                let first = row.operation.split(' ').take(2).collect::<Vec<_>>().join(" ");
                text += &format!("- {who}, {first}: {}\n", row.what);
            }
        }
    }
    text
}
