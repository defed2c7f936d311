//! Bytes from one socket to another, through one buffer for a whole worker. Used by tunnels, and by connections that are
//! about to be closed; knows nothing of what the bytes mean.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

/// A worker's buffer for bytes that pass through. One is enough, because it is empty again before anybody waits: a tunnel
/// at rest holds no memory, and a busy one moves large pieces.
pub(crate) struct CopyBuffer(RefCell<Box<[u8]>>);

/// One step of a direction.
enum Step {
    End,
    /// All that was read is written.
    Moved(usize),
    /// The receiver is slow: this much is written, and this is left.
    Blocked(usize, Vec<u8>),
}

impl CopyBuffer {
    pub(crate) fn new() -> Self {
        Self(RefCell::new(vec![0; 64 * 1024].into_boxed_slice()))
    }

    /// Copies until `from` ends, then closes `to` in that direction.
    pub(crate) async fn copy(
        &self,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
        early: Bytes,
        moved: impl Fn(u64),
    ) -> io::Result<()> {
        let mut left = early.to_vec();
        loop {
            let mut rest = left.as_slice();
            while !rest.is_empty() {
                let written = to.write(rest).await?;
                if written == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                moved(written as u64);
                rest = &rest[written..];
            }
            left = Vec::new();
            match poll_fn(|cx| self.step(&mut from, &to, cx)).await? {
                Step::End => return to.shutdown().await,
                Step::Moved(bytes) => moved(bytes as u64),
                Step::Blocked(bytes, unwritten) => {
                    moved(bytes as u64);
                    left = unwritten;
                }
            }
        }
    }

    fn step(
        &self,
        from: &mut ReadHalf<'_>,
        to: &WriteHalf<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Step>> {
        let mut buffer = self.0.borrow_mut();
        let mut buf = ReadBuf::new(&mut buffer);
        ready!(Pin::new(from).poll_read(cx, &mut buf))?;
        let data = buf.filled();
        if data.is_empty() {
            return Poll::Ready(Ok(Step::End));
        }
        let written = match to.try_write(data) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Poll::Ready(Err(error)),
        };
        Poll::Ready(Ok(if written == data.len() {
            Step::Moved(written)
        } else {
            Step::Blocked(written, data[written..].to_vec())
        }))
    }

    /// Reads a socket to its end and keeps nothing.
    pub(crate) async fn drain(&self, socket: &mut TcpStream) -> io::Result<()> {
        let (mut from, _to) = socket.split();
        poll_fn(|cx| {
            let mut buffer = self.0.borrow_mut();
            loop {
                let mut buf = ReadBuf::new(&mut buffer);
                ready!(Pin::new(&mut from).poll_read(cx, &mut buf))?;
                if buf.filled().is_empty() {
                    return Poll::Ready(Ok(()));
                }
            }
        })
        .await
    }
}

impl fmt::Debug for CopyBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyBuffer").finish_non_exhaustive()
    }
}
