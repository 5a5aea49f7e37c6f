//! rumqttc's async client.

use std::error::Error;
use std::time::Instant;

use rumqttc::{AsyncClient, Event, EventLoop, Incoming, MqttOptions, QoS, TlsConfiguration, Transport};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::job::{Carrier, Job, PAYLOAD, TOPIC, WINDOW, Watch, Work};

/// What its channel holds.
const CAPACITY: usize = 1000;

pub(crate) async fn run(job: &Job) -> Result<(), Box<dyn Error>> {
    let (client, mut events) = AsyncClient::new(options(job)?, CAPACITY);
    while !matches!(events.poll().await?, Event::Incoming(Incoming::ConnAck(_))) {}
    if job.work == Work::Receive {
        return receive(&client, &mut events, job.messages).await;
    }
    let mut acked = poll(events);
    match job.work {
        Work::Publish0 => {
            publish_0(&client, &mut acked, job.warm_up()).await?;
            let watch = Watch::start();
            publish_0(&client, &mut acked, job.messages).await?;
            watch.stop();
        }
        Work::Publish1 => {
            publish_1(&client, &mut acked, job.warm_up()).await?;
            let watch = Watch::start();
            publish_1(&client, &mut acked, job.messages).await?;
            watch.stop();
        }
        Work::RoundTrip => {
            publish_each(&client, &mut acked, job.warm_up(), None).await?;
            let mut watch = Watch::start();
            publish_each(&client, &mut acked, job.messages, Some(&mut watch)).await?;
            watch.stop();
        }
        Work::Receive => unreachable!("it has returned above"),
    }
    Ok(())
}

fn options(job: &Job) -> Result<MqttOptions, Box<dyn Error>> {
    let host = match job.carrier {
        Carrier::Ws => format!("ws://127.0.0.1:{}/mqtt", job.port),
        Carrier::Tcp | Carrier::Tls => "127.0.0.1".into(),
    };
    let mut options = MqttOptions::new("bench", host, job.port);
    options.set_inflight(WINDOW).set_transport(match (&job.authority, job.carrier) {
        (_, Carrier::Ws) => Transport::Ws,
        (Some(authority), Carrier::Tls) => Transport::tls_with_config(TlsConfiguration::Simple {
            ca: std::fs::read(authority)?,
            alpn: None,
            client_auth: None,
        }),
        _ => Transport::Tcp,
    });
    Ok(options)
}

/// Polls the client in a task, as its documentation says, and tells of every PUBACK.
fn poll(mut events: EventLoop) -> UnboundedReceiver<()> {
    let (tell, acked) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok(event) = events.poll().await {
            if matches!(event, Event::Incoming(Incoming::PubAck(_))) && tell.send(()).is_err() {
                break;
            }
        }
    });
    acked
}

async fn publish_0(
    client: &AsyncClient,
    acked: &mut UnboundedReceiver<()>,
    messages: u32,
) -> Result<(), Box<dyn Error>> {
    for _ in 0..messages {
        client.publish(TOPIC, QoS::AtMostOnce, false, PAYLOAD).await?;
    }
    client.publish(TOPIC, QoS::AtLeastOnce, false, PAYLOAD).await?;
    acked.recv().await.ok_or("the client ended")?;
    Ok(())
}

async fn publish_1(
    client: &AsyncClient,
    acked: &mut UnboundedReceiver<()>,
    messages: u32,
) -> Result<(), Box<dyn Error>> {
    for sent in 0..messages {
        if sent >= WINDOW.into() {
            acked.recv().await.ok_or("the client ended")?;
        }
        client.publish(TOPIC, QoS::AtLeastOnce, false, PAYLOAD).await?;
    }
    for _ in 0..messages.min(WINDOW.into()) {
        acked.recv().await.ok_or("the client ended")?;
    }
    Ok(())
}

async fn publish_each(
    client: &AsyncClient,
    acked: &mut UnboundedReceiver<()>,
    messages: u32,
    mut watch: Option<&mut Watch>,
) -> Result<(), Box<dyn Error>> {
    for _ in 0..messages {
        let sent = Instant::now();
        client.publish(TOPIC, QoS::AtLeastOnce, false, PAYLOAD).await?;
        acked.recv().await.ok_or("the client ended")?;
        if let Some(watch) = &mut watch {
            watch.round_trip(sent.elapsed());
        }
    }
    Ok(())
}

/// Without a task of its own: its events are the messages.
async fn receive(client: &AsyncClient, events: &mut EventLoop, messages: u32) -> Result<(), Box<dyn Error>> {
    let watch = Watch::start();
    client.subscribe(TOPIC, QoS::AtMostOnce).await?;
    println!("ready");
    let mut seen = 0;
    while seen < messages {
        if let Event::Incoming(Incoming::Publish(message)) = events.poll().await? {
            assert_eq!(message.payload.len(), PAYLOAD.len());
            seen += 1;
        }
    }
    watch.stop();
    Ok(())
}
