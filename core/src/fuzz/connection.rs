//! A client's connection as a whole, in memory.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};

use crate::chain::{Chain, Missing, Place};
use crate::config::OnError;
use crate::downstream::connection::serve;
use crate::downstream::session::Session;
use crate::timer::ClientStream;

thread_local! {
    static RUNTIME: Runtime = {
        let mut builder = Builder::new_current_thread();
        // The client always has something to say: no time passes.
        #[cfg(test)]
        builder.start_paused(true);
        let runtime = builder.enable_all().build();
        runtime.expect("a runtime without threads starts")
    };
}

/// Requests are found in what a client sends wherever its bytes are cut on the way: the answers are
/// the same. Where they come one by one, the proxy may close the connection earlier. Every request
/// is refused, so nothing is dialled.
pub fn connection(data: &[u8]) {
    let whole = answers(data, data.len().max(1));
    let in_bytes = answers(data, 1);
    let both = whole.iter().zip(&in_bytes);
    for (one, other) in both {
        assert_eq!(one, other, "{:?}", data.escape_ascii().to_string());
    }
    assert!(in_bytes.len() <= whole.len());
}

/// The lines of all answers to a client whose bytes come in pieces, without those of times. Those
/// of SOCKS are no text.
fn answers(data: &[u8], piece: usize) -> Vec<Vec<u8>> {
    let filters = Chain::new([Place::Missing(Missing {
        name: "a".into(),
        on_error: OnError::Block,
        reason: "there is no such filter".into(),
    })]);
    let written = Rc::<RefCell<Vec<u8>>>::default();
    let client = Client {
        unread: data.to_vec(),
        piece,
        written: written.clone(),
    };
    RUNTIME
        .with(|runtime| runtime.block_on(async { serve(Session::alone(filters), client).await }));
    let written = written.borrow();
    let lines = written.split_inclusive(|byte| *byte == b'\n');
    let lines = lines.filter(|line| !line.starts_with(b"date: "));
    lines.map(<[u8]>::to_vec).collect()
}

/// Sends its bytes, closes its sending side, and reads everything.
struct Client {
    unread: Vec<u8>,
    piece: usize,
    written: Rc<RefCell<Vec<u8>>>,
}

impl AsyncRead for Client {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let n = self.piece.min(buf.remaining()).min(self.unread.len());
        buf.put_slice(&self.unread[..n]);
        self.unread.drain(..n);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Client {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.written.borrow_mut().extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl ClientStream for Client {
    fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(None)
    }
}
