//! `mqtt-p2p emulator`: the stand-in for ApsaraMQ as a command.

mod greeting;

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use mqtt_p2p_aliyun::Credentials;
use mqtt_p2p_emulator::{
    Account, CloseReason, Config, Event, Faults, IssuedToken, Quirks, Server, ServerCertificate, ServerConfig,
};
use zeroize::Zeroizing;

use crate::args::{Certificate, Emulator, SecretSource};
use crate::failure::Failure;
use crate::output::{self, visible};
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
    let mut stopped = stop::watch()?;
    let server = Server::start(config(args, &secret)).await.map_err(|error| Failure::Emulator {
        ports: [args.tcp_port, args.ws_port, args.tls_port, args.wss_port],
        error,
    })?;
    server.set_faults(|faults| switch_on(args, faults));
    write_certificates(args, &server)?;
    let tokens = issue_tokens(args, &server)?;
    greeting::greet(args, &server, &tokens, own_secret.is_none()).map_err(Failure::Output)?;
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            () = tokio::time::sleep(LOOK) => server.events().iter().for_each(show),
        }
    }
    server.shutdown().await;
    Ok(())
}

/// What the arguments ask for.
fn config(args: &Emulator, secret: &str) -> ServerConfig {
    let quirks = if args.standard { Quirks::standard() } else { Quirks::service() };
    let mut instance =
        Config::new(&args.instance).account(Account::access_key(&args.access_key, secret)).quirks(quirks);
    instance.min_token_lifetime = args.tokens.min_token_lifetime;
    let certificate = match args.tls.certificate {
        Certificate::Valid => ServerCertificate::Valid,
        Certificate::Expired => ServerCertificate::Expired,
        Certificate::WrongName => ServerCertificate::WrongName,
    };
    let config = ServerConfig::new(instance)
        .ports(args.tcp_port, args.ws_port)
        .tls_ports(args.tls_port, args.wss_port)
        .certificate(certificate);
    if args.tls.mutual_tls { config.mutual_tls() } else { config }
}

fn switch_on(args: &Emulator, faults: &mut Faults) {
    for fault in &args.faults.every {
        fault.switch_on(faults);
    }
    faults.client_id.clone_from(&args.faults.fault_client);
}

/// Writes what a client over TLS needs to the files that were named.
fn write_certificates(args: &Emulator, server: &Server) -> Result<(), Failure> {
    let client = server.client_identity();
    for (what, path, pem, is_secret) in [
        ("the authority's certificate", &args.tls.ca_out, server.ca_pem(), false),
        ("the client's certificate", &args.tls.cert_out, client.certificate.as_str(), false),
        ("the client's key", &args.tls.key_out, client.key.as_str(), true),
    ] {
        if let Some(path) = path {
            write(path, pem, is_secret).map_err(|error| Failure::Write {
                what,
                path: path.clone(),
                error,
            })?;
        }
    }
    Ok(())
}

/// Writes a file, which only its owner may read if it is secret.
fn write(path: &Path, text: &str, is_secret: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if is_secret {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = is_secret;
    options.open(path)?.write_all(text.as_bytes())
}

fn issue_tokens(args: &Emulator, server: &Server) -> Result<Vec<IssuedToken>, Failure> {
    let issue = |request: &crate::args::TokenRequest| {
        server.issue_token(request.topics.clone(), request.kind, request.lifetime)
    };
    args.tokens.issue_token.iter().map(issue).collect::<Result<_, _>>().map_err(Failure::IssueToken)
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
        Event::PayloadIgnored { client_id, len } => output::note(&format_args!(
            "a message of {len} bytes from {} is too large: it goes nowhere",
            visible(client_id)
        )),
        Event::BeforeUploadAck { client_id, packet, .. } => output::note(&format_args!(
            "{packet} from {} came before the PUBACK of its token: the old token is what counts for it",
            visible(client_id)
        )),
        Event::Dropped { client_id, reason } => {
            output::note(&format_args!("a message to {} was dropped: {reason:?}", visible(client_id)))
        }
        _ => {}
    }
}
