//! Where the server is, and how to reach it.

use std::fmt;
use std::str::FromStr;

use mqtt_p2p_aliyun::limits;

/// A server's address, as a URL:
///
/// | | | default port |
/// |---|---|--:|
/// | `mqtt://host[:port]` | plain TCP | 1883 |
/// | `mqtts://host[:port]` | TLS | 8883 |
/// | `ws://host[:port][/path]` | WebSocket, at `/mqtt` unless a path is given | 80 |
/// | `wss://host[:port][/path]` | WebSocket over TLS | 443 |
/// | `unix:///path` | a Unix socket | |
///
/// ```
/// use mqtt_p2p_tokio::{Endpoint, Transport};
///
/// let endpoint: Endpoint = "ws://post-cn-demo.mqtt.aliyuncs.com".parse()?;
/// assert_eq!((endpoint.port(), endpoint.transport()), (80, &Transport::WebSocket { path: "/mqtt".into() }));
/// assert_eq!(endpoint.to_string(), "ws://post-cn-demo.mqtt.aliyuncs.com:80/mqtt");
/// # Ok::<(), mqtt_p2p_tokio::EndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Empty for a Unix socket, as the port is 0.
    host: String,
    port: u16,
    transport: Transport,
}

/// What carries the packets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// Plain TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket over plain TCP, one packet a message, subprotocol `mqtt` or `mqttv3.1`.
    WebSocket {
        /// The path of the upgrade request, with its leading `/`.
        path: String,
    },
    /// The same over TLS.
    SecureWebSocket {
        /// The path of the upgrade request, with its leading `/`.
        path: String,
    },
    /// A Unix socket.
    Unix {
        /// Its file.
        path: String,
    },
}

/// Why text is no endpoint. It is the caller's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointError {
    /// None of `mqtt://`, `mqtts://`, `ws://`, `wss://` and `unix://` at the start.
    Scheme,
    /// No host name, or one with a character that no name or address has.
    Host,
    /// The port is not a number from 1 to 65,535.
    Port,
    /// A path on a transport that has none, or one that can't be asked for, or none for a Unix socket.
    Path,
}

impl Endpoint {
    /// A server reached over TCP.
    pub fn tcp(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, transport: Transport::Tcp }
    }

    /// A server reached over TLS.
    pub fn tls(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, transport: Transport::Tls }
    }

    /// A server reached over WebSocket, at the path `/mqtt`.
    pub fn ws(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, transport: Transport::WebSocket { path: limits::WS_PATH.into() } }
    }

    /// A server reached over WebSocket over TLS, at the path `/mqtt`.
    pub fn wss(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            transport: Transport::SecureWebSocket { path: limits::WS_PATH.into() },
        }
    }

    /// A server on this machine, reached through a socket file.
    pub fn unix(path: impl Into<String>) -> Self {
        Self { host: String::new(), port: 0, transport: Transport::Unix { path: path.into() } }
    }

    /// Its name or address, IPv6 without brackets; empty for a Unix socket.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port; 0 for a Unix socket.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// How it is reached.
    pub const fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Host and port as a URL has them.
    pub(crate) fn authority(&self) -> String {
        authority(&self.host, self.port)
    }

    /// Whether the server has to prove who it is.
    pub(crate) const fn is_secure(&self) -> bool {
        matches!(self.transport, Transport::Tls | Transport::SecureWebSocket { .. })
    }
}

/// Host and port as a URL has them: IPv6 in brackets.
pub(crate) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Reads host and port of a URL; `None` for the port: it has none.
pub(crate) fn split_authority(authority: &str) -> Result<(&str, Option<u16>), EndpointError> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(EndpointError::Host)?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let valid = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
    if host.is_empty() || !host.chars().all(valid) {
        return Err(EndpointError::Host);
    }
    let port = match port.strip_prefix(':') {
        Some(port) => Some(port.parse().ok().filter(|port| *port != 0).ok_or(EndpointError::Port)?),
        None if port.is_empty() => None,
        None => return Err(EndpointError::Port),
    };
    Ok((host, port))
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(url: &str) -> Result<Self, EndpointError> {
        let (scheme, rest) = url.split_once("://").ok_or(EndpointError::Scheme)?;
        if scheme == "unix" {
            let is_file = rest.starts_with('/') && !rest.ends_with('/') && !rest.contains('\0');
            return if is_file { Ok(Self::unix(rest)) } else { Err(EndpointError::Path) };
        }
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let web_path = || match path {
            "" => Ok(limits::WS_PATH.into()),
            _ if path.chars().all(|c| c.is_ascii_graphic() && c != '#') => Ok(path.into()),
            _ => Err(EndpointError::Path),
        };
        let (transport, default_port) = match scheme {
            "mqtt" => (Transport::Tcp, limits::TCP_PORT),
            "mqtts" => (Transport::Tls, limits::TLS_PORT),
            "ws" => (Transport::WebSocket { path: web_path()? }, limits::WS_PORT),
            "wss" => (Transport::SecureWebSocket { path: web_path()? }, limits::WSS_PORT),
            _ => return Err(EndpointError::Scheme),
        };
        if matches!(transport, Transport::Tcp | Transport::Tls) && !matches!(path, "" | "/") {
            return Err(EndpointError::Path);
        }
        let (host, port) = split_authority(authority)?;
        Ok(Self { host: host.into(), port: port.unwrap_or(default_port), transport })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, path) = match &self.transport {
            Transport::Tcp => ("mqtt", ""),
            Transport::Tls => ("mqtts", ""),
            Transport::WebSocket { path } => ("ws", path.as_str()),
            Transport::SecureWebSocket { path } => ("wss", path.as_str()),
            Transport::Unix { path } => return write!(f, "unix://{path}"),
        };
        write!(f, "{scheme}://{}{path}", self.authority())
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "an endpoint begins with mqtt://, mqtts://, ws://, wss:// or unix://",
            Self::Host => "the endpoint has no valid host name",
            Self::Port => "the endpoint's port is not a number from 1 to 65535",
            Self::Path => {
                "the endpoint's path does not fit: mqtt:// and mqtts:// take none (use ws:// or wss:// for WebSocket), \
                 and unix:// is followed by an absolute one"
            }
        })
    }
}

impl std::error::Error for EndpointError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_path_have_defaults() {
        assert_eq!("mqtt://h".parse(), Ok(Endpoint::tcp("h", 1883)));
        assert_eq!("mqtts://h".parse(), Ok(Endpoint::tls("h", 8883)));
        assert_eq!("ws://h".parse(), Ok(Endpoint::ws("h", 80)));
        assert_eq!("wss://h".parse(), Ok(Endpoint::wss("h", 443)));
        assert_eq!("unix:///run/mqtt.sock".parse(), Ok(Endpoint::unix("/run/mqtt.sock")));
    }

    #[test]
    fn port_path_and_ipv6_are_read_and_written_back() {
        for url in [
            "mqtt://127.0.0.1:1884",
            "mqtts://[fe80::1]:8884",
            "ws://h:8083/x/y?z=1",
            "wss://[::1]:8443/mqtt",
            "mqtt://[::1]:1883",
            "unix:///tmp/a b.sock",
        ] {
            assert_eq!(url.parse::<Endpoint>().map(|endpoint| endpoint.to_string()), Ok(url.into()));
        }
    }

    #[test]
    fn what_is_no_endpoint_says_why() {
        for (url, error) in [
            ("h:1883", EndpointError::Scheme),
            ("http://h", EndpointError::Scheme),
            ("mqtt://", EndpointError::Host),
            ("mqtt://a b", EndpointError::Host),
            ("mqtt://[::1", EndpointError::Host),
            ("mqtt://h:0", EndpointError::Port),
            ("mqtt://h:x", EndpointError::Port),
            ("mqtt://[::1]x", EndpointError::Port),
            ("mqtt://h/mqtt", EndpointError::Path),
            ("mqtts://h/mqtt", EndpointError::Path),
            ("ws://h/a b", EndpointError::Path),
            ("wss://user@h", EndpointError::Host),
            ("unix://", EndpointError::Path),
            ("unix://run/x", EndpointError::Path),
        ] {
            assert_eq!(url.parse::<Endpoint>(), Err(error), "{url}");
        }
    }
}
