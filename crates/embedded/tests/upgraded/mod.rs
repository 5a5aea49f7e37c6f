//! The emulator behind a server for WebSocket, which is another library's.
#![allow(dead_code, reason = "each test needs some of it")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;

use embedded_io::{Error as _, ErrorKind, ErrorType};
use mqtt_p2p_embedded::{Dial, Instant, TransportError, blocking};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

/// The lengths of the messages that the server was sent.
pub(crate) type Lengths = Rc<RefCell<Vec<usize>>>;

/// Dials another dialer, and lets its other end speak WebSocket.
pub(crate) struct Upgraded<D>(pub(crate) D, pub(crate) Lengths);

/// A connection whose other end speaks WebSocket.
pub(crate) struct Pipe<P> {
    inner: P,
    /// The request for the upgrade, as far as it has come.
    request: Vec<u8>,
    server: Option<WebSocket<Wire>>,
    /// What the client is to read.
    out: Rc<RefCell<VecDeque<u8>>>,
    lengths: Lengths,
}

/// The server's end.
struct Wire {
    from_client: VecDeque<u8>,
    to_client: Rc<RefCell<VecDeque<u8>>>,
}

impl io::Read for Wire {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self.from_client.read(room)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            len => Ok(len),
        }
    }
}

impl io::Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to_client.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<P> Pipe<P> {
    fn new(inner: P, lengths: &Lengths) -> Self {
        Self { inner, request: Vec::new(), server: None, out: Rc::default(), lengths: Rc::clone(lengths) }
    }

    /// Answers the request when it is whole.
    fn upgrade(&mut self, bytes: &[u8]) {
        self.request.extend(bytes);
        let Some(text) = std::str::from_utf8(&self.request).ok().filter(|text| text.ends_with("\r\n\r\n"))
        else {
            return;
        };
        let key = text.split("\r\nSec-WebSocket-Key: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
            derive_accept_key(key.expect("it has a key").as_bytes())
        );
        self.out.borrow_mut().extend(answer.as_bytes());
        let wire = Wire { from_client: VecDeque::new(), to_client: Rc::clone(&self.out) };
        self.server = Some(WebSocket::from_raw_socket(wire, Role::Server, None));
    }

    fn give(&self, room: &mut [u8]) -> usize {
        io::Read::read(&mut *self.out.borrow_mut(), room).expect("memory")
    }

    /// The emulator says this.
    fn say(&mut self, bytes: &[u8]) {
        let server = self.server.as_mut().expect("nobody speaks before the upgrade");
        server.send(Message::Binary(bytes.to_vec().into())).expect("the client has not closed");
    }
}

impl<P: embedded_io::Write> Pipe<P> {
    fn take(&mut self, bytes: &[u8]) -> Result<(), P::Error> {
        let Some(server) = &mut self.server else {
            self.upgrade(bytes);
            return Ok(());
        };
        server.get_mut().from_client.extend(bytes);
        while let Ok(message) = server.read() {
            let Message::Binary(packet) = message else { panic!("{message:?}") };
            self.lengths.borrow_mut().push(packet.len());
            self.inner.write_all(&packet)?;
        }
        Ok(())
    }
}

impl<D: Dial> Dial for Upgraded<D>
where
    for<'c> D::Connection<'c>: embedded_io::Write,
{
    type Connection<'c>
        = Pipe<D::Connection<'c>>
    where
        Self: 'c;

    async fn dial(&mut self) -> Result<Self::Connection<'_>, TransportError> {
        Ok(Pipe::new(self.0.dial().await?, &self.1))
    }
}

impl<D: blocking::Dial> blocking::Dial for Upgraded<D> {
    type Connection<'c>
        = Pipe<D::Connection<'c>>
    where
        Self: 'c;

    fn dial(&mut self, deadline: Instant) -> Result<Self::Connection<'_>, TransportError> {
        Ok(Pipe::new(self.0.dial(deadline)?, &self.1))
    }
}

impl<P> ErrorType for Pipe<P> {
    type Error = ErrorKind;
}

impl<P: embedded_io_async::Read> embedded_io_async::Read for Pipe<P> {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        if self.out.borrow().is_empty() {
            let mut bytes = [0; 100];
            match self.inner.read(&mut bytes).await.map_err(|error| error.kind())? {
                0 => return Ok(0),
                len => self.say(&bytes[..len]),
            }
        }
        Ok(self.give(room))
    }
}

impl<P: embedded_io::Write> embedded_io_async::Write for Pipe<P> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        embedded_io::Write::write(self, bytes)
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl<P: embedded_io::Read> embedded_io::Read for Pipe<P> {
    fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        if self.out.borrow().is_empty() {
            let mut bytes = [0; 100];
            match self.inner.read(&mut bytes).map_err(|error| error.kind())? {
                0 => return Ok(0),
                len => self.say(&bytes[..len]),
            }
        }
        Ok(self.give(room))
    }
}

impl<P: embedded_io::Write> embedded_io::Write for Pipe<P> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        self.take(bytes).map_err(|error| error.kind())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl<P: embedded_io::ReadReady> embedded_io::ReadReady for Pipe<P> {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(!self.out.borrow().is_empty() || self.inner.read_ready().map_err(|error| error.kind())?)
    }
}

impl<P: embedded_io::WriteReady> embedded_io::WriteReady for Pipe<P> {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        self.inner.write_ready().map_err(|error| error.kind())
    }
}
