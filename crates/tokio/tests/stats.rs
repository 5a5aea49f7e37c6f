//! Counters, the round-trip time, and the form for Prometheus.

mod common;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use common::{CONNACK, Raw, connect, emulator, next, options, packet, publish, tcp, until, within, ws};
use mqtt_p2p_emulator::Quirks;
use mqtt_p2p_tokio::{Client, QoS, Stats};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Sends one packet, and says how long it is.
async fn send(stream: &mut TcpStream, packet: &[u8]) -> u64 {
    stream.write_all(packet).await.unwrap();
    packet.len() as u64
}

#[tokio::test]
async fn what_goes_over_the_socket_is_counted_to_the_byte() {
    let raw = Raw::start().await;
    let (client, mut messages) = Client::start(raw.options());
    let mut stream = raw.accept().await;
    let mut sent = packet(&mut stream).await.len() as u64;
    let mut received = send(&mut stream, &CONNACK).await;
    for (times, qos) in [(3, QoS::AtMostOnce), (2, QoS::AtLeastOnce), (1, QoS::ExactlyOnce)] {
        for _ in 0..times {
            drop(client.publish("t", "xyz", qos).await.unwrap());
            sent += packet(&mut stream).await.len() as u64;
        }
    }
    until("they are in flight", || client.stats().in_flight == 3).await;
    let stats = client.stats();
    assert_eq!((stats.queued, stats.queued_bytes), (3, 3 * 4));
    for answer in [[0x40, 2, 0, 4], [0x40, 2, 0, 5], [0x50, 2, 0, 6], [0x40, 2, 0, 99]] {
        received += send(&mut stream, &answer).await;
    }
    sent += packet(&mut stream).await.len() as u64;
    received += send(&mut stream, &[0x70, 2, 0, 6]).await;
    // QoS 2 comes twice, and is delivered once.
    for message in [&publish(b"0")[..], &[0x32, 5, 0, 1, b't', 0, 1], &[0x34, 5, 0, 1, b't', 0, 1]] {
        received += send(&mut stream, message).await;
        next(&mut messages).await;
    }
    received += send(&mut stream, &[0x3c, 5, 0, 1, b't', 0, 1]).await;
    for _ in 0..3 {
        sent += packet(&mut stream).await.len() as u64;
    }
    until("all is read", || client.stats().bytes_received == received).await;
    let stats = client.stats();
    assert!(stats.connected);
    assert_eq!((stats.bytes_sent, stats.bytes_received), (sent, received));
    assert_eq!((stats.packets_sent, stats.packets_received), (11, 10));
    assert_eq!((stats.messages_sent, stats.messages_received), ([3, 2, 1], [1, 1, 2]));
    assert_eq!((stats.duplicates, stats.unexpected_acks, stats.resends), (1, 1, 0));
    assert_eq!((stats.in_flight, stats.queued, stats.queued_bytes), (0, 0, 0));
    assert_eq!((stats.connections, stats.reconnects), (1, 0));
}

#[tokio::test]
async fn what_is_sent_again_after_a_reconnect_is_counted() {
    let raw = Raw::start().await;
    let (client, _messages) = Client::start(raw.options());
    let mut stream = raw.log_in().await;
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        drop(client.publish("t", "", qos).await.unwrap());
        packet(&mut stream).await;
    }
    drop(stream);
    let mut stream = raw.log_in().await;
    for _ in 0..2 {
        packet(&mut stream).await;
    }
    let stats = client.stats();
    assert_eq!((stats.resends, stats.connections, stats.reconnects), (2, 2, 1));
    assert_eq!((stats.messages_sent, stats.queued), ([1, 2, 2], 2));
    within("close", client.clone().close()).await;
    let stats = client.stats();
    assert_eq!((stats.connected, stats.queued, stats.queued_bytes), (false, 0, 0));
}

#[tokio::test]
async fn over_websocket_the_same_bytes_count() {
    let server = emulator(Quirks::standard()).await;
    let mut all = Vec::new();
    for endpoint in [tcp(&server), ws(&server)] {
        let (client, mut messages) = connect(options(endpoint, "1")).await;
        client.subscribe("n", QoS::ExactlyOnce).await.unwrap();
        within("PUBCOMP", client.publish("n", "x", QoS::ExactlyOnce).await.unwrap()).await.unwrap();
        next(&mut messages).await;
        until("the end of the handshake", || client.stats().packets_sent == 6).await;
        within("close", client.clone().close()).await;
        let stats = client.stats();
        assert!(stats.round_trip.is_some());
        all.push(
            Stats::to_prometheus(&stats, &[]).lines().filter(|line| !line.contains("round_trip")).count(),
        );
        all.push(stats.bytes_sent as usize);
        all.push(stats.bytes_received as usize);
    }
    assert_eq!(all[..3], all[3..]);
}

#[tokio::test]
async fn the_round_trip_time_is_that_of_an_answer_that_the_server_delayed() {
    const DELAY: Duration = Duration::from_millis(30);
    let raw = Raw::start().await;
    let mut pinging = raw.options();
    pinging.config.keep_alive_secs = 1;
    let (client, _messages) = Client::start(pinging);
    let mut stream = raw.log_in().await;
    // Ping and answer.
    assert_eq!(packet(&mut stream).await, [0xc0, 0]);
    assert_eq!(client.stats().round_trip, None);
    tokio::time::sleep(DELAY).await;
    stream.write_all(&[0xd0, 0]).await.unwrap();
    until("a measure", || client.stats().round_trip.is_some()).await;
    let ping = client.stats();
    assert!(ping.round_trip >= Some(DELAY), "{ping:?}");
    assert_eq!(ping.round_trip, ping.round_trip_smoothed);
    // Of two publications it is the first that counts; an answer to the second alone ends nothing.
    for _ in 0..2 {
        drop(client.publish("t", "", QoS::AtLeastOnce).await.unwrap());
        packet(&mut stream).await;
    }
    stream.write_all(&[0x40, 2, 0, 2]).await.unwrap();
    until("the second's end", || client.stats().in_flight == 1).await;
    assert_eq!(client.stats().round_trip, ping.round_trip);
    tokio::time::sleep(2 * DELAY).await;
    stream.write_all(&[0x40, 2, 0, 1]).await.unwrap();
    until("a measure", || client.stats().round_trip != ping.round_trip).await;
    let both = client.stats();
    assert!(both.round_trip >= Some(2 * DELAY), "{both:?}");
    let (Some(before), Some(last)) = (ping.round_trip, both.round_trip) else { panic!("{both:?}") };
    assert_eq!(both.round_trip_smoothed, Some((before * 7 + last) / 8));
    // SUBSCRIBE and SUBACK.
    let subscribing = tokio::spawn(async move {
        client.subscribe("t", QoS::AtMostOnce).await.unwrap();
        client
    });
    packet(&mut stream).await;
    tokio::time::sleep(4 * DELAY).await;
    stream.write_all(&[0x90, 3, 0, 3, 0]).await.unwrap();
    let client = within("SUBACK", subscribing).await.unwrap();
    assert!(client.stats().round_trip >= Some(4 * DELAY), "{:?}", client.stats());
}

#[tokio::test]
async fn a_reader_that_sleeps_does_not_count_as_a_slow_server() {
    let raw = Raw::start().await;
    let mut small = raw.options();
    small.stream_capacity = 1;
    let (client, mut messages) = Client::start(small);
    let mut stream = raw.log_in().await;
    until("the connection", || client.is_connected()).await;
    drop(client.publish("t", "", QoS::AtLeastOnce).await.unwrap());
    packet(&mut stream).await;
    stream.write_all(&[&publish(b"0")[..], &publish(b"1"), &[0x40, 2, 0, 1]].concat()).await.unwrap();
    until("the reading stops", || client.stats().held).await;
    for _ in 0..2 {
        next(&mut messages).await;
    }
    until("PUBACK", || client.stats().in_flight == 0).await;
    assert_eq!(client.stats().round_trip, None);
}

/// Reads the text format 0.0.4 as strictly as it is described: the samples by name and labels, and their families.
fn parse(text: &str) -> HashMap<(String, Vec<(String, String)>), f64> {
    let (mut samples, mut families) = (HashMap::new(), HashSet::new());
    let mut family = String::new();
    let mut lines = text.lines().peekable();
    assert!(text.ends_with('\n'));
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split_once(' ').unwrap().0.into();
            assert!(families.insert(family.clone()), "{family} comes twice");
            let kind = lines.next().unwrap().strip_prefix(&format!("# TYPE {family} ")).unwrap();
            assert_eq!(family.ends_with("_total"), kind == "counter", "{family}");
            assert!(["counter", "gauge"].contains(&kind));
            continue;
        }
        let (name, mut rest) = line.split_at(line.find(['{', ' ']).unwrap());
        assert_eq!(name, family);
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        let mut labels = Vec::new();
        while let Some(label) = rest.strip_prefix(['{', ',']) {
            let (name, value) = label.split_once("=\"").unwrap();
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{name}");
            assert!(!name.starts_with(|c: char| c.is_ascii_digit()));
            let (mut text, mut chars) = (String::new(), value.char_indices());
            let end = loop {
                match chars.next().unwrap() {
                    (at, '"') => break at + 1,
                    (_, '\\') => text.push(match chars.next().unwrap().1 {
                        'n' => '\n',
                        c @ ('\\' | '"') => c,
                        other => panic!("\\{other}"),
                    }),
                    (_, c) => text.push(c),
                }
            };
            labels.push((name.into(), text));
            rest = &value[end..];
        }
        let value = rest.strip_prefix('}').unwrap_or(rest).strip_prefix(' ').unwrap();
        let before = samples.insert((name.into(), labels), value.parse().unwrap());
        assert_eq!(before, None, "{line} comes twice");
    }
    samples
}

#[tokio::test]
async fn the_prometheus_text_says_what_the_counters_say() {
    let server = emulator(Quirks::standard()).await;
    let (client, mut messages) = connect(options(tcp(&server), "1")).await;
    client.subscribe("n", QoS::AtLeastOnce).await.unwrap();
    for _ in 0..3 {
        within("PUBACK", client.publish("n", "x", QoS::AtLeastOnce).await.unwrap()).await.unwrap();
        next(&mut messages).await;
    }
    until("all is acknowledged", || client.stats().packets_sent == 8).await;
    let stats = client.stats();
    // A label's value may be anything.
    let odd = "a\"b\\c\nd 温度 {x=\"1\"}, ";
    let samples = parse(&stats.to_prometheus(&[("client", odd), ("0 bad-name", "")]));
    let value = |name: &str, own: &[(&str, &str)]| {
        let labels = [("client", odd), ("_0_bad_name", "")].into_iter().chain(own.iter().copied());
        let labels: Vec<_> = labels.map(|(name, text)| (name.into(), text.into())).collect();
        samples[&(format!("mqtt_p2p_{name}"), labels)]
    };
    let (sent, received) = (("direction", "sent"), ("direction", "received"));
    assert_eq!(value("connected", &[]), 1.0);
    assert_eq!(value("connections_total", &[]), 1.0);
    assert_eq!(value("bytes_total", &[sent]), stats.bytes_sent as f64);
    assert_eq!(value("bytes_total", &[received]), stats.bytes_received as f64);
    assert_eq!(value("packets_total", &[sent]), 8.0);
    assert_eq!(value("messages_total", &[sent, ("qos", "1")]), 3.0);
    assert_eq!(value("messages_total", &[received, ("qos", "1")]), 3.0);
    assert_eq!(value("messages_total", &[received, ("qos", "2")]), 0.0);
    assert_eq!(value("round_trip_seconds", &[]), stats.round_trip.unwrap().as_secs_f64());
    for gauge in ["in_flight", "queued_requests", "queued_bytes", "held"] {
        assert_eq!(value(gauge, &[]), 0.0);
    }
    assert_eq!(samples.len(), parse(&stats.to_string()).len());
    assert_eq!(stats.to_string(), stats.to_prometheus(&[]));
    assert!(parse(&Stats::default().to_string()).len() < samples.len(), "what was not measured is not there");
}
