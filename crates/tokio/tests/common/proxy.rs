//! A proxy of either kind, as small as it can be. It sends whatever it is asked for to one server.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Whom it lets in, in the words of the protocol.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    Everybody,
    /// `user` with the password `p@ss`.
    Password,
    /// Nobody gets through.
    Nobody,
}

pub(crate) struct TestProxy {
    pub(crate) port: u16,
    /// What was asked for.
    asked: Arc<Mutex<Vec<String>>>,
    listening: JoinHandle<()>,
}

impl TestProxy {
    pub(crate) async fn http(server: SocketAddr, rule: Rule) -> Self {
        Self::start(server, rule, true).await
    }

    pub(crate) async fn socks5(server: SocketAddr, rule: Rule) -> Self {
        Self::start(server, rule, false).await
    }

    async fn start(server: SocketAddr, rule: Rule, http: bool) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&asked);
        let listening = tokio::spawn(async move {
            let mut links = tokio::task::JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let notes = Arc::clone(&notes);
                links.spawn(async move {
                    let target = if http {
                        ask_http(&mut client, rule).await
                    } else {
                        ask_socks(&mut client, rule).await
                    };
                    let Some(target) = target else { return };
                    notes.lock().unwrap().push(target);
                    let mut server = TcpStream::connect(server).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { port, asked, listening }
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for TestProxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// RFC 9110, section 9.3.6. The target, if the client may have it.
async fn ask_http(client: &mut TcpStream, rule: Rule) -> Option<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        client.read_buf(&mut request).await.ok().filter(|len| *len > 0)?;
    }
    let request = String::from_utf8(request).unwrap();
    let target = request.strip_prefix("CONNECT ")?.split_once(" HTTP/1.1\r\n")?.0;
    // user:p@ss
    let known = request.to_ascii_lowercase().contains("proxy-authorization: basic dxnlcjpwqhnz");
    let answer = match rule {
        Rule::Password if !known => "407 Proxy Authentication Required",
        Rule::Nobody => "403 Forbidden",
        Rule::Everybody | Rule::Password => "200 Connection established",
    };
    client.write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes()).await.ok()?;
    answer.starts_with("200").then(|| target.to_owned())
}

/// RFC 1928 and 1929. The target, if the client may have it.
async fn ask_socks(client: &mut TcpStream, rule: Rule) -> Option<String> {
    let methods = counted(client, 5).await?;
    let method = if rule == Rule::Password { 2 } else { 0 };
    let chosen = if methods.contains(&method) { method } else { 0xff };
    client.write_all(&[5, chosen]).await.ok()?;
    if chosen == 2 {
        let user = counted(client, 1).await?;
        let len = client.read_u8().await.ok()?;
        let mut password = vec![0; len.into()];
        client.read_exact(&mut password).await.ok()?;
        let known = user == b"user" && password == b"p@ss";
        client.write_all(&[1, u8::from(!known)]).await.ok()?;
        if !known {
            return None;
        }
    }
    let mut head = [0; 4];
    client.read_exact(&mut head).await.ok()?;
    let host = match head {
        [5, 1, 0, 1] => Ipv4Addr::from(client.read_u32().await.ok()?).to_string(),
        [5, 1, 0, 3] => {
            let len = client.read_u8().await.ok()?;
            let mut name = vec![0; len.into()];
            client.read_exact(&mut name).await.ok()?;
            String::from_utf8(name).unwrap()
        }
        other => panic!("{other:?}"),
    };
    let port = client.read_u16().await.ok()?;
    let reply = if rule == Rule::Nobody { 2 } else { 0 };
    client.write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
    (reply == 0).then(|| format!("{host}:{port}"))
}

/// A version, a length, and so many bytes.
async fn counted(client: &mut TcpStream, version: u8) -> Option<Vec<u8>> {
    assert_eq!(client.read_u8().await.ok()?, version);
    let len = client.read_u8().await.ok()?;
    let mut bytes = vec![0; len.into()];
    client.read_exact(&mut bytes).await.ok()?;
    Some(bytes)
}
