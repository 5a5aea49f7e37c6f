//! mqtt-endpoint-tokio, over TCP. It sends packet by packet and gives each received one; the program keeps the window.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use mqtt_endpoint_tokio::mqtt_ep::packet::v3_1_1::{Connect, Publish, Subscribe};
use mqtt_endpoint_tokio::mqtt_ep::packet::{Packet, Qos, SubEntry, SubOpts};
use mqtt_endpoint_tokio::mqtt_ep::transport::TcpTransport;
use mqtt_endpoint_tokio::mqtt_ep::{self, Mode, Version, role};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::job::{Job, PAYLOAD, TOPIC, WINDOW, Watch, Work};

type Endpoint = mqtt_ep::Endpoint<role::Client>;
type Done = Result<(), Box<dyn Error>>;

pub(crate) async fn run(job: &Job) -> Done {
    let endpoint = Arc::new(connect(job.port).await?);
    if job.work == Work::Receive {
        return receive(&endpoint, job.messages).await;
    }
    // As many as may be under way: each PUBACK makes room for another.
    let room = Arc::new(Semaphore::new(WINDOW.into()));
    let (reading, acked) = (Arc::clone(&endpoint), Arc::clone(&room));
    tokio::spawn(async move {
        while let Ok(packet) = reading.recv().await {
            acked.add_permits(usize::from(matches!(packet, Packet::V3_1_1Puback(_))));
        }
    });
    match job.work {
        Work::Publish0 => {
            publish_0(&endpoint, &room, job.warm_up()).await?;
            let watch = Watch::start();
            publish_0(&endpoint, &room, job.messages).await?;
            watch.stop();
        }
        Work::Publish1 => {
            publish_1(&endpoint, &room, job.warm_up()).await?;
            let watch = Watch::start();
            publish_1(&endpoint, &room, job.messages).await?;
            watch.stop();
        }
        Work::RoundTrip => {
            publish_each(&endpoint, &room, job.warm_up(), None).await?;
            let mut watch = Watch::start();
            publish_each(&endpoint, &room, job.messages, Some(&mut watch)).await?;
            watch.stop();
        }
        Work::Receive => unreachable!("it has returned above"),
    }
    Ok(())
}

async fn connect(port: u16) -> Result<Endpoint, Box<dyn Error>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let endpoint = Endpoint::new(Version::V3_1_1);
    endpoint.attach(TcpTransport::from_stream(stream), Mode::Client).await.map_err(debug)?;
    let connect =
        Connect::builder().client_id("bench").and_then(|builder| builder.clean_session(true).build());
    endpoint.send(connect.map_err(debug)?).await.map_err(debug)?;
    endpoint.recv().await.map_err(debug)?;
    Ok(endpoint)
}

/// Its errors are no [`Error`]s.
fn debug(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

async fn publish(endpoint: &Endpoint, qos: Qos) -> Done {
    let mut builder =
        Publish::builder().topic_name(TOPIC).map_err(debug)?.qos(qos).payload(PAYLOAD.as_slice());
    if qos != Qos::AtMostOnce {
        builder = builder.packet_id(endpoint.acquire_packet_id().await.map_err(debug)?);
    }
    endpoint.send(builder.build().map_err(debug)?).await.map_err(debug)?;
    Ok(())
}

async fn publish_0(endpoint: &Endpoint, room: &Semaphore, messages: u32) -> Done {
    for _ in 0..messages {
        publish(endpoint, Qos::AtMostOnce).await?;
    }
    publish_1(endpoint, room, 1).await
}

/// When all permits are back, everything is acknowledged.
async fn publish_1(endpoint: &Endpoint, room: &Semaphore, messages: u32) -> Done {
    for _ in 0..messages {
        room.acquire().await?.forget();
        publish(endpoint, Qos::AtLeastOnce).await?;
    }
    drop(room.acquire_many(WINDOW.into()).await?);
    Ok(())
}

async fn publish_each(
    endpoint: &Endpoint,
    room: &Semaphore,
    messages: u32,
    mut watch: Option<&mut Watch>,
) -> Done {
    for _ in 0..messages {
        let sent = Instant::now();
        publish_1(endpoint, room, 1).await?;
        if let Some(watch) = &mut watch {
            watch.round_trip(sent.elapsed());
        }
    }
    Ok(())
}

async fn receive(endpoint: &Endpoint, messages: u32) -> Done {
    let watch = Watch::start();
    let entry = SubEntry::new(TOPIC, SubOpts::new().set_qos(Qos::AtMostOnce)).map_err(debug)?;
    let packet_id = endpoint.acquire_packet_id().await.map_err(debug)?;
    let subscribe = Subscribe::builder().packet_id(packet_id).entries(vec![entry]).build().map_err(debug)?;
    endpoint.send(subscribe).await.map_err(debug)?;
    println!("ready");
    let mut seen = 0;
    while seen < messages {
        if let Packet::V3_1_1Publish(message) = endpoint.recv().await.map_err(debug)? {
            assert_eq!(message.payload().as_slice().len(), PAYLOAD.len());
            seen += 1;
        }
    }
    watch.stop();
    Ok(())
}
