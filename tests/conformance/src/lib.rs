//! Every normative statement of MQTT 3.1.1 (OASIS standard, appendix B), whom it binds, and the tests that prove it.
//!
//! [`STATEMENTS`] is the table. The test `table` sees that no statement is missing, that none which binds a client is
//! without a test, that the tests exist, that no text cites a statement that there is not, and that `TABLE.md` is the
//! table: `cargo run -p mqtt-p2p-conformance > tests/conformance/TABLE.md` writes it.

pub mod sources;
mod statements;

use std::fmt::Write as _;

pub use statements::{APPENDIX_B, STATEMENTS};

/// Whom a statement binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binds {
    /// What a client does.
    Client,
    /// What either side does, so a client too.
    Both,
    /// What only a server can do, and why so. Tests beside it say what this client makes of it.
    Server(&'static str),
}

/// One statement.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its number, without `MQTT-`.
    pub id: &'static str,
    /// Whom it binds.
    pub binds: Binds,
    /// What it says, in few words of our own.
    pub says: &'static str,
    /// The tests that prove it: `crate::file::test`.
    pub tests: &'static [&'static str],
}

/// The table as a page.
pub fn page() -> String {
    let clients = STATEMENTS.iter().filter(|row| !matches!(row.binds, Binds::Server(_))).count();
    let mut page = format!(
        "# MQTT 3.1.1, statement by statement\n\n\
         Made by `cargo run -p mqtt-p2p-conformance` from `src/statements.rs`. The numbers are those of appendix B of \
         the OASIS standard, the words are ours.\n\n\
         {} statements, of which {clients} bind a client: each of those has a test. The others bind only a server; tests \
         beside them say what this client makes of it.\n\n\
         | statement | binds | what it says | tests |\n|---|---|---|---|\n",
        STATEMENTS.len(),
    );
    for row in STATEMENTS {
        let binds = match row.binds {
            Binds::Client => "client".into(),
            Binds::Both => "both".into(),
            Binds::Server(reason) => format!("server: {reason}"),
        };
        let tests: Vec<String> = row.tests.iter().map(|test| format!("`{test}`")).collect();
        let _ = writeln!(page, "| MQTT-{} | {binds} | {} | {} |", row.id, row.says, tests.join(" "));
    }
    page
}
