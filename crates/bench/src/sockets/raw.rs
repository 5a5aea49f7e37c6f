//! The floor: a blocking socket, packets made beforehand, nothing checked.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use super::job::{Job, PAYLOAD, WINDOW, Watch, Work};
use super::sink::{packet, send, whole};

/// All of CONNECT but the client id.
const CONNECT: [u8; 14] = [0x10, 15, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, 3];

pub(crate) fn run(job: &Job) -> io::Result<()> {
    let mut stream = connect(job.port, b"raw")?;
    match job.work {
        Work::Publish0 => {
            publish(&mut stream, job.warm_up())?;
            let watch = Watch::start();
            publish(&mut stream, job.messages)?;
            watch.stop();
        }
        Work::Publish1 => {
            window(&mut stream, job.warm_up())?;
            let watch = Watch::start();
            window(&mut stream, job.messages)?;
            watch.stop();
        }
        Work::RoundTrip => {
            let packet = acked(1);
            for _ in 0..job.warm_up() {
                exchange(&mut stream, &packet, 1)?;
            }
            let mut watch = Watch::start();
            for _ in 0..job.messages {
                let sent = Instant::now();
                exchange(&mut stream, &packet, 1)?;
                watch.round_trip(sent.elapsed());
            }
            watch.stop();
        }
        Work::Receive => {
            let watch = Watch::start();
            stream.write_all(&[0x82, 6, 0, 1, 0, 1, b'#', 0])?;
            println!("ready");
            receive(&mut stream, job.messages)?;
            watch.stop();
        }
    }
    Ok(())
}

pub(crate) fn connect(port: u16, client_id: &[u8; 3]) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    stream.write_all(&[&CONNECT[..], client_id].concat())?;
    stream.read_exact(&mut [0; 4])?;
    Ok(stream)
}

fn publish(stream: &mut TcpStream, messages: u32) -> io::Result<()> {
    send(stream, messages)?;
    exchange(stream, &acked(1), 1)
}

/// One message at QoS 1.
fn acked(id: u16) -> Vec<u8> {
    let mut packet = packet();
    packet[0] |= 2;
    packet[1] += 2;
    let payload = packet.len() - PAYLOAD.len();
    packet.splice(payload..payload, id.to_be_bytes());
    packet
}

fn window(stream: &mut TcpStream, messages: u32) -> io::Result<()> {
    let packets: Vec<u8> = (1..=WINDOW).flat_map(acked).collect();
    for _ in 0..messages / u32::from(WINDOW) {
        exchange(stream, &packets, WINDOW.into())?;
    }
    Ok(())
}

/// Writes, and waits for so many answers.
fn exchange(stream: &mut TcpStream, packets: &[u8], answers: usize) -> io::Result<()> {
    let mut buffer = [0; 4 * WINDOW as usize];
    stream.write_all(packets)?;
    stream.read_exact(&mut buffer[..4 * answers])
}

fn receive(stream: &mut TcpStream, messages: u32) -> io::Result<()> {
    let mut buffer = vec![0; 256 * 1024];
    let (mut filled, mut seen) = (0, 0);
    while seen < messages {
        let read = stream.read(&mut buffer[filled..])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += read;
        let mut at = 0;
        while let Some(packet) = whole(&buffer[at..filled]) {
            at += packet.header + packet.body;
            seen += u32::from(packet.first >> 4 == 3);
        }
        buffer.copy_within(at..filled, 0);
        filled -= at;
    }
    Ok(())
}
