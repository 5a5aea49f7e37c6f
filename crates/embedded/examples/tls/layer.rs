//! TLS by `embedded-tls` for the drivers of `mqtt-p2p-embedded`: a dialer around a dialer. Copy it into a firmware.
//!
//! A driver drops futures that have waited in vain, and the futures of `embedded-tls` must not be dropped: a record's
//! header that was read is lost, a record that is half written is never finished. So here it never waits. It reads whole
//! records from memory and writes whole records into memory, and what waits is only what is between memory and network.
//!
//! # Memory
//!
//! Four buffers: two of a whole record each for what comes in, two for what goes out. A server may send records of 16 KiB
//! (16,645 bytes with all around it), unless it grants `TlsConfig::with_max_fragment_length`: OpenSSL does, and 4 KiB
//! (4,357 bytes) are enough then. Records that go out are as long as their buffers; the larger of TLS's two buffers must
//! hold a record of the handshake. The provider's verifier and the handshake take about 10 KB of stack.
//!
//! # What embedded-tls 0.19 can do, and what not
//!
//! - TLS 1.3 only, with AES-GCM and P-256.
//! - **Without a verifier it accepts any certificate without a word**: `UnsecureProvider` is for tests, and a provider of
//!   your own that leaves out `CryptoProvider::verifier` is the same.
//! - `pki::CertVerifier` (feature `rustpki`) checks the signatures up to one authority, the name, and the validity if there
//!   is a clock. It does not ask whether a certificate in between may sign others, so that whoever has any certificate of
//!   that authority can make one for your server's name. It is good for an authority of your own, which signs nothing but
//!   your servers; it is not good for a public one.
//! - `webpki::CertVerifier` (feature `webpki`) checks all that, but knows no intermediate certificates.
//! - RSA, which the certificates of ApsaraMQ's public endpoints have, needs the feature `rsa` and a heap.
//! - No revocation, no session resumption by tickets; a client certificate with P-256 is possible.

use core::cell::RefCell;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;

use embedded_io_async::{Error, ErrorKind, ErrorType, Read, Write};
use embedded_tls::{
    CryptoProvider, FlushPolicy, TlsCipherSuite, TlsConfig, TlsConnection, TlsContext, TlsError,
};
use mqtt_p2p_embedded::{Dial, TransportError};

/// The length of a record's header, in which the last two bytes tell how much follows.
const HEADER: usize = 5;

/// Makes TLS connections of what another dialer opens.
pub struct TlsDialer<'a, D, P> {
    inner: D,
    config: &'a TlsConfig<'a>,
    provider: P,
    wire: RefCell<Wire<'a>>,
    read_buffer: &'a mut [u8],
    write_buffer: &'a mut [u8],
}

/// The buffers of a [`TlsDialer`].
pub struct TlsBuffers<'a> {
    /// As long as the longest record of the server.
    pub read: [&'a mut [u8]; 2],
    /// As long as a record that goes out.
    pub write: [&'a mut [u8]; 2],
}

impl<'a, D, P> TlsDialer<'a, D, P> {
    /// Dials `inner`, and makes the handshake there.
    pub fn new(inner: D, config: &'a TlsConfig<'a>, provider: P, buffers: TlsBuffers<'a>) -> Self {
        let TlsBuffers { read: [read_buffer, input], write: [write_buffer, output] } = buffers;
        let wire = Wire { input, filled: 0, given: 0, ended: false, output, start: 0, end: 0 };
        Self { inner, config, provider, wire: RefCell::new(wire), read_buffer, write_buffer }
    }
}

/// A TLS connection.
pub struct TlsStream<'c, 'a, C, S: TlsCipherSuite + 'static> {
    io: C,
    tls: TlsConnection<'c, WireEnd<'c, 'a>, S>,
    wire: &'c RefCell<Wire<'a>>,
}

impl<'a, D: Dial, P: CryptoProvider> Dial for TlsDialer<'a, D, P>
where
    P::CipherSuite: 'static,
{
    type Connection<'c>
        = TlsStream<'c, 'a, D::Connection<'c>, P::CipherSuite>
    where
        Self: 'c;

    async fn dial(&mut self) -> Result<Self::Connection<'_>, TransportError> {
        let Self { inner, config, provider, wire, read_buffer, write_buffer } = self;
        let mut io = inner.dial().await?;
        wire.get_mut().clear();
        let wire = &*wire;
        let mut tls = TlsConnection::new(WireEnd(wire), read_buffer, write_buffer);
        tls.set_flush_policy(FlushPolicy::Relaxed);
        {
            let mut opening = pin!(tls.open(TlsContext::new(config, provider)));
            while now(opening.as_mut()).await.transpose().map_err(tls_error)?.is_none() {
                pump(&mut io, wire).await.map_err(tls_error)?;
            }
        }
        Ok(TlsStream { io, tls, wire })
    }
}

/// What a failed handshake means.
fn tls_error(error: TlsError) -> TransportError {
    match error {
        TlsError::InvalidCertificate | TlsError::InvalidSignature | TlsError::InvalidSignatureScheme => {
            TransportError::UnknownAuthority
        }
        TlsError::InvalidRecord | TlsError::UnknownContentType | TlsError::IoError => TransportError::NotTls,
        TlsError::Io(_) => TransportError::Broken,
        _ => TransportError::Tls,
    }
}

/// Bytes between TLS and the network.
struct Wire<'a> {
    input: &'a mut [u8],
    filled: usize,
    given: usize,
    ended: bool,
    output: &'a mut [u8],
    start: usize,
    end: usize,
}

impl Wire<'_> {
    fn clear(&mut self) {
        (self.filled, self.given, self.ended, self.start, self.end) = (0, 0, false, 0, 0);
    }

    /// How long the record in `input` will be, as far as that is known.
    fn record_len(&self) -> usize {
        match self.input.get(..HEADER.min(self.filled)) {
            Some(&[_, _, _, high, low]) => HEADER + usize::from(u16::from_be_bytes([high, low])),
            _ => HEADER,
        }
    }

    fn has_record(&self) -> bool {
        self.filled > HEADER && self.filled == self.record_len()
    }

    /// Gives some of a whole record.
    fn give(&mut self, buf: &mut [u8]) -> Poll<usize> {
        if !self.has_record() {
            return if self.ended { Poll::Ready(0) } else { Poll::Pending };
        }
        let rest = self.input.get(self.given..self.filled).unwrap_or_default();
        let len = rest.len().min(buf.len());
        buf.iter_mut().zip(rest).for_each(|(place, byte)| *place = *byte);
        self.given += len;
        if self.given == self.filled {
            (self.filled, self.given) = (0, 0);
        }
        Poll::Ready(len)
    }

    /// Takes what has room.
    fn take(&mut self, buf: &[u8]) -> Poll<usize> {
        let room = self.output.get_mut(self.end..).unwrap_or_default();
        let len = room.len().min(buf.len());
        room.iter_mut().zip(buf).for_each(|(place, byte)| *place = *byte);
        self.end += len;
        if len > 0 { Poll::Ready(len) } else { Poll::Pending }
    }
}

/// Writes what TLS has written.
#[expect(clippy::await_holding_refcell_ref, reason = "TLS runs in between, never meanwhile")]
async fn drain<C: Write>(io: &mut C, wire: &RefCell<Wire<'_>>) -> Result<(), TlsError> {
    let mut wire = wire.borrow_mut();
    while wire.start < wire.end {
        let bytes = wire.output.get(wire.start..wire.end).unwrap_or_default();
        match io.write(bytes).await {
            Ok(0) => return Err(TlsError::IoError),
            Ok(len) => wire.start += len,
            Err(error) => return Err(TlsError::Io(error.kind())),
        }
    }
    (wire.start, wire.end) = (0, 0);
    Ok(())
}

/// Writes what TLS has written, and reads some of the next record.
#[expect(clippy::await_holding_refcell_ref, reason = "TLS runs in between, never meanwhile")]
async fn pump<C: Read + Write>(io: &mut C, wire: &RefCell<Wire<'_>>) -> Result<(), TlsError> {
    drain(io, wire).await?;
    if let Some(flushed) = now(pin!(io.flush())).await {
        flushed.map_err(|error| TlsError::Io(error.kind()))?;
    }
    let mut wire = wire.borrow_mut();
    let (filled, len) = (wire.filled, wire.record_len());
    let room = wire.input.get_mut(filled..len).ok_or(TlsError::InsufficientSpace)?;
    match io.read(room).await {
        Ok(0) => wire.ended = true,
        Ok(len) => wire.filled += len,
        Err(error) => return Err(TlsError::Io(error.kind())),
    }
    Ok(())
}

/// What a future gives at once, if it does.
async fn now<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// TLS's end of the wire.
struct WireEnd<'c, 'a>(&'c RefCell<Wire<'a>>);

impl ErrorType for WireEnd<'_, '_> {
    type Error = ErrorKind;
}

impl Read for WireEnd<'_, '_> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, ErrorKind> {
        poll_fn(|_| self.0.borrow_mut().give(buf).map(Ok)).await
    }
}

impl Write for WireEnd<'_, '_> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, ErrorKind> {
        poll_fn(|_| self.0.borrow_mut().take(buf).map(Ok)).await
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

impl<C, S: TlsCipherSuite> ErrorType for TlsStream<'_, '_, C, S> {
    type Error = TlsError;
}

impl<C: Read + Write, S: TlsCipherSuite> Read for TlsStream<'_, '_, C, S> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, TlsError> {
        loop {
            match now(pin!(self.tls.read(buf))).await {
                Some(Ok(len)) => return Ok(len),
                Some(Err(TlsError::ConnectionClosed)) => return Ok(0),
                Some(Err(error)) => return if self.wire.borrow().ended { Ok(0) } else { Err(error) },
                None => pump(&mut self.io, self.wire).await?,
            }
        }
    }
}

impl<C: Read + Write, S: TlsCipherSuite> Write for TlsStream<'_, '_, C, S> {
    async fn write(&mut self, buf: &[u8]) -> Result<usize, TlsError> {
        drain(&mut self.io, self.wire).await?;
        // There is room for a record now, so that this does not wait.
        let tls = &mut self.tls;
        let written = pin!(async {
            let len = tls.write(buf).await?;
            tls.flush().await?;
            Ok(len)
        });
        now(written).await.unwrap_or(Err(TlsError::InsufficientSpace))
    }

    async fn flush(&mut self) -> Result<(), TlsError> {
        drain(&mut self.io, self.wire).await?;
        self.io.flush().await.map_err(|error| TlsError::Io(error.kind()))
    }
}
