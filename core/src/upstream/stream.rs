//! What hyper reads from and writes to on the way to an origin: a stream that counts what is
//! read, mends the heads of responses, and lets an answer that has arrived be read although nothing
//! can be written any more. Made by `connection`, which looks at its [`Gauge`].

pub(crate) mod mend;
#[cfg(all(any(test, fuzzing), feature = "cli"))]
pub(crate) mod pieces;

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice, Read};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::framing::{end_of_head, give};
use super::socket::OriginSocket;
use super::spelling::{SpelledHead, Spellings};
use crate::timer::Share;

/// What may come before the head of a response, in bytes: interim responses.
const BEFORE_RESPONSE: usize = 256 * 1024;

/// How many there may be.
const MAX_INTERIMS: usize = 1000;

/// What a connection knows of its stream, which hyper has.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    /// Bytes read since the last request was sent.
    read: Cell<usize>,
    /// The same in this turn of the task.
    share: Share,
    /// The next read asks the system itself.
    asks_system: Cell<bool>,
    /// The next bytes are the head of a response, or of an interim response before it. Behind too
    /// many of those none is looked at.
    is_head: Cell<bool>,
    /// Interim responses read since the last request was sent.
    interims: Cell<usize>,
    /// Nothing of the request is written yet.
    is_unwritten: Cell<bool>,
    /// The system has not taken all that hyper has written.
    is_mid_write: Cell<bool>,
    /// Of the exchange whose response has no head yet.
    spellings: RefCell<Option<Rc<Spellings>>>,
}

impl Gauge {
    /// A request is sent: what is read from now on answers it.
    pub(super) fn begin_request(&self, spellings: &Rc<Spellings>) {
        self.read.set(0);
        self.interims.set(0);
        self.is_head.set(true);
        self.is_unwritten.set(true);
        self.spellings.replace(Some(spellings.clone()));
    }

    /// A whole head was read, of which hyper is given what it is `mended` to.
    fn add_head(&self, head: &[u8], mended: &[u8]) {
        if is_interim(head) {
            self.add_interim(mended);
        } else {
            self.end_head(mended);
        }
    }

    /// An interim response was read.
    fn add_interim(&self, head: &[u8]) {
        self.interims.set(self.interims.get() + 1);
        if self.has_too_many_interims() {
            self.is_head.set(false);
        }
        // `100 Continue` is not forwarded: hyper's server says it.
        if let Some(spellings) = &*self.spellings.borrow()
            && status(head) != b"100"
        {
            spellings.add_interim(head);
        }
    }

    /// The head of the response was read.
    fn end_head(&self, head: &[u8]) {
        self.is_head.set(false);
        if let Some(spellings) = self.spellings.take() {
            // A response has come, so the request is not sent again.
            spellings.request.forget();
            spellings.response.forget();
            spellings.response.add(head);
        }
    }

    /// The task has its turn.
    pub(super) fn begin_turn(&self) {
        self.share.begin_turn();
    }

    /// Whether hyper still holds a part of what it has written. It takes the next request all the
    /// same while that is a part of a head, and the two heads would be one piece here.
    pub(super) fn is_mid_write(&self) -> bool {
        self.is_mid_write.get()
    }

    /// Whether more interim responses have come since the last request was sent than may.
    pub(super) fn has_too_many_interims(&self) -> bool {
        self.interims.get() > MAX_INTERIMS
    }

    /// Whether more has come since then than a head of `head_size` bytes and what may be before it.
    pub(super) fn is_endless(&self, head_size: usize) -> bool {
        self.read.get() > BEFORE_RESPONSE + head_size
    }

    /// Lets the next read ask the system. The runtime learns of a connection's end only between two
    /// turns of its tasks.
    pub(super) fn ask_system(&self) {
        self.asks_system.set(true);
    }
}

/// A stream to an origin.
#[derive(Debug)]
pub(super) struct OriginStream {
    stream: OriginSocket,
    gauge: Rc<Gauge>,
    /// A head may have this many bytes.
    head_size: usize,
    /// A head that is not whole yet, or that had to be mended, and what came behind it.
    held: Vec<u8>,
    /// How much of `held` hyper may have.
    whole: usize,
    /// The head of a request, as far as it is not written.
    spelled: SpelledHead,
    /// Nothing can be written any more.
    is_deaf: bool,
}

impl OriginStream {
    pub(super) fn new(stream: OriginSocket, head_size: usize) -> (Self, Rc<Gauge>) {
        let gauge = Rc::<Gauge>::default();
        let stream = Self {
            stream,
            gauge: gauge.clone(),
            head_size,
            held: Vec::new(),
            whole: 0,
            spelled: SpelledHead::default(),
            is_deaf: false,
        };
        (stream, gauge)
    }

    /// The stream, and what was read from it and not asked for.
    pub(super) fn into_parts(self) -> (OriginSocket, Vec<u8>) {
        (self.stream, self.held)
    }

    /// An origin that has heard enough answers and closes its connection, and what is still being
    /// sent meets a reset (RFC 9112, section 9.6). What it has answered can be read all the same,
    /// and then the end. So a failed write waits for ever, and the read side tells how it ends.
    fn unless_deaf<T>(&mut self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match written {
            Poll::Ready(Err(error)) => {
                tracing::debug!(%error, "the origin does not read any more");
                self.is_deaf = true;
                Poll::Pending
            }
            written => written,
        }
    }
}

impl OriginStream {
    /// Reads and counts.
    fn poll_count(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let gauge = &self.gauge;
        ready!(gauge.share.poll(cx));
        let before = buf.filled().len();
        let asked = if gauge.asks_system.take() {
            read_now(&self.stream, buf)?
        } else {
            Poll::Pending
        };
        if asked.is_pending() {
            ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        }
        let read = buf.filled().len() - before;
        gauge.read.set(gauge.read.get().saturating_add(read));
        gauge.share.add(read);
        Poll::Ready(Ok(()))
    }

    /// Reads heads until the one of the response itself is whole. What is sound goes straight to
    /// hyper, all else through `held`.
    fn poll_head(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        loop {
            let held = self.held.len();
            ready!(self.poll_count(cx, buf))?;
            let read = &buf.filled()[before..];
            let is_end = read.is_empty();
            let sound = if held == 0 { self.sound_heads(read) } else { 0 };
            if held == 0 && sound == read.len() {
                return Poll::Ready(Ok(()));
            }
            self.held.extend_from_slice(&read[sound..]);
            buf.set_filled(before + sound);
            self.mend_heads(held);
            let next = &self.held[self.whole..];
            let is_http = next.iter().zip(b"HTTP/1.").all(|(a, b)| a == b);
            if is_end || !is_http || next.len() > self.head_size {
                // hyper says what is wrong with it.
                self.whole = self.held.len();
            }
            if is_end || sound > 0 || self.whole > 0 {
                self.give(buf);
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// How much of what was read hyper may have as it is: whole heads that are sound, and all that
    /// comes behind the last one that is looked at.
    fn sound_heads(&self, read: &[u8]) -> usize {
        let mut at = 0;
        while self.gauge.is_head.get() {
            at += blank_lines(&read[at..]);
            let rest = &read[at..];
            match end_of_head(rest, 0) {
                Some(end) if mend::is_sound(&rest[..end]) => {
                    self.gauge.add_head(&rest[..end], &rest[..end]);
                    at += end;
                }
                // The rest is held.
                _ => return at,
            }
        }
        read.len()
    }

    /// Mends the whole heads in `held`, of which the first has no end in its first `scanned` bytes.
    /// What is behind them moves once, however many become shorter.
    fn mend_heads(&mut self, mut scanned: usize) {
        let mut mended = Vec::new();
        let mut at = 0;
        while self.gauge.is_head.get() {
            let blank = blank_lines(&self.held[at..]);
            mended.extend_from_slice(&self.held[at..at + blank]);
            at += blank;
            let rest = &self.held[at..];
            let Some(end) = end_of_head(rest, scanned.saturating_sub(blank)) else {
                break;
            };
            let head = &rest[..end];
            let from = mended.len();
            if mend::is_sound(head) {
                mended.extend_from_slice(head);
            } else {
                mended.append(&mut mend::mend(head));
            }
            self.gauge.add_head(head, &mended[from..]);
            at += end;
            scanned = 0;
        }
        self.whole = mended.len();
        self.held.splice(..at, mended);
        if !self.gauge.is_head.get() {
            self.whole = self.held.len();
        }
    }

    /// Gives hyper as much as it takes of what it may have.
    fn give(&mut self, buf: &mut ReadBuf<'_>) {
        self.whole -= give(&mut self.held, self.whole, buf);
    }
}

/// Reads what the system has now, or finds that there is nothing.
fn read_now(stream: &OriginSocket, buf: &mut ReadBuf<'_>) -> io::Result<Poll<()>> {
    let Some(stream) = stream.tcp() else {
        return Ok(Poll::Pending);
    };
    match (&*SockRef::from(stream)).read(buf.initialize_unfilled()) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Poll::Pending),
        read => {
            buf.advance(read?);
            Ok(Poll::Ready(()))
        }
    }
}

/// How many bytes the empty lines before a status line have. hyper passes over them.
pub(crate) fn blank_lines(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += match &bytes[at..] {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => return at,
        };
    }
}

/// Whether another head follows a head (RFC 9110, section 15.2). 101 is the last one.
pub(crate) fn is_interim(head: &[u8]) -> bool {
    let status = status(head);
    status.starts_with(b"1") && status != b"101"
}

/// The three digits in a status line.
fn status(head: &[u8]) -> &[u8] {
    head.get(9..12).unwrap_or_default()
}

impl AsyncRead for OriginStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.whole > 0 {
            this.give(buf);
            Poll::Ready(Ok(()))
        } else if this.gauge.is_head.get() {
            this.poll_head(cx, buf)
        } else {
            this.poll_count(cx, buf)
        }
    }
}

impl AsyncWrite for OriginStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.is_deaf {
            return Poll::Pending;
        }
        if this.spelled.is_written()
            && this.gauge.is_unwritten.take()
            && let (Some(start), Some(spellings)) = (bufs.first(), &*this.gauge.spellings.borrow())
        {
            this.spelled.begin(start, &spellings.request);
        }
        let offered = bufs.iter().map(|buf| buf.len()).sum::<usize>();
        let stream = Pin::new(&mut this.stream);
        let written = if this.spelled.is_written() {
            stream.poll_write_vectored(cx, bufs)
        } else {
            this.spelled.poll_write(stream, cx, bufs)
        };
        let is_all = matches!(written, Poll::Ready(Ok(written)) if written == offered);
        this.gauge.is_mid_write.set(!is_all);
        this.unless_deaf(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::Write;

    use super::*;
    use crate::upstream::dial;

    #[tokio::test]
    async fn a_stream_that_is_always_ready_lets_others_have_their_turn() {
        let origin = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let dialled = dial::connect(origin.local_addr().unwrap()).await;
        let (mut stream, gauge) =
            OriginStream::new(OriginSocket::Direct(dialled.unwrap().stream), 1 << 16);
        origin.accept().unwrap().0.write_all(b"more").unwrap();
        stream.stream.tcp().unwrap().readable().await.unwrap();

        gauge.share.use_up();
        let mut bytes = [0; 8];
        let mut buffer = ReadBuf::new(&mut bytes);
        poll_fn(|cx| {
            let turn = Pin::new(&mut stream).poll_read(cx, &mut buffer);
            assert!(turn.is_pending());
            gauge.begin_turn();
            Pin::new(&mut stream).poll_read(cx, &mut buffer)
        })
        .await
        .unwrap();
        assert_eq!(buffer.filled(), b"more");
        assert_eq!(gauge.read.get(), 4);
    }

    #[tokio::test]
    async fn what_the_system_is_asked_for_counts_as_well() {
        let origin = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let dialled = dial::connect(origin.local_addr().unwrap()).await;
        let (mut stream, gauge) =
            OriginStream::new(OriginSocket::Direct(dialled.unwrap().stream), 1 << 16);
        origin.accept().unwrap().0.write_all(b"more").unwrap();
        stream.stream.tcp().unwrap().readable().await.unwrap();

        gauge.ask_system();
        let mut bytes = [0; 8];
        let mut buffer = ReadBuf::new(&mut bytes);
        poll_fn(|cx| Pin::new(&mut stream).poll_read(cx, &mut buffer))
            .await
            .unwrap();
        assert_eq!(buffer.filled(), b"more");
        assert_eq!(gauge.read.get(), 4);
    }
}
