//! Instructions and heap allocations per operation, by callgrind, beside the budgets and the peers.
//!
//! Every row runs in a process of its own, with N and with 2 N operations: the difference by N is the cost of one. A
//! build gives the same numbers every time, so they can be a gate. It needs `valgrind`.

mod callgrind;
pub(crate) mod client;
mod clock;
pub(crate) mod codec;
mod floor;
pub(crate) mod gate;
pub(crate) mod machine;
mod mqttbytes;
mod mqttrs;
mod packet;
mod protocol_core;
pub(crate) mod row;
mod rumqttc;
mod sizes;
mod table;

use std::error::Error;

use mqtt_protocol_core::mqtt::connection::{Connection, role};

use crate::progress::Progress;
use row::Row;

fn rows() -> Vec<Row> {
    let ours = [codec::rows::<packet::Ours>(), packet::rows(), client::rows()];
    let floor = [codec::rows::<floor::Floor>(), machine::rows::<floor::Bench>()];
    let peers = [
        codec::rows::<mqttbytes::MqttBytes>(),
        codec::rows::<mqttrs::MqttRs>(),
        codec::rows::<rumqttc::Rumqttc>(),
        machine::rows::<rumqttc::State>(),
        codec::rows::<protocol_core::ProtocolCore>(),
        machine::rows::<Connection<role::Client>>(),
    ];
    ours.into_iter().chain(floor).chain(peers).flatten().collect()
}

/// Does one row's operation so many times, for who counts from outside.
pub(crate) fn run_row(who: &str, operation: &str, times: u32) -> Result<(), Box<dyn Error>> {
    let row = rows().into_iter().chain([row::empty()]);
    let row = row.into_iter().find(|row| row.who == who && row.operation == operation);
    (row.ok_or("no such row")?.run)(times);
    Ok(())
}

/// The tables as Markdown, of the rows whose name has `word` in it.
pub(crate) fn report(word: &str, progress: &Progress) -> Result<String, Box<dyn Error>> {
    let rows: Vec<Row> = rows().into_iter().filter(|row| row.operation.contains(word)).collect();
    let costs = callgrind::count(&rows, |done| progress.at("instructions", done, rows.len() + 1))?;
    let times = clock::nanoseconds(&rows, progress);
    let mut text = table::markdown(&rows, &costs, &times);
    if word.is_empty() {
        text += &sizes::markdown();
    }
    Ok(text)
}
