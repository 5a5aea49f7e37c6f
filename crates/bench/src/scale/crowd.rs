//! Many clients in one process, connected and idle, then each with a message a second.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use mqtt_p2p_tokio::{Client, Endpoint, Messages, Options, QoS};
use rumqttc::{AsyncClient, Event, Incoming, MqttOptions};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::sockets::job::{PAYLOAD, TOPIC, cpu_time, memory};
use crate::sockets::{OURS, RUMQTTC};

/// How many dial at the same time.
const DIALLING: usize = 100;
/// How long they are idle, and then busy.
const SPELL: Duration = Duration::from_secs(2);
/// A busy second is cut into so many slices, each with its share of the clients.
const SLICES: u32 = 50;

#[derive(Clone, Debug, Args)]
pub(crate) struct Crowd {
    pub(crate) who: String,
    pub(crate) port: u16,
    pub(crate) clients: u32,
}

/// What such a process says of itself, on one line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) connected_in: Duration,
    /// Of all clients, in bytes.
    pub(crate) memory: u64,
    /// The whole process, in bytes.
    pub(crate) total_memory: u64,
    /// Of all clients, in one second.
    pub(crate) idle: Duration,
    pub(crate) busy: Duration,
}

impl Measured {
    pub(crate) fn read(line: &str) -> Option<Self> {
        let numbers =
            line.strip_prefix("crowd ")?.split(' ').map(str::parse).collect::<Result<Vec<u64>, _>>().ok()?;
        let [connected_in, memory, total_memory, idle, busy] = numbers.try_into().ok()?;
        let [connected_in, idle, busy] = [connected_in, idle, busy].map(Duration::from_nanos);
        Some(Self { connected_in, memory, total_memory, idle, busy })
    }

    fn say(&self) {
        let [connected_in, idle, busy] =
            [self.connected_in, self.idle, self.busy].map(|time| time.as_nanos());
        println!("crowd {connected_in} {} {} {idle} {busy}", self.memory, self.total_memory);
    }
}

enum Member {
    /// With its stream, as a program would hold it.
    Ours(Client, #[expect(dead_code, reason = "it is held, not read")] Messages),
    Rumqttc(AsyncClient),
}

impl Member {
    async fn connect(who: &str, port: u16, name: String) -> Result<Self, String> {
        if who == OURS {
            let options = Options::new(Endpoint::tcp("127.0.0.1", port), name);
            let (client, messages) = Client::connect(options).await.map_err(|error| error.to_string())?;
            return Ok(Self::Ours(client, messages));
        }
        let (client, mut events) = AsyncClient::new(MqttOptions::new(name, "127.0.0.1", port), 10);
        while !matches!(events.poll().await, Ok(Event::Incoming(Incoming::ConnAck(_)))) {}
        tokio::spawn(async move { while events.poll().await.is_ok() {} });
        Ok(Self::Rumqttc(client))
    }

    async fn publish(&self) -> Result<(), Box<dyn Error>> {
        match self {
            Self::Ours(client, _) => drop(client.publish(TOPIC, PAYLOAD, QoS::AtLeastOnce).await?),
            Self::Rumqttc(client) => client.publish(TOPIC, rumqttc::QoS::AtLeastOnce, false, PAYLOAD).await?,
        }
        Ok(())
    }
}

/// Runs in a process of its own.
pub(crate) async fn run(crowd: &Crowd) -> Result<(), Box<dyn Error>> {
    assert!([OURS, RUMQTTC].contains(&crowd.who.as_str()));
    let before = memory();
    let start = Instant::now();
    let dialling = Arc::new(Semaphore::new(DIALLING));
    let mut joining = JoinSet::new();
    let mut members = Vec::new();
    for index in 0..crowd.clients {
        let place = Arc::clone(&dialling).acquire_owned().await?;
        let (who, port) = (crowd.who.clone(), crowd.port);
        joining.spawn(async move {
            let member = Member::connect(&who, port, format!("client-{index}")).await;
            drop(place);
            member
        });
        // Whoever is through leaves the set, which would grow otherwise.
        while let Some(member) = joining.try_join_next() {
            members.push(member??);
        }
    }
    while let Some(member) = joining.join_next().await {
        members.push(member??);
    }
    let connected_in = start.elapsed();

    tokio::time::sleep(SPELL / 10).await;
    let total_memory = memory();
    let used = || cpu_time().0 + cpu_time().1;
    let at_rest = used();
    tokio::time::sleep(SPELL).await;
    let idle = (used() - at_rest) / SPELL.as_secs() as u32;

    let at_work = used();
    let mut slices = tokio::time::interval(Duration::from_secs(1) / SLICES);
    for _ in 0..SPELL.as_secs() {
        for slice in 0..SLICES as usize {
            slices.tick().await;
            for member in members.iter().skip(slice).step_by(SLICES as usize) {
                member.publish().await?;
            }
        }
    }
    slices.tick().await;
    let busy = (used() - at_work) / SPELL.as_secs() as u32;
    let memory = total_memory.saturating_sub(before);
    Measured { connected_in, memory, total_memory, idle, busy }.say();
    // Ten thousand good-byes are nobody's measurement.
    std::process::exit(0)
}
