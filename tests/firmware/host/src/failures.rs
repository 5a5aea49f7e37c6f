//! What can't work must be reported: a wrong secret, a server that is not there, and one that says nothing.

use std::net::Ipv4Addr;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;

use crate::Failure;
use crate::board::{Board, Link};
use crate::qemu::Run;
use crate::server::{PARENT, Server};

/// The server refuses the log-in, and the firmware does not try it again.
pub(crate) async fn wrong_secret(board: &Board) -> Result<String, Failure> {
    let server = Server::emulator().await?;
    let settings = format!("secret=wrong parent={PARENT}");
    let end = Run::start(board, server.port(), &settings)?.end().await?;
    end.expect(11, "result: refused: ")?;
    if server.log_ins(&board.client_id()) != Some(0) {
        return Err(end.failure("the server let it in"));
    }
    if end.count("refused") != 1 {
        return Err(end.failure("it tried again"));
    }
    Ok(String::new())
}

/// Nothing is behind the port.
pub(crate) async fn nobody_listens(board: &Board) -> Result<String, Failure> {
    // A socket that is bound and does not listen: the port stays nobody else's.
    let bound = TcpSocket::new_v4().map_err(|error| error.to_string())?;
    bound.bind((Ipv4Addr::LOCALHOST, 0).into()).map_err(|error| error.to_string())?;
    let port = bound.local_addr().map_err(|error| error.to_string())?.port();
    let end = Run::start(board, port, "attempts=2")?.end().await?;
    end.expect(
        12,
        match board.link {
            Link::Network => "result: no connection: the connection was refused",
            // Who speaks into a serial line can't tell.
            Link::Serial => SILENT,
        },
    )?;
    Ok(String::new())
}

/// Somebody accepts the connection and never says a word.
pub(crate) async fn silence(board: &Board) -> Result<String, Failure> {
    let (listener, port) = listener().await?;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut links = JoinSet::new();
        while let Ok((mut link, _)) = listener.accept().await {
            links.spawn(async move {
                let mut buffer = [0; 256];
                while link.read(&mut buffer).await.is_ok_and(|len| len > 0) {}
            });
        }
    });
    let end = Run::start(board, port, "attempts=2")?.end().await?;
    end.expect(12, SILENT)?;
    Ok(String::new())
}

const SILENT: &str = "result: no connection: the server did not accept the connection in time";

async fn listener() -> Result<(TcpListener, u16), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|error| error.to_string())?;
    let port = listener.local_addr().map_err(|error| error.to_string())?.port();
    Ok((listener, port))
}
