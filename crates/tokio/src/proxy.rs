//! Ways through a proxy: HTTP CONNECT and SOCKS5.

use std::error::Error;
use std::fmt;
use std::future::{Ready, ready};
use std::str::FromStr;
use std::task::{Context, Poll};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use mqtt_p2p_core::TransportError;
use percent_encoding::percent_decode_str;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Uri};
use tower_service::Service;
use zeroize::Zeroizing;

use crate::dial::DialError;
use crate::endpoint::{EndpointError, authority, split_authority};

/// A proxy between client and server: `http://[user:password@]host[:port]`, asked with CONNECT, or `socks5://…`, version
/// 5. The ports are 80 and 1080 unless given; what a URL can't hold is percent-encoded. The proxy resolves the server's
/// name (`socks5h://` says the same). Debug and Display do not show the password.
///
/// ```
/// use mqtt_p2p_tokio::Proxy;
///
/// let proxy: Proxy = "socks5://me:p%40ss@gateway".parse()?;
/// assert_eq!(proxy.to_string(), "socks5://gateway:1080");
/// # Ok::<(), mqtt_p2p_tokio::ProxyError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    kind: Kind,
    host: String,
    port: u16,
    credentials: Option<(String, Zeroizing<String>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Http,
    Socks5,
}

/// Why text is no proxy. It is the caller's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyError {
    /// Neither `http://` nor `socks5://` at the start.
    Scheme,
    /// No host name, or one with a character that no name or address has.
    Host,
    /// The port is not a number from 1 to 65,535.
    Port,
    /// User and password are not `user:password`, or are too long: SOCKS takes 255 bytes for each.
    Credentials,
    /// A path, which a proxy has not.
    Path,
}

impl Proxy {
    /// A proxy that is asked with HTTP CONNECT.
    pub fn http(host: impl Into<String>, port: u16) -> Self {
        Self { kind: Kind::Http, host: host.into(), port, credentials: None }
    }

    /// A proxy of SOCKS version 5.
    pub fn socks5(host: impl Into<String>, port: u16) -> Self {
        Self { kind: Kind::Socks5, host: host.into(), port, credentials: None }
    }

    /// The same with user and password.
    ///
    /// # Errors
    /// [`ProxyError::Credentials`]: too long for SOCKS, or a user with a colon for HTTP.
    pub fn credentials(
        mut self,
        user: impl Into<String>,
        password: impl Into<String>,
    ) -> Result<Self, ProxyError> {
        let (user, password) = (user.into(), Zeroizing::new(password.into()));
        let fits = match self.kind {
            Kind::Http => !user.contains(':'),
            Kind::Socks5 => user.len() <= 255 && password.len() <= 255,
        };
        if !fits {
            return Err(ProxyError::Credentials);
        }
        self.credentials = Some((user, password));
        Ok(self)
    }

    /// Its name or address, IPv6 without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Asks for a way to a server, over a connection to the proxy.
    pub(crate) async fn pass(
        &self,
        stream: TcpStream,
        host: &str,
        port: u16,
    ) -> Result<TcpStream, DialError> {
        let uri = |host: &str, port: u16| {
            Uri::builder().scheme("http").authority(authority(host, port)).path_and_query("/").build()
        };
        let failed =
            |error: &dyn Error| DialError::new(TransportError::Proxy, format!("{self}: {}", chain(error)));
        let own = uri(&self.host, self.port).map_err(|error| failed(&error))?;
        let target = uri(host, port).map_err(|error| failed(&error))?;
        let opened = Opened(Some(stream));
        let passed = match self.kind {
            Kind::Http => {
                let mut tunnel = Tunnel::new(own, opened);
                if let Some((user, password)) = &self.credentials {
                    let pair = Zeroizing::new(format!("{user}:{}", password.as_str()));
                    let basic = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
                    let basic = HeaderValue::from_str(&basic).map_err(|error| failed(&error))?;
                    tunnel = tunnel.with_auth(basic);
                }
                tunnel.call(target).await.map_err(|error| failed(&error))?
            }
            Kind::Socks5 => {
                let mut socks = SocksV5::new(own, opened);
                if let Some((user, password)) = &self.credentials {
                    socks = socks.with_auth(user.clone(), password.to_string());
                }
                socks.call(target).await.map_err(|error| failed(&error))?
            }
        };
        Ok(passed.into_inner())
    }
}

/// An error with all that stands behind it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// A connection that is there already, for libraries that want to open it.
struct Opened(Option<TcpStream>);

impl Service<Uri> for Opened {
    type Response = TokioIo<TcpStream>;
    type Error = std::io::Error;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().map(TokioIo::new).ok_or_else(|| std::io::ErrorKind::NotConnected.into()))
    }
}

impl FromStr for Proxy {
    type Err = ProxyError;

    fn from_str(url: &str) -> Result<Self, ProxyError> {
        let (scheme, rest) = url.split_once("://").ok_or(ProxyError::Scheme)?;
        let (kind, default_port) = match scheme {
            "http" => (Kind::Http, 80),
            "socks5" | "socks5h" => (Kind::Socks5, 1080),
            _ => return Err(ProxyError::Scheme),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains('/') {
            return Err(ProxyError::Path);
        }
        let (credentials, authority) = match rest.rsplit_once('@') {
            Some((credentials, authority)) => (Some(credentials), authority),
            None => (None, rest),
        };
        let (host, port) = split_authority(authority).map_err(|error| match error {
            EndpointError::Port => ProxyError::Port,
            _ => ProxyError::Host,
        })?;
        let proxy = Self { kind, host: host.into(), port: port.unwrap_or(default_port), credentials: None };
        let Some(credentials) = credentials else {
            return Ok(proxy);
        };
        let (user, password) = credentials.split_once(':').ok_or(ProxyError::Credentials)?;
        let decode = |text| percent_decode_str(text).decode_utf8().map_err(|_| ProxyError::Credentials);
        proxy.credentials(decode(user)?, decode(password)?)
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            Kind::Http => "http",
            Kind::Socks5 => "socks5",
        };
        write!(f, "{scheme}://{}", authority(&self.host, self.port))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self}")?;
        f.write_str(if self.credentials.is_some() { ", with credentials)" } else { ")" })
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "a proxy begins with http:// or socks5://",
            Self::Host => "the proxy has no valid host name",
            Self::Port => "the proxy's port is not a number from 1 to 65535",
            Self::Credentials => {
                "the proxy's credentials are not user:password, percent-encoded, or are too long"
            }
            Self::Path => "a proxy has no path",
        })
    }
}

impl Error for ProxyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_kind_host_port_and_credentials() {
        assert_eq!("http://h".parse(), Ok(Proxy::http("h", 80)));
        assert_eq!("socks5://[::1]:9".parse(), Ok(Proxy::socks5("::1", 9)));
        assert_eq!("socks5h://h/".parse(), Ok(Proxy::socks5("h", 1080)));
        let with_credentials = Proxy::http("h", 3128).credentials("a@b", "p:/@ss").unwrap();
        assert_eq!("http://a%40b:p:%2F@ss@h:3128".parse(), Ok(with_credentials));
    }

    #[test]
    fn what_is_no_proxy_says_why() {
        for (url, error) in [
            ("h:80", ProxyError::Scheme),
            ("https://h", ProxyError::Scheme),
            ("http://", ProxyError::Host),
            ("http://h:0", ProxyError::Port),
            ("http://user@h", ProxyError::Credentials),
            ("http://a%3Ab:c@h", ProxyError::Credentials),
            ("socks5://u:%ff@h", ProxyError::Credentials),
            ("http://h/x", ProxyError::Path),
        ] {
            assert_eq!(url.parse::<Proxy>(), Err(error), "{url}");
        }
        assert_eq!(Proxy::socks5("h", 1).credentials("u", "x".repeat(256)), Err(ProxyError::Credentials));
    }

    #[test]
    fn no_text_shows_the_password() {
        let proxy = Proxy::http("h", 3128).credentials("user", "planted").unwrap();
        assert_eq!(format!("{proxy} {proxy:?}"), "http://h:3128 Proxy(http://h:3128, with credentials)");
    }
}
