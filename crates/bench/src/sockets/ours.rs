//! Our client on tokio.

use std::collections::VecDeque;
use std::error::Error;
use std::time::Instant;

use mqtt_p2p_tokio::{Client, Delivery, Endpoint, Options, QoS, Tls};

use super::job::{Carrier, Job, PAYLOAD, TOPIC, WINDOW, Watch, Work};

pub(crate) async fn run(job: &Job) -> Result<(), Box<dyn Error>> {
    let (client, mut messages) = Client::connect(options(job)?).await?;
    if let Some(count) = job.at_once {
        publish_at_once(&client, job, count, job.warm_up()).await?;
        let watch = Watch::start();
        publish_at_once(&client, job, count, job.messages).await?;
        watch.stop();
        return Ok(());
    }
    match job.work {
        Work::Publish0 => {
            publish_0(&client, job.warm_up()).await?;
            let watch = Watch::start();
            publish_0(&client, job.messages).await?;
            watch.stop();
        }
        Work::Publish1 => {
            publish_1(&client, job.warm_up()).await?;
            let watch = Watch::start();
            publish_1(&client, job.messages).await?;
            watch.stop();
        }
        Work::RoundTrip => {
            publish_each(&client, job.warm_up(), None).await?;
            let mut watch = Watch::start();
            publish_each(&client, job.messages, Some(&mut watch)).await?;
            watch.stop();
        }
        Work::Receive => {
            let watch = Watch::start();
            client.subscribe(TOPIC, QoS::AtMostOnce).await?;
            println!("ready");
            for _ in 0..job.messages {
                let message = messages.recv().await.ok_or("the client ended")?;
                assert_eq!(message.payload().len(), PAYLOAD.len());
            }
            watch.stop();
        }
    }
    Ok(())
}

fn options(job: &Job) -> Result<Options, Box<dyn Error>> {
    let endpoint = match job.carrier {
        Carrier::Tcp => Endpoint::tcp("127.0.0.1", job.port),
        Carrier::Tls => Endpoint::tls("127.0.0.1", job.port),
        Carrier::Ws => format!("ws://127.0.0.1:{}/mqtt", job.port).parse()?,
    };
    let mut options = Options::new(endpoint, "bench");
    options.config.max_in_flight = WINDOW;
    if let Some(authority) = &job.authority {
        options = options.tls(Tls::new().ca_file(authority)?);
    }
    Ok(options)
}

async fn publish_0(client: &Client, messages: u32) -> Result<(), Box<dyn Error>> {
    for _ in 0..messages {
        // Nobody waits for it to be sent.
        drop(client.publish(TOPIC, PAYLOAD, QoS::AtMostOnce).await?);
    }
    client.publish(TOPIC, PAYLOAD, QoS::AtLeastOnce).await?.await?;
    Ok(())
}

async fn publish_at_once(
    client: &Client,
    job: &Job,
    count: u32,
    messages: u32,
) -> Result<(), Box<dyn Error>> {
    let qos = if job.work == Work::Publish1 { QoS::AtLeastOnce } else { QoS::AtMostOnce };
    let mut under_way = Vec::with_capacity(count as usize);
    for _ in 0..messages / count {
        for _ in 0..count {
            let delivery = client.publish(TOPIC, PAYLOAD, qos).await?;
            if job.awaited {
                under_way.push(delivery);
            }
        }
        if job.awaited {
            for delivery in under_way.drain(..) {
                delivery.await?;
            }
        } else {
            // The driver, which is the only other task, sends them.
            tokio::task::yield_now().await;
        }
    }
    client.publish(TOPIC, PAYLOAD, QoS::AtLeastOnce).await?.await?;
    Ok(())
}

async fn publish_1(client: &Client, messages: u32) -> Result<(), Box<dyn Error>> {
    let mut under_way = VecDeque::<Delivery>::with_capacity(WINDOW.into());
    for _ in 0..messages {
        if under_way.len() == usize::from(WINDOW)
            && let Some(oldest) = under_way.pop_front()
        {
            oldest.await?;
        }
        under_way.push_back(client.publish(TOPIC, PAYLOAD, QoS::AtLeastOnce).await?);
    }
    for delivery in under_way {
        delivery.await?;
    }
    Ok(())
}

async fn publish_each(
    client: &Client,
    messages: u32,
    mut watch: Option<&mut Watch>,
) -> Result<(), Box<dyn Error>> {
    for _ in 0..messages {
        let sent = Instant::now();
        client.publish(TOPIC, PAYLOAD, QoS::AtLeastOnce).await?.await?;
        if let Some(watch) = &mut watch {
            watch.round_trip(sent.elapsed());
        }
    }
    Ok(())
}
