//! Where the server is, and how to reach it.

use std::fmt;
use std::str::FromStr;

use mqtt_p2p_aliyun::limits;

/// A server's address: `mqtt://host[:port]` or `ws://host[:port][/path]`. Ports are 1883 and 80 unless given, the
/// path is `/mqtt`.
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
    /// WebSocket over plain TCP, one packet a message, subprotocol `mqtt` or `mqttv3.1`.
    WebSocket {
        /// The path of the upgrade request, with its leading `/`.
        path: String,
    },
}

/// Why text is no endpoint. It is the caller's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointError {
    /// Neither `mqtt://` nor `ws://` at the start.
    Scheme,
    /// No host name, or one with a character that no name or address has.
    Host,
    /// The port is not a number from 1 to 65,535.
    Port,
    /// A path on a transport that has none.
    Path,
}

impl Endpoint {
    /// A server reached over TCP.
    pub fn tcp(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, transport: Transport::Tcp }
    }

    /// A server reached over WebSocket, at the path `/mqtt`.
    pub fn ws(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, transport: Transport::WebSocket { path: limits::WS_PATH.into() } }
    }

    /// Its name or address, IPv6 without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// How it is reached.
    pub const fn transport(&self) -> &Transport {
        &self.transport
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(url: &str) -> Result<Self, EndpointError> {
        let (scheme, rest) = url.split_once("://").ok_or(EndpointError::Scheme)?;
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (transport, default_port) = match scheme {
            "mqtt" if path.is_empty() || path == "/" => (Transport::Tcp, limits::TCP_PORT),
            "mqtt" => return Err(EndpointError::Path),
            "ws" => {
                let path = if path.is_empty() { limits::WS_PATH } else { path };
                (Transport::WebSocket { path: path.into() }, limits::WS_PORT)
            }
            _ => return Err(EndpointError::Scheme),
        };
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or(EndpointError::Host)?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let valid = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
        if host.is_empty() || !host.chars().all(valid) {
            return Err(EndpointError::Host);
        }
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(EndpointError::Port)?,
            None if port.is_empty() => default_port,
            None => return Err(EndpointError::Port),
        };
        Ok(Self { host: host.into(), port, transport })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, path) = match &self.transport {
            Transport::Tcp => ("mqtt", ""),
            Transport::WebSocket { path } => ("ws", path.as_str()),
        };
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}://{open}{}{close}:{}{path}", self.host, self.port)
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "an endpoint begins with mqtt:// or ws://",
            Self::Host => "the endpoint has no valid host name",
            Self::Port => "the endpoint's port is not a number from 1 to 65535",
            Self::Path => "mqtt:// takes no path; use ws:// for WebSocket",
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
        assert_eq!("ws://h".parse(), Ok(Endpoint::ws("h", 80)));
    }

    #[test]
    fn port_path_and_ipv6_are_read_and_written_back() {
        for url in ["mqtt://127.0.0.1:1884", "ws://h:8083/x/y", "mqtt://[::1]:1883"] {
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
        ] {
            assert_eq!(url.parse::<Endpoint>(), Err(error), "{url}");
        }
    }
}
