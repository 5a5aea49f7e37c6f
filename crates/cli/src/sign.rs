//! `mqtt-p2p sign`: the log-in of signature mode.

use std::io::Write;

use mqtt_p2p_aliyun::LogIn;

use crate::args::Sign;
use crate::failure::Failure;
use crate::output::json;

pub(crate) fn run(args: &Sign) -> Result<(), Failure> {
    let identity = &args.identity;
    let secret = identity.secret()?;
    let log_in: LogIn = identity.credentials(&secret).log_in(identity.client_id.as_str())?;
    let user_name = log_in.user_name();
    // It is Base64.
    let password = String::from_utf8_lossy(log_in.password());
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, r#"{{"user_name":{},"password":{}}}"#, json(user_name), json(&password))
    } else {
        writeln!(out, "user name: {user_name}\npassword: {password}")
    }
    .map_err(Failure::Output)
}
