//! `mqtt-p2p-embedded`: the drivers, over a network of which nothing is known.

use core::future::{Future, poll_fn};
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embedded_io::{ErrorKind, ErrorType, ReadReady, WriteReady};
use embedded_nal_async::{AddrType, Dns, TcpConnect};
use embedded_storage_async::nor_flash::{self, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};
use mqtt_p2p_embedded::blocking::{self, Idle, WithTimeouts};
use mqtt_p2p_embedded::flash::SavedSession;
use mqtt_p2p_embedded::{
    AliyunLogin, Clock, Config, Driver, Inline, Instant, Port, Publication, QoS, Shared, SignedLogin, Status,
    TcpDialer, Timer, TopicFilter, WebSocketDialer,
};
use mqtt_p2p_websocket::Request;

use crate::aliyun::any_credentials;
use crate::packet::topic_name;
use crate::{any, buffer, bytes, take, text};

pub fn all() {
    asynchronous();
    sharing();
    blocking();
    saving();
    idle();
}

/// Polls until it is ready, or until anybody has enough of it.
fn run<F: Future>(future: F) {
    let mut future = pin!(future);
    while future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        if any(false) {
            return;
        }
    }
}

/// Ready at some time.
async fn soon<T>(mut value: impl FnMut() -> T) -> T {
    poll_fn(|_| if any(false) { Poll::Ready(value()) } else { Poll::Pending }).await
}

#[derive(Clone, Copy, Debug)]
struct Net;

fn done() -> Result<usize, ErrorKind> {
    any(Ok(0))
}

impl ErrorType for Net {
    type Error = ErrorKind;
}

impl embedded_io_async::Read for Net {
    async fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        take(room);
        soon(done).await
    }
}

impl embedded_io_async::Write for Net {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        take(bytes);
        soon(done).await
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        soon(|| any(Ok(()))).await
    }
}

impl embedded_io::Read for Net {
    fn read(&mut self, room: &mut [u8]) -> Result<usize, ErrorKind> {
        take(room);
        done()
    }
}

impl embedded_io::Write for Net {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        take(bytes);
        done()
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        any(Ok(()))
    }
}

impl ReadReady for Net {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        any(Ok(false))
    }
}

impl WriteReady for Net {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        any(Ok(false))
    }
}

impl TcpConnect for Net {
    type Error = ErrorKind;
    type Connection<'a> = Net;

    async fn connect(&self, remote: SocketAddr) -> Result<Net, ErrorKind> {
        take(remote);
        soon(|| any(Ok(Net))).await
    }
}

impl Dns for Net {
    type Error = ErrorKind;

    async fn get_host_by_name(&self, host: &str, kind: AddrType) -> Result<IpAddr, ErrorKind> {
        take(host);
        take(matches!(kind, AddrType::IPv4));
        soon(|| any(Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)))).await
    }

    async fn get_host_by_address(&self, _: IpAddr, _: &mut [u8]) -> Result<usize, ErrorKind> {
        any(Ok(0))
    }
}

impl Clock for Net {
    fn now(&self) -> Instant {
        any(Instant::from_millis(0))
    }
}

impl Timer for Net {
    async fn wait_until(&self, at: Instant) {
        take(at);
        soon(|| ()).await;
    }
}

impl Idle for Net {}

/// As it is, without an `idle` of its own.
fn idle() {
    Idle::idle(&Net);
}

fn address() -> SocketAddr {
    any(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0))
}

fn asynchronous() {
    let (mut receive, mut out) = ([0; 8], [0; 8]);
    let (receive, out) = (any(&mut receive[..]), any(&mut out[..]));
    let mut driver = any(Driver::new(any(Config::new()), any(0), Inline::<64>::new(), receive, Net));
    take(Driver::client(&mut driver).is_connected());
    take(Driver::timer(&driver));
    let Ok(mut logins) = SignedLogin::new(text(), any_credentials()) else { return };
    take(AliyunLogin::set_credentials(&mut logins, any_credentials()));
    run(async {
        let net = TcpDialer::with_dns(&Net, &Net, text(), any(0));
        let mut dialer = WebSocketDialer::with_request(
            WebSocketDialer::new(net, any([0; 16]), text(), text(), out),
            Request::new(text(), text()),
        );
        while let Some(mut link) = Driver::open(&mut driver, &mut dialer, &mut logins).await {
            take(link.client().is_connected());
            take(link.connection().is_some());
            take(link.timer());
            while let Some(event) = link.next().await {
                take(event);
            }
        }
        let mut dialer = any(TcpDialer::new(&Net, address()));
        take(Driver::open(&mut driver, &mut dialer, &mut logins).await.is_some());
        let mut dialer = Port::new(Net, Net);
        take(Port::port(&mut dialer));
        take(Driver::open(&mut driver, &mut dialer, &mut logins).await.is_some());
    });
}

fn sharing() {
    type Client<'b> = Shared<'b, NoopRawMutex, Inline<64>, 2, 2>;
    let (mut receive, mut out) = ([0; 8], [0; 8]);
    let (receive, out) = (any(&mut receive[..]), any(&mut out[..]));
    let shared = Client::new(any(Config::new()), any(0), Inline::new(), receive, out);
    let shared = &shared;
    let Ok(mut logins) = SignedLogin::new(text(), any_credentials()) else { return };
    take(shared.with_client(|client| client.is_connected()));
    run(shared.run(&mut Port::new(Net, Net), &mut logins, &Net));
    if let Some(topic) = topic_name() {
        let publication =
            Publication::new(topic, bytes()).with_qos(any(QoS::AtMostOnce)).with_retain(any(false));
        run(async { take(shared.publish(&publication).await) });
        take(shared.try_publish(&publication));
    }
    run(async {
        if let Ok(ticket) = shared.publish_p2p(text(), text(), bytes(), any(QoS::AtMostOnce)).await {
            shared.acknowledged(ticket).await;
        }
    });
    run(async { take(shared.subscribe(any(TopicFilter::ALL), any(QoS::AtMostOnce)).await) });
    run(async { take(shared.unsubscribe(any(TopicFilter::ALL)).await) });
    run(async { take(shared.upload_token(any(mqtt_p2p_aliyun::TokenKind::R), text(), buffer!()).await) });
    run(shared.connected());
    if let Ok(mut receiver) = shared.receiver(any(Some(TopicFilter::ALL))) {
        run(async { take(receiver.next(|message| message.payload.len()).await) });
        run(async { receiver.take_until(soon(|| ()), |message| take(message.payload.len())).await });
    }
    take(shared.unclaimed());
    take(Status::is_connected(&shared.status()));
    let mut watcher = shared.watch();
    run(async { take(watcher.next().await) });
    shared.disconnect();
    shared.reconnect();
}

fn blocking() {
    let (mut receive, mut out) = ([0; 8], [0; 8]);
    let (receive, out) = (any(&mut receive[..]), any(&mut out[..]));
    let mut driver = blocking::Driver::new(any(Config::new()), any(0), Inline::<64>::new(), receive, Net);
    take(driver.client().is_connected());
    take(driver.clock());
    let Ok(mut logins) = SignedLogin::new(text(), any_credentials()) else { return };
    while let Some(mut link) = driver.open(&mut Port::new(Net, Net), &mut logins) {
        take(link.client().is_connected());
        take(link.connection().is_some());
        while let Some(event) = link.next() {
            take(event);
        }
        take(link.poll());
        take(link.next_until(any(Instant::from_millis(0))));
    }
    let socket = WebSocketDialer::new(Port::new(Net, Net), any([0; 16]), text(), text(), out);
    if let Some(mut link) = driver.open(&mut blocking::WebSocketDialer::new(socket, Net), &mut logins) {
        while let Some(event) = link.next() {
            take(event);
        }
    }
    if let Poll::Ready(link) = driver.poll_open(&mut Port::new(WithTimeouts(Net), Net), &mut logins) {
        take(link.is_some());
    }
}

/// A flash of which nothing is known.
struct Flash;

#[derive(Debug)]
struct FlashFault;

impl NorFlashError for FlashFault {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl nor_flash::ErrorType for Flash {
    type Error = FlashFault;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 4;

    async fn read(&mut self, offset: u32, room: &mut [u8]) -> Result<(), FlashFault> {
        take(offset);
        take(room);
        soon(|| any(Ok(()))).await
    }

    fn capacity(&self) -> usize {
        any(0)
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 8;
    const ERASE_SIZE: usize = 4096;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashFault> {
        take((from, to));
        soon(|| any(Ok(()))).await
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashFault> {
        take(offset);
        take(bytes);
        soon(|| any(Ok(()))).await
    }
}

fn saving() {
    let Ok(mut saved) = SavedSession::new(Flash, any(0)..any(0)) else { return };
    run(async { take(saved.load(buffer!()).await.is_ok()) });
    run(async { take(saved.save(buffer!(), any(0)).await.is_ok()) });
    run(async { take(saved.clear().await.is_ok()) });
    take(saved.release());
}
