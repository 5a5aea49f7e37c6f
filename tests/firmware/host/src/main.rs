//! Builds the firmware of every board, runs it in QEMU, and is its other end: the server, the link and the host's
//! client. Prints a line for each test, and closes with `N passed, N failed`.
#![forbid(unsafe_code)]

mod board;
mod exchange;
mod failures;
mod partner;
mod proxy;
mod qemu;
mod server;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use board::{BOARDS, Board, Link};

/// Why a test failed, with all that there is to say.
type Failure = String;

/// One run of one firmware.
#[derive(Clone, Copy, Debug)]
enum Test {
    Exchange,
    ExchangeInOneTask,
    ExchangeOverWebSocket,
    ExchangeWithMosquitto,
    WrongSecret,
    NobodyListens,
    Silence,
}

impl Test {
    const ALL: [Self; 7] = [
        Self::Exchange,
        Self::ExchangeInOneTask,
        Self::ExchangeOverWebSocket,
        Self::ExchangeWithMosquitto,
        Self::WrongSecret,
        Self::NobodyListens,
        Self::Silence,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Exchange => "exchanges_every_message_over_cuts_and_a_restart",
            Self::ExchangeInOneTask => "does_the_same_in_one_task",
            Self::ExchangeOverWebSocket => "does_the_same_over_websocket",
            Self::ExchangeWithMosquitto => "does_the_same_with_mosquitto",
            Self::WrongSecret => "reports_that_a_wrong_secret_is_refused",
            Self::NobodyListens => "reports_that_nobody_listens",
            Self::Silence => "reports_that_a_server_stays_silent",
        }
    }

    /// Serial lines are slow, and mosquitto is the same to all.
    fn is_for(self, board: &Board) -> bool {
        match self {
            Self::ExchangeInOneTask | Self::ExchangeOverWebSocket => board.embassy,
            Self::ExchangeWithMosquitto => board.link == Link::Network,
            _ => true,
        }
    }

    async fn run(self, board: &'static Board) -> Result<String, Failure> {
        match self {
            Self::Exchange => exchange::with_emulator(board).await,
            Self::ExchangeInOneTask => exchange::in_one_task(board).await,
            Self::ExchangeOverWebSocket => exchange::over_websocket(board).await,
            Self::ExchangeWithMosquitto => exchange::with_mosquitto(board).await,
            Self::WrongSecret => failures::wrong_secret(board).await,
            Self::NobodyListens => failures::nobody_listens(board).await,
            Self::Silence => failures::silence(board).await,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    // With words, only the tests whose name has one of them.
    let words: Vec<String> = std::env::args().skip(1).collect();
    let all = BOARDS.iter().flat_map(|board| Test::ALL.map(|test| (board, test)));
    let tests: Vec<_> = all
        .filter(|(board, test)| test.is_for(board))
        .map(|(board, test)| (board, test, format!("{}::{}", board.name, test.name())))
        .filter(|(_, _, name)| words.is_empty() || words.iter().any(|word| name.contains(word)))
        .collect();
    for board in BOARDS.iter().filter(|board| tests.iter().any(|(wanted, ..)| wanted.name == board.name)) {
        if let Err(failure) = board.build() {
            eprintln!("{failure}");
            println!("0 passed, {} failed", tests.len());
            return ExitCode::FAILURE;
        }
    }

    // A guest sleeps for half its life.
    let places = Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from) * 2));
    let mut running = JoinSet::new();
    for (board, test, name) in tests {
        let places = Arc::clone(&places);
        running.spawn(async move {
            let _place = places.acquire().await;
            let start = Instant::now();
            let result = test.run(board).await;
            (name, start.elapsed(), result)
        });
    }
    let (mut passed, mut failed) = (0, 0);
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok((name, took, Ok(said))) => {
                passed += 1;
                println!("test {name} ... ok ({:.1} s{said})", took.as_secs_f32());
            }
            Ok((name, took, Err(failure))) => {
                failed += 1;
                println!("test {name} ... FAILED ({:.1} s)\n{failure}", took.as_secs_f32());
            }
            Err(panic) => {
                failed += 1;
                println!("a test ended early: {panic}");
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
