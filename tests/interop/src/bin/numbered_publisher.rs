//! Publishes numbered messages from a session on disk, odd numbers with QoS 1 and even ones with QoS 2, and can be killed
//! at any moment: started again, it goes on. It ends when the server has taken all of them.
//!
//! What a program has to do to know, after any crash, what became of each message:
//!
//! - write its number down *before* the call of `publish` (`i` in the ledger), and again when the call has returned
//!   (`a`). What a process wrote survives its death, whole if it lies in one page of the file; for
//!   a failure of the power, sync both;
//! - started again, not use a number twice. One with `a` will arrive, since it is in the session's file. One with `i` only
//!   is in doubt: it may be in the file or not. This program leaves it there and goes on with a new number, so it
//!   arrives or not, and with QoS 2 never twice. Who needs it to arrive publishes it again under the same number, and
//!   lets the receiver drop what it has;
//! - make the calls in the order of the numbers, if the order matters; they may overlap.
//!
//! What it says is what its session store has to complain about, a line each time.
//!
//! Arguments: port, client id, directory of the session, ledger, how many numbers to have accepted in the end, how many
//! in this life.

use std::collections::VecDeque;
use std::error::Error;
use std::fs::File;
use std::future::poll_fn;
use std::io::Write;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use mqtt_p2p_interop::{Ledger, options};
use mqtt_p2p_tokio::{Client, ConnectionEvent, Delivery, Endpoint, Events, FileStore, PublishError, QoS};

/// So many calls are under way at once: they share the writing to the disk.
const CALLS: usize = 50;

type Call = Pin<Box<dyn Future<Output = Result<Delivery, PublishError>>>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, client_id, directory, ledger, wanted, this_life] = &arguments[..] else {
        return Err("wanted: port, client id, directory, ledger, numbers, numbers of this life".into());
    };
    let (wanted, this_life): (usize, usize) = (wanted.parse()?, this_life.parse()?);
    let before = Ledger::read(ledger)?;
    let mut ledger = File::options().create(true).append(true).open(ledger)?;
    let mut accepted = before.accepted.len();
    let mut next = before.intended.last().map_or(1, |last| last + 1);
    loop {
        let store = FileStore::open(directory, client_id)?;
        let endpoint = Endpoint::tcp("127.0.0.1", port.parse()?);
        let (client, _) = Client::start(options(endpoint, client_id).session_store(store));
        tokio::spawn(complain(client.events()));
        let mut calls = VecDeque::new();
        loop {
            while calls.len() < CALLS && accepted + calls.len() < this_life {
                ledger.write_all(Ledger::line('i', next).as_bytes())?;
                let mut call = call(client.clone(), next);
                // In the order of the numbers; and none returns before it is in the file.
                let polled = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
                assert!(polled.is_pending(), "it returned at once");
                calls.push_back((next, call));
                next += 1;
            }
            let Some((number, call)) = calls.pop_front() else {
                break;
            };
            drop(call.await?);
            ledger.write_all(Ledger::line('a', number).as_bytes())?;
            accepted += 1;
        }
        // If more are wanted, then of the next life.
        while accepted < wanted || !client.is_connected() || client.stats().in_flight > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        client.close().await;
        if Ledger::waiting(directory, client_id)? == 0 {
            return Ok(());
        }
    }
}

async fn complain(mut events: Events) {
    while let Some(event) = events.recv().await {
        if let ConnectionEvent::StoreFailed { detail } = event {
            println!("{detail}");
        }
    }
}

fn call(client: Client, number: u32) -> Call {
    let qos = if number % 2 == 1 { QoS::AtLeastOnce } else { QoS::ExactlyOnce };
    let topic = format!("numbered/{}", qos as u8);
    Box::pin(async move { client.publish(&topic, number.to_string(), qos).await })
}
