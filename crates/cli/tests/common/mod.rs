//! Runs the command against an emulator in the test's own process.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use mqtt_p2p_emulator::{Account, Config, Quirks, Server};

/// Longer than anything here may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) const SECRET: &str = "s3cr3t-of-the-tests";

pub(crate) async fn server() -> Server {
    let config = Config::new("post-cn-demo")
        .account(Account::access_key("AK", SECRET))
        .quirks(Quirks::service().without_delays());
    Server::start(config).await.unwrap()
}

pub(crate) fn tcp(server: &Server) -> String {
    format!("mqtt://{}", server.tcp_addr())
}

pub(crate) fn ws(server: &Server) -> String {
    format!("ws://{}/mqtt", server.ws_addr())
}

/// The command without anything of the tester's environment.
pub(crate) fn bare(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mqtt-p2p"));
    command.env_clear().args(args).stdin(Stdio::null());
    command
}

/// The command with all that it takes to log in.
pub(crate) fn logged_in(url: &str, client_id: &str, args: &[&str]) -> Command {
    let mut command = bare(args);
    command
        .env("MQTT_P2P_URL", url)
        .env("MQTT_P2P_INSTANCE", "post-cn-demo")
        .env("MQTT_P2P_ACCESS_KEY", "AK")
        .env("MQTT_P2P_CLIENT_ID", client_id)
        .env("MQTT_P2P_SECRET_KEY", SECRET);
    command
}

/// `send` of a P2P message from alice to bob.
pub(crate) fn send(url: &str, args: &[&str]) -> Command {
    let mut command =
        logged_in(url, "GID_demo@@@alice", &["send", "--parent", "demo", "--to", "GID_demo@@@bob"]);
    command.args(args);
    command
}

/// `listen` as bob.
pub(crate) fn listen(url: &str, args: &[&str]) -> Command {
    let mut command = logged_in(url, "GID_demo@@@bob", &["listen"]);
    command.args(args);
    command
}

/// What a run of the command came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Run {
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Has one clear error with advice.
    #[track_caller]
    pub(crate) fn explains(self, texts: &[&str]) -> Self {
        let errors = self.stderr.lines().filter(|line| line.starts_with("error: "));
        assert_eq!(errors.count(), 1, "{self:#?}");
        for text in texts {
            assert!(self.stderr.contains(text), "{text} is not in {self:#?}");
        }
        self
    }
}

pub(crate) fn run(command: &mut Command) -> Run {
    Running::start(command).finish()
}

pub(crate) fn run_with_stdin(command: &mut Command, input: &[u8]) -> Run {
    let mut running = Running::start(command.stdin(Stdio::piped()));
    let mut stdin = running.child.stdin.take().unwrap();
    // Who refuses a message does not read all of it.
    let _ = stdin.write_all(input);
    drop(stdin);
    running.finish()
}

/// The command while it runs. It ends with the test at the latest.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) stdout: Lines,
    pub(crate) stderr: Lines,
    start: Instant,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let start = Instant::now();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Self {
            stdout: Lines::of(child.stdout.take().unwrap()),
            stderr: Lines::of(child.stderr.take().unwrap()),
            child,
            start,
        }
    }

    pub(crate) fn finish(mut self) -> Run {
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            assert!(self.start.elapsed() < LIMIT, "it hangs");
            thread::sleep(Duration::from_millis(5));
        };
        Run { code, took: self.start.elapsed(), stdout: self.stdout.rest(), stderr: self.stderr.rest() }
    }

    /// Sends the signal of Ctrl-C.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let kill = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of an output, read by a thread of their own.
pub(crate) struct Lines {
    lines: mpsc::Receiver<String>,
    seen: String,
}

impl Lines {
    fn of(output: impl Read + Send + 'static) -> Self {
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut line = Vec::new();
            while output.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8(std::mem::take(&mut line)).expect("output is UTF-8");
                if sender.send(text).is_err() {
                    break;
                }
            }
        });
        Self { lines, seen: String::new() }
    }

    /// Reads up to the next line that holds a text.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) -> String {
        loop {
            let line = self
                .lines
                .recv_timeout(LIMIT)
                .unwrap_or_else(|_| panic!("{text:?} does not come behind {:?}", self.seen));
            self.seen.push_str(&line);
            if line.contains(text) {
                return line;
            }
        }
    }

    fn rest(&mut self) -> String {
        self.seen.extend(self.lines.iter());
        std::mem::take(&mut self.seen)
    }
}
