//! A socket that can be cut from outside, or after a number of bytes.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::windows::lock;

/// Bytes that all connections of an Agent may still carry, in both directions together, before one is cut.
#[derive(Debug, Default)]
pub(super) struct Budget(Mutex<Option<u64>>);

impl Budget {
    pub(super) fn set(&self, bytes: u64) {
        *lock(&self.0) = Some(bytes);
    }

    fn left(&self) -> usize {
        lock(&self.0).map_or(usize::MAX, |left| usize::try_from(left.max(1)).unwrap_or(usize::MAX))
    }

    /// How many of so many bytes may pass, and whether the connection is cut after them.
    fn take(&self, bytes: usize) -> (usize, bool) {
        let mut left = lock(&self.0);
        let Some(budget) = *left else { return (bytes, false) };
        match budget.checked_sub(bytes as u64) {
            Some(rest) if rest > 0 => {
                *left = Some(rest);
                (bytes, false)
            }
            _ => {
                *left = None;
                (usize::try_from(budget).unwrap_or(bytes), true)
            }
        }
    }
}

/// Reads and writes fail from the moment the token is cancelled.
pub(super) struct CancelStream {
    socket: TcpStream,
    token: CancellationToken,
    cancelled: Pin<Box<WaitForCancellationFutureOwned>>,
    budget: Arc<Budget>,
}

impl CancelStream {
    pub(super) fn new(socket: TcpStream, token: CancellationToken, budget: Arc<Budget>) -> Self {
        let cancelled = Box::pin(token.clone().cancelled_owned());
        Self { socket, token, cancelled, budget }
    }

    fn cut(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.cancelled.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionReset.into()),
            Poll::Pending => Ok(()),
        }
    }

    /// What of so many bytes passes; with the last of them the connection ends.
    fn pass(&self, bytes: usize) -> io::Result<usize> {
        let (passed, cut) = self.budget.take(bytes);
        if cut {
            self.token.cancel();
        }
        if bytes > 0 && passed == 0 { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(passed) }
    }
}

impl AsyncRead for CancelStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.cut(context)?;
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(context, buffer);
        if matches!(polled, Poll::Ready(Ok(()))) {
            let passed = self.pass(buffer.filled().len() - before)?;
            // What came after the cut never arrived.
            buffer.set_filled(before + passed);
        }
        polled
    }
}

impl AsyncWrite for CancelStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.cut(context)?;
        let offered = bytes.len().min(self.budget.left());
        let polled = Pin::new(&mut self.socket).poll_write(context, &bytes[..offered]);
        if let Poll::Ready(Ok(count)) = polled {
            // Another connection may have used the budget up meanwhile.
            return Poll::Ready(self.pass(count));
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
