//! `mqtt-p2p sign`: what a client of ApsaraMQ logs in with.

use std::io::Write;

use serde::Serialize;

use crate::args::{Mode, Sign};
use crate::failure::{Failure, Thing};
use crate::json;
use crate::login::{LogIn, client_id, mode, user_name_and_password};
use crate::output;
use crate::profile::Profile;

/// What `--json` prints.
#[derive(Serialize)]
struct Signed<'a> {
    user_name: &'a str,
    password: &'a str,
}

pub(crate) fn run(args: &Sign, profile: &Profile) -> Result<(), Failure> {
    let identity = &args.identity;
    let log_in = LogIn::new(mode(identity, profile, Mode::Signature), identity, profile, None)?;
    let client_id = client_id(identity, profile).ok_or(Failure::Missing(Thing::ClientId))?;
    let (user_name, password) = user_name_and_password(&log_in, &client_id)?;
    if output::is_json() {
        return json::print(&Signed { user_name: &user_name, password: &password }).map_err(Failure::Output);
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "user name: {user_name}\npassword: {}", password.as_str()).map_err(Failure::Output)
}
