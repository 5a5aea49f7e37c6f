//! Memory under flood, as the operating system sees this process.
#![cfg(target_os = "linux")]

mod common;

use common::{Raw, next, number, publish, until, within};
use mqtt_p2p_tokio::{Client, WhenFull};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

const COUNT: usize = 100_000;
const PAYLOAD: usize = 1_024;
/// Far less than what is sent, far more than what a busy machine's other tests of this process could take.
const BOUND: usize = 24 << 20;

/// The most memory that this process ever had, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() << 10
}

/// Sends numbered messages, as fast as the client takes them.
fn flood(mut stream: TcpStream) -> JoinHandle<TcpStream> {
    tokio::spawn(async move {
        for i in 0..COUNT {
            stream.write_all(&publish(format!("{i:0PAYLOAD$}").as_bytes())).await.unwrap();
        }
        stream
    })
}

#[tokio::test]
async fn a_reader_that_sleeps_while_100_000_messages_arrive_costs_little_memory_and_loses_nothing() {
    let raw = Raw::start().await;
    let (client, mut messages) = Client::start(raw.options());
    let stream = raw.log_in().await;
    let before = peak();
    let flooding = flood(stream);
    until("the reading stops", || client.stats().held).await;
    // As long as it likes to: nothing more is taken.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let (waiting, bytes) = (messages.len(), messages.queued_bytes());
    assert!(waiting <= 1_024 && bytes <= 1_024 * (PAYLOAD + 1), "{waiting} messages, {bytes} bytes");
    assert!(client.stats().bytes_received < 4 << 20, "{:?}", client.stats());
    for i in 0..COUNT {
        assert_eq!(number(&next(&mut messages).await), i);
    }
    within("the end of the flood", flooding).await.unwrap();
    let grown = peak() - before;
    println!(
        "sent {COUNT} messages, {} KiB; received {COUNT}, lost 0; while the reader slept {waiting} messages, {} KiB \
         waited; the process grew by {} KiB",
        (COUNT * PAYLOAD) >> 10,
        bytes >> 10,
        grown >> 10
    );
    assert!(grown < BOUND, "{grown} bytes");
}

#[tokio::test]
async fn a_slow_reader_that_drops_the_oldest_costs_little_memory_and_the_others_get_everything() {
    let raw = Raw::start().await;
    let (client, mut all) = Client::start(raw.options());
    let mut slow = client.stream().capacity(100).when_full(WhenFull::DropOldest).open();
    let stream = raw.log_in().await;
    let before = peak();
    let flooding = flood(stream);
    let mut most = 0;
    for i in 0..COUNT {
        assert_eq!(number(&next(&mut all).await), i);
        most = most.max(slow.queued_bytes());
    }
    within("the end of the flood", flooding).await.unwrap();
    assert_eq!((slow.len(), slow.dropped()), (100, (COUNT - 100) as u64));
    for i in COUNT - 100..COUNT {
        assert_eq!(number(&next(&mut slow).await), i);
    }
    let grown = peak() - before;
    println!(
        "sent {COUNT} messages, {} KiB; one reader got {COUNT}, the slow one the last 100 ({} dropped, at most {} KiB \
         waited); the process grew by {} KiB",
        (COUNT * PAYLOAD) >> 10,
        slow.dropped(),
        most >> 10,
        grown >> 10
    );
    assert!(grown < BOUND, "{grown} bytes");
}
