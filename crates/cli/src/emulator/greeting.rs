//! What the emulator says at its start: what it is, where it listens, and what to type.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

use mqtt_p2p_emulator::{BANNER, IssuedToken, Server};
use serde::Serialize;

use super::SECRET;
use crate::args::Emulator;
use crate::json;
use crate::output::{self, BOLD, COLUMNS, wrap};

/// What `--json` says. The field names are stable.
#[derive(Serialize)]
struct Greeting<'a> {
    notice: &'a str,
    tcp: String,
    ws: String,
    tls: String,
    wss: String,
    instance: &'a str,
    access_key: &'a str,
    /// Only one that is no secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_key: Option<&'a str>,
    ca_pem: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tokens: Vec<Token<'a>>,
}

#[derive(Serialize)]
struct Token<'a> {
    topics: &'a [String],
    r#type: &'static str,
    /// As clients take it: `<type>|<token>`.
    token: String,
    /// In milliseconds of Unix time.
    expire_time: u64,
}

/// Says it. A secret of the user's own is not shown.
pub(super) fn greet(
    args: &Emulator,
    server: &Server,
    tokens: &[IssuedToken],
    default_secret: bool,
) -> io::Result<()> {
    let tokens = tokens.iter().zip(&args.tokens.issue_token).map(|(token, request)| Token {
        topics: &request.topics,
        r#type: token.kind.as_str(),
        token: format!("{}|{}", token.kind, token.text),
        expire_time: token.expire_time,
    });
    if output::is_json() {
        return json::print(&Greeting {
            notice: BANNER,
            tcp: server.url(),
            ws: server.ws_url(),
            tls: server.tls_url(),
            wss: server.wss_url(),
            instance: &args.instance,
            access_key: &args.access_key,
            secret_key: default_secret.then_some(SECRET),
            ca_pem: server.ca_pem(),
            tokens: tokens.collect(),
        });
    }
    let secret = if default_secret {
        format!("export MQTT_P2P_SECRET_KEY={SECRET}")
    } else {
        "export MQTT_P2P_SECRET_KEY=…  # the same as here".into()
    };
    let (url, instance) = (server.url(), shell(&args.instance));
    let mut out = anstream::stdout().lock();
    writeln!(out, "{}\n", wrap(BANNER, COLUMNS).join("\n"))?;
    writeln!(out, "  TCP             {BOLD}{url}{BOLD:#}")?;
    writeln!(out, "  WebSocket       {BOLD}{}{BOLD:#}", server.ws_url())?;
    writeln!(out, "  TLS             {BOLD}{}{BOLD:#}", server.tls_url())?;
    writeln!(out, "  WebSocket, TLS  {BOLD}{}{BOLD:#}", server.wss_url())?;
    writeln!(out, "\nTo try it, in two other terminals:\n")?;
    writeln!(out, "  export MQTT_P2P_URL={url} MQTT_P2P_INSTANCE={instance}")?;
    writeln!(out, "  export MQTT_P2P_ACCESS_KEY={}", shell(&args.access_key))?;
    writeln!(out, "  {secret}")?;
    writeln!(out, "  mqtt-p2p listen --client-id GID_demo@@@b")?;
    writeln!(out, "  mqtt-p2p send --client-id GID_demo@@@a --parent demo --to GID_demo@@@b hello")?;
    over_tls(&mut out, args, server)?;
    for (token, at) in tokens.zip(0..) {
        if at == 0 {
            writeln!(out, "\nTo log in with a token, which wins over the secret:\n")?;
        }
        writeln!(out, "  # {} for {}", token.r#type, output::visible(&token.topics.join(", ")))?;
        writeln!(out, "  export MQTT_P2P_TOKEN={}", shell(&token.token))?;
    }
    writeln!(out, "\nCtrl-C ends it.\n")?;
    out.flush()
}

/// What to give the same commands for TLS.
fn over_tls(out: &mut impl Write, args: &Emulator, server: &Server) -> io::Result<()> {
    let Some(ca) = &args.tls.ca_out else {
        return writeln!(
            out,
            "\nFor TLS a client has to trust its authority: --ca-out writes a file for that."
        );
    };
    writeln!(out, "\nFor TLS, give them these as well:\n")?;
    write!(out, "  --url {} --cafile {}", server.tls_url(), shell_path(ca))?;
    if let (Some(certificate), Some(key)) = (&args.tls.cert_out, &args.tls.key_out) {
        write!(out, " --cert {} --key {}", shell_path(certificate), shell_path(key))?;
    }
    writeln!(out)
}

fn shell_path(path: &Path) -> String {
    shell(&path.to_string_lossy()).into_owned()
}

/// A word as a shell reads it back.
fn shell(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    format!("'{}'", output::visible(word).replace('\'', r"'\''")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_a_shell_would_take_apart_are_quoted() {
        assert_eq!(shell("/tmp/ca-1.pem"), "/tmp/ca-1.pem");
        assert_eq!(shell("RW|a+b=="), "'RW|a+b=='");
        assert_eq!(shell("it's"), r"'it'\''s'");
    }
}
