//! One TCP socket of smoltcp's as a transport for the blocking driver, and the loop's idle moments, which drive it.

use core::cell::RefCell;
use core::net::SocketAddrV4;

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use firmware_mps2::clock;
use mqtt_p2p_embedded::blocking::{Dial, Idle};
use mqtt_p2p_embedded::{Clock, Instant, TransportError};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::socket::tcp::{RecvError, Socket, State};
use smoltcp::time::Instant as NetworkInstant;
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Address};

use crate::ethernet::Ethernet;

/// As QEMU's user network has it.
const ADDRESS: Ipv4Address = Ipv4Address::new(10, 0, 2, 15);
const ROUTER: Ipv4Address = Ipv4Address::new(10, 0, 2, 2);

/// The network, which the socket, the dialer and the idle loop share.
pub(crate) struct Network<'a>(RefCell<Stack<'a>>);

struct Stack<'a> {
    device: Ethernet,
    interface: Interface,
    sockets: SocketSet<'a>,
    socket: SocketHandle,
    local_port: u16,
}

impl<'a> Network<'a> {
    /// A network with this socket in it.
    pub(crate) fn new(
        mut device: Ethernet,
        mac: [u8; 6],
        mut sockets: SocketSet<'a>,
        mut socket: Socket<'a>,
    ) -> Self {
        let mut config = Config::new(EthernetAddress(mac).into());
        config.random_seed = 0x5eed;
        let mut interface = Interface::new(config, &mut device, now());
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::new(ADDRESS.into(), 24)).expect("room for one address");
        });
        interface.routes_mut().add_default_ipv4_route(ROUTER).expect("room for one route");
        // Small packets must not wait for others.
        socket.set_nagle_enabled(false);
        socket.set_ack_delay(None);
        let socket = sockets.add(socket);
        Self(RefCell::new(Stack { device, interface, sockets, socket, local_port: 49_152 }))
    }

    /// Lets the stack work, and then looks at the socket.
    fn with<R>(&self, look: impl FnOnce(&mut Socket<'a>) -> R) -> R {
        let mut stack = self.0.borrow_mut();
        stack.poll();
        let socket = stack.socket;
        look(stack.sockets.get_mut(socket))
    }
}

impl Stack<'_> {
    fn poll(&mut self) {
        self.interface.poll(now(), &mut self.device, &mut self.sockets);
    }

    fn connect(&mut self, server: SocketAddrV4) -> bool {
        // What is left of an earlier connection is reset.
        self.sockets.get_mut::<Socket<'_>>(self.socket).abort();
        self.poll();
        self.local_port = self.local_port.checked_add(1).unwrap_or(49_152);
        let server = (*server.ip(), server.port());
        let socket = self.sockets.get_mut::<Socket<'_>>(self.socket);
        socket.connect(self.interface.context(), server, self.local_port).is_ok()
    }
}

fn now() -> NetworkInstant {
    NetworkInstant::from_millis(clock::millis() as i64)
}

impl Clock for Network<'_> {
    fn now(&self) -> Instant {
        Instant::from_millis(clock::millis())
    }
}

impl Idle for Network<'_> {
    fn idle(&self) {
        self.0.borrow_mut().poll();
        // Until the next millisecond.
        cortex_m::asm::wfi();
        self.0.borrow_mut().poll();
    }
}

/// Connects the socket.
pub(crate) struct Dialer<'n, 'a> {
    pub(crate) network: &'n Network<'a>,
    pub(crate) server: SocketAddrV4,
}

impl<'n, 'a> Dial for Dialer<'n, 'a> {
    type Connection<'c>
        = Connection<'n, 'a>
    where
        Self: 'c;

    fn dial<'c>(&'c mut self, deadline: Instant) -> Result<Connection<'n, 'a>, TransportError> {
        let network = self.network;
        if !network.0.borrow_mut().connect(self.server) {
            return Err(TransportError::Unreachable);
        }
        // From here on, to leave is to close.
        let connection = Connection(network);
        loop {
            match network.with(|socket| socket.state()) {
                State::SynSent | State::SynReceived if network.now() < deadline => network.idle(),
                State::SynSent | State::SynReceived => return Err(TransportError::Unreachable),
                State::Closed => return Err(TransportError::ConnectionRefused),
                _ => return Ok(connection),
            }
        }
    }
}

/// The socket while it is connected.
pub(crate) struct Connection<'n, 'a>(&'n Network<'a>);

impl Drop for Connection<'_, '_> {
    fn drop(&mut self) {
        self.0.with(|socket| socket.close());
        self.0.0.borrow_mut().poll();
    }
}

impl ErrorType for Connection<'_, '_> {
    type Error = ErrorKind;
}

impl ReadReady for Connection<'_, '_> {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        // At its end, reading says so.
        Ok(self.0.with(|socket| socket.can_recv() || !socket.may_recv()))
    }
}

impl Read for Connection<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        self.0.with(|socket| match socket.recv_slice(buffer) {
            Ok(0) => Err(ErrorKind::TimedOut),
            Ok(len) => Ok(len),
            Err(RecvError::Finished) => Ok(0),
            Err(RecvError::InvalidState) => Err(ErrorKind::ConnectionReset),
        })
    }
}

impl WriteReady for Connection<'_, '_> {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.0.with(|socket| socket.can_send() || !socket.may_send()))
    }
}

impl Write for Connection<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let written = self.0.with(|socket| match socket.send_slice(bytes) {
            Ok(0) => Err(ErrorKind::TimedOut),
            Ok(len) => Ok(len),
            Err(_) => Err(ErrorKind::ConnectionReset),
        });
        self.0.0.borrow_mut().poll();
        written
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        self.0.with(|socket| match socket.send_queue() {
            0 => Ok(()),
            _ if socket.may_send() => Err(ErrorKind::TimedOut),
            _ => Err(ErrorKind::ConnectionReset),
        })
    }
}
