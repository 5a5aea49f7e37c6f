//! Connects with the defaults and stays, and says what happens to the connection, a line for each event: `connected`,
//! `takeover`, or another end.
//!
//! Arguments: the server's URL; client id; and for ApsaraMQ, access key, its secret and the instance id.

use std::error::Error;

use mqtt_p2p_tokio::{Client, ClientId, ConnectionEvent, Credentials, DisconnectReason, Options};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = match &arguments[..] {
        [url, client_id] => Options::new(url.parse()?, client_id),
        [url, client_id, access_key_id, access_key_secret, instance_id] => {
            let credentials = Credentials::Signature { access_key_id, access_key_secret, instance_id };
            Options::aliyun(url.parse()?, &ClientId::parse(client_id)?, &credentials)?
        }
        _ => return Err("wanted: URL, client id, and for ApsaraMQ access key, secret and instance id".into()),
    };
    let (client, _) = Client::start(options);
    let mut events = client.events();
    while let Some(event) = events.recv().await {
        match event {
            ConnectionEvent::Connected { .. } => println!("connected"),
            ConnectionEvent::Disconnected { reason: DisconnectReason::TakeoverSuspected, .. } => {
                println!("takeover");
            }
            other => println!("{other}"),
        }
    }
    Ok(())
}
