//! How the demo tells its story: each step with its time, in 80 columns.

use std::io::{self, Write as _};

use serde::Serialize;
use tokio::time::Instant;

use crate::json;
use crate::output::{self, BOLD, COLUMNS, DIM, wrap};

const INDENT: usize = 10;

/// What `--json` says of a step.
#[derive(Serialize)]
struct Entry<'a> {
    r#type: &'static str,
    seconds: f64,
    text: &'a str,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Tour {
    start: Instant,
}

impl Tour {
    pub(super) const fn new(start: Instant) -> Self {
        Self { start }
    }

    /// A new chapter.
    pub(super) fn chapter(self, title: &str) -> io::Result<()> {
        if output::is_json() {
            return self.entry("chapter", title);
        }
        writeln!(anstream::stdout().lock(), "\n{BOLD}{title}{BOLD:#}")
    }

    /// Something that happened just now.
    pub(super) fn step(self, text: &str) -> io::Result<()> {
        if output::is_json() {
            return self.entry("step", text);
        }
        let seconds = self.start.elapsed().as_secs_f64();
        let mut out = anstream::stdout().lock();
        let mut lines = wrap(text, COLUMNS - INDENT).into_iter();
        let first = lines.next().unwrap_or_default();
        writeln!(out, "{DIM}{seconds:>6.2} s{DIM:#}  {first}")?;
        for line in lines {
            writeln!(out, "{:INDENT$}{line}", "")?;
        }
        Ok(())
    }
    fn entry(self, r#type: &'static str, text: &str) -> io::Result<()> {
        let seconds = self.start.elapsed().as_millis() as f64 / 1e3;
        json::print(&Entry { r#type, seconds, text })
    }
}
