//! A server that does as little as there is: it answers CONNECT, QoS 1, SUBSCRIBE and PINGREQ, and sends a flood to who
//! subscribes. One thread for each connection, which reads and writes as much at a time as there is.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use clap::Args;
use mqtt_p2p_packet::{Publish, TopicName};
use mqtt_p2p_tokio::rustls::pki_types::pem::PemObject;
use mqtt_p2p_tokio::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use mqtt_p2p_tokio::rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring};
use tokio_tungstenite::tungstenite::{self, WebSocket, handshake::server};

use super::job::{Carrier, PAYLOAD, TOPIC};

/// So much is read and written at once.
const CHUNK: usize = 256 * 1024;

#[derive(Clone, Debug, Args)]
pub(crate) struct Sink {
    #[arg(long, default_value = "tcp")]
    pub(crate) carrier: Carrier,
    /// How many messages who subscribes is sent.
    #[arg(long, default_value_t = 0)]
    pub(crate) flood: u32,
    /// Of the certificate and its key, PEM files.
    #[arg(long, num_args = 2)]
    pub(crate) certificate: Vec<String>,
}

/// Serves for ever, and says first at which port.
pub(crate) fn run(sink: &Sink) -> io::Result<()> {
    let tls = match sink.certificate.as_slice() {
        [certificate, key] => Some(Arc::new(tls(certificate, key)?)),
        _ => None,
    };
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    loop {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        let (sink, tls) = (sink.clone(), tls.clone());
        // Ten thousand of them must have room.
        thread::Builder::new().stack_size(128 * 1024).spawn(move || serve(stream, &sink, tls))?;
    }
}

fn serve(stream: TcpStream, sink: &Sink, tls: Option<Arc<ServerConfig>>) -> io::Result<()> {
    match sink.carrier {
        Carrier::Tcp => answer(stream, sink.flood),
        Carrier::Tls => {
            let config = tls.ok_or(io::ErrorKind::InvalidInput)?;
            let connection = ServerConnection::new(config).map_err(io::Error::other)?;
            answer(StreamOwned::new(connection, stream), sink.flood)
        }
        Carrier::Ws => {
            #[expect(clippy::result_large_err, reason = "the library's own type")]
            let name_protocol = |_: &server::Request, mut response: server::Response| {
                response.headers_mut().insert("sec-websocket-protocol", "mqtt".parse().expect("a header"));
                Ok(response)
            };
            let accepted = tungstenite::accept_hdr(stream, name_protocol).map_err(io::Error::other)?;
            answer(Messages { stream: accepted, rest: tungstenite::Bytes::new() }, sink.flood)
        }
    }
}

fn answer(mut stream: impl Read + Write, flood: u32) -> io::Result<()> {
    // Grows when a read fills it, so that idle connections cost little.
    let mut buffer = vec![0; 4096];
    let (mut filled, mut answers) = (0, Vec::new());
    loop {
        let read = stream.read(&mut buffer[filled..])?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        let (mut at, mut floods) = (0, false);
        answers.clear();
        while let Some(packet) = whole(&buffer[at..filled]) {
            let start = at;
            at += packet.header + packet.body;
            let body = &buffer[start + packet.header..at];
            match packet.first >> 4 {
                1 => answers.extend([0x20, 2, 0, 0]),
                3 if packet.first & 6 != 0 => {
                    let id = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
                    answers.extend([0x40, 2, body[id], body[id + 1]]);
                }
                8 => {
                    answers.extend([0x90, 3, body[0], body[1], body[body.len() - 1]]);
                    floods = flood > 0;
                }
                10 => answers.extend([0xb0, 2, body[0], body[1]]),
                12 => answers.extend([0xd0, 0]),
                14 => return Ok(()),
                _ => {}
            }
        }
        buffer.copy_within(at..filled, 0);
        filled -= at;
        if read + filled + at >= buffer.len() && buffer.len() < CHUNK {
            buffer.resize(CHUNK, 0);
        }
        if !answers.is_empty() {
            stream.write_all(&answers)?;
            stream.flush()?;
        }
        if floods {
            send(&mut stream, flood)?;
        }
    }
}

/// Sends so many messages.
pub(crate) fn send(stream: &mut impl Write, mut messages: u32) -> io::Result<()> {
    let packet = packet();
    let many = packet.repeat(CHUNK / packet.len());
    while messages > 0 {
        let now = (CHUNK / packet.len()).min(messages as usize);
        stream.write_all(&many[..now * packet.len()])?;
        messages -= now as u32;
    }
    stream.flush()
}

/// One message at QoS 0.
pub(crate) fn packet() -> Vec<u8> {
    let publish = Publish::new(TopicName::new(TOPIC).expect("a topic name"), &PAYLOAD);
    let mut buffer = vec![0; 256];
    let len = publish.encode(&mut buffer).expect("room");
    buffer.truncate(len);
    buffer
}

/// A packet's first byte, and the lengths of its parts.
pub(crate) struct Whole {
    pub(crate) first: u8,
    pub(crate) header: usize,
    pub(crate) body: usize,
}

/// The packet that the bytes begin with, if all of it is there. Checks nothing.
#[inline]
pub(crate) fn whole(bytes: &[u8]) -> Option<Whole> {
    let (first, rest) = bytes.split_first()?;
    let mut body = 0;
    for (index, byte) in rest.iter().take(4).enumerate() {
        body |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let header = index + 2;
            return (bytes.len() >= header + body).then_some(Whole { first: *first, header, body });
        }
    }
    None
}

fn tls(certificate: &str, key: &str) -> io::Result<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(certificate).map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(io::Error::other)?;
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate], key))
        .map_err(io::Error::other)
}

/// The bytes of WebSocket messages: one packet is one message, as it is with the service.
struct Messages {
    stream: WebSocket<TcpStream>,
    rest: tungstenite::Bytes,
}

impl Read for Messages {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.stream.read() {
                Ok(message) if message.is_binary() => self.rest = message.into_data(),
                Ok(_) => {}
                Err(tungstenite::Error::Io(error)) => return Err(error),
                Err(_) => return Ok(0),
            }
        }
        let len = buffer.len().min(self.rest.len());
        buffer[..len].copy_from_slice(&self.rest.split_to(len));
        Ok(len)
    }
}

impl Write for Messages {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let packet = whole(bytes).ok_or(io::ErrorKind::InvalidInput)?;
        let len = packet.header + packet.body;
        let message = tungstenite::Message::binary(bytes[..len].to_vec());
        self.stream.write(message).map_err(io::Error::other)?;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush().map_err(io::Error::other)
    }
}
