//! `mqtt-p2p emulator`: the stand-in for ApsaraMQ as a command.

use std::io::Write as _;
use std::time::Duration;

use mqtt_p2p_aliyun::Credentials;
use mqtt_p2p_emulator::{Account, BANNER, CloseReason, Config, Event, Server, ServerConfig};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::args::{Emulator, SecretSource};
use crate::failure::Failure;
use crate::json;
use crate::output::{self, BOLD, COLUMNS, visible, wrap};
use crate::profile::Profile;
use crate::secret::SecretKind;
use crate::stop;

/// The secret of who has set none. It protects nothing.
const SECRET: &str = "SK";

/// How often the emulator is asked for what happened.
const LOOK: Duration = Duration::from_millis(50);

pub(crate) async fn run(args: &Emulator) -> Result<(), Failure> {
    let source =
        SecretSource { secret_key_file: args.secret_key_file.clone(), password_file: None, token_file: None };
    let own_secret = source.find(SecretKind::SecretKey, &Profile::default())?;
    let secret = match &own_secret {
        Some(secret) => secret.clone(),
        None => Zeroizing::new(SECRET.into()),
    };
    // What no client could log in with is better said at the start.
    Credentials::Signature {
        access_key_id: &args.access_key,
        access_key_secret: &secret,
        instance_id: &args.instance,
    }
    .check()?;
    let instance =
        Config::new(&args.instance).account(Account::access_key(&args.access_key, secret.as_str()));
    let config = ServerConfig::new(instance).ports(args.tcp_port, args.ws_port);
    let mut stopped = stop::watch()?;
    let server = Server::start(config).await.map_err(|error| Failure::Emulator {
        tcp_port: args.tcp_port,
        ws_port: args.ws_port,
        error,
    })?;
    greet(args, &server, own_secret.is_none()).map_err(Failure::Output)?;
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            () = tokio::time::sleep(LOOK) => server.events().iter().for_each(show),
        }
    }
    server.shutdown().await;
    Ok(())
}

/// What `--json` says at the start. The field names are stable.
#[derive(Serialize)]
struct Greeting<'a> {
    notice: &'a str,
    tcp: String,
    ws: String,
    instance: &'a str,
    access_key: &'a str,
    /// Only one that is no secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_key: Option<&'a str>,
}

/// Says what it is and how to use it. A secret of the user's own is not shown.
fn greet(args: &Emulator, server: &Server, default_secret: bool) -> std::io::Result<()> {
    let (tcp, ws) = (server.tcp_addr(), server.ws_addr());
    if output::is_json() {
        return json::print(&Greeting {
            notice: BANNER,
            tcp: format!("mqtt://{tcp}"),
            ws: format!("ws://{ws}/mqtt"),
            instance: &args.instance,
            access_key: &args.access_key,
            secret_key: default_secret.then_some(SECRET),
        });
    }
    let secret = if default_secret {
        format!("export MQTT_P2P_SECRET_KEY={SECRET}")
    } else {
        "export MQTT_P2P_SECRET_KEY=…  # the same as here".into()
    };
    let mut out = anstream::stdout().lock();
    writeln!(out, "{}\n", wrap(BANNER, COLUMNS).join("\n"))?;
    writeln!(out, "  TCP        {BOLD}mqtt://{tcp}{BOLD:#}")?;
    writeln!(out, "  WebSocket  {BOLD}ws://{ws}/mqtt{BOLD:#}")?;
    writeln!(out, "\nTo try it, in two other terminals:\n")?;
    writeln!(out, "  export MQTT_P2P_URL=mqtt://{tcp} MQTT_P2P_INSTANCE={}", args.instance)?;
    writeln!(out, "  export MQTT_P2P_ACCESS_KEY={}", args.access_key)?;
    writeln!(out, "  {secret}")?;
    writeln!(out, "  mqtt-p2p listen --client-id GID_demo@@@b")?;
    writeln!(out, "  mqtt-p2p send --client-id GID_demo@@@a --parent demo --to GID_demo@@@b hello")?;
    writeln!(out, "\nCtrl-C ends it.\n")?;
    out.flush()
}

/// A client sees only bare closes; here is why.
fn show(event: &Event) {
    match event {
        Event::Connected { client_id, .. } => {
            output::note(&format_args!("{} logged in", visible(client_id)));
        }
        Event::Closed { client_id: Some(client_id), reason: CloseReason::Disconnected, .. } => {
            output::note(&format_args!("{} left", visible(client_id)))
        }
        Event::Closed { client_id, reason, .. } => {
            let who = client_id.as_deref().unwrap_or("a connection without a log-in");
            output::note(&format_args!("{} is gone: {reason}", visible(who)));
        }
        Event::SubscriptionIgnored { client_id, filter } => output::note(&format_args!(
            "{} has too many subscriptions: {} has no effect",
            visible(client_id),
            visible(filter)
        )),
        Event::Dropped { client_id, reason } => {
            output::note(&format_args!("a message to {} was dropped: {reason:?}", visible(client_id)))
        }
        _ => {}
    }
}
