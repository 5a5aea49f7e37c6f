//! A run of QEMU: what the firmware says, and how it ends.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::time::{Instant, timeout_at};

use crate::Failure;
use crate::board::Board;

/// Ends every run. A serial line on a loaded machine takes a minute.
const DEADLINE: Duration = Duration::from_secs(240);

/// So long a firmware may say nothing: it tells of every 50 messages.
const SILENCE: Duration = Duration::from_secs(90);

/// A firmware that runs. It is killed when dropped.
#[derive(Debug)]
pub(crate) struct Run {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    deadline: Instant,
    /// All that the firmware said.
    said: Vec<String>,
}

/// How a firmware ended.
#[derive(Debug)]
pub(crate) struct End {
    /// QEMU's exit status.
    pub(crate) status: Option<i32>,
    /// All that the firmware said.
    pub(crate) said: Vec<String>,
}

impl Run {
    /// Starts it, with its link to this port.
    pub(crate) fn start(board: &Board, port: u16, settings: &str) -> Result<Self, Failure> {
        let mut command = board.emulate(port, settings);
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("QEMU does not start: {error}"))?;
        let stdout = process.stdout.take().ok_or("QEMU has no output")?;
        Ok(Self {
            process,
            lines: BufReader::new(stdout).lines(),
            deadline: Instant::now() + DEADLINE,
            said: Vec::new(),
        })
    }

    /// The next line that the firmware says; `None` at its end.
    pub(crate) async fn line(&mut self) -> Result<Option<String>, Failure> {
        let deadline = self.deadline.min(Instant::now() + SILENCE);
        let line = match timeout_at(deadline, self.lines.next_line()).await {
            Ok(Ok(line)) => line,
            Ok(Err(error)) => return Err(self.failure(&format!("its output breaks: {error}"))),
            Err(_) => return Err(self.failure("nothing has come from it for too long")),
        };
        self.said.extend(line.clone());
        Ok(line)
    }

    /// Waits for a line that begins like this.
    pub(crate) async fn line_with(&mut self, beginning: &str) -> Result<String, Failure> {
        while let Some(line) = self.line().await? {
            if line.starts_with(beginning) {
                return Ok(line);
            }
        }
        Err(self.failure(&format!("it has ended without a line with `{beginning}`")))
    }

    /// Waits for its end.
    pub(crate) async fn end(mut self) -> Result<End, Failure> {
        while self.line().await?.is_some() {}
        let status = match timeout_at(self.deadline, self.process.wait()).await {
            Ok(Ok(status)) => status.code(),
            Ok(Err(error)) => return Err(self.failure(&format!("no exit status: {error}"))),
            Err(_) => return Err(self.failure("QEMU does not end")),
        };
        if let Some(mut stderr) = self.process.stderr.take() {
            let mut text = String::new();
            let _ = timeout_at(self.deadline, stderr.read_to_string(&mut text)).await;
            self.said.extend(text.lines().map(|line| format!("(QEMU) {line}")));
        }
        Ok(End { status, said: self.said })
    }

    /// A failure, with what the firmware said.
    pub(crate) fn failure(&self, what: &str) -> Failure {
        failure(what, &self.said)
    }
}

impl End {
    /// Whether it ended with this status and a last word that begins like this.
    pub(crate) fn expect(&self, status: i32, result: &str) -> Result<(), Failure> {
        if self.status != Some(status) {
            return Err(self.failure(&format!("exit status {:?} instead of {status}", self.status)));
        }
        if !self.said.iter().any(|line| line.starts_with(result)) {
            return Err(self.failure(&format!("no line with `{result}`")));
        }
        Ok(())
    }

    /// How many lines begin like this.
    pub(crate) fn count(&self, beginning: &str) -> usize {
        self.said.iter().filter(|line| line.starts_with(beginning)).count()
    }

    /// What stands behind this beginning of a line.
    pub(crate) fn fact(&self, beginning: &str) -> Option<&str> {
        self.said.iter().find_map(|line| line.strip_prefix(beginning))
    }

    /// A failure, with what the firmware said.
    pub(crate) fn failure(&self, what: &str) -> Failure {
        failure(what, &self.said)
    }
}

fn failure(what: &str, said: &[String]) -> Failure {
    let said: String = said.iter().map(|line| format!("    | {line}\n")).collect();
    format!("    {what}; the firmware said:\n{said}")
}
