//! 200 messages to itself and 200 each way with the host, over a link that breaks twice and a server that is restarted.

use crate::Failure;
use crate::board::{Board, Link};
use crate::partner::Partner;
use crate::proxy::{Cut, How, Proxy};
use crate::qemu::Run;
use crate::server::{PARENT, SECRET, Server};

/// How many messages each way.
const MESSAGES: u16 = 200;

/// When the link is cut: among the messages to itself, and among those to the host. The second time the firmware has to find
/// out by itself. Whoever speaks into a serial line always has to, so there it is closed both times; then QEMU opens it
/// again.
const fn cuts(link: Link) -> [Cut; 2] {
    let second = match link {
        Link::Network => How::Silent,
        Link::Serial => How::Closed,
    };
    [Cut { after: 60_123, how: How::Closed }, Cut { after: 300_456, how: second }]
}

/// So many bytes of the firmware's get lost before the server stops: a message, and a part of the next one.
const LOST: u64 = 1_500;

/// With the stand-in for ApsaraMQ: P2P messages, and credentials that the firmware computes.
pub(crate) async fn with_emulator(board: &Board) -> Result<String, Failure> {
    let server = Server::emulator().await?;
    let port = server.port();
    run(board, server, port, &format!("secret={SECRET}")).await
}

/// The same with the driver for one task, where usually several share a client.
pub(crate) async fn in_one_task(board: &Board) -> Result<String, Failure> {
    let server = Server::emulator().await?;
    let port = server.port();
    run(board, server, port, &format!("secret={SECRET} one-task")).await
}

/// The same over WebSocket.
pub(crate) async fn over_websocket(board: &Board) -> Result<String, Failure> {
    let server = Server::emulator().await?;
    let port = server.ws_port();
    run(board, server, port, &format!("secret={SECRET} websocket")).await
}

/// With a broker that knows neither: the same topics, subscribed to.
pub(crate) async fn with_mosquitto(board: &Board) -> Result<String, Failure> {
    let server = Server::mosquitto().await;
    let port = server.port();
    run(board, server, port, "plain").await
}

async fn run(board: &Board, mut server: Server, port: u16, settings: &str) -> Result<String, Failure> {
    let firmware_id = board.client_id();
    let host_id = format!("GID_demo@@@host-of-{}", board.name);
    let partner = Partner::connect(&server, &host_id, &firmware_id).await?;
    let proxy = Proxy::to(port, cuts(board.link)).await.map_err(|error| error.to_string())?;
    let settings =
        format!("{settings} parent={PARENT} peer={host_id} messages={MESSAGES} attempts=100 pause");
    let mut firmware = Run::start(board, proxy.port, &settings)?;

    // In the middle, when everything has arrived: an emulator that is stopped takes with it what it had accepted and not
    // yet delivered. From then on the server gets nothing of what the firmware sends, so all of that is the client's to
    // keep; and it must find out that the server is gone before that comes back.
    firmware.line_with("paused").await?;
    proxy.keep_back();
    partner.tell_to_go_on().await?;
    tokio::select! {
        () = proxy.kept_back(LOST) => {}
        ended = firmware.line_with("result") => {
            return Err(firmware.failure(&format!("it ended in the pause: {ended:?}")));
        }
    }
    server.stop().await;
    proxy.cut();
    firmware.line_with("disconnected").await?;
    server.start().await?;
    proxy.restore();

    let end = firmware.end().await?;
    end.expect(0, "result: passed")?;
    let at_host = partner.result(MESSAGES).map_err(|failure| end.failure(&failure))?;
    if proxy.cuts_made() != 2 {
        return Err(end.failure(&format!("the link was cut {} times", proxy.cuts_made())));
    }
    if end.count("disconnected: the server did not answer a ping in time") == 0 {
        return Err(end.failure("it did not notice that its link was silent"));
    }
    // The first one, one after each cut, and one after the restart.
    let connections = end.count("connected");
    if connections < 4 {
        return Err(end.failure(&format!("{connections} connections")));
    }
    let facts = end.fact("facts: ").unwrap_or("no facts");
    Ok(format!("; {connections} connections, {at_host} duplicates at the host; {facts}"))
}
