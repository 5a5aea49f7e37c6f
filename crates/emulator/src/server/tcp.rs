//! MQTT over TCP, or over TLS on it.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};

use super::link::Link;

const READ_BUFFER: usize = 16 << 10;

pub(super) async fn serve(stream: impl AsyncRead + AsyncWrite, link: Link) {
    let (mut read, mut write) = split(stream);
    let receive = async {
        let mut buffer = vec![0; READ_BUFFER];
        while let Ok(len @ 1..) = read.read(&mut buffer).await {
            link.received(buffer.get(..len).unwrap_or_default());
        }
    };
    let send = async {
        while let Some(packets) = link.outbox().next().await {
            // One write for all that is ready.
            let bytes: Vec<u8> = packets.into_iter().flatten().collect();
            // A TLS stream holds bytes back until it is flushed.
            if write.write_all(&bytes).await.is_err() || write.flush().await.is_err() {
                return;
            }
        }
        let _ = write.shutdown().await;
    };
    link.run(receive, send).await;
}
