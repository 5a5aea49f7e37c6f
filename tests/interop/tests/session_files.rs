//! A session on disk between two processes, and on a disk that is full for real: the system lets the process write no
//! more than so much, until it may.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;

use mqtt_p2p_interop::{Ledger, Mosquitto, connect, next, number, options, within};
use mqtt_p2p_tokio::{FileStore, QoS, StoreError};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdout, Command};

const NUMBERS: usize = 6_000;
/// Blocks of 512 bytes: what a file may have, before it must be larger for that many messages.
const BLOCKS: u32 = 400;
const CLIENT: &str = "full";

/// The program that publishes, under a limit; it is killed when dropped.
struct Publisher {
    process: Child,
    complaints: Lines<BufReader<ChildStdout>>,
    directory: TempDir,
    /// Its server's port: connections wait there until they are accepted.
    listener: TcpListener,
}

fn ledger(directory: &Path) -> Ledger {
    Ledger::read(directory.join("ledger")).expect("a ledger")
}

impl Publisher {
    async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port().to_string();
        let mut shell = Command::new("sh");
        // Who passes the limit gets an error, and not a signal.
        shell.arg("-c").arg(format!("trap '' XFSZ; ulimit -S -f {BLOCKS}; exec \"$@\"")).arg("sh");
        shell.arg(env!("CARGO_BIN_EXE_numbered_publisher")).args([&port, CLIENT]).arg(directory.path());
        shell.arg(directory.path().join("ledger")).args([NUMBERS, NUMBERS].map(|number| number.to_string()));
        let mut process = shell.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("a shell");
        let complaints = BufReader::new(process.stdout.take().expect("its output")).lines();
        Self { process, complaints, directory, listener }
    }

    async fn complaint(&mut self) -> String {
        within("a complaint", self.complaints.next_line()).await.expect("its output").expect("it runs")
    }

    /// From now on there is room on the disk.
    async fn make_room(&self) {
        let id = self.process.id().expect("it runs").to_string();
        let limit = Command::new("prlimit").args(["--pid", &id, "--fsize=unlimited:"]).status().await;
        assert!(limit.is_ok_and(|status| status.success()), "prlimit (util-linux)");
    }
}

#[tokio::test]
async fn a_full_disk_is_told_and_once_there_is_room_nothing_is_lost() {
    let broker = Mosquitto::start().await;
    let (subscriber, mut messages) = connect(options(broker.tcp(), "subscriber")).await;
    within("SUBACK", subscriber.subscribe("numbered/#", QoS::ExactlyOnce)).await.expect("a subscription");
    let mut publisher = Publisher::start().await;
    let complaint = publisher.complaint().await;
    println!("{complaint}");
    assert!(complaint.contains("check the disk's space"), "{complaint}");
    let accepted = ledger(publisher.directory.path()).accepted.len();
    publisher.complaint().await;
    assert_eq!(ledger(publisher.directory.path()).accepted.len(), accepted, "accepted without room");
    assert!((1..NUMBERS).contains(&accepted));

    publisher.make_room().await;
    let broker = broker.tcp().port();
    let forwarding = async {
        loop {
            // Some were given up in the meantime.
            let _ = forward(&publisher.listener, broker).await;
        }
    };
    tokio::select! {
        () = forwarding => {}
        status = within("its end", publisher.process.wait()) => assert!(status.is_ok_and(|status| status.success())),
    }
    let mut numbers = [0; NUMBERS];
    while numbers.contains(&0) {
        numbers[number(&next(&mut messages).await) - 1] += 1;
    }
    assert!(numbers.iter().skip(1).step_by(2).all(|times| *times == 1), "QoS 2");
    println!("{accepted} were accepted before the disk was full, {NUMBERS} came");
}

/// One connection, to its end.
async fn forward(listener: &TcpListener, server: u16) -> std::io::Result<()> {
    let (mut client, _) = listener.accept().await?;
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await.map(drop)
}

#[tokio::test]
async fn a_session_that_another_had_while_the_disk_was_full_is_not_gone_on_with() {
    let mut publisher = Publisher::start().await;
    publisher.complaint().await;
    let directory = publisher.directory.path().to_owned();
    // Between two of its attempts.
    let intruder = async {
        loop {
            match FileStore::open(&directory, CLIENT) {
                Err(StoreError::InUse) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
                store => return store.expect("a sound file"),
            }
        }
    };
    drop(within("an opportunity", intruder).await);
    publisher.make_room().await;
    let accepted = ledger(&directory).accepted.len();
    let mut in_use = 0;
    while in_use < 2 {
        in_use += usize::from(publisher.complaint().await.contains("in use"));
    }
    assert_eq!(ledger(&directory).accepted.len(), accepted);
}

#[tokio::test]
async fn a_session_is_for_one_process_at_a_time() {
    let directory = tempfile::tempdir().expect("a directory");
    let _store = FileStore::open(&directory, CLIENT).expect("a new session");
    let mut program = Command::new(env!("CARGO_BIN_EXE_numbered_publisher"));
    program.args(["9", CLIENT]).arg(directory.path()).arg(directory.path().join("ledger")).args(["1", "1"]);
    let output = within("its end", program.kill_on_drop(true).output()).await.expect("its end");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("InUse"), "{output:?}");
}
