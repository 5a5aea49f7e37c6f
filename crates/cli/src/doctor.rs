//! `mqtt-p2p doctor`: the steps to a working connection, and what to do about the one that fails.

use std::fmt::Write as _;
use std::io::{self, Write};

use mqtt_p2p_tokio::{Step, StepReport, Transport, probe};
use serde::Serialize;

use crate::args::Doctor;
use crate::failure::{Failure, connect_advice, step_name};
use crate::json;
use crate::output::{self, BAD, BOLD, DIM, GOOD, visible};
use crate::profile::Profile;
use crate::target::Target;

pub(crate) async fn run(args: &Doctor, profile: &Profile) -> Result<(), Failure> {
    let target = Target::any(&args.connection, args.server.as_deref(), profile)?;
    let mut options = target.options()?.clean_session(target.is_passing);
    let timeout = u32::try_from(args.timeout.as_millis()).unwrap_or(u32::MAX);
    options.config.connect_timeout_ms = timeout;
    options.config.ping_timeout_ms = timeout;
    // What waits for this client id is not for this program: without an acknowledgement, the server keeps it.
    options.config.manual_ack = true;
    let mut chart = Chart { ahead: steps(&target), failed: None, written: Ok(()) };
    chart.head(&target);
    let outcome = probe(options, |report| chart.enter(&report)).await;
    chart.rest();
    chart.written.map_err(Failure::Output)?;
    let result =
        outcome.map_err(|error| Failure::Doctor { step: chart.failed.unwrap_or(Step::Connect), error });
    if result.is_ok() && !output::is_json() {
        writeln!(anstream::stdout(), "\nAll is well.").map_err(Failure::Output)?;
    }
    result
}

/// The steps that an attempt takes, in their order.
fn steps(target: &Target) -> Vec<Step> {
    let (is_unix, is_secure, is_web) = match target.endpoint.transport() {
        Transport::Unix { .. } => (true, false, false),
        Transport::Tls => (false, true, false),
        Transport::WebSocket { .. } => (false, false, true),
        Transport::SecureWebSocket { .. } => (false, true, true),
        _ => (false, false, false),
    };
    [
        (Step::Name, !is_unix),
        (Step::Tcp, !is_unix),
        (Step::UnixSocket, is_unix),
        (Step::Proxy, !is_unix && target.has_proxy()),
        (Step::Tls, is_secure),
        (Step::WebSocket, is_web),
        (Step::Connect, true),
        (Step::RoundTrip, true),
    ]
    .into_iter()
    .filter_map(|(step, is_taken)| is_taken.then_some(step))
    .collect()
}

/// What `--json` says of a step. The field names are stable.
#[derive(Serialize)]
struct Entry<'a> {
    step: &'static str,
    ok: bool,
    millis: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'static str>,
}

/// What is known of the patient.
struct Chart {
    /// The steps that have not been taken.
    ahead: Vec<Step>,
    failed: Option<Step>,
    /// The first fault of the output.
    written: io::Result<()>,
}

impl Chart {
    fn write(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if self.written.is_ok() {
            let mut out = anstream::stdout().lock();
            self.written = write(&mut out).and_then(|()| out.flush());
        }
    }

    fn head(&mut self, target: &Target) {
        if !output::is_json() {
            let (url, client_id) = (visible(&target.endpoint.to_string()), visible(&target.client_id));
            self.write(|out| writeln!(out, "{BOLD}{url}{BOLD:#} {DIM}as{DIM:#} {client_id}\n"));
        }
    }

    fn enter(&mut self, report: &StepReport) {
        self.ahead.retain(|step| *step != report.step);
        // To the microsecond.
        let millis = report.took.as_micros() as f64 / 1e3;
        if report.outcome.is_err() {
            self.failed = Some(report.step);
        }
        if output::is_json() {
            let entry = match &report.outcome {
                Ok(detail) => {
                    let detail = Some(detail.as_str()).filter(|detail| !detail.is_empty());
                    Entry { step: step_name(report.step), ok: true, millis, detail, error: None, help: None }
                }
                Err(error) => Entry {
                    step: step_name(report.step),
                    ok: false,
                    millis,
                    detail: None,
                    error: Some(error.to_string()),
                    help: Some(connect_advice(error)),
                },
            };
            return self.write(|out| writeln!(out, "{}", json::line(&entry)));
        }
        let (mark, style, detail) = match &report.outcome {
            Ok(detail) => ("✓", GOOD, visible(detail)),
            Err(_) => ("✗", BAD, String::new()),
        };
        let mut line = format!("  {style}{mark}{style:#} {:<22}{millis:>9.1} ms", report.step.to_string());
        if !detail.is_empty() {
            let _ = write!(line, "  {DIM}{detail}{DIM:#}");
        }
        self.write(|out| writeln!(out, "{line}"));
    }

    /// The steps that were not reached.
    fn rest(&mut self) {
        if output::is_json() {
            return;
        }
        for step in std::mem::take(&mut self.ahead) {
            self.write(|out| writeln!(out, "  {DIM}– {step:<22}  not reached{DIM:#}"));
        }
    }
}
