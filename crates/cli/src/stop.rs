//! Ctrl-C.

use tokio::sync::oneshot;

use crate::failure::Failure;

/// What shells expect of a program that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// Watches for Ctrl-C, and on Unix for SIGTERM. The receiver hears of the first; the second ends the program at once,
/// so that it also ends when it waits for who reads its output.
pub(crate) fn watch() -> Result<oneshot::Receiver<()>, Failure> {
    let mut signals = Signals::new().map_err(Failure::Signals)?;
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(async move {
        signals.recv().await;
        let _ = stop.send(());
        signals.recv().await;
        std::process::exit(INTERRUPTED);
    });
    Ok(stopped)
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn recv(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn recv(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // It can't be watched: then it ends the program as it always does.
            std::future::pending::<()>().await;
        }
    }
}
