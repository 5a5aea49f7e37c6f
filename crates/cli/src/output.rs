//! What all commands show alike: errors, notes, times, text from others.

use std::fmt;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

use anstyle::{AnsiColor, Style};
use mqtt_p2p_tokio::ConnectionEvent;
use serde::Serialize;

use crate::json;

/// What every terminal shows in a line.
pub(crate) const COLUMNS: usize = 80;

pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const TOPIC: Style = AnsiColor::Cyan.on_default();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// Whether the user wants JSON. It is a property of the whole run, as colour is.
static JSON: AtomicBool = AtomicBool::new(false);

/// From now on everything is written as JSON objects, one a line.
pub(crate) fn set_json(json: bool) {
    JSON.store(json, Relaxed);
}

/// Whether results are to be JSON objects.
pub(crate) fn is_json() -> bool {
    JSON.load(Relaxed)
}

/// What a line of stderr is in JSON. The field names are stable.
#[derive(Serialize)]
struct Remark<'a> {
    r#type: &'static str,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

impl<'a> Remark<'a> {
    fn new(r#type: &'static str, message: &'a str) -> Self {
        let time = Utc::now().date_time();
        Self { r#type, time, event: None, kind: None, exit_code: None, message, help: None }
    }

    fn print(&self) {
        // Nobody has to listen.
        let _ = writeln!(io::stderr().lock(), "{}", json::line(self));
    }
}

/// An error and what to do about it, on stderr.
pub(crate) fn error(kind: &'static str, exit_code: u8, error: &dyn fmt::Display, advice: Option<&str>) {
    if is_json() {
        let message = error.to_string();
        let remark = Remark::new("error", &message);
        return Remark { kind: Some(kind), exit_code: Some(exit_code), help: advice, ..remark }.print();
    }
    labelled("error", BAD, error);
    if let Some(advice) = advice {
        labelled("help", HELP, &advice);
    }
}

/// What may go wrong, on stderr.
pub(crate) fn warning(warning: &dyn fmt::Display) {
    match is_json() {
        true => Remark::new("warning", &warning.to_string()).print(),
        false => labelled("warning", WARNING, warning),
    }
}

/// What happens meanwhile, on stderr.
pub(crate) fn note(text: &dyn fmt::Display) {
    if is_json() {
        return Remark::new("note", &text.to_string()).print();
    }
    let (now, text) = (Utc::now(), visible(&text.to_string()));
    // Nobody has to listen.
    let _ = writeln!(anstream::stderr(), "{DIM}{}{DIM:#}  {text}", now.time());
}

/// What happened to the connection, and what to do about it, on stderr.
pub(crate) fn event(event: &ConnectionEvent, advice: Option<&str>) {
    if is_json() {
        let name = match event {
            ConnectionEvent::Connected { .. } => "connected",
            ConnectionEvent::Refused { .. } => "refused",
            ConnectionEvent::Disconnected { .. } => "disconnected",
            ConnectionEvent::SubscriptionLost { .. } => "subscription_lost",
            _ => "other",
        };
        let message = event.to_string();
        return Remark { event: Some(name), help: advice, ..Remark::new("event", &message) }.print();
    }
    note(event);
    if let Some(advice) = advice {
        note(&format_args!("help: {advice}"));
    }
}

fn labelled(label: &str, style: Style, text: &dyn fmt::Display) {
    let text = visible(&text.to_string());
    let _ = writeln!(anstream::stderr(), "{style}{label}:{style:#} {text}");
}

/// Text from others, made harmless: control characters and those that turn the direction of writing are written out.
/// They could move the cursor, change the title, or make a line look like another.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if is_harmful(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

pub(crate) fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Breaks text at spaces.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

/// A moment of UTC, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Utc {
    /// Since 1970, in milliseconds without leap seconds.
    millis: u64,
}

impl Utc {
    pub(crate) fn now() -> Self {
        // A clock before 1970 is not set; nothing depends on it here.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { millis: since.as_millis().try_into().unwrap_or(u64::MAX) }
    }

    /// Seconds since 1970 with their milliseconds.
    pub(crate) fn unix(self) -> String {
        format!("{}.{:03}", self.millis / 1000, self.millis % 1000)
    }

    /// `HH:MM:SS.mmmZ`
    pub(crate) fn time(self) -> String {
        let (seconds, millis) = (self.millis / 1000, self.millis % 1000);
        let (minutes, hours) = (seconds / 60, seconds / 3600);
        format!("{:02}:{:02}:{:02}.{millis:03}Z", hours % 24, minutes % 60, seconds % 60)
    }

    /// `YYYY-MM-DDTHH:MM:SS.mmmZ` (RFC 3339)
    pub(crate) fn date_time(self) -> String {
        let (year, month, day) = date(self.millis / 86_400_000);
        format!("{year:04}-{month:02}-{day:02}T{}", self.time())
    }
}

/// The date so many days after 1970-01-01. Years are counted from March, so that the leap day is the last of a year,
/// and the months' lengths follow a line (H. Hinnant, "chrono-compatible low-level date algorithms").
fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_TO_1970: u64 = 719_468;
    const DAYS_IN_400_YEARS: u64 = 146_097;
    let days = days.saturating_add(DAYS_TO_1970);
    let (era, day_of_era) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339_does() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.007Z"),
            (951_782_399, "2000-02-28T23:59:59.007Z"),
            (951_782_400, "2000-02-29T00:00:00.007Z"),
            (1_709_251_199, "2024-02-29T23:59:59.007Z"),
            (1_735_689_599, "2024-12-31T23:59:59.007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.007Z"),
        ] {
            let utc = Utc { millis: seconds * 1000 + 7 };
            assert_eq!(utc.date_time(), text);
        }
    }

    #[test]
    fn what_could_play_with_the_terminal_is_written_out() {
        assert_eq!(visible("a\u{1b}[2Jb\u{9b}c\nd\u{7f}"), r"a\u{1b}[2Jb\u{9b}c\nd\u{7f}");
        assert_eq!(visible("\u{202e}x\u{2066}"), r"\u{202e}x\u{2066}");
        assert_eq!(visible("温度 21 °C \\ 👩‍🔧"), "温度 21 °C \\ 👩‍🔧");
    }

    #[test]
    fn lines_break_at_spaces_and_are_no_longer_than_wanted() {
        assert_eq!(wrap("ab cd efg h", 5), ["ab cd", "efg h"]);
        assert_eq!(wrap("abcdefg h", 5), ["abcdefg", "h"]);
        assert_eq!(wrap("", 5), [""]);
    }
}
